"""The simulated practice: the same for the same seed, its truth told by the rules, and alive when its clock moves."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from importlib.resources import as_file, files
from itertools import pairwise

import httpx2
import pytest

from charges.model import Charge, HistoryLine
from charges.practice.completion import complete
from charges.practice.profile import Practice, read_profile
from charges.simulator import build_practice, running, simulator_app
from charges.simulator.mistakes import MISTAKES
from charges.sources.eclinicalworks.mapping import to_charge
from rules.engine import Facts, judge, load, rendering_npi
from rules.reference.shipped import shipped

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def profile() -> Practice:
    with as_file(files("charges").joinpath("practice/examples/lakeside.yaml")) as path:
        return read_profile(path)


def test_a_seed_makes_the_same_practice() -> None:
    one, same, other = (build_practice(seed=seed, patients=20, today=TODAY) for seed in (3, 3, 4))
    assert [each.body for each in one.visible] == [each.body for each in same.visible]
    assert [each.body for each in one.visible] != [each.body for each in other.visible]


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_the_rules_find_what_was_spoilt_and_nothing_else(profile: Practice, seed: int) -> None:
    practice = build_practice(seed=seed, patients=300, today=TODAY)
    catalogue, tables = load(), shipped()
    histories: dict[str, list[HistoryLine]] = defaultdict(list)
    for version in practice.visible:
        charge = complete(profile, to_charge(version.body))
        assert charge.voided is version.voided
        if charge.voided or charge.self_pay:
            continue
        history = histories[charge.patient.record_number]
        found = judge(catalogue, Facts(charge, TODAY, tuple(history), profile.policy(charge), tables=tables))
        assert {each.rule for each in found if each.severity.holds} == set(version.errors), version.mistake
        assert {each.rule for each in found if not each.severity.holds} == set(version.warnings), version.mistake
        history += _lines(version.key, charge)


def _lines(key: str, charge: Charge) -> Iterator[HistoryLine]:
    for line in charge.billed_lines:
        assert line.service_date
        yield HistoryLine(
            charge_key=key,
            service_date=line.service_date,
            code=line.code,
            modifiers=line.modifiers,
            rendering_npi=rendering_npi(charge, line),
        )


def test_every_kind_of_mistake_is_made() -> None:
    practices = [build_practice(seed=seed, patients=3000, today=TODAY) for seed in (7, 8)]
    made = {version.mistake for practice in practices for version in practice.visible}
    assert {mistake.name for mistake in MISTAKES} - made == set()
    assert len(made - {""}) >= 60


def test_every_mistake_has_a_rule_that_finds_it_and_a_sentence() -> None:
    known = {rule.id: rule.severity for rule in load()}
    for mistake in MISTAKES:
        assert mistake.spoil.__doc__, mistake.name
        assert mistake.rules or mistake.warnings, mistake.name
        assert all(known[rule].holds for rule in mistake.rules), mistake.name
        assert not any(known[rule].holds for rule in mistake.warnings), mistake.name


def test_visits_of_a_patient_lie_apart_and_a_season_has_one_flu_shot() -> None:
    days, shots = defaultdict(list), Counter[str]()
    for version in build_practice(seed=7, patients=300, today=TODAY).visible:
        charge = to_charge(version.body)
        if version.mistake or version.voided or charge.encounter.start_date is None:
            continue
        days[charge.patient.record_number].append(charge.encounter.start_date)
        shots[charge.patient.record_number] += any(line.code == "90686" for line in charge.lines)
    assert all(
        later - earlier >= timedelta(days=11) for each in days.values() for earlier, later in pairwise(sorted(each))
    )
    assert max(shots.values()) == 1


def test_a_known_share_is_spoilt() -> None:
    practice = build_practice(seed=7, patients=500, today=TODAY)
    spoilt = sum(bool(version.mistake) for version in practice.visible)
    assert 0.1 < spoilt / len(practice.visible) < 0.3


def test_time_brings_late_edits_voids_and_new_visits() -> None:
    practice = build_practice(seed=7, patients=600, today=TODAY)
    before = {version.key: version for version in practice.visible}
    assert practice.advance(24 * 20) > 0
    after = {version.key: version for version in practice.visible}
    edited = [key for key in before if after[key].body != before[key].body]
    assert set(before) < set(after)
    assert any(after[key].voided and not before[key].voided for key in edited)
    assert any(before[key].errors and not after[key].errors for key in edited)
    assert all(after[key].moment > before[key].moment for key in edited)


def test_the_server_tells_the_truth_and_moves_its_clock() -> None:
    with running(simulator_app(build_practice(seed=7, patients=20, today=TODAY))) as base_url:
        truth = httpx2.get(f"{base_url}/truth").json()["charges"]
        moved = httpx2.post(f"{base_url}/clock", params={"hours": 240}).json()
        assert moved["changed"] > 0
        assert httpx2.get(f"{base_url}/truth").json()["charges"] != truth


def test_nobody_reads_without_a_token() -> None:
    with running(simulator_app(build_practice(seed=7, patients=5, today=TODAY))) as base_url:
        asked = httpx2.get(
            f"{base_url}/practices/X/charges",
            params={"modifiedSince": "2026-01-01 00:00:00"},
            headers={"Authorization": "Bearer guess"},
        )
        assert asked.status_code == 401
        wrong = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
        assert httpx2.post(f"{base_url}/oauth/token", data=wrong).status_code == 401
