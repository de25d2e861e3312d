"""What each measure counts: one query of a day, from which the figures and the lists behind them are made."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, exists, func, literal, null, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from charges.model import Severity
from charges.period import Period
from charges.standards import FAMILIES, SEPARATE
from charges.tables import (
    AnswerRow,
    ChargeRow,
    ChargeStatus,
    ClaimFileRow,
    ClaimRow,
    EventRow,
    HistoryLineRow,
    ResponseRow,
    ReviewItemRow,
)

_C = ChargeStatus
Units = Select[*tuple[Any, ...]]


class Measure(StrEnum):
    """What is counted, each with the day to which it belongs and with the key by which it is told apart."""

    ENTERED = "entered"
    """Charges by the day on which they were first seen; the key is the day of service."""
    JUDGED = "judged"
    """Charges by the day of their first judgement; the key is ``clean`` or ``held``."""
    FOUND = "found"
    """Charges by the days on which a rule found something that holds them; the key is the rule."""
    CAME = "came"
    """Charges by the days on which they came into the queue; no key."""
    LEFT = "left"
    """Charges by the days on which they left the queue; the key is by whom."""
    ANSWERED = "answered"
    """Files (999) and claims (277CA) by the day of the answer; the key is its kind and outcome, parted by ``|``."""
    HELD = "held"
    """Charges in the queue when a day was counted last; the key is the bucket of their age."""
    VISITS = "visits"
    """Service lines by day of service; the key is provider, code and modifier, parted by ``|``.

    The code is ``other`` for what is no visit, the modifier 25 for visits, 59 for others, X as well.
    """
    DENIED = "denied"
    """Claims by day of service that were denied for what a rule had found; the key is the rule."""
    UNFORESEEN = "unforeseen"
    """Claims by day of service with a denial that no rule foresaw; the key is the code of the denial."""


BUCKETS: Mapping[str, int] = {"0-2": 2, "3-7": 7, "8-14": 14, "15-30": 30, "31-60": 60, "61-90": 90, "over 90": -1}
"""Ages of what is held in days of the practice, each with its last day; the last has none."""

OTHER = "other"
ANY = "*"
"""Stands for anything in a part of the key of visits."""


def units(measure: Measure, practice_id: int, day: Period) -> Units:
    """What a measure counts of one day: ``key``, ``unit`` (the number of what is counted), ``charge``, ``file``, ``total``.

    A pair of key and unit may come more than once and counts once. Denials are joined by ``charges.outcomes``, not here.
    """
    return _UNITS[measure](practice_id, day)


def matching(
    measure: Measure, column: ColumnElement[str] | InstrumentedAttribute[str], key: str
) -> ColumnElement[bool]:
    """Holds for a key; of visits each part may be ``*``, which stands for anything."""
    if measure is not Measure.VISITS or ANY not in key:
        return column == key
    escaped = key.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return column.like(escaped.replace(ANY, "%"), escape="\\")


def _of_charge(
    key: ColumnElement[str] | Any,  # noqa: ANN401 - a column of any class
    practice_id: int,
) -> Units:
    return select(
        key.label("key"),
        ChargeRow.id.label("unit"),
        ChargeRow.id.label("charge"),
        null().label("file"),
        ChargeRow.total.label("total"),
    ).where(ChargeRow.practice_id == practice_id)


def _entered(practice_id: int, day: Period) -> Units:
    return _of_charge(cast(ChargeRow.service_date, String), practice_id).where(
        day.moments(ChargeRow.captured_at), ChargeRow.status != _C.VOID, ChargeRow.service_date.is_not(None)
    )


def _of_event(key: Any, practice_id: int, day: Period) -> Units:  # noqa: ANN401 - a column of any class
    return (
        _of_charge(key, practice_id)
        .join(EventRow, EventRow.subject_id == ChargeRow.id)
        .where(EventRow.subject == "charge", day.moments(EventRow.at))
    )


def _is_judgement(event: Any) -> ColumnElement[bool]:  # noqa: ANN401 - the events or another name of them
    judged = (_C.CLEAN.value, _C.HELD.value, _C.SELF_PAY.value)
    return and_(event.was == _C.CAPTURED.value, event.became.in_(judged))


def _judged(practice_id: int, day: Period) -> Units:
    earlier = aliased(EventRow)
    had_one = exists().where(
        earlier.subject == "charge",
        earlier.subject_id == EventRow.subject_id,
        earlier.sequence < EventRow.sequence,
        _is_judgement(earlier),
    )
    return _of_event(EventRow.became, practice_id, day).where(
        _is_judgement(EventRow), EventRow.became != _C.SELF_PAY.value, ~had_one
    )


def _came(practice_id: int, day: Period) -> Units:
    held = _C.HELD.value
    return _of_event(literal(""), practice_id, day).where(EventRow.became == held, EventRow.was != held)


def _left(practice_id: int, day: Period) -> Units:
    held = _C.HELD.value
    return _of_event(EventRow.actor, practice_id, day).where(EventRow.was == held, EventRow.became != held)


def _found(practice_id: int, day: Period) -> Units:
    return (
        _of_charge(ReviewItemRow.rule, practice_id)
        .join(ReviewItemRow, ReviewItemRow.charge_id == ChargeRow.id)
        .where(
            day.moments(ReviewItemRow.opened_at),
            ReviewItemRow.severity.in_([each for each in Severity if each.holds]),
        )
    )


def _answered(practice_id: int, day: Period) -> Units:
    """A 999 speaks of a file, a 277CA of the claims in it."""
    return (
        select(
            (AnswerRow.kind + "|" + AnswerRow.outcome).label("key"),
            func.coalesce(AnswerRow.claim_id, AnswerRow.claim_file_id).label("unit"),
            ClaimRow.charge_id.label("charge"),
            AnswerRow.claim_file_id.label("file"),
            func.coalesce(ClaimRow.total, ClaimFileRow.total).label("total"),
        )
        .join(ResponseRow, ResponseRow.id == AnswerRow.response_id)
        .join(ClaimFileRow, ClaimFileRow.id == AnswerRow.claim_file_id)
        .join(ClaimRow, ClaimRow.id == AnswerRow.claim_id, isouter=True)
        .where(
            ResponseRow.practice_id == practice_id,
            day.moments(ResponseRow.received_at),
            or_(
                and_(AnswerRow.kind.in_(("999", "997")), AnswerRow.claim_id.is_(None)),
                and_(AnswerRow.kind == "277CA", AnswerRow.claim_id.is_not(None)),
            ),
        )
    )


def implied(measure: Measure, key: str, day: Period) -> Iterator[ColumnElement[bool]]:
    """What a key means for a column that an index has, where the key itself is found only by looking at everything."""
    if measure is Measure.HELD and key in BUCKETS:
        begins, place = _bucket_begins(day), list(BUCKETS).index(key)
        if key in begins:
            yield ChargeRow.held_since >= begins[key]
        if place > 0:
            yield ChargeRow.held_since < begins[list(BUCKETS)[place - 1]]


def _bucket_begins(day: Period) -> Mapping[str, datetime]:
    """Since when what is held on a day is in a bucket or a younger one; the last has no such moment."""
    assert day.last is not None
    return {
        name: Period(day.last - timedelta(days=last), None, day.zone).begins
        for name, last in BUCKETS.items()
        if last >= 0
    }


def _held(practice_id: int, day: Period) -> Units:
    """What is held now, by its age on that day."""
    ages = [(ChargeRow.held_since >= begins, name) for name, begins in _bucket_begins(day).items()]
    key = case(*ages, else_=list(BUCKETS)[-1])
    return _of_charge(key, practice_id).where(ChargeRow.status == _C.HELD)


def _visits(practice_id: int, day: Period) -> Units:
    codes = [code for family in FAMILIES.values() for code in family]
    is_visit = HistoryLineRow.code.in_(codes)
    said = literal(" ") + HistoryLineRow.modifiers + " "
    separate = or_(*(said.contains(f" {each} ") for each in sorted(SEPARATE)))
    code = case((is_visit, HistoryLineRow.code), else_=OTHER)
    modifier = case((and_(is_visit, said.contains(" 25 ")), "25"), (and_(~is_visit, separate), "59"), else_="")
    return (
        select(
            (HistoryLineRow.rendering_npi + "|" + code + "|" + modifier).label("key"),
            HistoryLineRow.id.label("unit"),
            ChargeRow.id.label("charge"),
            null().label("file"),
            ChargeRow.total.label("total"),
        )
        .join(HistoryLineRow, HistoryLineRow.charge_id == ChargeRow.id)
        .where(ChargeRow.practice_id == practice_id, ChargeRow.service_date == day.first)
    )


_UNITS: Mapping[Measure, Callable[[int, Period], Units]] = {
    Measure.ENTERED: _entered,
    Measure.JUDGED: _judged,
    Measure.FOUND: _found,
    Measure.CAME: _came,
    Measure.LEFT: _left,
    Measure.ANSWERED: _answered,
    Measure.HELD: _held,
    Measure.VISITS: _visits,
}
