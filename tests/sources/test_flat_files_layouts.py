"""What a layout can say, and what files may look like; and that no file at all is a crash."""

import random
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charges.errors import Unreadable
from charges.model import Charge, ServiceLine
from charges.practice.layout import BadLayout, Layout, read_layout
from tests.sources.flat import EXAMPLE, Inbox, layout, read, row, small, text, workbook

ONE = {"No": "7", "CPT": "99213", "Amount": "150.00", "Units": "1", "DOB": "04/03/1961"}


def line(folder: Path, given: Layout, content: str | bytes, name: str = "a.csv") -> ServiceLine:
    (found,) = read(folder, content, given, name).lines
    return found


def refused(folder: Path, given: Layout, content: str | bytes, name: str = "a.csv") -> str:
    with pytest.raises(Unreadable) as fault:
        read(folder, content, given, name)
    return str(fault.value)


# Text


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
def test_the_delimiter_is_the_one_that_gives_the_columns(tmp_path: Path, delimiter: str) -> None:
    assert line(tmp_path, small(), text(ONE | {"A,B;C": "x,y;z|"}, delimiter=delimiter)).charge == Decimal("150.00")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_encoding_is_found_out(tmp_path: Path, encoding: str) -> None:
    content = text(ONE | {"Name": "Núñez, Zoë"}).encode(encoding)
    assert read(tmp_path, content, small(fields={"patient.name": "Name"})).patient.last_name == "Núñez"


def test_a_header_is_known_by_its_letters_and_digits(tmp_path: Path) -> None:
    assert line(tmp_path, small(), text(ONE).replace("Amount", " AMOUNT_").replace("CPT", "c.p.t")).charge == 150


def test_the_header_may_stand_lower_or_be_missing(tmp_path: Path) -> None:
    above = "Charges of the month\n\n" + text(ONE)
    assert line(tmp_path, small(header_row=3), above).code == "99213"
    bare = text(ONE).splitlines()[1]
    assert line(tmp_path / "bare", small(columns=list(ONE)), bare).code == "99213"


def test_a_column_that_stands_twice_is_counted(tmp_path: Path) -> None:
    content = "No,CPT,Amount,Units,DOB,Mod,Mod\n7,99213,150,1,04/03/1961,25,GT\n"
    given = small(fields={"line.modifiers": {"each": ["Mod", "Mod (2)"]}})
    assert line(tmp_path, given, content).modifiers == ("25", "GT")


def test_fixed_width_is_read_by_places(tmp_path: Path) -> None:
    positions = {"No": [1, 4], "CPT": [5, 9], "Amount": [10, 16], "Units": [17, 18], "DOB": [19, 28]}
    content = "0007992130150.00 104/03/1961\n0007850250018.50 104/03/1961\n"
    charge = read(tmp_path, content, small(positions=positions))
    assert (charge.key, [each.charge for each in charge.lines]) == ("0007", [Decimal("150.00"), Decimal("18.50")])


# Excel


def test_a_workbook_holds_dates_and_numbers(tmp_path: Path) -> None:
    content = workbook(list(ONE), [7, 99213, 150.5, 1, date(1961, 4, 3)])
    charge = read(tmp_path, content, small(), "a.xlsx")
    assert (charge.key, charge.patient.birth_date) == ("7", date(1961, 4, 3))
    assert (charge.lines[0].code, charge.lines[0].charge) == ("99213", Decimal("150.5"))


def test_a_leading_zero_that_excel_took_is_told(tmp_path: Path) -> None:
    content = workbook(list(ONE), [7, 100, 150, 1, date(1961, 4, 3)])
    assert refused(tmp_path, small(), content, "a.xlsx").startswith(
        "CPT is kept as a number by Excel, which takes leading zeros away; format the column as text"
    )


def test_a_formula_is_not_trusted(tmp_path: Path) -> None:
    content = workbook(list(ONE), [7, "99213", "=100+50", 1, date(1961, 4, 3)])
    assert "column 3 holds a formula or an error of Excel" in refused(tmp_path, small(), content, "a.xlsx")


def test_a_number_is_no_date(tmp_path: Path) -> None:
    content = workbook(list(ONE), [7, "99213", 150, 1, 22374])
    assert refused(tmp_path, small(), content, "a.xlsx") == "DOB is not a date; MM/DD/YYYY is expected."


def test_a_sheet_is_found_by_its_name(tmp_path: Path) -> None:
    content = workbook(list(ONE), list(ONE.values()))
    assert "has no sheet named Charges" in refused(tmp_path, small(sheet="Charges"), content, "a.xlsx")
    assert line(tmp_path, small(sheet="Sheet"), content, "b.xlsx").code == "99213"


# Values


@pytest.mark.parametrize(
    ("mark", "said", "amount"),
    [
        (".", "1,234.50", "1234.50"),
        (",", "1.234,50", "1234.50"),
        (",", "18,5", "18.5"),
        (".", "$ 12", "12"),
        (".", ".5", ".5"),
    ],
)
def test_amounts_by_their_decimal_mark(tmp_path: Path, mark: str, said: str, amount: str) -> None:
    assert line(tmp_path, small(decimal_mark=mark), text(ONE | {"Amount": said})).charge == Decimal(amount)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("MM/DD/YYYY", "4/3/1961"),
        ("DD.MM.YYYY", "03.04.1961"),
        ("YYYYMMDD", "19610403"),
        ("DD-MON-YYYY", "03-APR-1961"),
        ("MM/DD/YYYY", "1961-04-03"),
        ("MM/DD/YYYY", "04/03/1961 12:00:00 AM"),
    ],
)
def test_dates_by_their_format(tmp_path: Path, written: str, said: str) -> None:
    assert read(tmp_path, text(ONE | {"DOB": said}), small(dates=written)).patient.birth_date == date(1961, 4, 3)


def test_two_digits_of_a_year_are_of_this_century(tmp_path: Path) -> None:
    given = small(fields={"line.service_date": {"headers": "DOS", "dates": ["MM/DD/YY"]}})
    assert line(tmp_path, given, text(ONE | {"DOS": "11/16/26"})).service_date == date(2026, 11, 16)


@pytest.mark.parametrize(
    ("order", "name", "expected"),
    [
        ("last, first", "DOE, JANE", ("DOE", "JANE", "", "")),
        ("last, first", "de la Cruz Jr., Ana Lucia", ("de la Cruz", "Ana", "Lucia", "Jr")),
        ("last, first", "DOE^JOHN^Q^III", ("DOE", "JOHN", "Q", "III")),
        ("first last", "John Quincy Doe Sr.", ("Doe", "John", "Quincy", "Sr")),
        ("first last", "Prince", ("Prince", "", "", "")),
    ],
)
def test_whole_names(tmp_path: Path, order: str, name: str, expected: tuple[str, ...]) -> None:
    patient = read(
        tmp_path, text(ONE | {"Name": name}), small(name_order=order, fields={"patient.name": "Name"})
    ).patient
    assert (patient.last_name, patient.first_name, patient.middle_name, patient.suffix) == expected


@pytest.mark.parametrize(
    ("pointers", "expected"),
    [("1,2", ("I10", "E11.9")), ("BA", ("E11.9", "I10")), ("B:A", ("E11.9", "I10")), ("3", ("#3",)), ("", ())],
)
def test_pointers_name_diagnoses_of_the_charge(tmp_path: Path, pointers: str, expected: tuple[str, ...]) -> None:
    given = small(fields={"diagnoses": "Dx", "line.pointers": "Ptr"})
    assert line(tmp_path, given, text(ONE | {"Dx": "I10;E11.9", "Ptr": pointers})).diagnoses == expected


def test_the_price_of_one_unit_is_multiplied(tmp_path: Path) -> None:
    given = Layout.model_validate(
        {"key": "No", "fields": {"line.code": "CPT", "line.unit_price": "Price", "line.units": "Units"}}
    )
    assert line(tmp_path, given, "No,CPT,Price,Units\n7,97110,40.10,3\n").charge == Decimal("120.30")


def test_a_row_may_hold_several_services(tmp_path: Path) -> None:
    fields = {
        "line.code": "Code{n}",
        "line.charge": "Fee{n}",
        "line.modifiers": {"each": ["Mod{n}A", "Mod{n}B"]},
        "line.service_date": "DOS",
    }
    given = Layout.model_validate({"key": "No", "services_per_row": 3, "fields": fields})
    content = (
        "No,DOS,Code1,Fee1,Mod1A,Mod1B,Code2,Fee2,Mod2A,Mod2B,Code3,Fee3,Mod3A,Mod3B\n"
        "7,11/16/2026,99213,150,25,,85025,18,QW,59,,,,\n"
    )
    charge = read(tmp_path, content, given)
    assert [(each.code, each.charge, each.modifiers) for each in charge.lines] == [
        ("99213", Decimal(150), ("25",)),
        ("85025", Decimal(18), ("QW", "59")),
    ]
    assert charge.lines[1].service_date == date(2026, 11, 16)
    assert charge.origins["lines[1].code"] == "Code2"


def test_a_second_insurance_and_facts_of_the_practices_own(tmp_path: Path) -> None:
    given = layout(
        fields={
            "line.code": "CPT",
            "coverage.member_id": "Policy No",
            "coverage_2.member_id": "Second",
            "coverage_2.relationship": {"constant": "18"},
        },
        custom={"site": "Location"},
    )
    charge = read(tmp_path, text(row() | {"Second": "1EG4TE5MK73"}, row(cpt="85025") | {"Second": ""}), given)
    assert [each.member_id for each in charge.coverages] == ["PMH8812345", "1EG4TE5MK73"]
    assert charge.custom == {"site": "Office"}
    assert charge.origins["custom"] == "Location"
    inbox = Inbox(tmp_path, given)
    inbox.put("a.csv", text(row() | {"Second": ""}))
    assert len(inbox.one().coverages) == 1  # a constant alone is no insurance


def test_lines_stand_in_the_order_of_their_number(tmp_path: Path) -> None:
    given = small(fields={"line.number": "Line"})
    rows = [ONE | {"Line": str(number), "Amount": str(number)} for number in (10, 2, 1)]
    assert [each.charge for each in read(tmp_path, text(*rows), given).lines] == [1, 2, 10]


def test_several_columns_may_make_the_key(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, small(key=["No", "DOB"]))
    inbox.put("a.csv", text(ONE, ONE, ONE | {"DOB": "04/03/1962"}))
    found = inbox.charges()
    assert sorted(len(each.lines) for each in found.values()) == [1, 2]
    assert all(key.startswith("key-") and "1961" not in key for key in found)


# Layouts


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"fields": {"patient.birthday": "DOB"}}, "patient.birthday is no field of a charge that a column can hold"),
        ({"fields": {"key": "DOB"}}, "key is no field of a charge that a column can hold"),
        ({"fields": {"patient.sex": {"each": ["A", "B"]}}}, "patient.sex is a text, so it has one column"),
        ({"fields": {"patient.sex": {"headers": "A", "constant": "F"}}}, "needs one of headers, each and constant"),
        ({"fields": {"line.units": "Units{n}"}}, "line.units counts services by {n}"),
        ({"dates": "MM/YYYY"}, "MM/YYYY needs a year, a month and a day, each once"),
        ({"dates": "MM/DD/YY"}, "patient.birth_date cannot have two digits of the year"),
        ({"dates": ["MM/DD/YYYY", "DD/MM/YYYY"]}, "has dates with the month first and with the day first"),
        ({"columns": ["No"], "positions": {"No": [1, 2]}}, "give columns (without a header) or positions"),
        ({"positions": {"No": [5, 2]}}, "positions: No ends before it begins"),
    ],
)
def test_a_layout_that_cannot_work_is_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match="validation error") as fault:
        small(**change)
    assert sentence in str(fault.value)


def test_a_layouts_faults_are_told_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(EXAMPLE.read_text().replace("encoding: auto", "encodign: auto"))
    with pytest.raises(BadLayout, match=r"line 5: encodign is not a setting that exists; check the spelling"):
        read_layout(path)
    with pytest.raises(Unreadable, match="cannot be read as a text file"):
        read_layout(tmp_path / "nowhere.yaml")


# Any file

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=6).map(str.strip)
SERVICES = st.builds(
    lambda key, code, cents, units, name, day: {
        "No": str(key), "CPT": code, "Amount": f"{cents / 100:.2f}", "Units": str(units), "DOB": "04/03/1961",
        "Note": name, "DOS": f"11/{day:02d}/2026",
    },
    st.integers(1, 4), st.sampled_from(["99213", "85025", "36415"]), st.integers(0, 10**7), st.integers(1, 9), WORDS,
    st.integers(1, 28),
)  # fmt: skip
WHOLE = small(fields={"line.service_date": "DOS", "line.note": "Note"})
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _read(folder: Path, content: str | bytes) -> dict[str, Charge]:
    inbox = Inbox(folder, WHOLE)
    inbox.put("a.csv", content)
    return inbox.charges()


@MANY
@given(st.lists(SERVICES, min_size=1, max_size=8), st.sampled_from([",", ";", "|", "\t"]), st.integers())
def test_what_is_written_is_read_whatever_the_order_of_rows_and_columns(
    tmp_path: Path, rows: list[dict[str, str]], delimiter: str, seed: int
) -> None:
    found = _read(tmp_path, text(*rows, delimiter=delimiter))
    said = sorted((each["No"], each["CPT"], Decimal(each["Amount"]), each["Note"].strip()) for each in rows)
    assert said == sorted(
        (key, each.code, each.charge, each.note) for key, charge in found.items() for each in charge.lines
    )
    shuffled, columns = list(rows), list(rows[0])
    random.Random(seed).shuffle(shuffled)
    random.Random(seed + 1).shuffle(columns)
    again = _read(tmp_path, text(*shuffled, columns=columns))
    assert {key: charge.digest() for key, charge in again.items()} == {
        key: charge.digest() for key, charge in found.items()
    }


@MANY
@given(
    st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"\xff\xfe", b"No,CPT,Amount,Units,DOB,DOS,Note\n"])
)
def test_no_bytes_are_a_crash(tmp_path: Path, content: bytes, start: bytes) -> None:
    inbox = Inbox(tmp_path, WHOLE)
    inbox.put("a.csv", start + content)
    for record in inbox.pull():
        with suppress(Unreadable):
            inbox.source.to_charge(record)


@MANY
@given(st.floats(0, 1), st.binary(max_size=6), st.integers(0, 40))
def test_no_damage_to_a_workbook_is_a_crash(tmp_path: Path, place: float, put: bytes, length: int) -> None:
    content = workbook(list(ONE), list(ONE.values()))
    at = int(place * len(content))
    inbox = Inbox(tmp_path, small())
    inbox.put("a.xlsx", content[:at] + put + content[at + length :])
    for record in inbox.pull():
        with suppress(Unreadable):
            inbox.source.to_charge(record)
