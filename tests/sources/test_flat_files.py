"""A folder of exports as a source of charges: good rows go on, bad ones come back, nothing is lost or comes twice."""

import csv
import os
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from charges import review
from charges.errors import Refused, Unreadable
from charges.intake import Pulled
from charges.model import Diagnosis
from charges.practice.connections import FlatFiles
from charges.practice.layout import Layout
from charges.practice.profile import KnownProvider, parse_profile
from charges.sources.flatfile import FlatFileSource
from charges.tables import ChargeStatus, RawRecordRow
from tests.practice import PROFILE, Workplace
from tests.sources.flat import EXAMPLE, Inbox, layout, row, text, workbook

FENWICK = KnownProvider(source_id="9001", last_name="Fenwick", first_name="Tobias", npi="1245319599")
CAPTURED, HELD, CLAIMED, VOID = ChargeStatus.CAPTURED, ChargeStatus.HELD, ChargeStatus.CLAIMED, ChargeStatus.VOID


class Clinic(Inbox):
    """A system that exports into a folder, and the workplace that takes charges from there."""

    def __init__(self, workplace: Workplace, given: Layout | None = None) -> None:
        super().__init__(workplace.folder, given)
        self.workplace = workplace
        workplace.apply(source=self.settings, providers=(FENWICK,))

    def work(self) -> None:
        self.workplace.run("judge", "generate", "deliver")

    def take(self) -> Pulled:
        return self.workplace.pipeline.pull(self.workplace.applied)

    def faults(self) -> list[str]:
        return [item.finding.message for held in review.held(self.workplace.database) for item in held.items]


@pytest.fixture
def clinic(small_workplace: Workplace) -> Clinic:
    return Clinic(small_workplace)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def returned(inbox: Inbox) -> list[dict[str, str]]:
    """The rows that came back, of the newest file."""
    paths = sorted(inbox.returned.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    with paths[-1].open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# Read


def test_the_documented_example_fills_a_charge(inbox: Inbox) -> None:
    inbox.put("a.csv", text(row(), row(cpt="20610", mod_1="RT", amount="$1,210.00", dx_1="M25.561", dx_2="")))
    charge = inbox.one()
    assert (charge.key, charge.encounter.record_number, charge.voided) == ("1001", "1001", False)
    patient = charge.patient
    assert (patient.last_name, patient.first_name, patient.middle_name, patient.sex) == ("LARKSPUR", "ODETTE", "Q", "F")
    assert (patient.birth_date, patient.address.postal_code) == (date(1961, 4, 3), "62704")
    (coverage,) = charge.coverages
    assert (coverage.payer.source_id, coverage.member_id, coverage.relationship) == ("17", "PMH8812345", "18")
    assert [(each.code, each.modifiers, each.charge) for each in charge.lines] == [
        ("20610", ("RT",), Decimal("1210.00")),
        ("99213", ("25",), Decimal("150.00")),
    ]
    assert charge.diagnoses == (Diagnosis(code="M25.561"), Diagnosis(code="I10"), Diagnosis(code="E11.9"))
    assert charge.lines[1].diagnoses == ("I10", "E11.9")
    assert charge.origins["lines[0].modifiers"] == "Mod 1"
    assert charge.origins["coverages[0].payer.source_id"] == "Insurance"


def test_exports_are_judged_and_go_out_from_here(clinic: Clinic) -> None:
    clinic.put("a.csv", text(row(mod_1=""), row(claim_no="1002", account="100235", dob="04/03/2050", mod_1="")))
    assert clinic.take() == Pulled(records=2, new=2)
    clinic.work()
    assert clinic.workplace.states() == {"1001": CLAIMED, "1002": HELD}
    (sent,) = clinic.workplace.files()
    assert b"NM1*PR*2*PRAIRIE MUTUAL HEALTH*****PI*PRM01" in sent.read_bytes()


def test_rows_of_payments_are_left_out(inbox: Inbox) -> None:
    inbox.put("a.csv", text(row(), row(type="Payment", amount="-20.00")))
    assert len(inbox.one().lines) == 1


def test_a_void_row_is_a_void_charge(clinic: Clinic) -> None:
    clinic.put("a.csv", text(row()))
    clinic.take()
    clinic.put("b.csv", text(row(status="Void")))
    assert clinic.take() == Pulled(records=1, changed=1, voided=1)
    assert clinic.workplace.states() == {"1001": VOID}


# Rows that cannot be read


def test_the_good_charges_go_on_and_the_bad_rows_come_back_with_reasons(clinic: Clinic) -> None:
    clinic.put("a.csv", text(row(), row(claim_no="1002", dos="13/16/2026"), row(claim_no="1003")))
    assert clinic.take() == Pulled(records=3, new=3, unreadable=1)
    assert clinic.workplace.states() == {"1001": CAPTURED, "1002": HELD, "1003": CAPTURED}
    assert clinic.faults() == ["DOS is not a date; MM/DD/YYYY is expected."]
    (back,) = returned(clinic)
    assert back.pop("error") == "DOS is not a date; MM/DD/YYYY is expected"
    assert back == row(claim_no="1002", dos="13/16/2026")


def test_a_charge_with_one_bad_row_is_held_back_whole(inbox: Inbox) -> None:
    inbox.put("a.csv", text(row(), row(cpt="85025", amount="much")))
    (record,) = inbox.pull()
    with pytest.raises(Unreadable, match=r"^Amount is not a number\.$"):
        inbox.source.to_charge(record)
    good, bad = returned(inbox)
    assert good["error"] == "Nothing is wrong with this row, but another one of the same charge has a fault"
    assert bad["error"] == "Amount is not a number"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"dob": "1961"}, "DOB is not a date; MM/DD/YYYY is expected"),
        ({"amount": "12,10.00"}, "Amount is not a number; . is expected before cents"),
        ({"amount": "(25.00)"}, "Amount is negative; a reversal is not read"),
        ({"units": "1e99"}, "Units is not a number that a charge can have"),
        ({"status": "Pending"}, "Status has a value that the layout does not list"),
        ({"insurance": "Larkspur Mutual"}, "Insurance has a value that the layout does not list"),
        ({"patient": "ODETTE LARKSPUR"}, "Patient is not LAST, FIRST: it has no comma"),
        ({"account": "1.00234E+11"}, "Account was rounded by Excel"),
        ({"claim_no": ""}, "Claim No is empty, so nobody knows which charge this is"),
    ],
)
def test_what_cannot_be_understood_is_told_by_its_column(inbox: Inbox, change: dict[str, str], sentence: str) -> None:
    inbox.put("a.csv", text(row(**change)))
    (record,) = inbox.pull()
    with pytest.raises(Unreadable) as fault:
        inbox.source.to_charge(record)
    assert str(fault.value).startswith(sentence)
    assert not set(change.values()) - {""} & set(str(fault.value).split())


def test_rows_of_a_charge_that_contradict_each_other_hold_it(inbox: Inbox) -> None:
    inbox.put("a.csv", text(row(), row(cpt="85025", patient="FENWICK, ODETTE")))
    (record,) = inbox.pull()
    with pytest.raises(Unreadable, match="Patient says something else than another row of the same charge"):
        inbox.source.to_charge(record)


def test_a_row_that_is_out_of_its_columns_is_not_trusted(inbox: Inbox) -> None:
    inbox.put("a.csv", text(row()) + text(row(claim_no="1002")).splitlines()[1].replace('"', "") + "\n")
    good, bad = inbox.pull()
    assert inbox.source.to_charge(good).key == "1001"
    with pytest.raises(Unreadable, match="The row has 27 cells where the header has 26"):
        inbox.source.to_charge(bad)


def test_what_comes_back_can_be_mended_and_put_into_the_folder_again(clinic: Clinic) -> None:
    clinic.put("a.csv", text(row(dos="13/16/2026")))
    clinic.take()
    (back,) = clinic.returned.iterdir()
    clinic.put("mended.csv", back.read_bytes().replace(b"13/16/2026", b"11/16/2026"))
    assert clinic.take() == Pulled(records=1, changed=1)
    assert clinic.workplace.states() == {"1001": CAPTURED}


def test_what_comes_back_holds_no_formula(inbox: Inbox) -> None:
    evil = row(address="=HYPERLINK(1)", city="@x", amount="-25.00", policy_no="+1-x", dos="never")
    inbox.put("a.csv", text(evil))
    (record,) = inbox.pull()
    (back,) = returned(inbox)
    assert (back["Address"], back["City"], back["Policy No"], back["Amount"]) == (
        "'=HYPERLINK(1)",
        "'@x",
        "'+1-x",
        "-25.00",
    )
    inbox.put("b.csv", text(back))
    (again,) = inbox.pull()
    assert again.key == record.key
    assert again.body.replace(b'"error": ', b"").count(b"'") == 0


def test_nobody_else_may_read_what_comes_back(inbox: Inbox) -> None:
    inbox.put("a.csv", text(row(dos="never")))
    inbox.pull()
    (path,) = inbox.returned.iterdir()
    assert path.stat().st_mode & 0o077 == 0


# Nothing twice


def test_the_same_file_brings_nothing_whatever_its_name(clinic: Clinic) -> None:
    clinic.put("a.csv", text(row()))
    clinic.take()
    assert clinic.take() == Pulled()
    clinic.put("b.csv", text(row()))
    assert clinic.take() == Pulled()


def test_an_old_file_that_comes_again_does_not_undo_a_correction(clinic: Clinic) -> None:
    clinic.put("a.csv", text(row()))
    clinic.take()
    clinic.put("b.csv", text(row(amount="175.00")))
    assert clinic.take() == Pulled(records=1, changed=1)
    clinic.put("c.csv", text(row()))
    assert clinic.take() == Pulled()
    assert clinic.workplace.rows()["1001"].total == Decimal("175.00")


def test_an_export_in_another_order_is_no_new_version(clinic: Clinic) -> None:
    rows = [row(), row(claim_no="1002"), row(cpt="85025", amount="18.50")]
    clinic.put("a.csv", text(*rows))
    clinic.take()
    clinic.put("b.csv", text(*reversed(rows), columns=sorted(row())))
    pulled = clinic.take()
    assert (pulled.records, pulled.new, pulled.changed) == (2, 0, 0)
    with clinic.workplace.database.transaction() as session:
        assert session.query(RawRecordRow).count() == 2


def test_a_file_that_lost_a_charge_voids_nothing_by_itself(clinic: Clinic) -> None:
    clinic.put("a.csv", text(row(), row(claim_no="1002")))
    clinic.take()
    clinic.put("b.csv", text(row(amount="175.00")))
    assert clinic.take() == Pulled(records=1, changed=1)


# Files that state all


def _month(*days: int, start: int = 0) -> str:
    return text(*[row(claim_no=str(1000 + start + day), dos=f"11/{day:02d}/2026") for day in days])


def test_where_a_file_states_all_of_its_days_what_is_missing_is_void(small_workplace: Workplace) -> None:
    clinic = Clinic(small_workplace, layout(states="all"))
    clinic.put("a.csv", _month(2, 3, 4, 5))
    clinic.take()
    clinic.put("b.csv", _month(3, 5, 6))
    assert clinic.take() == Pulled(records=4, new=1, changed=1, voided=1)
    assert [key for key, state in clinic.workplace.states().items() if state is VOID] == ["1004"]
    clinic.put("c.csv", _month(4, 6))
    clinic.take()
    assert clinic.workplace.states()["1004"] is CAPTURED
    assert clinic.workplace.states()["1005"] is VOID


def test_a_file_that_lacks_too_much_is_not_believed(small_workplace: Workplace) -> None:
    clinic = Clinic(small_workplace, layout(states="all"))
    clinic.put("a.csv", _month(*range(1, 21)))
    clinic.take()
    clinic.put("b.csv", _month(1, 20, 21))
    clinic.take()
    assert VOID not in clinic.workplace.states().values()
    assert clinic.faults()[0].startswith("Of 20 charges that were stated before, a file of all charges lacks 18.")


def test_a_mended_file_states_only_its_own(small_workplace: Workplace) -> None:
    clinic = Clinic(small_workplace, layout(states="all"))
    clinic.put("a.csv", _month(2, 3, 4) + _month(2, start=100).splitlines()[1].replace("1961", "19x1") + "\n")
    clinic.take()
    (back,) = clinic.returned.iterdir()
    clinic.put("mended.csv", back.read_bytes().replace(b"19x1", b"1961"))
    clinic.take()
    assert set(clinic.workplace.states().values()) == {CAPTURED}


# Files as a whole


def test_a_renamed_column_refuses_the_file_with_its_near_matches(clinic: Clinic) -> None:
    content = text(row()).replace("Amount", "Amount Billed").replace("ZIP", "Zipcode")
    clinic.put("a.csv", content)
    assert clinic.take() == Pulled(records=1, new=1, unreadable=1)
    (fault,) = clinic.faults()
    assert fault.startswith("a.csv: The file has not the columns of its layout. Missing: ZIP or Postal Code, which is ")
    assert "Amount or Charge, which is line.charge (near to it: Amount Billed)" in fault
    assert clinic.take() == Pulled()


def test_further_columns_and_optional_ones_that_are_missing_do_no_harm(inbox: Inbox) -> None:
    inbox.put("a.csv", text(row() | {"Printed": "yes"}))
    assert inbox.one().lines[0].drug is None
    inbox.put("b.csv", text(row() | {"NDC": "00006-4171-00"}))
    drug = inbox.one().lines[0].drug
    assert drug is not None
    assert drug.ndc == "00006-4171-00"


def test_a_refused_file_is_read_when_the_layout_knows_it_and_its_fault_ends(clinic: Clinic) -> None:
    clinic.put("a.csv", text(row()).replace("Amount", "Billed"))
    clinic.take()
    (fault,) = [key for key in clinic.workplace.states() if key.startswith("file-")]
    fields = layout().model_dump()["fields"] | {"line.charge": "Billed"}
    clinic.workplace.apply(source=clinic.settings.model_copy(update={"layout": layout(fields=fields)}))
    clinic.take()
    assert clinic.workplace.states() == {fault: VOID, "1001": CAPTURED}


def test_a_refused_file_that_is_exported_again_under_its_name_ends_the_fault(clinic: Clinic) -> None:
    clinic.put("a.csv", "<html>Your session has ended</html>")
    clinic.take()
    clinic.put("a.csv", text(row()))
    clinic.take()
    assert sorted(clinic.workplace.states().values()) == [CAPTURED, VOID]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"", "The file has no header: it ends before the row where one belongs."),
        ("a.csv", b"PK\x03\x04 nothing", "The workbook cannot be read (BadZipFile); open and save it again."),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "The file is an old .xls workbook or has a password."),
        ("a.csv", b"a\0b\0", "The file holds null bytes, so it is neither text nor an .xlsx workbook."),
        ("a.csv", text(row()).encode() + b'1002,"never closed', "The file has a quotation mark out of place"),
        ("a.csv", text(row()).replace("LARK", "\x81").encode("latin-1"), "The file's text is not cp1252"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(inbox: Inbox, name: str, content: bytes, sentence: str) -> None:
    inbox.put(name, content)
    (record,) = inbox.pull()
    with pytest.raises(Unreadable) as fault:
        inbox.source.to_charge(record)
    assert str(fault.value).startswith(f"{name}: {sentence}")


@pytest.mark.parametrize("name", [".a.csv", "a.csv.tmp", "a.csv.part", "a.csv.filepart", "~$a.xlsx"])
def test_temporary_names_are_left(inbox: Inbox, name: str) -> None:
    inbox.put(name, text(row()))
    assert inbox.pull() == []


def test_a_file_is_left_until_it_stands_still(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    settings = inbox.settings.model_copy(update={"settle_seconds": 60})
    path = inbox.put("a.csv", text(row()))
    now = time.time_ns()
    os.utime(path, ns=(now, now))
    early, late = (FlatFileSource(settings, now=lambda at=at: now + at * 10**9) for at in (59, 60))  # type: ignore[misc]
    assert list(early.changed_since(None)) == []
    assert [len(page.records) for page in late.changed_since(None)] == [1, 0]


def test_files_are_never_touched(clinic: Clinic) -> None:
    path = clinic.put("a.csv", text(row(), row(claim_no="1002", dos="never")))
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    clinic.take()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_pull_that_stops_half_way_goes_on(clinic: Clinic) -> None:
    clinic.put("a.csv", text(*[row(claim_no=str(number)) for number in range(450)]))

    class Stopping:
        kind = clinic.source.kind
        to_charge = clinic.source.to_charge

        def changed_since(self, cursor: str | None) -> object:
            yield next(clinic.source.changed_since(cursor))
            raise RuntimeError("the power went out")

    with pytest.raises(RuntimeError):
        clinic.workplace.pipeline.pull(clinic.workplace.applied, source=Stopping())  # type: ignore[arg-type]
    assert len(clinic.workplace.states()) == 200
    clinic.take()
    assert len(clinic.workplace.states()) == 450


def test_a_folder_that_is_not_there_is_refused(inbox: Inbox) -> None:
    inbox.folder.rmdir()
    with pytest.raises(Refused, match=r"does not exist. Make it, or correct the practice's source.folder"):
        inbox.pull()


def test_a_profile_holds_the_layout() -> None:
    old = PROFILE[PROFILE.index("source:") : PROFILE.index("trading_partner:")]
    inner = "".join(f"    {line}\n" for line in EXAMPLE.read_text().splitlines())
    new = f"source:\n  kind: flatfile\n  folder: exports\n  layout:\n{inner}"
    source = parse_profile(PROFILE.replace(old, new)).source
    assert source == FlatFiles(kind="flatfile", folder=Path("exports"), layout=layout())
    assert isinstance(source, FlatFiles)
    assert source.returns == Path("returned")


def test_columns_that_vanish_are_seen_by_the_watch_over_drift(inbox: Inbox) -> None:
    inbox.put("a.xlsx", workbook(list(row()), [*list(row().values())[:-1], 11]))
    (record,) = inbox.pull()
    shape = inbox.source.shape(record)
    assert shape is not None
    assert set(shape.kinds) == {name for name, value in row().items() if value}
    inbox.put("b.csv", "nothing")
    assert [inbox.source.shape(each) for each in inbox.pull()] == [None]
