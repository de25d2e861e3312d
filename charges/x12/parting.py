"""A file of claims parted into files of one claim each, as they were given: the envelope, the levels above, the claim."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from charges.x12.scanner import Delimiters, Segment, scan


@dataclass(frozen=True, slots=True)
class Part:
    """One claim of a file.

    ``number`` is CLM01, ``first_day`` its earliest date of service as CCYYMMDD, ``responsibility`` SBR01 of the policy it is
    sent under. ``content`` is an interchange of this claim alone; the counts of its SE are those of the whole.
    """

    number: str
    first_day: str
    responsibility: str
    content: bytes = field(repr=False)


def part(content: bytes | BinaryIO) -> Iterator[Part]:
    """The claims of a file in their order; raises Unreadable as ``scan`` does, what was given before stays good."""
    parting = _Parting()
    for segment, delimiters in scan(content):
        found = parting.take(segment, delimiters)
        if found is not None:
            yield found


class _Parting:
    """The segments above the claim that is being gathered, and its own."""

    def __init__(self) -> None:
        self.envelope: dict[str, Segment] = {}
        self.header: list[Segment] = []
        self.levels: dict[str, list[Segment]] = {}
        self.claim: list[Segment] = []
        self.here = self.header

    def take(self, e: Segment, delimiters: Delimiters) -> Part | None:
        """Gather a segment; gives the claim that it ends."""
        name = e[0]
        if name not in ("CLM", "HL", "SE", "ST", "ISA", "IEA", "GS", "GE"):
            self.here.append(e)
            return None
        ended = self._ended(delimiters) if self.claim else None
        if name in ("ISA", "GS"):
            self.envelope[name] = e
        elif name == "ST":
            self.header, self.levels = [e], {}
            self.here = self.header
        elif name == "HL":
            self._climb(e)
        elif name == "CLM":
            self.claim = self.here = [e]
        return ended

    def _climb(self, e: Segment) -> None:
        below = {"20": ("20", "22", "23"), "22": ("22", "23")}.get(e[3], (e[3],))
        for level in below:
            self.levels.pop(level, None)
        self.here = self.levels[e[3]] = [e]

    def _ended(self, delimiters: Delimiters) -> Part:
        claim, self.claim, self.here = self.claim, [], []
        above = [each for level in self.levels.values() for each in level]
        opened = [self.envelope[name] for name in ("ISA", "GS") if name in self.envelope]
        whole = [*opened, *self.header, *above, *claim]
        trailer = [["SE", "0", *self.header[0][2:3]] if self.header else ["SE"], ["GE", "1"], ["IEA", "1"]]
        element = delimiters.element
        lines = [element.join(each).rstrip(element) for each in whole] + [element.join(each) for each in trailer]
        # The first service, or of a facility's bill the first day of its statement.
        days = [each[3][:8] for each in claim if each[0] == "DTP" and each[1] in ("472", "434")]
        policy = next((each[1] for each in self.levels.get("22", ()) if each[0] == "SBR"), "")
        content = "".join(f"{each}{delimiters.segment}" for each in lines).encode()
        return Part(claim[0][1], min(days, default=""), policy, content)
