"""A tenant with names of its own is a matter of the profile: what it renames gives the same charges."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from charges.errors import Refused, Unreadable
from charges.model import Charge
from charges.practice.connections import EclinicalWorks, Secret
from charges.simulator import CLIENT_ID, CLIENT_SECRET, build_practice, running, simulator_app
from charges.sources import RawRecord
from charges.sources.eclinicalworks import EclinicalWorksSource
from charges.sources.eclinicalworks.fieldmap import FieldMap
from tests.practice import Workplace

TODAY = date(2026, 11, 23)
RENAMED = {
    "InvId": "invoiceNumber",
    "modifiedOn": "lastChange",
    "cpt": "procedures",
    "Mod1": "Modifier1",
    "ulname": "lastName",
    "dob": "birthDate",
    "claimInfo": "claim",
}
FIELDS = {
    "InvId": "invoiceNumber",
    "modifiedOn": "lastChange",
    "cpt": "procedures",
    "cpt[].Mod1": "Modifier1",
    "patient.ulname": "patient.lastName",
    "patient.dob": "patient.birthDate",
    "insurances[].subscriber.ulname": "subscriber.lastName",
    "insurances[].subscriber.dob": "subscriber.birthDate",
    "RenProvider.ulname": "RenProvider.lastName",
    "RefProvider.ulname": "RefProvider.lastName",
    "cpt[].RendPr.ulname": "RendPr.lastName",
    "cpt[].OrdPr.ulname": "OrdPr.lastName",
    "claimInfo": "claim",
}


def _source(base_url: str, folder: Path, **changes: Any) -> EclinicalWorksSource:
    (folder / "secret").write_text(CLIENT_SECRET)
    settings = EclinicalWorks(
        kind="eclinicalworks",
        base_url=base_url,
        practice_code="LAKEFM",
        client_id=CLIENT_ID,
        client_secret=Secret(file=folder / "secret"),
        page_size=10,
        **changes,
    )
    return EclinicalWorksSource(settings, "America/Chicago")


def _charges(source: EclinicalWorksSource) -> Mapping[str, Charge]:
    found = [record for page in source.changed_since(None) for record in page.records]
    return {record.key: source.to_charge(record).model_copy(update={"origins": {}}) for record in found}


def _read(body: Mapping[str, Any], fields: Mapping[str, Any], **values: Mapping[str, str]) -> Charge:
    source = EclinicalWorksSource(
        EclinicalWorks(
            kind="eclinicalworks",
            base_url="https://tenant.test",
            practice_code="LAKEFM",
            client_id="x",
            client_secret=Secret(env="X"),
            fields=fields,
            values={name.replace("__", "."): words for name, words in values.items()},
        ),
        "America/Chicago",
    )
    return source.to_charge(RawRecord("7", json.dumps({"InvId": "7", "modifiedOn": "x"} | dict(body)).encode()))


def test_renamed_fields_are_a_change_of_the_profile(tmp_path: Path) -> None:
    practice = build_practice(seed=5, patients=20, today=TODAY)
    with running(simulator_app(practice)) as base_url:
        before = _charges(_source(base_url, tmp_path))
        practice.rename(RENAMED)
        renamed = _source(base_url, tmp_path, fields=FIELDS)
        assert _charges(renamed) == before
        assert renamed.probe().newest
        assert renamed.numbers_of_days(date(2026, 1, 1), TODAY) <= before.keys()
        days = [record for page in renamed.of_days(date(2026, 1, 1), TODAY, None) for record in page.records]
        assert {record.key for record in days} <= before.keys()
        withdrawn = renamed.to_charge(renamed.withdrawn(days[0]))
        assert withdrawn.voided
        assert withdrawn.key == days[0].key


def test_without_the_map_nothing_is_guessed_and_nothing_lost(small_workplace: Workplace, tmp_path: Path) -> None:
    practice = build_practice(seed=5, patients=6, today=TODAY)
    practice.rename({"BilledFee": "Fee", "cpt": "procedures"})
    with running(simulator_app(practice)) as base_url:
        small_workplace.pipeline.pull(small_workplace.applied, source=_source(base_url, tmp_path))
    assert small_workplace.rows().keys() == {each.key for each in practice.visible}


def test_what_is_stored_is_read_under_the_old_name_and_the_new(tmp_path: Path) -> None:
    fields = {"patient.ulname": "patient.lastName"}
    assert _read({"patient": {"ulname": "Larkspur"}}, fields).patient.last_name == "Larkspur"
    assert _read({"patient": {"lastName": "Larkspur"}}, fields).patient.last_name == "Larkspur"
    twice = {"patient.ulname": ["patient.name.last", "patient.lastName"]}
    assert _read({"patient": {"lastName": "Larkspur"}}, twice).patient.last_name == "Larkspur"
    assert _read({"patient": {"name": {"last": "Vale"}, "lastName": "x"}}, twice).patient.last_name == "Vale"


def test_two_names_may_change_places() -> None:
    fields = {"cpt[].Mod1": "Mod2", "cpt[].Mod2": "Mod1"}
    assert _read({"cpt": [{"Mod1": "59", "Mod2": "25"}]}, fields).lines[0].modifiers == ("25", "59")
    assert _read({"cpt": [{"Mod1": "59"}]}, fields).lines[0].modifiers == ("59",)


def test_a_tenants_values_are_translated_and_others_left() -> None:
    words = {"1": "female", "2": "male"}
    assert _read({"patient": {"sex": 1}}, {}, patient__sex=words).patient.sex == "F"
    assert _read({"patient": {"sex": "unknown"}}, {}, patient__sex=words).patient.sex == "U"
    assert _read({"SelfPay": True}, {}, SelfPay={"true": "1"}).self_pay


def test_a_finding_can_name_the_tenants_own_field() -> None:
    fields = {
        "cpt": "procedures",
        "cpt[].BilledFee": "price.total",
        "cpt[].Mod1": "Modifier1",
        "patient.dob": "patient.born",
    }
    origins = _read(
        {
            "procedures": [{"Code": "99213", "price": {"total": "1"}, "Modifier1": "25"}],
            "patient": {"born": "1961-04-03"},
        },
        fields,
    ).origins
    assert origins["lines[0].charge"] == "procedures[].price.total"
    assert origins["lines[0].modifiers"].startswith("procedures[].Modifier1, ")
    assert origins["patient.birth_date"] == "patient.born"
    with pytest.raises(
        Unreadable, match=r"^procedures\[1\]\.price\.total \(cpt\[1\]\.BilledFee of the contract\) is not a number\.$"
    ):
        _read({"procedures": [{"price": {"total": "much"}}]}, fields)


def test_a_map_of_a_field_that_the_contract_lacks_is_refused_with_the_one_that_may_be_meant() -> None:
    with pytest.raises(Refused, match=r"it has no cpt\[\]\.Mod11\. Is cpt\[\]\.Mod1 meant\?"):
        FieldMap({"cpt[].Mod11": ("Modifier1",)})
    with pytest.raises(Refused, match=r"it has no patient\.gender"):
        FieldMap({}, {"patient.gender": {"1": "F"}})


def test_such_a_profile_is_not_applied(small_workplace: Workplace) -> None:
    source = small_workplace.applied.practice.source
    with pytest.raises(Refused, match="it has no Mod1"):
        small_workplace.apply(source=source.model_copy(update={"fields": {"Mod1": ("Modifier1",)}}))
