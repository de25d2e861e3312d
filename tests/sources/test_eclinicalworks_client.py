"""Speaking with a tenant over HTTP: patience where it helps, a sentence where it does not, and no record skipped."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest
import stamina
from hypothesis import example, given, settings
from hypothesis import strategies as st

from charges.errors import Refused, Unavailable
from charges.practice.connections import EclinicalWorks, Secret
from charges.simulator import CLIENT_ID, CLIENT_SECRET, build_practice, running, simulator_app
from charges.sources import RawRecord
from charges.sources.eclinicalworks import EclinicalWorksSource
from charges.sources.eclinicalworks import client as client_module
from charges.sources.eclinicalworks.paging import RawPage, pages

TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    """Retries follow each other at once, three at most."""
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture(scope="module")
def tenant() -> Iterator[str]:
    with running(simulator_app(build_practice(seed=5, patients=30, today=TODAY))) as base_url:
        yield base_url


@pytest.fixture
def source(tenant: str, tmp_path: Path) -> EclinicalWorksSource:
    return _source(tenant, tmp_path)


def _source(base_url: str, folder: Path, secret: str = CLIENT_SECRET, **changes: Any) -> EclinicalWorksSource:
    file = folder / "secret"
    file.write_text(secret + "\n")
    fields = {"page_size": 10, "overlap_minutes": 30} | changes
    connection = EclinicalWorks(
        kind="eclinicalworks",
        base_url=base_url,
        practice_code="LAKEFM",
        client_id=CLIENT_ID,
        client_secret=Secret(file=file),
        **fields,
    )
    return EclinicalWorksSource(connection, "America/Chicago")


def _pulled(source: EclinicalWorksSource, cursor: str | None = None) -> list[RawRecord]:
    return [record for page in source.changed_since(cursor) for record in page.records]


def _plan(base_url: str, slow_seconds: float = 1.0, **faults: int) -> None:
    """Have so many of the next requests meet a fault."""
    planned = {name.replace("_", "-"): count for name, count in faults.items()}
    asked = httpx2.post(f"{base_url}/faults", json={"planned": planned, "slow_seconds": slow_seconds})
    assert asked.status_code == 200


def _keys(base_url: str) -> set[str]:
    return {each["key"] for each in httpx2.get(f"{base_url}/truth").json()["charges"]}


def test_every_charge_is_pulled_oldest_change_first(source: EclinicalWorksSource, tenant: str) -> None:
    given_pages = list(source.changed_since(None))
    assert {record.key for page in given_pages for record in page.records} == _keys(tenant)
    cursors = [page.cursor for page in given_pages]
    assert cursors == sorted(cursors, key=str)


def test_the_next_pull_looks_back_by_the_overlap_and_no_further(source: EclinicalWorksSource) -> None:
    last = list(source.changed_since(None))[-1].cursor
    again = _pulled(source, last)
    assert 0 < len(again) < 10


def test_a_charge_knows_what_its_record_said(source: EclinicalWorksSource) -> None:
    record = _pulled(source)[0]
    assert source.to_charge(record).key == record.key


@pytest.mark.parametrize(
    "fault", ["expired_token", "server_error", "dropped", "truncated", "slow", "edit_between_pages"]
)
def test_one_fault_of_each_kind_costs_nothing(source: EclinicalWorksSource, tenant: str, fault: str) -> None:
    _plan(tenant, **{fault: 1})
    assert {record.key for record in _pulled(source)} == _keys(tenant)


def test_a_page_that_comes_again_ends_the_pull_and_the_next_goes_on(source: EclinicalWorksSource, tenant: str) -> None:
    pulling = source.changed_since(None)
    first = next(pulling)
    _plan(tenant, repeated_page=1)
    with pytest.raises(Unavailable, match="next run"):
        next(pulling)
    seen = {record.key for record in first.records}
    assert seen | {record.key for record in _pulled(source, first.cursor)} == _keys(tenant)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("server_error", "fault of its own"),
        ("busy", "fewer requests"),
        ("truncated", "broke off"),
    ],
)
def test_a_fault_that_lasts_is_left_to_the_next_run(
    source: EclinicalWorksSource, tenant: str, fault: str, says: str
) -> None:
    _plan(tenant, **{fault: 50})
    with pytest.raises(Unavailable, match=f"{says}.*next run"):
        _pulled(source)
    _plan(tenant)
    assert {record.key for record in _pulled(source)} == _keys(tenant)


def test_a_slow_tenant_is_given_up_in_time(
    source: EclinicalWorksSource, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT", httpx2.Timeout(0.2))
    _plan(tenant, slow=10, slow_seconds=0.6)
    with pytest.raises(Unavailable, match="does not answer in time"):
        _pulled(source)
    _plan(tenant)


def test_a_token_that_is_never_taken_is_said_once(source: EclinicalWorksSource, tenant: str) -> None:
    _plan(tenant, expired_token=50)
    with pytest.raises(Refused, match=r"status 401.*Ask the vendor"):
        _pulled(source)
    _plan(tenant)


def test_a_500_that_means_access_denied_is_said_and_not_asked_again(source: EclinicalWorksSource, tenant: str) -> None:
    _plan(tenant, denied=1)
    with pytest.raises(Refused, match=r"gives no token.*status 500"):
        _pulled(source)
    pulling = source.changed_since(None)
    next(pulling)
    _plan(tenant, denied=1)
    with pytest.raises(Refused, match=r"does not let this client read.*status 500.*Ask the vendor"):
        next(pulling)
    assert {record.key for record in _pulled(source)} == _keys(tenant)


def test_a_wrong_secret_is_said_without_telling_it(tenant: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="client_secret") as raised:
        _pulled(_source(tenant, tmp_path, secret="hunter2"))
    assert "hunter2" not in str(raised.value)


def test_a_secret_that_is_not_there_is_named_by_its_place(tenant: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=str(tmp_path / "secret")):
        _pulled(_source(tenant, tmp_path, secret=""))


def test_a_tenant_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1 cannot be reached"):
        _pulled(_source("http://127.0.0.1:1", tmp_path))


def test_another_server_than_the_contracts_is_refused(tenant: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="status 404"):
        _pulled(_source(f"{tenant}/elsewhere", tmp_path))


@pytest.mark.parametrize(
    ("cursor", "asked"),
    [
        (None, "1900-01-01 00:00:00"),
        ("2026-11-16 14:00:00", "2026-11-16 13:30:00"),
        ("2026-11-01 01:40:00", "2026-11-01 00:10:00"),  # the hour that comes twice when clocks go back
    ],
)
def test_where_a_pull_begins(source: EclinicalWorksSource, cursor: str | None, asked: str) -> None:
    assert source._start(cursor) == asked


def test_a_first_pull_may_begin_at_a_day(tenant: str, tmp_path: Path) -> None:
    assert _source(tenant, tmp_path, start=date(2026, 10, 1))._start(None) == "2026-10-01 00:00:00"


# Paging while records change


def _record(number: int, minute: int) -> dict[str, Any]:
    return {"InvId": str(number), "modifiedOn": f"2026-11-16 10:{minute:02}:00"}


class Ledger:
    """Records that change while they are read."""

    def __init__(self, minutes: list[int], size: int) -> None:
        self.records = [_record(number, minute) for number, minute in enumerate(minutes)]
        self.size = size
        self.before_page: Callable[[], None] = lambda: None

    def __call__(self, since: str, number: int) -> RawPage:
        self.before_page()
        chosen = sorted(
            (each for each in self.records if each["modifiedOn"] >= since),
            key=lambda each: (each["modifiedOn"], int(each["InvId"])),
        )
        start = (number - 1) * self.size
        return RawPage([dict(each) for each in chosen[start : start + self.size]], len(chosen) > start + self.size)


@settings(max_examples=200, deadline=None)
@given(
    minutes=st.lists(st.integers(0, 6), max_size=25),
    size=st.integers(1, 5),
    changes=st.lists(st.integers(0, 24), max_size=12),
)
@example(minutes=[0, 0, 0], size=1, changes=[0, 1, 2, 1, 1])
def test_no_record_is_skipped_while_others_change(minutes: list[int], size: int, changes: list[int]) -> None:
    ledger = Ledger(sorted(minutes), size)
    left = list(changes)

    def change_one() -> None:
        if left and ledger.records:
            chosen = ledger.records[left.pop() % len(ledger.records)]
            chosen["modifiedOn"] = f"2026-11-16 11:{len(changes) - len(left):02}:00"

    ledger.before_page = change_one
    seen = {record["InvId"] for page in pages(ledger, "2026-11-16 00:00:00") for record in page}
    assert seen == {record["InvId"] for record in ledger.records}


def test_a_page_that_comes_for_ever_ends_the_pull() -> None:
    same = RawPage([_record(1, 5)], has_more=True)
    with pytest.raises(Unavailable, match="earlier page"):
        list(pages(lambda _since, _number: same, "2026-11-16 00:00:00"))


def test_more_that_never_comes_ends_the_pull() -> None:
    with pytest.raises(Unavailable, match="or none"):
        list(pages(lambda _since, _number: RawPage([], has_more=True), "2026-11-16 00:00:00"))


def test_charges_out_of_order_are_refused_before_any_is_taken() -> None:
    page = RawPage([_record(1, 5), _record(2, 4)], has_more=False)
    with pytest.raises(Refused, match="order"):
        list(pages(lambda _since, _number: page, "2026-11-16 00:00:00"))


def test_a_record_without_a_number_is_kept_for_a_person_to_see(source: EclinicalWorksSource) -> None:
    assert source._raw({"InvId": 7}).key == "7"
    assert source._raw({"patient": {}}).key.startswith("without-number-")
    assert source._raw("nonsense").key != source._raw({"patient": {}}).key
