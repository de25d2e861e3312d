"""What a figure was counted from, one by one, newest day first: the list to which a figure leads."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select, tuple_
from sqlalchemy.orm import Session

from charges.db import Database
from charges.desk import acting
from charges.errors import Refused
from charges.figures.reading import Span, latest_held
from charges.figures.units import Measure, implied, matching, units
from charges.outcomes import outcomes
from charges.period import Period
from charges.practice.profile import Practice
from charges.tables import ChargeRow, ChargeStatus, FigureRow
from rules.engine import Rule

PAGE = 100
_DENIALS = (Measure.DENIED, Measure.UNFORESEEN)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which figures: a measure, a key of it or all where it is None, some days, and after which entry the list goes on."""

    measure: Measure
    span: Span
    key: str | None = None
    after: str = ""

    def __post_init__(self) -> None:
        acting.demand_storable(self.key or "", self.after)


@dataclass(frozen=True, slots=True)
class Entry:
    """One charge or claim file that was counted on a day. ``status`` and ``service_date`` are those of the charge, now."""

    day: date
    practice: str
    key: str
    charge: int | None
    file: int | None
    total: Decimal
    service_date: date | None = None
    status: ChargeStatus | None = None


@dataclass(frozen=True, slots=True)
class Behind:
    """A page of them. ``count`` is the figure; ``after`` leads to the next page, and is empty on the last."""

    entries: tuple[Entry, ...]
    count: int
    after: str


def behind(
    database: Database, practices: Mapping[int, Practice], rules: Iterable[Rule], wanted: Wanted, *, size: int = PAGE
) -> Behind:
    """What is behind a figure of practices; raises Refused when ``after`` was tampered with."""
    edge = _edge(wanted.after) if wanted.after else None
    found: list[tuple[int, Any]] = []
    with database.snapshot() as session:
        days = list(_days(session, practices, wanted))
    for day, number, _ in days:
        if edge and (-day.toordinal(), number) < (-edge[0].toordinal(), edge[1]):
            continue
        after = (edge[2], edge[3]) if edge and (day, number) == edge[:2] else None
        practice = practices[number]
        if wanted.measure in _DENIALS:
            rows: Sequence[Any] = _denied(database, number, practice, rules, wanted, day, after)
        else:
            rows = _listed(database, number, practice, wanted, day, after, size + 1 - len(found))
        found += [(number, (day, *row)) for row in rows]
        if len(found) > size:
            break
    shown = found[:size]
    after_last = ""
    if len(found) > size:
        number, (day, key, unit, *_) = shown[-1]
        after_last = f"{day}~{number}~{unit}~{key}"
    return Behind(_entries(database, practices, shown), sum(count for *_, count in days), after_last)


def _edge(text: str) -> tuple[date, int, int, str]:
    try:
        day, practice, unit, key = text.split("~", 3)
        return date.fromisoformat(day), int(practice[:18]), int(unit[:18]), key
    except ValueError:
        raise Refused("This page of the list cannot be found; begin again at the first.") from None


def _days(session: Session, practices: Mapping[int, Practice], wanted: Wanted) -> Iterator[tuple[date, int, int]]:
    """The days on which anything was counted, newest first, each with a practice and how many."""
    query = select(FigureRow.day, FigureRow.practice_id, func.sum(FigureRow.count)).where(
        FigureRow.measure == wanted.measure.value
    )
    if wanted.measure is Measure.HELD:
        query = query.where(tuple_(FigureRow.practice_id, FigureRow.day).in_(latest_held(session, practices)))
    else:
        query = query.where(
            FigureRow.practice_id.in_(practices), FigureRow.day.between(wanted.span.first, wanted.span.last)
        )
    if wanted.key is not None:
        query = query.where(matching(wanted.measure, FigureRow.key, wanted.key))
    rows = session.execute(
        query.group_by(FigureRow.day, FigureRow.practice_id).order_by(FigureRow.day.desc(), FigureRow.practice_id)
    )
    for day, practice, count in rows:
        yield day, practice, int(count)


def _listed(
    database: Database,
    number: int,
    practice: Practice,
    wanted: Wanted,
    day: date,
    after: tuple[int, str] | None,
    limit: int,
) -> Sequence[Any]:
    period = Period(day, day, ZoneInfo(practice.time_zone))
    counted = units(wanted.measure, number, period)
    if wanted.key is not None:
        counted = counted.where(*implied(wanted.measure, wanted.key, period))
    unit = counted.distinct().subquery()
    query = select(unit.c.key, unit.c.unit, unit.c.charge, unit.c.file, unit.c.total)
    if wanted.key is not None:
        query = query.where(matching(wanted.measure, unit.c.key, wanted.key))
    if after:
        edge = tuple_(
            bindparam(None, after[0], type_=unit.c.unit.type), bindparam(None, after[1], type_=unit.c.key.type)
        )
        query = query.where(tuple_(unit.c.unit, unit.c.key) > edge)
    with database.snapshot() as session:
        return session.execute(query.order_by(unit.c.unit, unit.c.key).limit(limit)).all()


def _denied(
    database: Database,
    number: int,
    practice: Practice,
    rules: Iterable[Rule],
    wanted: Wanted,
    day: date,
    after: tuple[int, str] | None,
) -> Sequence[Any]:
    """The same of denials; a charge of which two claims were denied comes twice, told apart by their place."""
    told = outcomes(database, number, practice, rules, day, day)
    named: list[tuple[str, Sequence[int]]]
    if wanted.measure is Measure.DENIED:
        named = [(each.rule, each.foreseen) for each in told.rules]
    else:
        named = [(each.code, each.charges) for each in told.unforeseen]
    pairs = sorted((charge, key) for key, charges in named for charge in charges if wanted.key in (None, key))
    rows = [(key, place, charge, None, None) for place, (charge, key) in enumerate(pairs)]
    return [row for row in rows if after is None or row[1] > after[0]]


def _entries(
    database: Database, practices: Mapping[int, Practice], found: Sequence[tuple[int, Any]]
) -> tuple[Entry, ...]:
    numbers = {charge for _, (_, _, _, charge, *_) in found if charge is not None}
    with database.snapshot() as session:
        rows = session.execute(
            select(ChargeRow.id, ChargeRow.service_date, ChargeRow.status, ChargeRow.total).where(
                ChargeRow.id.in_(numbers)
            )
        )
        charges = {row.id: row for row in rows}
    entries = []
    for number, (day, key, _, charge, file, total) in found:
        row = charges.get(charge)
        dollars = total if total is not None else row.total if row else Decimal(0)
        said = (row.service_date, row.status) if row else (None, None)
        entries.append(Entry(day, practices[number].code, key, charge, file, dollars, *said))
    return tuple(entries)
