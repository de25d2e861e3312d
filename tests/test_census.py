"""The census: shapes add up in any order, what is as it was never alarms, and what broke is told from chance."""

import json
from collections.abc import Callable
from datetime import date
from math import comb
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charges.drift.census import (
    Census,
    Drift,
    Shape,
    Surveyor,
    broken,
    fell,
    holding,
    novel,
    novelties,
    shape_of_json,
    shape_of_segments,
)
from charges.practice.connections import ClaimFiles, EclinicalWorks, Fhir, Secret
from charges.simulator import build_practice
from charges.sources import RawRecord
from charges.sources.claimfiles import ClaimFilesSource
from charges.sources.eclinicalworks import EclinicalWorksSource
from charges.sources.eclinicalworks.codes import CODES
from charges.sources.eclinicalworks.fieldmap import known_paths
from charges.sources.fhir import FhirSource
from charges.sources.hl7 import Hl7Source
from tests.sources.hl7 import settings

SURVEYOR = Surveyor({"status", "lines[].unit"})

records = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["", "open", "done"]),
        "patient": st.fixed_dictionaries(
            {}, optional={"name": st.text(max_size=3), "born": st.none() | st.just("1961")}
        ),
        "lines": st.lists(
            st.fixed_dictionaries({"code": st.just("99213")}, optional={"unit": st.sampled_from(["UN", 5])})
        ),
    },
)
censuses = st.lists(records, max_size=6).map(lambda given: _census(*given))


def _census(*given: Any) -> Census:
    return Census.of([SURVEYOR.shape(each) for each in given])


def _same(one: Census, other: Census) -> bool:
    return one.to_json() == other.to_json() or (
        one.records == other.records and dict(one.kinds) == dict(other.kinds) and dict(one.values) == dict(other.values)
    )


@given(censuses, censuses, censuses)
def test_adding_knows_no_order_and_no_brackets(a: Census, b: Census, c: Census) -> None:
    assert _same(a + b, b + a)
    assert _same((a + b) + c, a + (b + c))
    assert _same(a + Census(), a)


@given(st.lists(records, max_size=12), st.integers(0, 12))
def test_pages_add_up_to_the_whole(given: list[Any], cut: int) -> None:
    assert _same(_census(*given[:cut]) + _census(*given[cut:]), _census(*given))


@given(censuses)
def test_a_census_is_read_as_it_was_written(a: Census) -> None:
    assert _same(Census.from_json(json.loads(json.dumps(a.to_json()))), a)


@given(records, st.integers(1, 60), st.integers(1, 60))
def test_a_record_like_all_of_the_baseline_never_alarms(given: Any, before: int, now: int) -> None:
    known, seen = _census(*[given] * before), _census(*[given] * now)
    assert broken(known, known, seen) == []
    assert novelties(known, novel(known, seen, {})) == []


@given(censuses)
def test_no_census_alarms_against_itself(a: Census) -> None:
    assert broken(a, a, a) == []
    assert novelties(a, novel(a, a, {})) == []


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 30), st.integers(1, 30))
def test_a_fall_is_rarer_than_one_in_a_million_by_counting_all_ways(good: int, of: int, now: int, now_of: int) -> None:
    good, now = min(good, of), min(now, now_of)
    if not fell(good, of, now, now_of):
        return
    lacks = of - good + now_of - now
    as_many = sum(comb(now_of, k) * comb(of, lacks - k) for k in range(now_of - now, min(now_of, lacks) + 1))
    assert as_many / comb(of + now_of, lacks) < 1e-6
    assert now / now_of <= good / of / 2
    assert now_of >= 5


@pytest.mark.parametrize(
    ("good", "of", "now", "now_of", "falls"),
    [
        (200, 200, 0, 4, False),  # too few to say anything
        (200, 200, 0, 5, True),
        (200, 200, 60, 100, False),  # fewer, but more than half of what it was
        (200, 200, 45, 100, True),
        (60, 200, 0, 43, False),
        (60, 200, 0, 44, True),
        (2, 200, 0, 100, False),  # so rare that its absence is no news
        (0, 200, 0, 100, False),
    ],
)
def test_how_many_lacks_are_a_fall(good: int, of: int, now: int, now_of: int, *, falls: bool) -> None:
    assert fell(good, of, now, now_of) is falls


def _visit(**changes: Any) -> dict[str, Any]:
    return {"status": "done", "patient": {"name": "Odette", "born": "1961-04-03"}, "lines": [{"unit": "UN"}]} | changes


def test_a_path_that_is_gone_is_told_from_an_empty_and_a_retyped_one() -> None:
    known = _census(*[_visit()] * 100)
    for patient, drift in (
        ({"name": "Odette"}, Drift.GONE),
        ({"name": "Odette", "born": None}, Drift.EMPTIED),
        ({"name": "Odette", "born": 1961}, Drift.RETYPED),
    ):
        (verdict,) = broken(known, known, _census(*[_visit(patient=patient)] * 6))
        assert (verdict.drift, verdict.path) == (drift, "patient.born")


def test_what_lies_in_something_that_is_gone_is_not_told_again() -> None:
    known = _census(*[_visit()] * 100)
    gone = {"status": "done", "lines": [{"unit": "UN"}]}
    assert [each.path for each in broken(known, known, _census(*[gone] * 6))] == ["patient"]


def test_what_only_some_have_is_missed_over_many_records() -> None:
    known = _census(*[_visit()] * 30, *[_visit(lines=[])] * 70)
    assert broken(known, known, _census(*[_visit(lines=[])] * 30)) == []
    assert [each.path for each in broken(known, known, _census(*[_visit(lines=[])] * 90))] == ["lines"]


def test_a_code_and_a_kind_never_seen_hold_and_a_new_field_does_not() -> None:
    known = _census(_visit())
    seen = _census(_visit(status="parked", lines=[{"unit": 5}], room="3"))
    verdicts = novelties(known, novel(known, seen, {"lines[].unit": frozenset({"5"})}))
    assert {(each.path, each.drift) for each in verdicts} == {
        ("status", Drift.NEW_VALUE),
        ("lines[].unit", Drift.WIDER),
        ("room", Drift.NEW_PATH),
    }
    assert {each.path for each in holding(verdicts)} == {"status", "lines[].unit"}


def test_a_field_that_was_always_empty_may_be_filled() -> None:
    known = _census(_visit(room=""))
    assert holding(novelties(known, novel(known, _census(_visit(room="3")), {}))) == []


def test_values_are_kept_of_codes_alone_and_keys_that_are_data_become_no_path() -> None:
    shape = SURVEYOR.shape(
        {"status": "done", "patient": {"name": "Odette"}, "by": {"Larkspur, Odette": 1, "p100234": 2}}
    )
    assert shape.values == {("status", "done")}
    assert not any("Larkspur" in path or "100234" in path for path in shape.kinds)


@pytest.mark.parametrize("body", [b"", b"FAULT", b"\xff", b'{"a":', b"[" * 100_000])
def test_what_is_no_json_has_no_shape(body: bytes) -> None:
    assert shape_of_json(SURVEYOR, body) is None


def test_segments_have_a_path_for_each_field_that_says_something() -> None:
    shape = shape_of_segments([("PID", ["1", "", "100234"]), ("FT1", ["1"]), ("FT1", ["2", "x"])])
    assert set(shape.kinds) == {"PID", "PID.1", "PID.3", "FT1", "FT1.1", "FT1.2"}
    census = Census.of([shape] * 100)
    gone = Census.of([shape_of_segments([("PID", ["1", "", "100234"]), ("FT1", ["1"])])] * 6)
    assert [each.path for each in broken(census, census, gone)] == ["FT1.2"]


def _tenant(**fields: Any) -> EclinicalWorksSource:
    settings = EclinicalWorks(
        kind="eclinicalworks",
        base_url="https://tenant.invalid",
        practice_code="LAKEFM",
        client_id="chargerouter",
        client_secret=Secret(env="LAKESIDE_SECRET"),
        **fields,
    )
    return EclinicalWorksSource(settings, "America/Chicago")


def test_codes_of_the_contract_are_fields_of_the_contract_and_name_nobody() -> None:
    assert set(CODES) <= known_paths()
    assert not any(
        word in path for path in CODES for word in ("name", "dob", "Addr", "ssn", "Phone", "subscriberNo", "Notes")
    )


def test_a_tenants_own_names_are_its_code_fields() -> None:
    tenant = _tenant(
        fields={"encounter.STATUS": ("visit.state",), "cpt[].EMG": ("Emergency",)},
        values={"encounter.STATUS": {"DONE": "CHK"}},
    )
    assert tenant.codes["visit.state"] == {"ARR", "CHK", "DONE"}
    assert "cpt[].Emergency" in tenant.codes


@pytest.mark.parametrize("seed", [7, 8])
def test_months_of_an_unchanged_tenant_break_nothing(seed: int) -> None:
    codes = _tenant().codes
    surveyor = Surveyor(codes)
    bodies = [each.body for each in build_practice(seed=seed, patients=500, today=date(2026, 11, 23)).visible]
    shapes = [shape for body in bodies if (shape := shape_of_json(surveyor, body)) is not None]
    rates, known = Census.of(shapes[:200]), Census.of(shapes)
    for size in (10, 100):
        for start in range(200, len(shapes) - size, size // 2):
            assert broken(known, rates, Census.of(shapes[start : start + size])) == []


def test_fhir_resources_are_told_apart() -> None:
    bundle = {
        "entry": [
            {"resource": {"resourceType": "Encounter", "status": "finished"}},
            {"resource": {"resourceType": "Patient", "birthDate": "1961-04-03"}},
        ]
    }
    fhir = FhirSource(
        Fhir(
            kind="fhir",
            base_url="https://tenant.invalid",
            client_id="chargerouter",
            private_key=Secret(env="KEY"),
            key_id="1",
        )
    )
    shape = fhir.shape(RawRecord("1", json.dumps(bundle).encode()))
    assert shape is not None
    assert {"Encounter.status", "Patient.birthDate"} <= set(shape.kinds)
    assert shape.values == {("Encounter.status", "finished")}
    assert fhir.shape(RawRecord("1", b"[]")) is None


HL7 = b"\x0bMSH|^~\\&|A|B|C|D|20261116||DFT^P03|1|P|2.5\rPID|1||100234\rFT1|1|||20261116\r\x1c\r"
X12 = (
    b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *261116*1200*^*00501*000000001*0*T*:~"
    b"NM1*IL*1*LARKSPUR~NM1*PR*2*PRAIRIE~CLM*CR1*100~IEA*1*000000001~"
)


def _hl7(folder: Path) -> Callable[[RawRecord], Shape | None]:
    return Hl7Source(settings(folder)).shape


def _x12(folder: Path) -> Callable[[RawRecord], Shape | None]:
    return ClaimFilesSource(ClaimFiles(kind="x12", folder=folder)).shape


@pytest.mark.parametrize(
    ("source", "body", "paths"),
    [
        (_hl7, HL7, {"PID.3", "FT1.4"}),
        (_x12, X12, {"NM1:IL.3", "NM1:PR.3", "CLM.1"}),
    ],
)
def test_messages_and_claims_are_counted_by_place(
    tmp_path: Path, source: Callable[[Path], Callable[[RawRecord], Shape | None]], body: bytes, paths: set[str]
) -> None:
    shape = source(tmp_path)(RawRecord("1", body))
    assert shape is not None
    assert paths <= set(shape.kinds)
    assert not shape.values
    assert source(tmp_path)(RawRecord("1", b"FAULT x")) is None
