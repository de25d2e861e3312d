"""A look at somebody's file without a database: the rules' findings claim by claim, and of an 837 the guide's.

An 837 is judged as the claims that it holds; what else holds charges (``scrutiny_sources``) as charges, which a practice
profile completes as it would in the pipeline.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Literal

from charges.errors import Unreadable
from charges.model import Charge, Claim, Finding, HistoryLine, Severity
from charges.practice.completion import complete
from charges.practice.connections import FlatFiles
from charges.practice.dialect import Hl7
from charges.practice.layout import Layout
from charges.practice.profile import Practice
from charges.scrutiny.sources import Charges, Seen, charges_of, format_of
from charges.sources.seen import origin
from charges.x12 import check, places, reader, words
from charges.x12.marking import Place, positions
from charges.x12.oracle import Fault, Opinion
from rules.engine import NO_TABLES, Facts, judge, load
from rules.index import Catalogue
from rules.payer.book import EMPTY, Book, read_book
from rules.reference.library import Reference
from rules.reference.shipped import shipped

IN_WORDS = "X12-003"
"""The finding of a file that is against the words of its guide, which no table holds."""
UNREADABLE = "SRC-001"
"""The finding of a charge that cannot be read."""
NOT_READ = "SRC-004"
"""The note of columns of which nothing is read."""


@dataclass(frozen=True, slots=True)
class Said:
    """One finding with the claim it is about; ``claim`` is empty for the file as a whole, ``line`` counts from 1.

    ``position`` is that of the segment in the file, counted from 1; 0 where there is none. Of what is no 837 it is that of
    the row or segment; ``loop`` names the row of a table, and ``segment`` the column or place in the source, or the path
    of the field where it has none.
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
    """The verdict of a file. ``sentence`` says why an unreadable one could not be read.

    ``parts`` gives the pieces of a file that is no 837, each with its place.
    """

    file: str
    claims: int
    verdict: Literal["clean", "held", "unreadable"]
    findings: tuple[Said, ...] = ()
    sentence: str = ""
    guide: Opinion = field(default_factory=Opinion)
    parts: Callable[[], Iterator[tuple[int, str]]] | None = field(default=None, repr=False)

    @property
    def counted(self) -> str:
        """What was judged, in words: claims of an 837, charges of any other file."""
        thing = "claim" if self.parts is None else "charge"
        return f"{self.claims} {thing}" if self.claims == 1 else f"{self.claims} {thing}s"

    def as_json(self) -> dict[str, Any]:
        """For machines; an unreadable file's sentence stands as its only finding."""
        findings = self.findings
        if self.verdict == "unreadable":
            findings = (Said("X12-000", Severity.STOP, "", None, "", "", "", self.sentence),)
        said = [each.as_json() for each in findings]
        return {"file": self.file, "claims": self.claims, "verdict": self.verdict, "findings": said}


def scrutinise(
    file: Path,
    today: date,
    tables: Reference = NO_TABLES,
    *,
    practice: Practice | None = None,
    layout: Layout | None = None,
) -> Scrutiny:
    """Judge a file as if today were ``today``; the same patient's earlier claims in it are the history.

    ``tables`` are asked beside those that come with the software. Of a file that is no 837 the charges are completed from
    the profile of ``practice``, whose payer rules and weights count too. With a ``layout`` the file is a table.

    One claim is held at a time, so the file may be of any size. Raises BadRules when the profile's payer rules have a fault.
    """
    try:
        kind = "table" if layout else format_of(file)
        if kind != "x12":
            source = practice.source if practice else None
            given = layout or (source.layout if isinstance(source, FlatFiles) else None)
            charges = charges_of(file, kind, given, source if isinstance(source, Hl7) else None)
            word = "row " if kind == "table" else ""
            return _Judged(str(file), today, tables | shipped(), practice, word).of(charges)
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
    history = _History()
    findings = [_of_guide(each, "") for each in dict.fromkeys(guide.of_file)]
    findings += [_of_guide(each, "", IN_WORDS) for each in in_words.of_file]
    count = 0
    content.seek(0)
    for count, claim in enumerate(reader.read(content), 1):  # noqa: B007 - the last count is wanted
        patient = _patient(claim.charge)
        facts = Facts(charge=claim.charge, today=today, history=history.of(patient), tables=tables)
        findings += [_of_rule(each, claim) for each in judge(catalogue.of(facts), facts)]
        findings += [_of_guide(each, claim.number) for each in dict.fromkeys(guide.by_claim.get(claim.number, ()))]
        findings += [_of_guide(each, claim.number, IN_WORDS) for each in in_words.by_claim.pop(claim.number, ())]
        history.add(patient, claim.number, claim.charge)
    content.seek(0)
    where = positions(content, {_place(each) for each in findings if not each.position})
    findings = [each if each.position else replace(each, position=where.get(_place(each), 0)) for each in findings]
    held = not guide.valid or any(each.severity.holds for each in findings)
    return Scrutiny(name, count, "held" if held else "clean", tuple(findings), guide=guide)


class _History:
    """The lines of the charges seen so far by patient, in few bytes: a file may have millions."""

    def __init__(self) -> None:
        self._lines: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._known: dict[Any, Any] = {}

    def of(self, patient: str) -> tuple[HistoryLine, ...]:
        """The earlier lines of a patient."""
        return tuple(
            HistoryLine(
                charge_key=number, service_date=day, code=code, modifiers=modifiers, units=units, rendering_npi=npi
            )
            for number, day, code, modifiers, units, npi in self._lines.get(patient, ())
        )

    def add(self, patient: str, number: str, charge: Charge) -> None:
        """Remember the lines of a charge."""
        for line in charge.lines:
            if line.service_date is not None:
                rendering = line.rendering_provider or charge.rendering_provider
                npi = rendering.npi if rendering else ""
                facts = (line.service_date, line.code, line.modifiers, line.units, npi)
                self._lines[patient].append((number, *(self._known.setdefault(each, each) for each in facts)))


class _Judged:
    """The charges of a file being judged."""

    def __init__(self, name: str, today: date, tables: Reference, practice: Practice | None, word: str) -> None:
        rules = load()
        self.name, self.today, self.practice, self.word = name, today, practice, word
        self.tables = tables.without_samples(practice.demanded_tables) if practice else tables
        self.catalogue = Catalogue(rules)
        paths = [practice.payer_rules] if practice and practice.payer_rules else []
        self.book: Book = read_book(paths, {each.id for each in rules}) if paths else EMPTY
        self.history = _History()

    def of(self, charges: Charges) -> Scrutiny:
        """The verdict; raises Unreadable and OSError as the charges are read."""
        findings: list[Said] = []
        count = 0
        for count, seen in enumerate(charges(), 1):  # noqa: B007 - the last count is wanted
            findings += self._said(seen)
        if not count:
            raise Unreadable("There is no charge in the file.")
        held = any(each.severity.holds for each in findings)

        def parts() -> Iterator[tuple[int, str]]:
            for seen in charges():
                yield from seen.parts

        return Scrutiny(self.name, count, "held" if held else "clean", tuple(findings), parts=parts)

    def _said(self, seen: Seen) -> Iterator[Said]:
        if seen.note:
            yield Said(NOT_READ, Severity.INFO, "", None, "", "", "", seen.note)
        if seen.faults:
            for place, sentence in seen.faults:
                at = place or seen.position("", None)
                yield Said(UNREADABLE, Severity.STOP, seen.number, None, self._row(at), "", "", sentence, position=at)
            return
        charge = complete(self.practice, seen.charge) if self.practice else seen.charge
        if charge.voided or charge.self_pay:
            return
        patient = charge.patient.record_number or _patient(charge)
        facts = Facts(charge=charge, today=self.today, history=self.history.of(patient), tables=self.tables)
        weights = {}
        if self.practice:
            weights = dict(self.practice.weights(charge))
            facts = replace(facts, policy=self.practice.policy(charge), demanded=self.practice.demanded_tables)
        for each in judge((*self.catalogue.of(facts), *self.book.of(facts)), facts, weights):
            where = origin(charge, each.at)
            position = seen.position(where, each.line)
            said = (each.rule, each.severity, seen.number, each.line)
            yield Said(*said, self._row(position), where or each.at, "", each.message, position=position)
        self.history.add(patient, seen.number, charge)

    def _row(self, position: int) -> str:
        return f"{self.word}{position}" if self.word and position else ""


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
