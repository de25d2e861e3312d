"""A practice spoken with through FHIR gives the same charges as through eClinicalWorks, and no token to strangers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import stamina

from charges.errors import Refused
from charges.model import Charge
from charges.practice.connections import Fhir
from charges.simulator.fhir import FhirTenant
from charges.sources import RawRecord
from charges.sources.eclinicalworks.mapping import to_charge
from charges.sources.fhir import FhirSource
from charges.sources.fhir.auth import readable, token_form
from tests.sources.fhir import TODAY, connection, serving, tenant_of

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
    return tenant_of(16)


@pytest.fixture
def settings(tenant: FhirTenant, tmp_path: Path) -> Iterator[Fhir]:
    with serving(tenant, tmp_path) as reached:
        yield connection(reached, page_size=25)


@dataclass
class Counting:
    """Leave for as many requests as are made, counted."""

    taken: int = 0
    exhausted: int = 0

    def take(self, ahead: float) -> None:
        self.taken += 1

    def exhaust(self, ahead: float) -> None:
        self.exhausted += 1


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
    form = token_form(settings, "https://vendor.invalid/token", settings.scopes)
    said = jwt.decode(form["client_assertion"], options={"verify_signature": False})
    assert said["exp"] - said["iat"] <= 300
    assert tenant.takes(form["client_assertion"], "https://vendor.invalid/token")
    assert not tenant.takes(form["client_assertion"], "https://vendor.invalid/token")
    assert not tenant.takes(
        token_form(settings, "https://vendor.invalid/other", settings.scopes)["client_assertion"], "https://x.invalid"
    )


def test_all_requests_are_within_what_the_tenant_allows(tenant: FhirTenant, settings: Fhir) -> None:
    counted = Counting()
    list(FhirSource(settings, counted).changed_since(None))
    assert counted.taken == tenant.requests
    tenant.too_many_requests = 1
    list(FhirSource(settings, counted).changed_since(None))
    assert counted.exhausted == 1


def test_a_client_that_is_not_allowed_is_told_so_at_once_though_the_status_is_500(
    tenant: FhirTenant, settings: Fhir
) -> None:
    tenant.denies = True
    with pytest.raises(Refused, match=r"gives no token to client chargerouter \(status 500\)"):
        _pulled(settings)


def test_a_probe_names_what_the_tenant_declares(tenant: FhirTenant, settings: Fhir) -> None:
    probe = FhirSource(settings).probe()
    assert {"changes", "days", "numbers", "ChargeItem", "Coverage"} <= set(probe.streams)
    tenant.undeclared = {"ChargeItem"}
    assert "ChargeItem" not in FhirSource(settings).probe().streams


def test_days_are_read_again_and_what_vanished_is_withdrawn(tenant: FhirTenant, settings: Fhir) -> None:
    source = FhirSource(settings)
    first, last = TODAY - timedelta(days=60), TODAY
    mine = [each for each in tenant.practice.visible if str(first) <= each.service_date <= str(last)]
    assert {each.key for page in source.of_days(first, last, None) for each in page.records} == {
        each.key for each in mine
    }
    assert source.numbers_of_days(first, last) == {each.key for each in mine}
    before = source.one(mine[0].key)
    assert before is not None
    tenant.practice.lose(mine[0].key)
    assert mine[0].key not in source.numbers_of_days(first, last)
    assert source.one(mine[0].key) is None
    assert source.to_charge(source.withdrawn(before)).voided


def test_reading_days_goes_on_after_the_last_slice(settings: Fhir) -> None:
    source = FhirSource(settings)
    first, last = TODAY - timedelta(days=60), TODAY
    pages = list(source.of_days(first, last, None))
    half = next(n for n, page in enumerate(pages) if page.cursor and n > len(pages) // 2)
    seen = {each.key for page in pages[: half + 1] for each in page.records}
    rest = {each.key for page in source.of_days(first, last, pages[half].cursor) for each in page.records}
    assert seen
    assert rest
    assert not seen & rest
    assert seen | rest == source.numbers_of_days(first, last)
