"""A look at somebody's 837P file without a database: the rules' findings and the guide's, claim by claim."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Literal

from charges.errors import Unreadable
from charges.model import Charge, Claim, Finding, HistoryLine, Severity
from charges.x12 import check, places, reader, words
from charges.x12.marking import Place, positions
from charges.x12.oracle import Fault, Opinion
from rules.engine import NO_TABLES, Facts, judge, load
from rules.index import Catalogue
from rules.reference.library import Reference
from rules.reference.shipped import shipped

IN_WORDS = "X12-003"
"""The finding of a file that is against the words of its guide, which no table holds."""


@dataclass(frozen=True, slots=True)
class Said:
    """One finding with the claim it is about; ``claim`` is empty for the file as a whole, ``line`` counts from 1.

    ``position`` is that of the segment in the file, counted from 1; 0 where there is none.
    """

    rule: str
    severity: Severity
    claim: str
    line: int | None
    loop: str
    segment: str
    element: str
    message: str
    position: int = 0

    def as_json(self) -> dict[str, Any]:
        """For machines, which find the segment by its place."""
        return {name: getattr(self, name) for name in _FOR_MACHINES}


_FOR_MACHINES = ("rule", "severity", "claim", "line", "loop", "segment", "element", "message")


@dataclass(frozen=True, slots=True)
class Scrutiny:
    """The verdict of a file. ``sentence`` says why an unreadable one could not be read."""

    file: str
    claims: int
    verdict: Literal["clean", "held", "unreadable"]
    findings: tuple[Said, ...] = ()
    sentence: str = ""
    guide: Opinion = field(default_factory=Opinion)

    def as_json(self) -> dict[str, Any]:
        """For machines; an unreadable file's sentence stands as its only finding."""
        findings = self.findings
        if self.verdict == "unreadable":
            findings = (Said("X12-000", Severity.STOP, "", None, "", "", "", self.sentence),)
        said = [each.as_json() for each in findings]
        return {"file": self.file, "claims": self.claims, "verdict": self.verdict, "findings": said}


def scrutinise(file: Path, today: date, tables: Reference = NO_TABLES) -> Scrutiny:
    """Judge a file as if today were ``today``; the same patient's earlier claims in it are the history.

    ``tables`` are asked beside those that come with the software.

    One claim is held at a time, so the file may be of any size.
    """
    try:
        with file.open("rb") as content:
            return _scrutinised(str(file), content, today, tables | shipped())
    except OSError as error:
        return Scrutiny(str(file), 0, "unreadable", sentence=f"{file} cannot be read ({error.strerror}).")
    except Unreadable as fault:
        return Scrutiny(str(file), 0, "unreadable", sentence=str(fault))


def _scrutinised(name: str, content: BinaryIO, today: date, tables: Reference) -> Scrutiny:
    guide = check.opinion(content)
    content.seek(0)
    in_words = words.read(content)
    catalogue = Catalogue(load())
    histories: dict[str, list[HistoryLine]] = defaultdict(list)
    findings = [_of_guide(each, "") for each in dict.fromkeys(guide.of_file)]
    findings += [_of_guide(each, "", IN_WORDS) for each in in_words.of_file]
    count = 0
    content.seek(0)
    for count, claim in enumerate(reader.read(content), 1):  # noqa: B007 - the last count is wanted
        history = histories[_patient(claim.charge)]
        facts = Facts(charge=claim.charge, today=today, history=tuple(history), tables=tables)
        findings += [_of_rule(each, claim) for each in judge(catalogue.of(facts), facts)]
        findings += [_of_guide(each, claim.number) for each in dict.fromkeys(guide.by_claim.get(claim.number, ()))]
        findings += [_of_guide(each, claim.number, IN_WORDS) for each in in_words.by_claim.pop(claim.number, ())]
        history.extend(_lines(claim))
    content.seek(0)
    where = positions(content, {_place(each) for each in findings if not each.position})
    findings = [each if each.position else replace(each, position=where.get(_place(each), 0)) for each in findings]
    held = not guide.valid or any(each.severity.holds for each in findings)
    return Scrutiny(name, count, "held" if held else "clean", tuple(findings), guide=guide)


def _of_rule(finding: Finding, claim: Claim) -> Said:
    loop, segment, element = finding.loop, finding.segment, finding.element
    if not segment:
        loop, segment, element = places.place(finding.at, claim.charge)
    return Said(finding.rule, finding.severity, claim.number, finding.line, loop, segment, element, finding.message)


def _of_guide(fault: Fault, claim: str, rule: str = check.AGAINST_THE_GUIDE) -> Said:
    place = (fault.loop, fault.segment, fault.element)
    severity, line = Severity.STOP, fault.line or None
    return Said(rule, severity, claim, line, *place, fault.sentence, position=fault.position)


def _place(said: Said) -> Place:
    return Place(said.claim, said.line or 0, said.loop, said.segment)


def _patient(charge: Charge) -> str:
    """What tells one patient of a file from another: name, birth and the member id."""
    patient = charge.patient
    member = charge.coverages[0].member_id if charge.coverages else ""
    return "|".join((patient.last_name, patient.first_name, str(patient.birth_date), member)).upper()


def _lines(claim: Claim) -> list[HistoryLine]:
    return [
        HistoryLine(
            charge_key=claim.number,
            service_date=line.service_date,
            code=line.code,
            modifiers=line.modifiers,
            units=line.units,
            rendering_npi=rendering.npi
            if (rendering := line.rendering_provider or claim.charge.rendering_provider)
            else "",
        )
        for line in claim.charge.lines
        if line.service_date is not None
    ]
