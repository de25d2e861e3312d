"""What is shown of figures, and that the list behind each figure has exactly what was counted."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charges.errors import Refused
from charges.figures import behind as lists
from charges.figures import reading
from charges.figures.behind import Behind, Entry, Wanted
from charges.figures.reading import Overview, Span, percentile
from charges.figures.units import BUCKETS, Measure
from rules.engine import load
from rules.examples import charge, line
from tests.desk.workers import patient_of
from tests.figures.days import FIRST, Days, clean

SPAN = Span(FIRST, FIRST + timedelta(days=2))
OLD = Span(FIRST - timedelta(days=60), FIRST + timedelta(days=60))


def read(days: Days, span: Span = SPAN) -> Overview:
    applied = days.workplace.applied
    return reading.read(days.workplace.database, {applied.id: applied.practice}, span)


def behind(days: Days, wanted: Wanted, size: int = 100) -> Behind:
    applied = days.workplace.applied
    return lists.behind(days.workplace.database, {applied.id: applied.practice}, load(), wanted, size=size)


def test_what_is_shown_of_three_days(small_days: Days) -> None:
    small_days.pass_by()
    small_days.count()
    found = read(small_days)

    assert found.as_of == small_days.watch.now
    assert [(each.charges, each.median, each.p90) for each in found.lags] == [(6, 0, 11)]
    assert [(each.judged, each.clean) for each in found.first_pass] == [(5, 2), (1, 0)]
    assert [(each.came, each.left) for each in found.flow] == [(3, 1), (2, 2), (1, 0)]
    assert [(each.key, each.count, each.dollars) for each in found.held if each.count] == [("0-2", 3, Decimal(600))]
    assert [(each.key, each.count) for each in found.rules] == [
        ("GLB-002", 3),
        ("277CA", 1),
        ("835", 1),
        ("STR-008", 1),
    ]
    assert [(each.key, each.count) for each in found.people] == [("grace", 2), ("ada", 1)]
    assert {each.kind: (each.accepted, each.rejected) for each in found.answered} == {"999": (1, 0), "277CA": (1, 1)}
    assert [(each.key, each.count) for each in found.denied] == [("GLB-002", 1)]
    assert [(each.key, each.count) for each in found.unforeseen] == [("277CA A7:562", 1)]


def test_a_rule_stands_beside_the_days_before(small_days: Days) -> None:
    small_days.pass_by()
    small_days.count()
    (rule,) = (
        each for each in read(small_days, Span(FIRST + timedelta(days=1), SPAN.last)).rules if each.key == "GLB-002"
    )

    assert (rule.count, rule.before, rule.dollars, rule.dollars_before) == (1, 2, Decimal(300), Decimal(750))


def test_coding_stands_beside_ones_own_past(small_days: Days) -> None:
    past = FIRST - timedelta(days=40)
    small_days.enter(
        *(clean(str(number), "99214") for number in range(3)),
        clean("4", "99213"),
        charge(line("99213", service_date=past), key="5", patient=patient_of("5")),
    )
    small_days.count()

    found = {each.measured.what: each for each in read(small_days).coded}
    level = found["99214 of office, known patient"]
    assert (level.measured.value, level.past) == (0.75, 0)
    assert found["99213 of office, known patient"].past == 1
    assert found["visits with modifier 25"].measured.of == 4


@pytest.mark.parametrize("size", [1, 2, 100])
def test_behind_each_figure_is_exactly_what_was_counted(days: Days, size: int) -> None:
    days.pass_by()
    days.count()
    figures: dict[tuple[Measure, str], int] = {}
    for (measure, _, key), (count, _) in days.figures().items():
        figures[measure, key] = figures.get((measure, key), 0) + count
    for (measure, key), count in figures.items():
        seen: list[Entry] = []
        after = ""
        while page := behind(days, Wanted(measure, OLD, key, after), size):
            assert page.count == count
            seen += page.entries
            if not (after := page.after):
                break
        assert len(seen) == count, (measure, key)
        assert {each.key for each in seen} == {key}
        assert seen == sorted(seen, key=lambda each: -each.day.toordinal())


def test_behind_an_age_is_what_is_that_old(small_days: Days) -> None:
    for key in ("a", "b"):
        small_days.enter(clean(key, diagnoses=()))
        small_days.later(days=4)
    for days in (0, 3, 9, 21, 40, 30):
        small_days.later(days=days)
        small_days.count()
        whole = behind(small_days, Wanted(Measure.HELD, OLD)).entries
        by_key = {key: behind(small_days, Wanted(Measure.HELD, OLD, key)).entries for key in BUCKETS}
        assert sorted(each.charge or 0 for some in by_key.values() for each in some) == [1, 2]
        assert {each.charge: each.key for each in whole} == {
            each.charge: key for key, some in by_key.items() for each in some
        }


def test_behind_a_rule_are_the_charges_that_it_held(small_days: Days) -> None:
    small_days.pass_by()
    small_days.count()
    numbers = {key: row.id for key, row in small_days.workplace.rows().items()}

    def charges(measure: Measure, key: str | None, span: Span = SPAN) -> list[int | None]:
        return [each.charge for each in behind(small_days, Wanted(measure, span, key)).entries]

    assert charges(Measure.FOUND, "GLB-002") == [numbers[each] for each in ("c", "a", "b")]
    assert charges(Measure.FOUND, "GLB-002", Span(FIRST, FIRST)) == [numbers["a"], numbers["b"]]
    assert charges(Measure.LEFT, "ada") == [numbers["a"]]
    assert charges(Measure.DENIED, "GLB-002") == [numbers["a"]]
    assert charges(Measure.ANSWERED, "277CA|rejected") == [numbers["2"]]
    assert charges(Measure.VISITS, "*|99213|*", Span(FIRST - timedelta(days=10), FIRST - timedelta(days=10))) == [
        numbers["c"]
    ]


def test_a_star_stands_for_anything_and_nothing_else_does(small_days: Days) -> None:
    small_days.enter(clean("1"))
    small_days.count()
    for key, count in (("*|99213|*", 1), ("*|9921_|*", 0), ("%|99213|", 0), ("1245319599|*|", 1), ("*|99214|*", 0)):
        found = behind(small_days, Wanted(Measure.VISITS, SPAN, key))
        assert (len(found.entries), found.count) == (count, count), key


def test_a_page_that_was_tampered_with_is_refused(small_days: Days) -> None:
    small_days.count()
    for after in ("x", "2026-11-16~1", "2026-11-16~a~b~c", "2026-99-16~1~1~", "a\0~1~1~1"):
        with pytest.raises(Refused):
            behind(small_days, Wanted(Measure.FOUND, SPAN, None, after))


def test_nothing_is_shown_as_counted_before_it_is(small_days: Days) -> None:
    small_days.enter(clean("1"))
    assert read(small_days).as_of is None


def test_days_are_in_order_and_no_more_than_a_year() -> None:
    for first, last in ((date(2026, 1, 2), date(2026, 1, 1)), (date(2024, 1, 1), date(2026, 1, 1))):
        with pytest.raises(Refused):
            Span(first, last)


@given(first=st.dates(date(2020, 1, 1), date(2030, 1, 1)), days=st.integers(1, 366), width=st.sampled_from([1, 7]))
def test_the_parts_of_some_days_are_these_days(first: date, days: int, width: int) -> None:
    span = Span(first, first + timedelta(days=days - 1))
    parts = list(span.slots(width))
    found = [part.first + timedelta(days=number) for part in parts for number in range(part.days)]
    assert found == [first + timedelta(days=number) for number in range(days)]
    assert all(part.days <= width for part in parts)
    assert all(part.first.weekday() == 0 for part in parts[1:]) or width == 1


@given(st.lists(st.integers(0, 400), min_size=1), st.sampled_from([50, 90]))
def test_a_percentile_is_the_least_that_so_many_do_not_exceed(values: list[int], percent: int) -> None:
    found = percentile({each: values.count(each) for each in values}, percent)
    assert found in values
    assert sum(each <= found for each in values) * 100 >= percent * len(values)
    assert sum(each < found for each in values) * 100 < percent * len(values)
