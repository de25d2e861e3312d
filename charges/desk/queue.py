"""The review queue to look at: filtered, sorted, paged by key, grouped, counted, exported. Read-only.

Nothing here reads more than a page needs. Pages go on from the last charge shown (keyset), counts stop at a bound, and
groups are those of the first charges in the order asked for; both say so where there is more. On PostgreSQL a view is found
in an index alone, which has all that it can be narrowed by; only the charges of the page are read.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, false, func, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from charges.db import Database
from charges.desk import acting, views, worklist
from charges.desk.views import ME, NOBODY, Shelf, Sort, Wanted
from charges.errors import Refused
from charges.model import Finding, Severity
from charges.patients import register as patients
from charges.tables import (
    NO_DEADLINE,
    ChargeRow,
    ChargeStatus,
    ClaimRow,
    ItemState,
    Origin,
    PracticeRow,
    ReviewItemRow,
)
from rules.catalogue import families
from rules.engine import load

PAGE = 50
COUNTED = 1000
"""Counts go no further."""
GROUPED = 1000
"""So many charges are looked at to find groups."""
FEW = 500
"""Where no more findings are meant, the view begins with them and not with the charges in their order."""
SOURCES = ("eclinicalworks", "fhir", "x12", "hl7", "flatfile")
"""The kinds of sources, by any of which a charge may be known."""

Visible = Collection[str] | None
"""The codes of the practices whose charges somebody may see; None for all."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks, when, and whose charges they may see."""

    name: str
    now: datetime
    practices: Visible = None


_COLUMNS: Mapping[Sort, InstrumentedAttribute[Any]] = {
    Sort.AGE: ChargeRow.held_since,
    Sort.DOLLARS: ChargeRow.total,
    Sort.DEADLINE: ChargeRow.deadline,
}


_EDGES: Mapping[Sort, Any] = {
    Sort.AGE: lambda text: datetime.fromisoformat(text).astimezone(UTC),
    Sort.DOLLARS: views.dollars,
    Sort.DEADLINE: date.fromisoformat,
}


@dataclass(frozen=True, slots=True)
class Said:
    """One open finding of a charge in the queue; ``item`` is what the acts are given."""

    item: int
    origin: Origin
    finding: Finding


@dataclass(frozen=True, slots=True)
class Entry:
    """A charge in the queue with what holds it, gravest first. ``seen`` is its last event, which acts are given."""

    charge_number: int
    practice: str
    payer_id: str
    provider_npi: str
    service_date: date | None
    total: Decimal
    held_since: datetime
    deadline: date | None
    assignee: str
    snoozed_until: date | None
    asked_at: datetime | None
    seen: int
    findings: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the queue; ``after`` and ``before`` lead to its neighbours, empty where there is none."""

    entries: tuple[Entry, ...]
    after: str
    before: str

    @property
    def is_whole(self) -> bool:
        """Whether the view has no other charges."""
        return not self.after and not self.before


@dataclass(frozen=True, slots=True)
class Count:
    """How many, or that there are more than were counted."""

    number: int
    is_more: bool = False

    def __str__(self) -> str:
        return f"{self.number:,}+" if self.is_more else f"{self.number:,}"


@dataclass(frozen=True, slots=True)
class Group:
    """Charges that one rule holds for one provider."""

    rule: str
    provider_npi: str
    charges: int
    total: Decimal


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a view, largest first; ``of`` charges were looked at, and there are more where ``is_more``."""

    groups: tuple[Group, ...]
    of: int
    is_more: bool


def page(database: Database, wanted: Wanted, reader: Reader, *, size: int = PAGE) -> Page:
    """One page of what is wanted; raises Refused where ``after`` or ``before`` was tampered with."""
    column = _COLUMNS[wanted.sort]
    backwards = bool(wanted.before)
    descends = (wanted.sort is Sort.DOLLARS) is not wanted.reverse
    goes_down = descends is not backwards
    with database.transaction() as session:
        query = _of_queue(session, wanted, reader)
        edge = wanted.before or wanted.after
        if edge:
            here, there = tuple_(column, ChargeRow.id), _edge(wanted.sort, edge)
            query = query.where(here < there if goes_down else here > there)
        order = (column.desc(), ChargeRow.id.desc()) if goes_down else (column, ChargeRow.id)
        found = session.scalars(query.with_only_columns(ChargeRow.id).order_by(*order).limit(size + 1)).all()
        there_is_more = len(found) > size
        rows = _rows(session, found[:size])
        if backwards:
            rows.reverse()
        entries = _entries(session, database, rows)
    first, last = (_key(wanted.sort, rows[0]), _key(wanted.sort, rows[-1])) if rows else ("", "")
    return Page(
        entries,
        after=last if backwards or there_is_more else "",
        before=first if (there_is_more if backwards else bool(edge)) else "",
    )


def following(database: Database, wanted: Wanted, charge_number: int, reader: Reader) -> tuple[int | None, int | None]:
    """The charges before and after one in a view, wherever that one is by now; None where the view ends."""
    with database.transaction() as session:
        row = session.get(ChargeRow, charge_number)
        if row is None:
            return None, None
        edge = _key(wanted.sort, row)
    neighbours = [
        page(
            database,
            around,
            reader,
            size=1,
        )
        for around in (replace(wanted, before=edge, after=""), replace(wanted, before="", after=edge))
    ]
    before, after = (found.entries[0].charge_number if found.entries else None for found in neighbours)
    return before, after


def _rows(session: Session, numbers: Sequence[int]) -> list[ChargeRow]:
    """The charges of a page in its order, but of those that others took out of the queue at this moment."""
    rows = {row.id: row for row in session.scalars(select(ChargeRow).where(ChargeRow.id.in_(numbers)))}
    return [row for number in numbers if (row := rows.get(number)) and row.status is ChargeStatus.HELD]


def count(
    database: Database, wanted: Wanted, reader: Reader, *, shown: Page | None = None, bound: int = COUNTED
) -> Count:
    """How many charges a view has, counted up to a bound; a page of it that is the whole is not counted again."""
    if shown is not None and shown.is_whole:
        return Count(len(shown.entries))
    with database.transaction() as session:
        some = _of_queue(session, wanted, reader).with_only_columns(ChargeRow.id).limit(bound + 1)
        found = session.scalar(select(func.count()).select_from(some.subquery())) or 0
    return Count(min(found, bound), found > bound)


def groups(
    database: Database,
    wanted: Wanted,
    reader: Reader,
    *,
    size: int = PAGE,
    bound: int = GROUPED,
) -> Groups:
    """The first charges of a view by rule and provider; a charge that two rules hold is in two groups."""
    column = _COLUMNS[wanted.sort]
    descends = (wanted.sort is Sort.DOLLARS) is not wanted.reverse
    with database.transaction() as session:
        chosen = (
            _of_queue(session, wanted, reader)
            .with_only_columns(ChargeRow.id, ChargeRow.provider_npi, ChargeRow.total)
            .order_by(column.desc() if descends else column, ChargeRow.id.desc() if descends else ChargeRow.id)
            .limit(bound + 1)
            .cte("chosen")
        )
        held_by = (
            select(chosen.c.id, chosen.c.provider_npi, chosen.c.total, ReviewItemRow.rule)
            .join(ReviewItemRow, ReviewItemRow.charge_id == chosen.c.id)
            .where(_is_open(), ReviewItemRow.severity.in_([each for each in Severity if each.holds]))
            .distinct()
            .cte("held_by")
        )
        charges = func.count().label("charges")
        looked_at = select(func.count()).select_from(chosen).scalar_subquery()
        found = session.execute(
            select(held_by.c.rule, held_by.c.provider_npi, charges, func.sum(held_by.c.total), looked_at)
            .group_by(held_by.c.rule, held_by.c.provider_npi)
            .order_by(charges.desc(), held_by.c.rule, held_by.c.provider_npi)
            .limit(size)
        ).all()
        of = found[0][-1] if found else 0
        return Groups(
            tuple(Group(rule, npi, number, total) for rule, npi, number, total, _ in found), min(of, bound), of > bound
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A charge that a search found, whatever its state."""

    charge_number: int
    practice: str
    status: ChargeStatus
    service_date: date | None
    total: Decimal


def find(database: Database, text: str, reader: Reader, *, limit: int = PAGE) -> Sequence[Found]:
    """The charges with this claim's, charge's, source's or patient's record number, newest first."""
    acting.demand_storable(text)
    wanted = text.strip()
    if not wanted:
        return ()
    with database.transaction() as session:
        practices = _practices(session, reader.practices)
        by_claim = select(ClaimRow.charge_id).where(ClaimRow.number == wanted.upper())
        conditions: list[ColumnElement[bool]] = [
            ChargeRow.id.in_(by_claim),
            ChargeRow.patient_key.in_(patients.number_key(database.keyring, each, "", wanted) for each in practices),
            tuple_(ChargeRow.practice_id, ChargeRow.source, ChargeRow.key).in_(
                (each, source, wanted) for each in practices for source in SOURCES
            ),
        ]
        if wanted.isdecimal() and len(wanted) < 16:
            conditions.append(ChargeRow.id == int(wanted))
        found: dict[int, ChargeRow] = {}
        for condition in conditions:
            query = select(ChargeRow).where(condition, ChargeRow.practice_id.in_(practices))
            found |= {row.id: row for row in session.scalars(query.order_by(ChargeRow.id.desc()).limit(limit))}
        newest = sorted(found.values(), key=lambda row: (row.service_date or date.min, row.id), reverse=True)
        return [
            Found(row.id, practices[row.practice_id], row.status, row.service_date, row.total) for row in newest[:limit]
        ]


def is_visible(database: Database, charge_number: int, practices: Visible) -> bool:
    """Whether there is such a charge and somebody may see it."""
    with database.transaction() as session:
        row = session.get(ChargeRow, charge_number)
        return row is not None and row.practice_id in _practices(session, practices)


def _of_queue(session: Session, wanted: Wanted, reader: Reader) -> Select[ChargeRow]:
    _plan_for_this_view(session)
    query = select(ChargeRow).where(_is_held())
    everywhere = _practices(session, None)
    asked = {
        number
        for number, code in everywhere.items()
        if wanted.practice in ("", code) and (reader.practices is None or code in reader.practices)
    }
    if asked != everywhere.keys():
        query = query.where(ChargeRow.practice_id.in_(asked))
    query = query.where(*_conditions(wanted, reader))
    about_item = _about_item(wanted)
    if not about_item:
        return query
    items = select(ReviewItemRow.charge_id).where(_is_open(), *about_item)
    some = session.scalars(items.limit(FEW + 1)).all()
    if len(some) <= FEW:
        return query.where(ChargeRow.id.in_(set(some)))
    return query.where(items.where(ReviewItemRow.charge_id == ChargeRow.id).exists())


def _plan_for_this_view(session: Session) -> None:
    """Have PostgreSQL plan each view by what is asked for, as a rare rule is found otherwise than a frequent one.

    To compile a query or to share it among processes takes longer than to answer it.
    """
    if session.get_bind().dialect.name == "postgresql":
        wanted = {"plan_cache_mode": "force_custom_plan", "jit": "off", "max_parallel_workers_per_gather": "0"}
        session.execute(select(*(func.set_config(name, value, true()) for name, value in wanted.items())))


def _conditions(wanted: Wanted, reader: Reader) -> Iterator[ColumnElement[bool]]:
    today = reader.now.astimezone(UTC).date()
    match wanted.shelf:
        case Shelf.OPEN:
            yield ChargeRow.snoozed_until.is_(None) | (ChargeRow.snoozed_until <= today)
            yield ChargeRow.asked_at.is_(None)
        case Shelf.SNOOZED:
            yield ChargeRow.snoozed_until > today
        case Shelf.ASKED:
            yield ChargeRow.asked_at.is_not(None)
    for column, value in (
        (ChargeRow.payer_id, wanted.payer),
        (ChargeRow.provider_npi, wanted.provider),
        (ChargeRow.patient_key, wanted.patient),
    ):
        if value:
            yield column == value
    if wanted.assignee:
        yield ChargeRow.assignee == {ME: reader.name, NOBODY: ""}.get(wanted.assignee, wanted.assignee)
    if wanted.older is not None:
        yield ChargeRow.held_since <= reader.now - timedelta(days=wanted.older)
    if wanted.least is not None:
        yield ChargeRow.total >= wanted.least
    if wanted.most is not None:
        yield ChargeRow.total <= wanted.most


def _about_item(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.rule:
        found.append(ReviewItemRow.rule == wanted.rule)
    if wanted.family in {each.value for each in Origin if each is not Origin.RULES}:
        found.append(ReviewItemRow.origin == _written_out("origin", Origin(wanted.family), ReviewItemRow.origin))
    elif wanted.family:
        of_family = _rules_by_family().get(wanted.family, ())
        if not wanted.rule:
            found.append(ReviewItemRow.rule.in_(of_family))
        elif wanted.rule not in of_family:
            found.append(false())
    if wanted.severity is not None:
        found.append(ReviewItemRow.severity == wanted.severity)
    return found


def known_families() -> tuple[str, ...]:
    """The families of rules, and who else raises findings: the guide, the source, the payers' answers."""
    return (*sorted(_rules_by_family()), Origin.GUIDE.value, Origin.SOURCE.value, Origin.ANSWER.value)


@cache
def _rules_by_family() -> Mapping[str, tuple[str, ...]]:
    return {name: tuple(each.id for each in rules) for name, rules in families(load()).items()}


def _is_held() -> ColumnElement[bool]:
    return ChargeRow.status == _written_out("held", ChargeStatus.HELD, ChargeRow.status)


def _is_open() -> ColumnElement[bool]:
    return ReviewItemRow.state == _written_out("open", ItemState.OPEN, ReviewItemRow.state)


def _written_out(name: str, value: StrEnum, column: InstrumentedAttribute[Any]) -> BindParameter[Any]:
    """A value that is not bound: a database uses an index of some rows only where it sees that these are asked for."""
    return bindparam(name, value, type_=column.type, literal_execute=True, unique=True)


def _practices(session: Session, visible: Visible) -> dict[int, str]:
    found = session.execute(select(PracticeRow.id, PracticeRow.code))
    return {number: code for number, code in found if visible is None or code in visible}


def _key(sort: Sort, row: ChargeRow) -> str:
    value = getattr(row, _COLUMNS[sort].key)
    return f"{value.isoformat() if isinstance(value, date) else value}~{row.id}"


def _edge(sort: Sort, key: str) -> Any:  # noqa: ANN401 - a pair of SQL values
    value, _, number = key.rpartition("~")
    try:
        where, charge = _EDGES[sort](value), int(number[:18])
    except (ValueError, OverflowError, InvalidOperation):
        raise Refused("This page of the queue cannot be found; begin again at the first.") from None
    column = _COLUMNS[sort]
    return tuple_(bindparam(None, where, type_=column.type), bindparam(None, charge, type_=ChargeRow.id.type))


def _entries(session: Session, database: Database, rows: Sequence[ChargeRow]) -> tuple[Entry, ...]:
    codes = _practices(session, None)
    found: dict[int, list[ReviewItemRow]] = {}
    for item in session.scalars(
        select(ReviewItemRow).where(ReviewItemRow.charge_id.in_([row.id for row in rows]), _is_open())
    ):
        found.setdefault(item.charge_id, []).append(item)
    return tuple(
        Entry(
            charge_number=row.id,
            practice=codes[row.practice_id],
            payer_id=row.payer_id,
            provider_npi=row.provider_npi,
            service_date=row.service_date,
            total=row.total,
            held_since=row.held_since,
            deadline=None if row.deadline == NO_DEADLINE else row.deadline,
            assignee=row.assignee,
            snoozed_until=row.snoozed_until,
            asked_at=row.asked_at,
            seen=row.event_count,
            findings=tuple(
                Said(item.id, item.origin, worklist.finding_of(item, database.keyring))
                for item in worklist.gravest_first(found.get(row.id, ()))
            ),
        )
        for row in rows
    )
