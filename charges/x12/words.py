"""What a claim guide says in words, and no table of segments and codes can hold: about numbers, levels and versions.

Rules judge what is said of a charge; here is what only a file can get wrong.
"""

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from charges.x12.oracle import Fault, Opinion
from charges.x12.scanner import Delimiters, Segment, scan

_POINTED = re.compile(r"[A-Z0-9]{3}\.")
_OF_DIAGNOSES = frozenset(("ABK", "ABF", "BK", "BF", "ABJ", "APR", "ABN"))
_NEEDS_NUMBER = frozenset(("7", "8"))


def read(content: bytes | BinaryIO) -> Opinion:
    """The faults of a file against the words of its guide. Memory grows with the number of claims alone.

    Raises Unreadable for what is no X12.
    """
    found = Opinion()
    reading = _Reading()
    for e, delimiters in scan(io.BytesIO(content) if isinstance(content, bytes) else content):
        for fault in reading.take(e, delimiters):
            found.faults.append(fault)
            if fault.claim:
                found.by_claim.setdefault(fault.claim, []).append(fault)
            else:
                found.of_file.append(fault)
    return found


class _Reading:
    """What must be remembered from one segment to the next."""

    def __init__(self) -> None:
        self.position = self.begun = 0
        self.version = self.transaction = ""
        self.numbers: set[str] = set()
        self.claim: tuple[int, str, str] | None = None
        self.has_payer_number = False
        self.parent: tuple[int, str] | None = None

    def take(self, e: Segment, delimiters: Delimiters) -> Iterator[Fault]:
        """The faults that are certain with this segment."""
        self.position += 1
        name = e[0]
        if name in ("CLM", "HL", "SE"):
            yield from self._end_of_claim()
        if name == "GS":
            self.version = e[8]
        elif name == "ST":
            self.begun, self.transaction, self.numbers, self.parent = self.position, e[2], set(), None
            if e[3] and e[3] != self.version:
                yield self._fault("ST_LOOP", "ST", "ST03", f"names guide {e[3]}, and the group's GS08 {self.version}.")
        elif name in ("HL", "SE"):
            yield from self._end_of_level(e)
        elif name == "CLM":
            yield from self._begin_claim(e, delimiters)
        elif name == "REF" and e[1] == "F8":
            self.has_payer_number = True
        elif name == "HI":
            yield from self._diagnoses(e, delimiters)

    def _end_of_level(self, e: Segment) -> Iterator[Fault]:
        """HL04 says whether levels follow under this one."""
        parent, self.parent = self.parent, None
        if parent is not None and not (e[0] == "HL" and e[2] == parent[1]):
            yield self._fault("2000B", "HL", "HL04", "promises a dependent, and none follows.", position=parent[0])
        if e[0] == "HL" and e[3] == "22" and e[4] == "1":
            self.parent = (self.position, e[1])

    def _begin_claim(self, e: Segment, delimiters: Delimiters) -> Iterator[Fault]:
        frequency = e[5].split(delimiters.component)[-1]
        self.claim, self.has_payer_number = (self.position, e[1], frequency), False
        if e[1] in self.numbers:
            yield self._fault("2300", "CLM", "CLM01", "was the number of an earlier claim of this transaction set.")
        self.numbers.add(e[1])

    def _end_of_claim(self) -> Iterator[Fault]:
        if self.claim is not None:
            position, _, frequency = self.claim
            if frequency in _NEEDS_NUMBER and not self.has_payer_number:
                said = f"with the payer's own number (F8) is missing; a claim of frequency {frequency} must name it."
                yield self._fault("2300", "REF", "REF02", said, position=position)
            self.claim = None

    def _diagnoses(self, e: Segment, delimiters: Delimiters) -> Iterator[Fault]:
        for place, element in enumerate(e[1:], 1):
            qualifier, _, code = element.partition(delimiters.component)
            if qualifier in _OF_DIAGNOSES and _POINTED.match(code):
                yield self._fault("2300", "HI", f"HI{place:02d}-2", "has a point, which X12 leaves out of diagnoses.")

    def _fault(self, loop: str, segment: str, element: str, said: str, position: int = 0) -> Fault:
        at = position or self.position
        return Fault(
            level="element",
            code="7",
            sentence=f"{element} {said}",
            position=at,
            at_transaction=at - self.begun + 1,
            transaction=self.transaction,
            claim=self.claim[1] if self.claim else "",
            loop=loop,
            segment=segment,
            element=element,
        )
