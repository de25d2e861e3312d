"""A record of the tenant as a charge: each quirk of the vendor's data, and where each field came from."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from charges.errors import Unreadable
from charges.sources.eclinicalworks.mapping import to_charge

RECORD: dict[str, Any] = {
    "InvId": "70001",
    "modifiedOn": "2026-11-16 14:03:00",
    "PatientId": "100234",
    "EncounterId": "55001",
    "InvPOS": "11",
    "copay": "25.00",
    "encounter": {"date": "2026-11-16", "STATUS": "CHK", "encLock": "1"},
    "patient": {"ulname": "Larkspur", "ufname": "Odette", "dob": "1961-04-03", "sex": "female"},
    "insurances": [
        {"InsId": "21", "SeqNo": "2", "subscriberNo": "B2", "relation": "1"},
        {"InsId": "17", "SeqNo": "1", "subscriberNo": "A1", "relation": "3", "subscriber": {"ulname": "Larkspur"}},
        {"InsId": "24", "SeqNo": "3", "subscriberNo": "C3", "relation": "1", "deleteFlag": "1"},
    ],
    "RenProvider": {"Id": "9001", "NPI": "1245319599", "ulname": "Fenwick", "ufname": "Tobias"},
    "diagnoses": [{"icdOrder": "2", "Code": "E11.9"}, {"icdOrder": "1", "Code": "I10"}],
    "cpt": [
        {
            "Id": "2",
            "cptOrder": "2",
            "Code": "20610",
            "Mod1": "RT",
            "BilledFee": "1,250.00",
            "Units": "1.00",
            "ICD1": "2",
        },
        {
            "Id": "1",
            "cptOrder": "1",
            "Code": "99213",
            "Mod1": "25",
            "BilledFee": "150",
            "Units": 1,
            "ICD1": "1",
            "ICD2": "2",
        },
        {"Id": "3", "cptOrder": "3", "Code": "36415", "deleteFlag": "1"},
    ],
}


def read(**changes: Any) -> Any:
    return to_charge(json.dumps(RECORD | changes).encode())


def line(**columns: Any) -> Any:
    return read(cpt=[RECORD["cpt"][0] | columns]).lines[0]


def test_lines_and_diagnoses_stand_in_their_order_without_the_deleted() -> None:
    charge = read()
    assert [each.code for each in charge.lines] == ["99213", "20610"]
    assert [each.code for each in charge.diagnoses] == ["I10", "E11.9"]
    assert charge.lines[0].diagnoses == ("I10", "E11.9")
    assert charge.lines[1].diagnoses == ("E11.9",)


def test_insurances_stand_in_sequence_with_the_relationship_of_a_claim() -> None:
    first, second = read().coverages
    assert (first.payer.source_id, first.member_id, first.relationship) == ("17", "A1", "19")
    assert first.subscriber.last_name == "Larkspur"
    assert (second.payer.source_id, second.relationship) == ("21", "18")


def test_amounts_with_commas_are_exact() -> None:
    assert read().lines[1].charge == Decimal("1250.00")
    assert read().patient_paid == Decimal("25.00")
    assert line(BilledFee="$ 2,000,000.10").charge == Decimal("2000000.10")


@pytest.mark.parametrize("nothing", ["", None, "0000-00-00", "1900-01-01", "00/00/0000"])
def test_a_date_that_is_none_is_absent(nothing: str | None) -> None:
    assert read(patient=RECORD["patient"] | {"dob": nothing}).patient.birth_date is None


@pytest.mark.parametrize(
    "written", ["1961-04-03", "04/03/1961", "4/3/1961", "1961-04-03 00:00:00", "1961-04-03T00:00:00"]
)
def test_dates_come_in_several_forms(written: str) -> None:
    assert read(patient=RECORD["patient"] | {"dob": written}).patient.birth_date == date(1961, 4, 3)


@pytest.mark.parametrize(("flag", "voided"), [("VoidFlag", True), ("DeleteFlag", True), ("ClaimLock", False)])
def test_a_voided_or_deleted_charge_says_so(flag: str, voided: bool) -> None:
    assert read(**{flag: "1"}).voided is voided


def test_what_the_patient_pays_never_reaches_a_payer() -> None:
    assert line(Code="xFORM").patient_share
    assert line(BillToPt="1").patient_share
    assert not line().patient_share
    assert read(SelfPay="1").self_pay


def test_an_encounter_that_does_not_say_whether_it_is_locked_leaves_it_open() -> None:
    assert read(encounter={}).encounter.locked is None
    assert read(encounter={}).encounter.checked_out is None
    assert read(encounter={"encLock": "0", "STATUS": "ARR"}).encounter.locked is False
    assert read(encounter={"encLock": "0", "STATUS": "ARR"}).encounter.checked_out is False


def test_a_pointer_to_a_diagnosis_that_is_not_there_stays_visible() -> None:
    assert line(ICD2="7").diagnoses == ("E11.9", "#7")


def test_the_drug_is_read_with_its_quantity() -> None:
    drug = line(NDCCode="00003029305", NDCQty="1.5", NDCUnit="ml").drug
    assert (drug.ndc, drug.quantity, drug.unit) == ("00003029305", Decimal("1.5"), "ML")
    assert line().drug is None


def test_custom_fields_are_kept_as_given() -> None:
    assert read(customFields=[{"name": "Scribe", "value": "yes"}]).custom == {"Scribe": "yes"}


def test_a_field_nobody_knows_does_no_harm() -> None:
    assert read(brandNew={"of": ["the", "vendor"]}).digest() == read().digest()


def test_every_field_knows_the_column_it_came_from() -> None:
    origins = read().origins
    assert origins["lines[0].modifiers"] == "edi_inv_cpt.Mod1-4"
    assert origins["patient.birth_date"] == "patient.dob"
    assert "lines[0].drug" not in origins


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"patient": []}, "patient"),
        ({"cpt": {"Code": "99213"}}, "cpt"),
        ({"InvId": None}, "InvId"),
        ({"patient": {"dob": "the third of April"}}, "patient.dob"),
        ({"cpt": [{"BilledFee": "Larkspur"}]}, "BilledFee"),
        ({"cpt": [{"Units": "NaN"}]}, "Units"),
        ({"cpt": [{"BilledFee": "9e99"}]}, "BilledFee"),
        ({"diagnoses": ["I10"]}, "diagnoses"),
    ],
)
def test_a_field_of_the_wrong_kind_makes_the_record_unreadable_by_name_and_not_by_value(
    changes: dict[str, Any], column: str
) -> None:
    with pytest.raises(Unreadable, match=column.replace(".", r"\.")) as raised:
        read(**changes)
    assert "Larkspur" not in str(raised.value)
    assert str(raised.value).endswith(".")


def test_what_is_no_json_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="not JSON"):
        to_charge(b'{"InvId": "7')
