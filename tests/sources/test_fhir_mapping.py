"""What one Bundle says of one charge: what is cancelled, missing, contained or in another currency."""

import json
from typing import Any

import pytest

from charges.errors import Unreadable
from charges.sources.fhir import read_bundle

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
BASE = "https://vendor.invalid/fhir/r4/LAKEFM"
VISIT = {
    "resourceType": "Encounter",
    "id": "7",
    "status": "finished",
    "subject": {"reference": f"{BASE}/Patient/p"},
    "period": {"start": "2026-11-20T09:00:00-06:00"},
    "diagnosis": [{"condition": {"reference": "#c"}, "rank": 1}],
    "contained": [{"resourceType": "Condition", "id": "c", "code": {"coding": [{"system": ICD, "code": "I10"}]}}],
    "participant": [{"type": [{"coding": [{"code": "PPRF"}]}], "individual": {"reference": "Practitioner/gone"}}],
}
PATIENT = {"resourceType": "Patient", "id": "p", "name": [{"family": "Vale", "given": ["Imogen"]}]}


def _item(number: str, status: str = "billable", currency: str = "USD") -> dict[str, Any]:
    return {
        "resourceType": "ChargeItem",
        "id": number,
        "status": status,
        "context": {"reference": "Encounter/7"},
        "code": {"coding": [{"code": "99213"}]},
        "priceOverride": {"value": 120.10, "currency": currency},
    }


def _policy(number: str, order: int | None) -> dict[str, Any]:
    return {
        "resourceType": "Coverage",
        "id": number,
        "status": "active",
        "order": order,
        "subscriberId": number,
        "beneficiary": {"reference": "Patient/p"},
    }


def _bundle(*resources: dict[str, Any]) -> bytes:
    return json.dumps({"resourceType": "Bundle", "entry": [{"resource": each} for each in resources]}).encode()


def test_absolute_and_contained_references_are_followed_and_missing_ones_leave_fields_open() -> None:
    (charge,) = read_bundle(_bundle(VISIT, PATIENT, _item("1")))
    assert (charge.patient.last_name, charge.diagnoses[0].code) == ("Vale", "I10")
    assert charge.rendering_provider is None
    assert str(charge.lines[0].charge) == "120.1"


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_a_cancelled_encounter_is_void(status: str) -> None:
    assert read_bundle(_bundle(VISIT | {"status": status}, PATIENT, _item("1")))[0].voided


def test_a_charge_item_entered_in_error_is_no_line_and_if_all_are_the_charge_is_void() -> None:
    wrong = _item("1", "entered-in-error")
    (charge,) = read_bundle(_bundle(VISIT, PATIENT, wrong, _item("2")))
    assert [line.source_id for line in charge.lines] == ["2"]
    assert not charge.voided
    assert read_bundle(_bundle(VISIT, PATIENT, wrong))[0].voided


def test_an_encounter_that_is_not_finished_is_not_checked_out() -> None:
    assert read_bundle(_bundle(VISIT | {"status": "in-progress"}, PATIENT))[0].encounter.checked_out is False


def test_policies_stand_in_their_order_and_those_without_one_behind() -> None:
    (charge,) = read_bundle(_bundle(VISIT, PATIENT, _policy("c", None), _policy("b", 2), _policy("a", 1)))
    assert [each.member_id for each in charge.coverages] == ["a", "b", "c"]


def test_another_currency_is_refused_with_the_place() -> None:
    with pytest.raises(Unreadable, match=r"ChargeItem\[1\]\.priceOverride is not in US dollars"):
        read_bundle(_bundle(VISIT, PATIENT, _item("1", currency="EUR")))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"resourceType": "Patient"}'])
def test_what_is_no_bundle_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_bundle(body)


def test_resources_of_unexpected_shape_do_no_harm() -> None:
    odd = VISIT | {"subject": 3, "diagnosis": "x", "participant": [None], "location": {}, "period": []}
    assert read_bundle(_bundle(odd, PATIENT))[0].key == "7"
