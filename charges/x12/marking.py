"""Where in a file a finding stands: the position of the segment it is about."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from charges.x12.scanner import scan

_PARTIES = {
    "2010AA": "85",
    "2010AB": "87",
    "2010AC": "PE",
    "2010BA": "IL",
    "2010BB": "PR",
    "2010CA": "QC",
    "2310A": "DN",
    "2310B": "82",
    "2310C": "77",
    "2310D": "DQ",
    "2330A": "IL",
    "2330B": "PR",
    "2420A": "82",
    "2420B": "QB",
    "2420C": "77",
    "2420D": "DQ",
    "2420E": "DK",
    "2420F": "DN",
}
"""The loops that begin with a name, and whose (NM101)."""

_OTHER_SUBSCRIBER = ("2320", "2330A", "2330B")


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of the place of a finding. ``line`` counts the claim's service lines from 1, 0 is the claim itself."""

    claim: str
    line: int = 0
    loop: str = ""
    segment: str = ""


@dataclass(frozen=True, slots=True)
class _Seen:
    position: int
    name: str
    party: str
    line: int
    of_other: bool


@dataclass(slots=True)
class _Level:
    """A hierarchical level or a claim: its segments as they were seen."""

    number: str = ""
    seen: list[_Seen] = field(default_factory=list)
    party: str = ""
    line: int = 0
    of_other: bool = False

    def take(self, position: int, e: list[str]) -> None:
        if e[0] == "LX":
            self.line, self.party, self.of_other = self.line + 1, "", False
        elif e[0] == "SBR":
            self.of_other, self.party = True, ""
        elif e[0] == "NM1":
            self.party = e[1]
        self.seen.append(_Seen(position, e[0], self.party, self.line, self.of_other))


def positions(content: bytes | BinaryIO, places: Iterable[Place]) -> dict[Place, int]:
    """The position (from 1) of the segment that each place means, of its claim's first segment where it is not found.

    A number that several claims of a file bear means the first of them. One claim is held at a time.
    """
    wanted: dict[str, list[Place]] = {}
    for place in places:
        wanted.setdefault(place.claim, []).append(place)
    found: dict[Place, int] = {}
    for above, claim in _claims(io.BytesIO(content) if isinstance(content, bytes) else content):
        for place in wanted.pop(claim.number, ()):
            found[place] = _position(place, above, claim)
    return found


def _claims(file: BinaryIO) -> Iterator[tuple[list[_Level], _Level]]:
    """Each claim with the levels above it."""
    levels: list[_Level] = []
    claim: _Level | None = None
    for position, (e, _) in enumerate(scan(file), 1):
        if claim is not None and e[0] in ("CLM", "HL", "SE"):
            yield levels, claim
            claim = None
        if e[0] == "ST":
            levels = []
        elif e[0] == "HL":
            depth = {"20": 0, "22": 1, "23": 2}.get(e[3], 0)
            levels = [*levels[:depth], _Level()]
        elif e[0] == "CLM":
            claim = _Level(e[1])
        here = claim or (levels[-1] if levels else None)
        if here is not None:
            here.take(position, e)


def _position(place: Place, above: list[_Level], claim: _Level) -> int:
    party = _PARTIES.get(place.loop, "")
    of_other = place.loop in _OTHER_SUBSCRIBER
    within = [each for each in claim.seen if each.line == place.line and each.of_other is of_other]
    inherited = [] if place.line else [each for level in reversed(above) for each in level.seen]
    for each in within + inherited:
        if each.name == place.segment and party in ("", each.party):
            return each.position
    return within[0].position if within else claim.seen[0].position
