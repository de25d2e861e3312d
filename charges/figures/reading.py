"""The overview of some practices and days, made of figures that were counted before: what is shown, without its look."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from charges import standards
from charges.db import Database
from charges.errors import Refused
from charges.figures.counting import Part
from charges.figures.units import ANY, BUCKETS, OTHER, Measure
from charges.practice.profile import Practice
from charges.standards import Measured
from charges.tables import CountedDayRow, FigureRow

USUAL = 30
"""So many days are shown when nobody says which."""
LONGEST = 366
PAST = timedelta(days=90)
"""So many days before those shown are a provider's own past."""
DAY_BY_DAY = 45
"""More days than these are shown by week."""
TOP = 15
"""So many rules are shown."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days of the practices, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not 0 < self.days <= LONGEST:
            raise Refused(f"Choose a first day that is not after the last one, and no more than {LONGEST} days.")

    @property
    def days(self) -> int:
        """How many there are."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Span":
        """As many days right before these."""
        return Span(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def slots(self, days: int) -> "Iterator[Span]":
        """Its parts: each day, or each week from Monday on where ``days`` is 7; the first and last may be shorter."""
        first = self.first
        while first <= self.last:
            last = min(first + timedelta(days=days - 1 - (first.weekday() if days == 7 else 0)), self.last)
            yield Span(first, last)
            first = last + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lag:
    """Days from service to when a charge was first seen, of the charges first seen in some days."""

    span: Span
    charges: int
    median: int
    p90: int


@dataclass(frozen=True, slots=True)
class FirstPass:
    """Charges judged for the first time, and how many of them nothing held."""

    span: Span
    judged: int
    clean: int

    @property
    def share(self) -> float:
        """The share that was clean, of 1."""
        return self.clean / self.judged


@dataclass(frozen=True, slots=True)
class Told:
    """How many have a key, and the dollars of their charges; ``before`` is the same of as many days before."""

    key: str
    count: int
    dollars: Decimal
    before: int = 0
    dollars_before: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Flow:
    """Charges that came into the queue and left it."""

    span: Span
    came: int
    left: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What a kind of acknowledgement said of files (999, 997) or claims (277CA)."""

    kind: str
    accepted: int
    partly: int
    rejected: int
    pending: int

    @property
    def share(self) -> float | None:
        """The share of what was decided that was accepted, of 1."""
        decided = self.accepted + self.partly + self.rejected
        return self.accepted / decided if decided else None


@dataclass(frozen=True, slots=True)
class Coded:
    """A measure of coding with the same of the days before, the provider's or practice's own past.

    ``key`` stands for the lines that it is about among the visits.
    """

    practice: str
    measured: Measured
    past: float | None
    key: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All that is shown. ``as_of`` is when the figures were counted, of the practice that was counted least lately.

    It is None while a practice was never counted.
    """

    span: Span
    as_of: datetime | None
    lags: tuple[Lag, ...]
    first_pass: tuple[FirstPass, ...]
    held: tuple[Told, ...]
    rules: tuple[Told, ...]
    flow: tuple[Flow, ...]
    people: tuple[Told, ...]
    answered: tuple[Answered, ...]
    denied: tuple[Told, ...]
    unforeseen: tuple[Told, ...]
    coded: tuple[Coded, ...]


def read(database: Database, practices: Mapping[int, Practice], span: Span) -> Overview:
    """The overview of practices, by the numbers of their rows."""
    with database.snapshot() as session:
        found = _Read(session, practices, span)
        by_key = found.by_key(span, Measure.FOUND, Measure.LEFT, Measure.ANSWERED, Measure.DENIED, Measure.UNFORESEEN)
        earlier = found.by_key(span.before, Measure.FOUND)[Measure.FOUND]
        by_day = found.by_day(Measure.ENTERED, Measure.JUDGED, Measure.CAME, Measure.LEFT)
        return Overview(
            span=span,
            as_of=found.as_of(),
            lags=tuple(_lags(span, by_day[Measure.ENTERED])),
            first_pass=tuple(_first_pass(span, by_day[Measure.JUDGED])),
            held=found.held(),
            rules=_largest(by_key[Measure.FOUND], earlier),
            flow=tuple(_flow(span, by_day[Measure.CAME], by_day[Measure.LEFT])),
            people=_largest(by_key[Measure.LEFT]),
            answered=tuple(_answered(by_key[Measure.ANSWERED])),
            denied=_largest(by_key[Measure.DENIED]),
            unforeseen=_largest(by_key[Measure.UNFORESEEN]),
            coded=tuple(found.coded()),
        )


_ByKey = Mapping[str, tuple[int, Decimal]]
_ByDay = Mapping[date, Mapping[str, int]]


@dataclass(frozen=True)
class _Read:
    """The queries; each gives few rows, however many charges there are."""

    session: Session
    practices: Mapping[int, Practice]
    span: Span

    def _of(self, span: Span, measures: Collection[Measure]) -> tuple[ColumnElement[bool], ...]:
        return (
            FigureRow.practice_id.in_(self.practices),
            FigureRow.measure.in_([each.value for each in measures]),
            FigureRow.day.between(span.first, span.last),
        )

    def by_key(self, span: Span, *measures: Measure) -> Mapping[Measure, _ByKey]:
        found: dict[Measure, dict[str, tuple[int, Decimal]]] = {each: {} for each in measures}
        rows = self.session.execute(
            select(FigureRow.measure, FigureRow.key, func.sum(FigureRow.count), func.sum(FigureRow.dollars))
            .where(*self._of(span, measures))
            .group_by(FigureRow.measure, FigureRow.key)
        )
        for measure, key, count, dollars in rows:
            found[Measure(measure)][key] = (int(count), dollars)
        return found

    def by_day(self, *measures: Measure) -> Mapping[Measure, _ByDay]:
        found: dict[Measure, dict[date, dict[str, int]]] = {each: defaultdict(dict) for each in measures}
        rows = self.session.execute(
            select(FigureRow.measure, FigureRow.day, FigureRow.key, func.sum(FigureRow.count))
            .where(*self._of(self.span, measures))
            .group_by(FigureRow.measure, FigureRow.day, FigureRow.key)
        )
        for measure, day, key, count in rows:
            found[Measure(measure)][day][key] = int(count)
        return found

    def as_of(self) -> datetime | None:
        rows = self.session.execute(
            select(func.max(CountedDayRow.counted_at))
            .where(CountedDayRow.practice_id.in_(self.practices), CountedDayRow.part == Part.HELD.value)
            .group_by(CountedDayRow.practice_id)
        )
        counted = [at for (at,) in rows]
        return min(counted) if counted and len(counted) == len(self.practices) else None

    def held(self) -> tuple[Told, ...]:
        rows = self.session.execute(
            select(FigureRow.key, func.sum(FigureRow.count), func.sum(FigureRow.dollars))
            .where(
                FigureRow.measure == Measure.HELD.value,
                tuple_(FigureRow.practice_id, FigureRow.day).in_(latest_held(self.session, self.practices)),
            )
            .group_by(FigureRow.key)
        )
        found = {key: Told(key, int(count), dollars) for key, count, dollars in rows}
        return tuple(found.get(each, Told(each, 0, Decimal(0))) for each in BUCKETS)

    def coded(self) -> Iterator[Coded]:
        past = Span(self.span.first - PAST, self.span.first - timedelta(days=1))
        now, then = self._lines(self.span), self._lines(past)
        for number, practice in self.practices.items():
            before = {
                (each.what, each.provider): each.value
                for each in standards.of_lines(then.get(number, ()), practice.standards)
            }
            for each in standards.of_lines(now.get(number, ()), practice.standards):
                yield Coded(practice.code, each, before.get((each.what, each.provider)), _key_of(each))

    def _lines(self, span: Span) -> Mapping[int, Sequence[standards.Line]]:
        found: dict[int, list[standards.Line]] = defaultdict(list)
        rows = self.session.execute(
            select(FigureRow.practice_id, FigureRow.key, func.sum(FigureRow.count))
            .where(*self._of(span, [Measure.VISITS]))
            .group_by(FigureRow.practice_id, FigureRow.key)
        )
        for practice, key, count in rows:
            npi, code, modifier = key.split("|")
            found[practice].append((npi, code, modifier, int(count)))
        return found


def latest_held(session: Session, practices: Iterable[int]) -> list[tuple[int, date]]:
    """The day of each practice on which what is held was counted last."""
    rows = session.execute(
        select(CountedDayRow.practice_id, func.max(CountedDayRow.day))
        .where(CountedDayRow.practice_id.in_(list(practices)), CountedDayRow.part == Part.HELD.value)
        .group_by(CountedDayRow.practice_id)
    )
    return [(practice, day) for practice, day in rows]


def _key_of(measured: Measured) -> str:
    provider, first = measured.provider or ANY, measured.what.partition(" ")[0]
    if first.isdecimal():
        return f"{provider}|{first}|{ANY}"
    return f"{provider}|{OTHER}|59" if first == OTHER else f"{provider}|{ANY}|25"


def _slots(span: Span) -> Iterator[Span]:
    return span.slots(1 if span.days <= DAY_BY_DAY else 7)


def _within(span: Span, by_day: _ByDay) -> Iterator[tuple[date, str, int]]:
    for back in range(span.days):
        day = span.first + timedelta(days=back)
        for key, count in by_day.get(day, {}).items():
            yield day, key, count


def _lags(span: Span, entered: _ByDay) -> Iterator[Lag]:
    for week in span.slots(7):
        lags: dict[int, int] = defaultdict(int)
        for day, served, count in _within(week, entered):
            lags[max((day - date.fromisoformat(served)).days, 0)] += count
        if lags:
            yield Lag(week, sum(lags.values()), percentile(lags, 50), percentile(lags, 90))


def percentile(counts: Mapping[int, int], percent: int) -> int:
    """The least value that so many per cent of all values do not exceed (nearest rank); ``counts`` are by value.

    >>> percentile({0: 5, 3: 4, 30: 1}, 50), percentile({0: 5, 3: 4, 30: 1}, 90), percentile({0: 5, 3: 4, 30: 1}, 91)
    (0, 3, 30)
    """
    total, seen = sum(counts.values()), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen * 100 >= total * percent:
            return value
    raise AssertionError("a percentile of nothing")


def _first_pass(span: Span, judged: _ByDay) -> Iterator[FirstPass]:
    for slot in _slots(span):
        told = list(_within(slot, judged))
        if told:
            clean = sum(count for _, key, count in told if key == "clean")
            yield FirstPass(slot, sum(count for *_, count in told), clean)


def _flow(span: Span, came: _ByDay, left: _ByDay) -> Iterator[Flow]:
    for slot in _slots(span):
        yield Flow(slot, *(sum(count for *_, count in _within(slot, each)) for each in (came, left)))


def _largest(told: _ByKey, before: _ByKey | None = None) -> tuple[Told, ...]:
    """The largest by count, and those that are largest by dollars, by count."""
    ranked = sorted(told, key=lambda key: (-told[key][0], key))
    dearest = sorted(told, key=lambda key: (-told[key][1], key))
    shown = {*ranked[:TOP], *dearest[:TOP]}
    none = (0, Decimal(0))
    return tuple(Told(key, *told[key], *(before or {}).get(key, none)) for key in ranked if key in shown)


def _answered(told: _ByKey) -> Iterator[Answered]:
    by_kind: dict[str, dict[str, int]] = defaultdict(dict)
    for key, (count, _) in told.items():
        kind, _, outcome = key.partition("|")
        by_kind[kind][outcome] = count
    for kind, counts in sorted(by_kind.items(), reverse=True):
        said = [counts.get(outcome, 0) for outcome in ("accepted", "partly", "rejected", "pending")]
        yield Answered(kind, *said)
