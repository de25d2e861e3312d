"""What goes wrong at the simulated tenant: by name, by day, the same for the same seed, and all of it told by the truth."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest

from charges.errors import Refused, Unreadable
from charges.simulator import (
    CLIENT_ID,
    CLIENT_SECRET,
    Fate,
    Fault,
    Schedule,
    Tenant,
    build_practice,
    running,
    simulator_app,
)
from charges.simulator.faults import CATALOGUE, OF_REQUESTS, BadSchedule, rates_of, read_schedule, usual_rate
from charges.simulator.updates import UPDATES

TODAY = date(2026, 11, 23)
Days = dict[int, dict[Fault, float]]


def _tenant(days: Days | None = None, every_day: dict[Fault, float] | None = None) -> Tenant:
    fate = Fate(5, Schedule(every_day=every_day or {}, days=days or {}))
    return Tenant(build_practice(seed=5, patients=40, today=TODAY), fate, slow_seconds=0.01)


class Caller:
    """Asks as any client of the tenant may."""

    def __init__(self, base_url: str) -> None:
        self.base_url, self.token = base_url, ""

    def fetch_token(self) -> None:
        form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        self.token = httpx2.post(f"{self.base_url}/oauth/token", data=form).json()["access_token"]

    def page(self, number: int = 1, since: str = "1900-01-01 00:00:00", size: int = 10) -> httpx2.Response:
        query = {"modifiedSince": since, "page": str(number), "pageSize": str(size)}
        return self._get("charges", query)

    def numbers(self) -> list[str]:
        found: list[str] = self._get("days/numbers", {"firstDay": "2026-01-01", "lastDay": "2026-12-31"}).json()[
            "numbers"
        ]
        return found

    def _get(self, path: str, query: dict[str, str]) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx2.get(f"{self.base_url}/practices/LAKEFM/{path}", params=query, headers=headers)


@contextmanager
def _asked(tenant: Tenant, fault: Fault | None = None) -> Iterator[Caller]:
    """Somebody with a token; the next request meets the fault."""
    with running(simulator_app(tenant)) as base_url:
        caller = Caller(base_url)
        caller.fetch_token()
        if fault:
            tenant.fate.planned[fault] = 1
        yield caller


def _numbers(answer: httpx2.Response) -> list[str]:
    return [each["InvId"] for each in answer.json()["charges"]]


# Faults of requests


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        (Fault.BUSY, 429, "too many requests"),
        (Fault.DENIED, 500, "access_denied"),
        (Fault.SERVER_ERROR, 500, "server error"),
        (Fault.EXPIRED_TOKEN, 401, "invalid_token"),
    ],
)
def test_a_refusal_names_no_time_to_wait(fault: Fault, status: int, error: str) -> None:
    tenant = _tenant()
    with _asked(tenant, fault) as caller:
        answer = caller.page()
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert "Retry-After" not in answer.headers
        if fault is Fault.EXPIRED_TOKEN:
            assert caller.page().status_code == 401  # it stays taken back
            caller.fetch_token()
        assert caller.page().status_code == 200
    assert tenant.fate.happened == {fault: 1}


def test_a_dropped_connection_ends_in_the_middle_of_the_answer(capfd: pytest.CaptureFixture[str]) -> None:
    with _asked(_tenant(), Fault.DROPPED) as caller:
        with pytest.raises(httpx2.TransportError):
            caller.page()
        assert caller.page().status_code == 200
    assert capfd.readouterr().err == ""


def test_a_truncated_answer_is_no_json() -> None:
    with _asked(_tenant(), Fault.TRUNCATED) as caller:
        with pytest.raises(json.JSONDecodeError):
            caller.page().json()
        assert caller.page().json()["charges"]


def test_pages_are_repeated_and_shifted() -> None:
    tenant = _tenant()
    with _asked(tenant) as caller:
        first, second = _numbers(caller.page(1)), _numbers(caller.page(2))
        tenant.fate.planned[Fault.REPEATED_PAGE] = 1
        assert _numbers(caller.page(3)) == second
        tenant.fate.planned[Fault.SHIFTED_PAGE] = 1
        assert _numbers(caller.page(2)) == [first[-1], *second[:-1]]


def test_a_charge_edited_between_pages_moves_to_the_end() -> None:
    tenant = _tenant()
    with _asked(tenant, Fault.EDIT_BETWEEN_PAGES) as caller:
        caller.page()
    (deed,) = tenant.practice.deeds
    last = tenant.practice.visible[-1]
    assert (deed.key, last.moment) == (last.key, tenant.practice.now)
    assert json.loads(last.body)["modifiedOn"] == last.modified_on


def test_requests_beyond_the_limit_of_a_minute_are_refused_until_it_ends() -> None:
    now = 1_800_000_000.0
    tenant = Tenant(build_practice(seed=5, patients=5, today=TODAY), requests_per_minute=3, wall_clock=lambda: now)
    with _asked(tenant) as caller:
        assert [caller.page().status_code for _ in range(4)] == [200, 200, 429, 429]  # the token was the first
        now += 60
        answer = caller.page()
        assert answer.status_code == 200
        assert answer.headers["Date"] == "Fri, 15 Jan 2027 08:01:00 GMT"


def test_a_rate_is_a_share_of_the_requests() -> None:
    tenant = _tenant(every_day={Fault.SERVER_ERROR: 0.3})
    refused = sum(tenant.refusal() is not None for _ in range(1000))
    assert 230 < refused < 370
    assert tenant.fate.happened[Fault.SERVER_ERROR] == refused


# Faults of days


def _ran(days: int, every_day: dict[Fault, float]) -> Tenant:
    tenant = _tenant(every_day=every_day)
    tenant.life.advance(24 * days)
    return tenant


def test_the_same_seed_makes_the_same_days() -> None:
    rates = dict.fromkeys((Fault.SILENT_EDIT, Fault.VANISHED_CHARGE, Fault.SILENT_VOID, Fault.CLOCK_SKEW), 0.05)
    one, same = _ran(10, rates), _ran(10, rates)
    assert one.practice.deeds == same.practice.deeds
    assert [each.body for each in one.practice.visible] == [each.body for each in same.practice.visible]
    assert one.practice.deeds


def test_silent_changes_move_no_moment_and_are_told() -> None:
    tenant = _tenant(days={2: {Fault.SILENT_EDIT: 0.05, Fault.SILENT_VOID: 0.05, Fault.VANISHED_CHARGE: 0.05}})
    tenant.practice.now = tenant.practice.now.replace(hour=23, minute=59, second=59)
    before = {each.key: each for each in tenant.practice.visible}
    tenant.life.advance(0.001)
    after = {each.key: each for each in tenant.practice.visible}
    met: dict[Fault, set[str]] = {}
    for deed in tenant.practice.deeds:
        met.setdefault(deed.fault, set()).add(deed.key)
    assert before.keys() - after.keys() == met[Fault.VANISHED_CHARGE] != set()
    changed = {key for key in after if key in before and after[key].body != before[key].body}
    assert changed == (met[Fault.SILENT_EDIT] | met[Fault.SILENT_VOID]) - met[Fault.VANISHED_CHARGE] != set()
    assert all(after[key].moment == before[key].moment for key in changed)
    assert all(after[key].voided for key in met[Fault.SILENT_VOID] & after.keys())


def test_a_skewed_change_is_seen_later_than_it_says() -> None:
    tenant = _ran(3, {Fault.CLOCK_SKEW: 1})
    skewed = [each for each in tenant.practice.visible if each.seen_from]
    assert skewed
    for each in skewed:
        assert each.seen_from is not None
        assert each.moment < each.seen_from <= tenant.practice.now
        assert json.loads(each.body)["modifiedOn"] == each.modified_on


def test_on_an_empty_day_all_lists_are_empty_and_the_next_day_has_everything() -> None:
    tenant = _tenant(days={2: {Fault.EMPTY_DAY: 1}})
    with _asked(tenant) as caller:
        assert caller.numbers()
        tenant.life.advance(24)
        assert (caller.numbers(), caller.page().json()) == ([], {"hasMore": False, "charges": []})
        tenant.life.advance(24)
        assert caller.numbers()


@pytest.mark.parametrize("fault", [Fault.RENAMED_FIELD, Fault.RETYPED_FIELD, Fault.VANISHED_FIELD])
def test_an_update_of_the_vendors_changes_all_records(fault: Fault) -> None:
    tenant = _tenant(days={2: {fault: 1}})
    before = {each.key: _at(tenant, each.key, UPDATES[fault][0].path) for each in tenant.practice.visible}
    tenant.life.advance(24)
    (update,) = tenant.life.updates
    for key, was in before.items():
        assert was
        now = _at(tenant, key, update.path)
        if fault is Fault.RETYPED_FIELD:
            assert now == int(was)
        else:
            assert now is None
        if fault is Fault.RENAMED_FIELD:
            assert _at(tenant, key, "patient.birthDate") == was


def _at(tenant: Tenant, key: str, path: str) -> Any:
    version = next(each for each in tenant.practice.visible if each.key == key)
    found = json.loads(tenant.practice.wire(version))
    for step in path.split("."):
        found = found.get(step) if found else None
    return found


def test_codes_never_seen_stand_in_some_charges() -> None:
    tenant = _tenant(days={2: {Fault.NEW_CODE: 1}, 3: {Fault.NEW_CODE: 1}})
    tenant.life.advance(48)
    for part, name, code in (("encounter", "STATUS", "SGN"), ("claimInfo", "employmentRelated", "2")):
        having = {each.key for each in tenant.practice.visible if json.loads(each.body)[part].get(name) == code}
        assert having
        assert having <= {deed.key for deed in tenant.practice.deeds}


def test_each_update_of_a_kind_happens_once() -> None:
    tenant = _ran(10, {Fault.RENAMED_FIELD: 1})
    assert [each.path for each in tenant.life.updates] == [each.path for each in UPDATES[Fault.RENAMED_FIELD]]


def test_the_truth_tells_what_the_practice_really_has() -> None:
    tenant = _tenant(days={2: {Fault.RENAMED_FIELD: 1, Fault.VANISHED_FIELD: 1, Fault.SILENT_EDIT: 0.01}})
    tenant.life.advance(24)
    with _asked(tenant) as caller:
        truth = httpx2.get(f"{caller.base_url}/truth", params={"records": True}).json()
    assert truth["day"] == 2
    assert [each["path"] for each in truth["updates"]] == ["patient.dob", "encounter.VisitType"]
    assert {each["fault"] for each in truth["deeds"]} == {"silent-edit"}
    record = truth["charges"][0]["record"]
    assert record["patient"]["dob"]
    assert "VisitType" not in record["encounter"]


# Names, rates, schedules


def test_every_fault_has_a_sentence_and_a_usual_rate() -> None:
    assert CATALOGUE.keys() == set(Fault)
    assert all(says.endswith(".") for says in CATALOGUE.values())
    assert all(0 < usual_rate(each) <= 1 for each in Fault)
    assert rates_of(["busy", "slow=0.5"]) == {Fault.BUSY: usual_rate(Fault.BUSY), Fault.SLOW: 0.5}


@pytest.mark.parametrize("word", ["bussy", "busy=often", "busy=1.5", "=1"])
def test_a_fault_that_does_not_exist_is_refused(word: str) -> None:
    with pytest.raises(Refused):
        rates_of([word])


def test_a_schedule_says_what_is_added_on_a_day(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("every_day: {busy: 0.02}\ndays:\n  4: {renamed-field: 1}\n  5: {busy: 0}\n")
    schedule = read_schedule(file)
    assert schedule.on(1) == {Fault.BUSY: 0.02}
    assert schedule.on(4) == {Fault.BUSY: 0.02, Fault.RENAMED_FIELD: 1}
    assert schedule.on(5) == {Fault.BUSY: 0}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("days:\n  4: {renamed: 1}\n", "line 2"),
        ("every_day: {busy: 2}\n", "line 1"),
        ("days:\n  0: {busy: 1}\n", "line 2"),
        ("everyday: {}\n", "not a setting"),
        ("a: [", "not YAML"),
    ],
)
def test_a_schedule_with_faults_of_its_own_is_refused_with_lines(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    with pytest.raises(BadSchedule, match=says):
        read_schedule(file)
    with pytest.raises(Unreadable):
        read_schedule(tmp_path / "nothing.yaml")


def test_all_kinds_of_fault_of_requests_can_befall() -> None:
    fate = Fate(1, Schedule(every_day=dict.fromkeys(OF_REQUESTS, 0.5)))
    for fault in OF_REQUESTS:
        for _ in range(20):
            fate.befalls(fault)
    assert fate.happened.keys() == OF_REQUESTS.keys()
