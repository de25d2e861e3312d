"""A charge with everything that a person needs to decide about it, on one page. Read-only.

For each finding: why the rule exists, what it saw and where that stood, what the charge would say and be told if the
suggestion were taken. And the claim as it would be sent, with the segments at fault.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from charges import filing, review
from charges.desk import corrections
from charges.desk.corrections import Correction, Field
from charges.desk.explaining import Explanation, explain
from charges.errors import Refused
from charges.model import Charge, Claim, Finding, HistoryLine, Severity
from charges.pipeline import Applied, Pipeline
from charges.practice.completion import complete
from charges.practice.profile import Practice
from charges.review import Case, Item
from charges.tables import NO_DEADLINE, ChargeRow, ItemState
from charges.x12 import places
from charges.x12.interchange import ControlNumbers, write
from charges.x12.marking import Place, positions
from charges.x12.options import options_of
from charges.x12.professional import cannot_be_written
from charges.x12.scanner import scan
from rules.engine import Facts, judge


@dataclass(frozen=True, slots=True)
class Remedied:
    """What the suggestion of a finding would do: the fields that change, and what would still be said of the charge."""

    fields: tuple[Field, ...]
    left: tuple[Finding, ...]
    charge: Charge = field(repr=False)


@dataclass(frozen=True, slots=True)
class Point:
    """One open finding with what is behind it. ``explanation`` is missing where no rule raised it."""

    item: Item
    explanation: Explanation | None
    remedied: Remedied | None


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of the claim, and the items that are about it."""

    position: int
    text: str = field(repr=False)
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """The claim as it would be sent; ``sentence`` says why it cannot be written where there are no segments."""

    segments: tuple[Segment, ...] = ()
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything about one charge. ``seen`` is its last event, which acts are given; ``charge`` is as the rules see it."""

    case: Case
    practice: Practice
    charge: Charge
    seen: int
    assignee: str
    snoozed_until: date | None
    asked_at: datetime | None
    deadline: date | None
    total: Decimal
    points: tuple[Point, ...]
    history: tuple[HistoryLine, ...]
    corrections: tuple[Correction, ...]
    written: Written

    @property
    def decided(self) -> tuple[Item, ...]:
        """The findings of earlier: waived or closed."""
        return tuple(each for each in self.case.items if each.state is not ItemState.OPEN)


def read(pipeline: Pipeline, charge_number: int) -> CaseFile:
    """The file of a charge as it is now; raises Refused when there is none of that number."""
    case = review.case(pipeline.database, charge_number)
    applied, facts = pipeline.facts(charge_number)
    with pipeline.database.transaction() as session:
        row = session.get_one(ChargeRow, charge_number)
        made = corrections.of_charge(session, pipeline.database.keyring, row, case.practice)
        claims = filing.claims_so_far(session, [row]).get(row.id, 0)
    open_items = [each for each in case.items if each.state is ItemState.OPEN]
    number = applied.practice.trading_partner.number_of_claim(row.id, claims + 1)
    return CaseFile(
        case=case,
        practice=applied.practice,
        charge=facts.charge,
        seen=row.event_count,
        assignee=row.assignee,
        snoozed_until=row.snoozed_until,
        asked_at=row.asked_at,
        deadline=None if row.deadline == NO_DEADLINE else row.deadline,
        total=row.total,
        points=tuple(_point(pipeline, applied, facts, case.charge, each) for each in _gravest_first(open_items)),
        history=tuple(facts.history)[-50:],
        corrections=made,
        written=_written(applied.practice, Claim(number=number, charge=facts.charge), open_items, pipeline.clock()),
    )


def remedied(pipeline: Pipeline, applied: Applied, facts: Facts, captured: Charge, finding: Finding) -> Remedied | None:
    """What a finding's suggestion would do to a charge; None where it has none, or none that fits."""
    if not finding.remedy:
        return None
    try:
        mended, fields = corrections.corrected(captured, finding.remedy, "the suggestion")
    except Refused:
        return None
    there = replace(facts, charge=complete(applied.practice, mended))
    asked = (*pipeline.catalogue.of(there), *pipeline.book(applied).of(there))
    left = judge(asked, there, applied.practice.weights(there.charge))
    return Remedied(fields, tuple(each for each in left if each.severity.holds), there.charge)


def _point(pipeline: Pipeline, applied: Applied, facts: Facts, captured: Charge, item: Item) -> Point:
    try:
        book = pipeline.book(applied)
        told = explain(item.finding.rule, pipeline.rules, book, applied.practice, facts)
    except Refused:
        return Point(item, None, None)
    return Point(item, told, remedied(pipeline, applied, facts, captured, item.finding))


def _gravest_first(items: Sequence[Item]) -> list[Item]:
    lightest_first = list(Severity)
    return sorted(items, key=lambda each: (-lightest_first.index(each.finding.severity), each.number))


def _written(practice: Practice, claim: Claim, items: Sequence[Item], now: datetime) -> Written:
    """The interchange of one claim, numbered as a trial."""
    faults = cannot_be_written(claim, options_of(practice.trading_partner).text)
    if faults:
        return Written(sentence=f"No claim can be written yet. {faults[0].message}")
    try:
        here = now.astimezone(ZoneInfo(practice.time_zone))
        content = write([claim], practice.trading_partner, ControlNumbers(1), here).content
    except Exception as error:  # noqa: BLE001 - whatever keeps it from being written, the rest of the page is needed the more
        return Written(sentence=f"No claim can be written yet ({type(error).__name__}).")
    meant = [(each, _place_of(claim, each.finding)) for each in items]
    where = positions(content, {place for _, place in meant})
    marked: dict[int, list[Item]] = {}
    for item, place in meant:
        marked.setdefault(where.get(place, 0), []).append(item)
    return Written(
        tuple(
            Segment(position, _text(elements, delimiters.element), tuple(marked.get(position, ())))
            for position, (elements, delimiters) in enumerate(scan(io.BytesIO(content)), 1)
        )
    )


def _place_of(claim: Claim, finding: Finding) -> Place:
    """Where a finding stands in a claim, whose lines leave out what the patient pays."""
    loop, segment = finding.loop, finding.segment
    if not segment:
        loop, segment, _ = places.place(finding.at, claim.charge)
    billed = [index + 1 for index, line in enumerate(claim.charge.lines) if not line.patient_share]
    line = billed.index(finding.line) + 1 if finding.line in billed else 0
    return Place(claim.number, line, loop, segment)


def _text(elements: Sequence[str], separator: str) -> str:
    return separator.join(elements).rstrip(separator)
