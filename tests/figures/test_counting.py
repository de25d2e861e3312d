"""Figures by day are what somebody would count by hand, however often and with whatever luck they are counted."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from charges.figures import counting
from charges.figures.counting import DAILY, Part
from charges.figures.units import Measure
from charges.tables import ChargeRow, CountedDayRow, EventRow, FigureRow, ReviewItemRow
from tests.desk.workers import pointless, without_25
from tests.figures.days import FIRST, Days, clean
from tests.web.conftest import with_second_practice

CHICAGO = ZoneInfo("America/Chicago")
SECOND, THIRD = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
Told = dict[tuple[Measure, date, str], tuple[int, str]]


def by_hand(days: Days) -> Told:
    """What happened, from the rows one by one."""
    found: dict[tuple[Measure, date, str], dict[int, Decimal]] = defaultdict(dict)
    with days.workplace.database.transaction() as session:
        charges = {row.id: row for row in session.query(ChargeRow)}
        for row in charges.values():
            assert row.service_date is not None
            day = row.captured_at.astimezone(CHICAGO).date()
            found[Measure.ENTERED, day, str(row.service_date)][row.id] = row.total
        for item in session.query(ReviewItemRow):
            if item.severity.holds:
                day = item.opened_at.astimezone(CHICAGO).date()
                found[Measure.FOUND, day, item.rule][item.charge_id] = charges[item.charge_id].total
        judged: set[int] = set()
        for event in session.query(EventRow).order_by(EventRow.sequence):
            charge, day = event.subject_id, event.at.astimezone(CHICAGO).date()
            for measure, key in _told(event) if event.subject == "charge" else ():
                if measure is not Measure.JUDGED or charge not in judged:
                    found[measure, day, key][charge] = charges[charge].total
                if measure is Measure.JUDGED:
                    judged.add(charge)
    return {name: (len(dollars), str(sum(dollars.values()))) for name, dollars in found.items()}


def _told(event: EventRow) -> Iterator[tuple[Measure, str]]:
    if event.was == "captured" and event.became in ("clean", "held"):
        yield Measure.JUDGED, event.became
    if event.was != "held" and event.became == "held":
        yield Measure.CAME, ""
    if event.was == "held" and event.became != "held":
        yield Measure.LEFT, event.actor


def test_figures_are_what_is_counted_by_hand(days: Days) -> None:
    days.pass_by()
    days.count()
    figures = days.figures()

    wanted = by_hand(days)
    assert {name: told for name, told in figures.items() if name[0] in {each for each, *_ in wanted}} == wanted
    assert {name: told for name, told in figures.items() if name not in wanted} == {
        (Measure.ANSWERED, SECOND, "999|accepted"): (1, "600.00"),
        (Measure.ANSWERED, SECOND, "277CA|accepted"): (1, "150.00"),
        (Measure.ANSWERED, SECOND, "277CA|rejected"): (1, "150.00"),
        (Measure.HELD, THIRD, "0-2"): (3, "600.00"),
        (Measure.VISITS, FIRST, "1245319599|99213|"): (5, "1200.00"),
        (Measure.VISITS, FIRST, "1245319599|other|"): (2, "750.00"),
        (Measure.VISITS, FIRST - timedelta(days=10), "1245319599|99213|"): (1, "300.00"),
        (Measure.VISITS, FIRST - timedelta(days=10), "1245319599|other|"): (1, "300.00"),
        (Measure.DENIED, FIRST, "GLB-002"): (1, "0.00"),
        (Measure.UNFORESEEN, FIRST, "277CA A7:562"): (1, "0.00"),
    }


def test_counting_again_changes_nothing(days: Days) -> None:
    days.pass_by()
    days.count()
    before = days.figures()
    with days.workplace.database.transaction() as session:
        numbers = {row.id for row in session.query(FigureRow)}

    days.count()
    days.later(days=1)
    days.count()

    after = days.figures()
    assert {name: told for name, told in after.items() if name[1] <= THIRD} == before
    with days.workplace.database.transaction() as session:
        assert numbers <= {row.id for row in session.query(FigureRow)}, "what is the same is not written again"


@pytest.mark.parametrize("kept", [0, 1, 5, 17])
def test_a_count_that_was_killed_goes_on(small_days: Days, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    small_days.pass_by()
    small_days.count()
    wanted = small_days.figures()
    small_days.forget()
    whole = counting._Counter.keep
    done: list[tuple[object, ...]] = []

    def keep(*args: object) -> None:
        if len(done) == kept:
            raise KeyboardInterrupt
        done.append(args)
        whole(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(counting._Counter, "keep", keep)
        with pytest.raises(KeyboardInterrupt):
            small_days.count()

    small_days.count()
    assert small_days.figures() == wanted


def test_a_day_is_the_practices_own(small_days: Days) -> None:
    small_days.later(hours=11)  # 23:00 in Chicago, the next day in UTC
    small_days.enter(clean("late"))
    small_days.count()

    assert small_days.figures()[Measure.JUDGED, FIRST, "clean"] == (1, "150.00")


def test_what_is_entered_late_is_counted_on_its_day_of_service(small_days: Days) -> None:
    small_days.enter(clean("1"))
    small_days.count()
    small_days.later(days=20)
    small_days.count()
    small_days.later(hours=1)
    small_days.enter(clean("2"))
    small_days.count()

    visits = small_days.figures()[Measure.VISITS, FIRST, "1245319599|99213|"]
    assert visits == (2, "300.00")


def test_a_day_long_past_is_counted_once_a_day(small_days: Days) -> None:
    small_days.enter(pointless("p"))
    small_days.later(days=10)
    small_days.count()
    with small_days.workplace.database.transaction() as session:
        first = _counted_at(session.query(CountedDayRow).all())
    small_days.later(hours=1)
    small_days.count()
    with small_days.workplace.database.transaction() as session:
        assert _counted_at(session.query(CountedDayRow).all()) == first
    small_days.later(hours=DAILY / timedelta(hours=1))
    small_days.count()
    with small_days.workplace.database.transaction() as session:
        assert _counted_at(session.query(CountedDayRow).all()) > first


def _counted_at(rows: list[CountedDayRow]) -> datetime:
    return next(row.counted_at for row in rows if row.part == Part.HAPPENED and row.day == FIRST)


def test_what_is_held_grows_old(small_days: Days) -> None:
    small_days.enter(without_25("a"), pointless("p"))
    buckets = []
    for later in (0, 2, 1, 5, 22, 30, 30, 1):
        small_days.later(days=later)
        small_days.count()
        today = small_days.watch.now.date()
        (bucket,) = (key for (measure, day, key) in small_days.figures() if (measure, day) == (Measure.HELD, today))
        buckets.append(bucket)

    assert buckets == ["0-2", "0-2", "3-7", "8-14", "15-30", "31-60", "61-90", "over 90"]


def test_another_practice_has_figures_of_its_own(small_days: Days) -> None:
    with_second_practice(small_days.workplace)
    small_days.enter(clean("1"))
    small_days.count()
    pipeline = small_days.workplace.pipeline
    pipeline.figures(pipeline.practice("hillside"))

    with small_days.workplace.database.transaction() as session:
        assert {row.practice_id for row in session.query(FigureRow)} == {small_days.workplace.applied.id}
