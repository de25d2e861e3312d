"""Which release answers for which date, and what is said when none does."""

from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.reference import Reference, TableMissing, cite, reference
from rules.reference.drafts import Draft
from rules.reference.library import file_name
from rules.reference.rows import TABLES
from rules.reference.shipped import ensure, shipped
from rules.reference.store import write

TODAY = date(2026, 11, 16)


def mue(name: str, since: date, until: date | None, units: int, *, sample: bool = False) -> Draft:
    made = Draft(TABLES["mue"], name, since, until, sample=sample)
    made.add("99213", units=units, adjudication_indicator=2, rationale="")
    return made


def put(folder: Path, *drafts: Draft) -> Path:
    for each in drafts:
        release, content = each.pack()
        write(folder, content, file_name(release))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return put(
        tmp_path,
        mue("2026Q2", date(2026, 4, 1), date(2026, 6, 30), 2),
        mue("2026Q3", date(2026, 7, 1), date(2026, 9, 30), 3),
        mue("sample", date(2020, 1, 1), None, 9, sample=True),
    )


def units(tables: Reference, on: date) -> int:
    found = tables.mue("99213", on)
    assert found is not None
    return found.units


def test_releases_answer_side_by_side_each_for_its_dates(folder: Path) -> None:
    tables = Reference.open(folder)
    assert units(tables, date(2026, 4, 1)) == 2
    assert units(tables, date(2026, 6, 30)) == 2
    assert units(tables, date(2026, 7, 1)) == 3
    assert [release.name for release in tables.releases] == ["2026Q3", "2026Q2", "sample"]


def test_a_sample_answers_only_where_nothing_published_does_and_where_it_may(folder: Path) -> None:
    assert units(Reference.open(folder), date(2026, 10, 1)) == 9
    assert Reference.open(folder).release("mue", date(2026, 10, 1)).sample
    demanding = Reference.open(folder, samples=False)
    assert units(demanding, date(2026, 7, 1)) == 3
    with pytest.raises(TableMissing, match="is loaded for 2026-10-01") as missing:
        demanding.mue("99213", date(2026, 10, 1))
    assert (missing.value.table, missing.value.on) == ("mue", date(2026, 10, 1))
    assert not demanding.has("mue", date(2026, 10, 1))
    assert demanding.has("mue", date(2026, 7, 1))


def test_no_row_is_not_no_table(folder: Path) -> None:
    assert Reference.open(folder).mue("99999", date(2026, 7, 1)) is None


def test_of_releases_that_hold_all_years_the_newest_answers(tmp_path: Path) -> None:
    for name, end, indicator in (("2026Q2", date(2026, 6, 30), "1"), ("2026Q3", date(2026, 9, 30), "0")):
        made = Draft(TABLES["ptp"], name, date(1996, 1, 1), end)
        made.add("43239", "43235", since=date(1996, 1, 1), modifier_indicator=indicator, rationale="")
        put(tmp_path, made)
    found = Reference.open(tmp_path).ptp("43239", "43235", date(2020, 5, 5))
    assert found is not None
    assert (found.modifier_indicator, found.release.name) == ("0", "2026Q3")
    then = Reference.open(tmp_path).only({("ptp", "2026Q2")}).ptp("43239", "43235", date(2020, 5, 5))
    assert then is not None
    assert then.release.name == "2026Q2"


def test_a_row_is_cited_by_table_release_and_what_it_says(folder: Path) -> None:
    found = Reference.open(folder).mue("99213", date(2026, 7, 1))
    assert found is not None
    assert cite(found) == {
        "table": "mue",
        "release": "2026Q3",
        "row": "99213 2026-07-01..2026-09-30 units=3 adjudication_indicator=2",
    }


def test_a_folder_is_opened_again_when_a_table_came(folder: Path) -> None:
    first = reference(folder)
    assert reference(folder) is first
    put(folder, mue("2026Q4", date(2026, 10, 1), date(2026, 12, 31), 4))
    assert units(reference(folder), date(2026, 10, 1)) == 4


def test_two_practices_have_their_own_prices(tmp_path: Path) -> None:
    for practice, amount in (("lakeside", "150.00"), ("hillside", "99.50")):
        made = Draft(TABLES["prices"], "2026", date(2026, 1, 1), None)
        made.add("99213", "", amount=amount)
        made.add("99213", "TC", amount="12.00")
        release, content = made.pack(variant=practice)
        write(tmp_path, content, file_name(release))
    tables = Reference.open(tmp_path)
    for practice, modifier, amount in (
        ("lakeside", "25", "150.00"),
        ("hillside", "", "99.50"),
        ("hillside", "TC", "12.00"),
    ):
        price = tables.price(practice, "99213", TODAY, modifier)
        assert price is not None
        assert str(price.amount) == amount
    with pytest.raises(TableMissing):
        tables.price("elsewhere", "99213", TODAY)


# What ships.


def test_shipped_codes_are_judged_without_a_download(tmp_path: Path) -> None:
    ensure(tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    ensure(tmp_path)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    for tables in (shipped(), Reference.open(tmp_path)):
        billable, header = tables.icd("E11.9", TODAY), tables.icd("E11", TODAY)
        assert billable is not None
        assert header is not None
        assert (billable.billable, header.billable) == (True, False)
        assert tables.icd("E11.99", TODAY) is None
        office, hospital = tables.pos("11", TODAY), tables.pos("21", TODAY)
        assert office is not None
        assert hospital is not None
        assert (office.facility, hospital.facility) == (False, True)
        assert tables.pos("27", date(2023, 9, 30)) is None
        assert tables.add_on("99213", TODAY) is None
        assert all(release.sample for release in tables.releases)
    assert Reference.open(tmp_path, samples=False).releases == ()


def test_the_shipped_icd_codes_are_as_many_as_published() -> None:
    store = shipped()._store("icd", TODAY)
    assert sum(store.entry(number).fields[0] for number in store._entries) == 74_719


def test_seventh_characters_and_exclusions_of_icd() -> None:
    tables = shipped()
    assert tables.seventh("S06.0X1", TODAY) == {"A", "D", "S"}
    assert tables.seventh("I10", TODAY) == frozenset()
    assert tables.icd("S06.2X7A", TODAY) is not None
    assert tables.icd("S06.2X7D", TODAY) is None
    for pair in (("E10.9", "E11.9"), ("E11.9", "E10.9")):
        note = tables.excludes1(*pair, TODAY)
        assert note is not None
        assert note.kind == "excludes1"
    assert tables.excludes1("E11.9", "I10", TODAY) is None
    inherited = {(note.kind, note.at) for note in tables.icd_notes("I11.0", TODAY)}
    assert {at for _, at in inherited} >= {"I110", "I10I1A"}


# Facts that circulate wrongly, against the shipped rows.


def test_facts_that_circulate_wrongly() -> None:
    tables = shipped()
    assert tables.ptp("99213", "36415", TODAY) is None
    assert tables.ptp("36415", "99213", TODAY) is None
    endoscopy = tables.ptp("43239", "43235", TODAY)
    assert endoscopy is not None
    assert endoscopy.modifier_indicator == "0"
    for code, limit, indicator in (("20611", 2, 3), ("97110", 6, 3), ("88350", 9, 3)):
        mue = tables.mue(code, TODAY)
        assert mue is not None
        assert (mue.units, mue.adjudication_indicator) == (limit, indicator)


def limits(tables: Reference, code: str, on: date) -> int | None:
    """What is found of a code on a date, or that no release answers for it."""
    try:
        found = tables.mue(code, on)
    except TableMissing:
        return -1
    return found.units if found else None


YEAR = date(2026, 1, 1)
days = st.integers(0, 400).map(lambda number: YEAR + timedelta(days=number))
spans = st.tuples(days, days | st.none()).filter(lambda span: span[1] is None or span[0] <= span[1])


@given(
    releases=st.lists(
        st.tuples(spans, st.lists(st.tuples(spans, st.integers(1, 3)), max_size=3), st.booleans()), max_size=3
    ),
    asked=st.lists(days, min_size=1, max_size=20),
)
def test_what_is_found_once_serves_the_days_on_which_the_table_says_the_same(
    releases: list[tuple[tuple[date, date | None], list[tuple[tuple[date, date | None], int]], bool]], asked: list[date]
) -> None:
    drafts = []
    for number, ((since, until), rows, is_sample) in enumerate(releases):
        drafts.append(Draft(TABLES["mue"], f"R{number}", since, until, sample=is_sample))
        for (begin, end), most in rows:
            drafts[-1].add("99213", since=begin, until=end, units=most, adjudication_indicator=2, rationale="")
    tables = Reference.of({release: partial(bytes, content) for release, content in (each.pack() for each in drafts)})
    for on in asked:
        assert tables.once(limits, "99213", on, "mue") == limits(tables, "99213", on), on
        assert tables.unchanged_since("mue", on) <= on


def test_a_quarter_without_a_change_is_asked_once(folder: Path) -> None:
    tables, asked = Reference.open(folder), list[date]()

    def find(_: Reference, _code: str, on: date) -> date:
        asked.append(on)
        return on

    for month in (4, 5, 6):
        tables.once(find, "99213", date(2026, month, 20), "mue")
    assert asked == [date(2026, 4, 1)]
