"""The store: what is put in is found, by any date, and damage is told."""

import errno
import string
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charges.errors import Unavailable, Unreadable
from rules.reference import Reference, TableMissing
from rules.reference.drafts import Draft
from rules.reference.library import file_name
from rules.reference.rows import TABLES
from rules.reference.store import key_of, write

START = date(2024, 1, 1)
CODES = st.sampled_from(["00100", "0010T", "99213", "99214", "A0021", "J3301", "Z9999"])
DAYS = st.integers(0, 40).map(lambda days: START + timedelta(days=days))
SPANS = st.tuples(DAYS, st.none() | st.integers(0, 20)).map(
    lambda span: (span[0], None if span[1] is None else span[0] + timedelta(days=span[1]))
)


def in_force(span: tuple[date, date | None], on: date) -> bool:
    return span[0] <= on and (span[1] is None or on <= span[1])


def opened(*drafts: Draft) -> Reference:
    return Reference.of({release: partial(bytes, content) for release, content in (each.pack() for each in drafts)})


@given(st.lists(st.tuples(CODES, CODES, SPANS, st.sampled_from("019")), max_size=40), CODES, CODES, DAYS)
def test_a_pair_is_found_as_a_plain_search_finds_it(
    rows: list[tuple[str, str, tuple[date, date | None], str]], first: str, second: str, on: date
) -> None:
    made = Draft(TABLES["ptp"], "2024Q1", START, None)
    for column1, column2, (since, until), indicator in rows:
        made.add(column1, column2, since=since, until=until, modifier_indicator=indicator, rationale="")
    fitting = [
        (span[0], indicator)
        for column1, column2, span, indicator in rows
        if (column1, column2) == (first, second) and in_force(span, on) and indicator != "9"
    ]
    found = opened(made).ptp(first, second, on)
    assert (found is None) == (not fitting)
    if found is not None:
        assert (found.column1, found.column2) == (first, second)
        latest = max(since for since, _ in fitting)
        assert found.since == latest
        assert (latest, found.modifier_indicator) in fitting


@given(st.lists(st.tuples(CODES, SPANS, st.integers(0, 9)), max_size=40), CODES, DAYS)
def test_a_code_is_found_as_a_plain_search_finds_it(
    rows: list[tuple[str, tuple[date, date | None], int]], code: str, on: date
) -> None:
    made = Draft(TABLES["mue"], "2024Q1", START, None)
    for each, (since, until), units in rows:
        made.add(each, since=since, until=until, units=units, adjudication_indicator=2, rationale="")
    fitting = [(span[0], units) for each, span, units in rows if each == code and in_force(span, on)]
    found = opened(made).mue(code, on)
    assert (found is None) == (not fitting)
    if found is not None:
        assert (found.since, found.units) in fitting
        assert found.since == max(since for since, _ in fitting)
    history = opened(made).history("mue", code, on)
    assert {(row.since, row.until) for row in history} == {
        (span[0], span[1] or date.max) for each, span, _ in rows if each == code
    }


@given(st.lists(st.tuples(CODES, CODES, SPANS), min_size=1, max_size=20), st.randoms())
def test_the_file_does_not_depend_on_the_order_of_rows(
    rows: list[tuple[str, str, tuple[date, date | None]]], chance: object
) -> None:
    packed = []
    for _ in range(2):
        made = Draft(TABLES["ptp"], "2024Q1", START, None)
        for column1, column2, (since, until) in rows:
            made.add(column1, column2, since=since, until=until, modifier_indicator="1", rationale="")
        _, content = made.pack()
        packed.append(content)
        chance.shuffle(rows)  # type: ignore[attr-defined]
    # The header counts rows said twice once, so nothing but the order differs.
    assert packed[0] == packed[1]


ALPHABET = string.ascii_uppercase + string.digits


@given(st.text(ALPHABET, min_size=1, max_size=12), st.text(ALPHABET, min_size=1, max_size=12))
def test_keys_tell_codes_apart(one: str, other: str) -> None:
    assert (key_of(one) == key_of(other)) == (one == other)
    assert 0 <= key_of(one) < 2**64


@given(st.text(max_size=14))
def test_any_text_may_be_asked(text: str) -> None:
    made = Draft(TABLES["mue"], "2024Q1", START, None)
    made.add("99213", units=1, adjudication_indicator=3, rationale="")
    pairs = Draft(TABLES["ptp"], "2024Q1", START, None)
    pairs.add("99213", "36415", modifier_indicator="1", rationale="")
    tables = opened(made, pairs)
    assert (tables.mue(text, START) is not None) == (text == "99213")
    assert tables.ptp(text, "36415", START) is None or text == "99213"


def test_more_than_65_thousand_entries_and_codes_fit() -> None:
    made = Draft(TABLES["policies"], "1", START, None)
    for number in range(70_000):
        made.add("99213", f"A{number:06}", policy=f"L{number}", covered=True)
    tables = opened(made)
    assert len(tables.policies("99213", START)) == 70_000
    assert tables.coverage("99213", "A069999", START)[0].policy == "L69999"
    assert tables.covered_diagnoses("L5", "99213", START) == {"A000005"}


def stored(folder: Path) -> Path:
    made = Draft(TABLES["mue"], "2024Q3", date(2024, 7, 1), date(2024, 9, 30))
    for number in range(500):
        made.add(f"{number:05}", units=number, adjudication_indicator=2, rationale="Clinical: Data")
    release, content = made.pack()
    return write(folder, content, file_name(release))


ON = date(2024, 8, 1)


def test_an_absent_folder_has_no_table(tmp_path: Path) -> None:
    tables = Reference.open(tmp_path / "nowhere")
    assert tables.releases == ()
    with pytest.raises(TableMissing, match="No table of NCCI medically unlikely edits"):
        tables.mue("99213", ON)


@pytest.mark.parametrize("damage", ["cut", "longer", "header", "magic", "empty"])
def test_a_damaged_file_is_refused_when_opened(tmp_path: Path, damage: str) -> None:
    path = stored(tmp_path)
    content = bytearray(path.read_bytes())
    damaged: dict[str, bytes | bytearray] = {
        "cut": content[:-8],
        "longer": content + b"12345678",
        "header": content.replace(b"2024Q3", b"2024Q4", 1),
        "magic": b"PK" + content[2:],
        "empty": b"",
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(Unreadable, match="oad the table again"):
        Reference.open(tmp_path)


def test_a_changed_byte_is_found_by_verifying(tmp_path: Path) -> None:
    path = stored(tmp_path)
    assert [release.name for release in Reference.open(tmp_path).verify()] == ["2024Q3"]
    content = bytearray(path.read_bytes())
    content[-2000] ^= 1
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=r"mue-2024Q3\.ref is damaged"):
        list(Reference.open(tmp_path).verify())


def test_a_reader_is_not_disturbed_when_its_file_is_replaced(tmp_path: Path) -> None:
    stored(tmp_path)
    tables = Reference.open(tmp_path)
    assert tables.mue("00007", ON) is not None
    made = Draft(TABLES["mue"], "2024Q3", date(2024, 7, 1), date(2024, 9, 30))
    made.add("00001", units=1, adjudication_indicator=2, rationale="")
    release, content = made.pack()
    write(tmp_path, content, file_name(release))
    assert tables.mue("00007", ON) is not None
    assert Reference.open(tmp_path).mue("00007", ON) is None


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stored(tmp_path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Unavailable, match=r"cannot be written \(No space left on device\)"):
        stored(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before


@pytest.mark.parametrize("code", ["", "99213"])
def test_a_table_without_pairs_answers_that_there_are_none(code: str) -> None:
    empty = opened(Draft(TABLES["policies"], "2026Q4", date(2026, 10, 1), None))
    assert empty.policies(code, date(2026, 11, 16)) == frozenset()
