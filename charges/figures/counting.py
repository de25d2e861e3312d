"""The figures of a practice's days counted, and counted again while they may still change.

Each part of a day is counted and kept in one transaction, with the moment at which it was counted. So a count that was
stopped anywhere goes on with what is missing, and one that is done twice changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from charges.db import Database
from charges.figures.units import Measure, units
from charges.outcomes import Outcomes, outcomes
from charges.period import Period
from charges.practice.profile import Practice
from charges.tables import ChargeRow, CountedDayRow, FigureRow, insert_all
from rules.engine import Rule

HISTORY = 400
"""So many days back are counted: a year, and what it is compared with."""
MOVING = timedelta(days=2)
"""A day is counted at each run until so long after its end, as workers with slow transactions add to it."""
REVISED = 120
"""Days not older are counted again once a day: charges are corrected and given up, and payers take their time."""
DAILY = timedelta(hours=24)
LATE = timedelta(minutes=30)
"""What was captured so long before a day of service was counted may have been kept after it."""


class Part(StrEnum):
    """What is counted of a day at once."""

    HAPPENED = "happened"
    """What came about on that day."""
    HELD = "held"
    """What is in the queue; of today alone, as nobody knows afterwards."""
    SERVED = "served"
    """What was done for patients on that day."""
    OUTCOMES = "outcomes"
    """What payers denied of that day's services; only once a day, as claims must be opened for it."""


MEASURES: Mapping[Part, tuple[Measure, ...]] = {
    Part.HAPPENED: (
        Measure.ENTERED,
        Measure.JUDGED,
        Measure.FOUND,
        Measure.CAME,
        Measure.LEFT,
        Measure.ANSWERED,
    ),
    Part.HELD: (Measure.HELD,),
    Part.SERVED: (Measure.VISITS,),
    Part.OUTCOMES: (Measure.DENIED, Measure.UNFORESEEN),
}
Figures = dict[tuple[Measure, str], tuple[int, Decimal]]
"""By measure and key: how many, and the dollars of their charges."""


def today_of(practice: Practice, now: datetime) -> date:
    """The day in a practice's zone."""
    return now.astimezone(ZoneInfo(practice.time_zone)).date()


@dataclass(frozen=True)
class _Counter:
    """One run over a practice."""

    database: Database
    practice_id: int
    practice: Practice
    rules: Iterable[Rule]
    clock: Callable[[], datetime]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.practice.time_zone)

    @property
    def today(self) -> date:
        return today_of(self.practice, self.clock())

    def due(self, part: Part) -> list[date]:
        """The days of which a part is to be counted, newest first."""
        if part is Part.HELD:
            return [self.today]
        with self.database.transaction() as session:
            first = self._first_day(session, part)
            marks = session.execute(
                select(CountedDayRow.day, CountedDayRow.counted_at).where(
                    CountedDayRow.practice_id == self.practice_id, CountedDayRow.part == part.value
                )
            )
            counted = {row.day: row.counted_at for row in marks}
            entered = self._entered_late(session) if part is Part.SERVED else {}
        found = []
        for back in range((self.today - first).days + 1 if first else 0):
            day = self.today - timedelta(days=back)
            at = counted.get(day)
            if at is None or self._may_have_changed(part, day, at, entered.get(day)):
                found.append(day)
        return found

    def _first_day(self, session: Session, part: Part) -> date | None:
        own = ChargeRow.practice_id == self.practice_id
        if part is Part.HAPPENED:
            at = session.scalar(select(func.min(ChargeRow.captured_at)).where(own))
            first = at.astimezone(self.zone).date() if at else None
        else:
            first = session.scalar(select(func.min(ChargeRow.service_date)).where(own))
        return max(first, self.today - timedelta(days=HISTORY)) if first else None

    def _entered_late(self, session: Session) -> Mapping[date, datetime]:
        """When a charge of each day of service came in last, where that is not long ago."""
        rows = session.execute(
            select(ChargeRow.service_date, func.max(ChargeRow.captured_at))
            .where(ChargeRow.practice_id == self.practice_id, ChargeRow.captured_at >= self.clock() - 2 * DAILY)
            .group_by(ChargeRow.service_date)
        )
        return {day: at for day, at in rows if day is not None}

    def _may_have_changed(self, part: Part, day: date, counted: datetime, entered: datetime | None) -> bool:
        if part is Part.HAPPENED and counted < Period(day, day, self.zone).ends + MOVING:
            return True
        if entered is not None and entered + LATE > counted:
            return True
        return (self.today - day).days <= REVISED and self.clock() - counted >= DAILY

    def count(self, part: Part, day: date) -> Figures:
        """The figures of a part of a day as they are now."""
        if part is Part.OUTCOMES:
            return of_outcomes(outcomes(self.database, self.practice_id, self.practice, self.rules, day, day))
        with self.database.snapshot() as session:
            return {
                (measure, key): (count, dollars)
                for measure in MEASURES[part]
                for key, count, dollars in _counted(session, measure, self.practice_id, Period(day, day, self.zone))
            }

    def keep(self, part: Part, day: date, figures: Figures, at: datetime) -> None:
        """Write figures where they differ from those of before, and when they were counted."""
        with self.database.transaction() as session:
            of_part: tuple[ColumnElement[bool], ...] = (
                FigureRow.practice_id == self.practice_id,
                FigureRow.measure.in_([each.value for each in MEASURES[part]]),
                FigureRow.day == day,
            )
            before = {
                (Measure(row.measure), row.key): (row.id, row.count, row.dollars)
                for row in session.execute(
                    select(FigureRow.id, FigureRow.measure, FigureRow.key, FigureRow.count, FigureRow.dollars).where(
                        *of_part
                    )
                )
            }
            kept = {name for name, (_, *said) in before.items() if figures.get(name) == tuple(said)}
            old = [number for name, (number, *_) in before.items() if name not in kept]
            if old:
                session.execute(delete(FigureRow).where(*of_part, FigureRow.id.in_(old)))
            insert_all(
                session,
                FigureRow,
                [
                    {
                        "practice_id": self.practice_id,
                        "measure": measure.value,
                        "day": day,
                        "key": key,
                        "count": count,
                        "dollars": dollars,
                    }
                    for (measure, key), (count, dollars) in figures.items()
                    if (measure, key) not in kept
                ],
            )
            mark = session.scalar(
                select(CountedDayRow).where(
                    CountedDayRow.practice_id == self.practice_id,
                    CountedDayRow.part == part.value,
                    CountedDayRow.day == day,
                )
            )
            if mark is None:
                mark = CountedDayRow(practice_id=self.practice_id, part=part.value, day=day)
                session.add(mark)
            mark.counted_at = at


def count_figures(
    database: Database, practice_id: int, practice: Practice, rules: Iterable[Rule], clock: Callable[[], datetime]
) -> int:
    """Bring the figures of a practice up to date, unless another worker is at it; returns how many were counted."""
    with database.alone_at(f"figures {practice_id}") as is_mine:
        if not is_mine:
            return 0
        run = _Counter(database, practice_id, practice, rules, clock)
        done = 0
        for part in Part:
            for day in run.due(part):
                at = clock().astimezone(UTC)
                run.keep(part, day, run.count(part, day), at)
                done += 1
        return done


def of_outcomes(found: Outcomes) -> Figures:
    """Denials as figures; of those that a rule foresaw nobody knows the dollars."""
    foreseen: Figures = {
        (Measure.DENIED, each.rule): (len(each.foreseen), Decimal(0)) for each in found.rules if each.foreseen
    }
    return foreseen | {(Measure.UNFORESEEN, each.code): (each.claims, each.amount) for each in found.unforeseen}


def _counted(session: Session, measure: Measure, practice_id: int, day: Period) -> Iterator[tuple[str, int, Decimal]]:
    unit = units(measure, practice_id, day).distinct().subquery()
    for row in session.execute(select(unit.c.key, func.count(), func.sum(unit.c.total)).group_by(unit.c.key)):
        yield row[0], row[1], row[2]
