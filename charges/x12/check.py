"""Whether an 837 file may leave: the verdict of the implementation guide, with findings by claim.

The verdict is pyx12's. The guide compiled from pyx12's own maps accepts what is certainly valid at a fraction of the cost;
whatever it does not accept goes to pyx12, transaction set by transaction set.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from charges.model import Finding, Severity
from charges.x12 import guide, oracle
from charges.x12.oracle import Fault, Opinion, pyx12_alone

__all__ = ["AGAINST_THE_GUIDE", "Verdict", "check", "opinion", "pyx12_alone"]

AGAINST_THE_GUIDE = "X12-002"
"""The finding of a segment or element that the implementation guide does not allow."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guide says of a file. An invalid one has findings of claims, of the file, or of both.

    ``by_claim`` has the findings of each claim by its number (CLM01); one about a level above claims stands with each
    claim under it. ``at`` of a finding counts the service lines as the claim does.
    """

    valid: bool
    by_claim: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    of_file: tuple[Finding, ...] = ()


def check(content: bytes | BinaryIO) -> Verdict:
    """The verdict of the guide on a file of any size."""
    found = opinion(content)
    if found.valid:
        return Verdict(valid=True)
    return Verdict(
        valid=False,
        by_claim={number: _findings(faults) for number, faults in found.by_claim.items()},
        of_file=_findings(found.of_file),
    )


def opinion(content: bytes | BinaryIO) -> Opinion:
    """The faults of a file as pyx12 tells them, none for a valid one; a file is gone through from where it stands."""
    file = io.BytesIO(content) if isinstance(content, bytes) else content
    start = file.tell()
    survey = guide.survey(file)
    found = Opinion()
    if not survey.envelope:
        file.seek(start)
        return oracle.ask(_pieces(file))
    for part in survey.doubtful:
        file.seek(start)
        found.add(oracle.ask(guide.alone(file, part), shift=part.first - 3))
    return found


def _pieces(file: BinaryIO) -> Iterator[str]:
    while piece := file.read(guide.CHUNK):
        yield piece.decode("latin-1")


def _findings(faults: Iterable[Fault]) -> tuple[Finding, ...]:
    return tuple(map(_finding, dict.fromkeys(faults)))


def _finding(fault: Fault) -> Finding:
    return Finding(
        rule=AGAINST_THE_GUIDE,
        severity=Severity.STOP,
        at=f"lines[{fault.line - 1}]" if fault.line else "",
        message=fault.sentence,
        evidence={"segment of the file": str(fault.position), "guide code": fault.code},
        fix="Correct it at the source, or in the practice's profile if it comes from there.",
        loop=fault.loop,
        segment=fault.segment,
        element=fault.element,
    )
