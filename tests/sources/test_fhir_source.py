"""A practice spoken with through FHIR gives the same charges as through eClinicalWorks, and no token to strangers."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import jwt
import pytest
import stamina
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from charges.connections import Fhir, Secret
from charges.errors import Refused
from charges.model import Charge
from charges.simulator import build_practice, running
from charges.simulator.fhir import FHIR_CLIENT, FhirTenant, fhir_app
from charges.sources import RawRecord
from charges.sources.eclinicalworks.mapping import to_charge
from charges.sources.fhir import FhirSource
from charges.sources.fhir.auth import readable, token_form

TODAY = date(2026, 11, 23)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
NOT_IN_FHIR = {
    "key", "version", "origins", "source", "self_pay", "patient_paid", "supervising_provider", "custom",
    "note", "dates", "references", "encounter",
    "provider_signature", "assignment", "benefits_assigned", "release_of_information", "special_program", "delay_reason",
    "related_causes",
}  # fmt: skip
NOT_IN_LINE = {"place_of_service", "drug", "patient_share", "service_date_to"}


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def tenant() -> FhirTenant:
    return FhirTenant(build_practice(seed=5, patients=16, today=TODAY), PUBLIC)


@pytest.fixture
def base_url(tenant: FhirTenant) -> Iterator[str]:
    with running(fhir_app(tenant)) as url:
        yield f"{url}/fhir/r4/LAKEFM"


@pytest.fixture
def settings(base_url: str, tmp_path: Path) -> Fhir:
    file = tmp_path / "key.pem"
    file.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Fhir(
        kind="fhir",
        base_url=base_url,
        client_id=FHIR_CLIENT,
        private_key=Secret(file=file),
        key_id="one",
        page_size=25,
    )


def _pulled(settings: Fhir, cursor: str | None = None) -> tuple[list[RawRecord], str | None]:
    pages = list(FhirSource(settings).changed_since(cursor))
    return [record for page in pages for record in page.records], pages[-1].cursor if pages else cursor


def _shared(charge: Charge) -> dict[str, Any]:
    """What both ways can carry. A void drops its lines in FHIR; numbers of sites, payers and people are the server's."""
    facts = charge.model_dump(exclude=NOT_IN_FHIR)
    facts["encounter"] = charge.encounter.model_dump(include={"record_number", "start_date", "checked_out"})
    facts["lines"] = [] if charge.voided else [line.model_dump(exclude=NOT_IN_LINE) for line in charge.lines]
    if charge.voided:
        facts["encounter"].pop("checked_out")
    for holder in (facts["facility"], facts["rendering_provider"], facts["referring_provider"]):
        if holder:
            holder["source_id"] = holder["source_id"].partition("-")[0]
    for coverage in facts["coverages"]:
        coverage["payer"]["source_id"] = coverage["payer"]["source_id"].partition("-")[0]
    return facts


def test_fhir_and_eclinicalworks_give_the_same_charges_with_edits_and_voids(tenant: FhirTenant, settings: Fhir) -> None:
    records, cursor = _pulled(settings)
    before = {each.key: FhirSource(settings).to_charge(each) for each in records}
    assert before.keys() == {each.key for each in tenant.practice.visible}
    assert tenant.practice.advance(24 * 25) > 0
    later, _ = _pulled(settings, cursor)
    after = before | {each.key: FhirSource(settings).to_charge(each) for each in later}
    theirs = {each.key: to_charge(each.body) for each in tenant.practice.visible}
    assert after.keys() == theirs.keys()
    assert any(charge.voided for charge in theirs.values())
    edited = [key for key in before if before[key] != after[key] and not after[key].voided]
    assert edited
    for key, charge in theirs.items():
        assert _shared(after[key]) == _shared(charge), key


def test_every_line_says_where_its_code_and_amount_are_from(settings: Fhir) -> None:
    records, _ = _pulled(settings)
    charge = next(each for each in map(FhirSource(settings).to_charge, records) if each.lines and each.lines[0].charge)
    assert charge.origins["lines[0].code"] == "ChargeItem.code"
    assert charge.origins["lines[0].charge"] == "ChargeItem.priceOverride"


def test_a_token_taken_back_and_a_busy_tenant_lose_nothing(tenant: FhirTenant, settings: Fhir) -> None:
    tenant.expired_tokens, tenant.too_many_requests = 1, 2
    records, _ = _pulled(settings)
    assert len(records) == len(tenant.practice.visible)


def test_the_next_page_is_not_asked_from_another_host(tenant: FhirTenant, settings: Fhir) -> None:
    tenant.next_host = "https://elsewhere.invalid"
    with pytest.raises(Refused, match="another host"):
        _pulled(settings)


def test_fewer_scopes_than_asked_for_are_named(tenant: FhirTenant, settings: Fhir) -> None:
    tenant.granted = "system/Encounter.rs system/Patient.read system/Condition.r system/Coverage.rs"
    with pytest.raises(Refused, match=r"fewer scopes.*: ChargeItem, Condition cannot be read") as caught:
        _pulled(settings)
    assert "Brightwater" not in str(caught.value)


def test_scopes_are_known_in_both_ways_of_writing() -> None:
    assert readable(["system/A.read", "system/B.rs", "system/C.r", "user/D.read", "system/*.cruds"]) == {"A", "B", "*"}


def test_searching_by_date_reads_the_last_weeks_again(tenant: FhirTenant, settings: Fhir) -> None:
    by_date = settings.model_copy(update={"changes": "date", "trailing_days": 10})
    records, cursor = _pulled(by_date)
    assert len(records) == len(tenant.practice.visible)
    again, _ = _pulled(by_date, cursor)
    assert 0 < len(again) < len(records)


def test_the_assertion_lives_five_minutes_at_most_and_is_used_once(tenant: FhirTenant, settings: Fhir) -> None:
    form = token_form(settings, "https://vendor.invalid/token")
    said = jwt.decode(form["client_assertion"], options={"verify_signature": False})
    assert said["exp"] - said["iat"] <= 300
    assert tenant.takes(form["client_assertion"], "https://vendor.invalid/token")
    assert not tenant.takes(form["client_assertion"], "https://vendor.invalid/token")
    assert not tenant.takes(
        token_form(settings, "https://vendor.invalid/other")["client_assertion"], "https://x.invalid"
    )
