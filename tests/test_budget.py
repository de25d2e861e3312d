"""What a tenant allows in a minute is kept by all workers together, and one stream has one worker."""

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import httpx2
import pytest

from charges.db import Database
from charges.errors import Unavailable
from charges.feeds.budget import SharedAllowance, tenant_of
from charges.practice.connections import EclinicalWorks, Secret
from charges.simulator import CLIENT_ID, CLIENT_SECRET, build_practice, running, simulator_app
from charges.sources.eclinicalworks.client import Client
from charges.tables import AllowanceRow

MINUTE = 1_800_000_000.0
TENANT = tenant_of("https://tenant.test", "LAKEFM")


class Time:
    """A clock that only sleeping moves."""

    def __init__(self, second: float = 5.0) -> None:
        self.now = MINUTE + second
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def _allowance(database: Database, clock: Time, limit: int = 3) -> SharedAllowance:
    return SharedAllowance(database, TENANT, limit, clock, clock.sleep)


def test_requests_beyond_the_limit_wait_for_the_next_minute_of_the_wall_clock(database: Database) -> None:
    clock = Time(second=50.0)
    for _ in range(7):
        _allowance(database, clock).take(0.0)
    assert clock.slept == [10.0, 60.0]


def test_the_minute_is_that_of_the_tenants_clock(database: Database) -> None:
    clock = Time(second=50.0)
    for _ in range(4):
        _allowance(database, clock).take(ahead=4.0)
    assert clock.slept == [6.0]


def test_two_workers_share_one_limit_and_other_tenants_have_their_own(database: Database) -> None:
    clock = Time()
    first, second = _allowance(database, clock), _allowance(database, clock)
    first.take(0.0)
    second.take(0.0)
    SharedAllowance(database, tenant_of("https://other.test", "X"), 3, clock, clock.sleep).take(0.0)
    first.take(0.0)
    assert not clock.slept
    second.take(0.0)
    assert clock.slept


def test_what_can_wait_leaves_a_part_to_others(database: Database) -> None:
    clock = Time()
    patient, urgent = _allowance(database, clock, limit=2), _allowance(database, clock, limit=3)
    patient.take(0.0)
    patient.take(0.0)
    urgent.take(0.0)
    assert not clock.slept


def test_a_tenant_that_says_enough_is_left_alone_by_all_until_its_next_minute(database: Database) -> None:
    clock = Time()
    _allowance(database, clock).take(0.0)
    _allowance(database, clock).exhaust(0.0)
    _allowance(database, clock).take(0.0)
    assert clock.slept == [55.0]


def test_a_worker_that_gets_no_turn_leaves_it_to_the_next_run(database: Database) -> None:
    clock = Time()

    def sleep_while_others_take_all(seconds: float) -> None:
        clock.sleep(seconds)
        for _ in range(3):
            _allowance(database, clock).take(0.0)

    for _ in range(3):
        _allowance(database, clock).take(0.0)
    with pytest.raises(Unavailable, match="next run"):
        SharedAllowance(database, TENANT, 3, clock, sleep_while_others_take_all).take(0.0)


def test_a_clock_that_was_set_wrong_does_not_stop_the_work(database: Database) -> None:
    clock = Time()
    with database.transaction() as session:
        session.add(AllowanceRow(tenant=TENANT, minute=int(MINUTE // 60) + 5000, used=3))
    _allowance(database, clock).take(0.0)
    assert not clock.slept


TAKE = """
import sys
from charges.feeds.budget import SharedAllowance
from charges.db import Database, create_database_engine
from charges.settings import Settings
from tests.conftest import KEYRING

class Full(Exception): ...

def full(seconds):
    raise Full

database = Database(create_database_engine(Settings(database_url=sys.argv[1])), KEYRING)
taken = 0
try:
    while True:
        SharedAllowance(database, sys.argv[2], 40, lambda: 1.8e9, full).take(0.0)
        taken += 1
except Full:
    print(taken)
"""


def test_processes_together_take_exactly_the_limit(database: Database, database_url: str) -> None:
    command = [sys.executable, "-c", TAKE, database_url, TENANT]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    taken = [int(worker.communicate(timeout=60)[0]) for worker in workers]
    assert sum(taken) == 40


def test_every_request_counts_and_so_does_the_token(small: Database, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(CLIENT_SECRET)
    clock = Time()
    with running(simulator_app(build_practice(seed=5, patients=5, today=date(2026, 11, 23)))) as base_url:
        settings = EclinicalWorks(
            kind="eclinicalworks",
            base_url=base_url,
            practice_code="LAKEFM",
            client_id=CLIENT_ID,
            client_secret=Secret(file=tmp_path / "secret"),
        )
        with Client(settings, _allowance(small, clock, limit=100)) as client:
            client.charges("1900-01-01 00:00:00", 1)
            client.charges("1900-01-01 00:00:00", 2)
            assert _used(small) == 3
            httpx2.post(f"{base_url}/faults", json={"planned": {"expired-token": 1}})
            client.charges("1900-01-01 00:00:00", 1)
            assert _used(small) == 6


def _used(database: Database) -> int:
    with database.transaction() as session:
        return session.query(AllowanceRow).one().used


@pytest.fixture
def small(small_workplace: object) -> Database:
    return small_workplace.database  # type: ignore[attr-defined, no-any-return]


ALONE = """
import sys, time
from charges.db import Database, create_database_engine
from charges.settings import Settings
from tests.conftest import KEYRING

database = Database(create_database_engine(Settings(database_url=sys.argv[1])), KEYRING)
with database.alone_at("trailing 1") as is_mine:
    print(is_mine, flush=True)
    time.sleep(60)
"""


def test_the_stream_of_a_worker_that_was_killed_is_free_at_once(database: Database, database_url: str) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(ALONE), database_url], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "True\n"
    with database.alone_at("trailing 1") as is_mine:
        assert not is_mine
    worker.send_signal(signal.SIGKILL)
    worker.communicate(timeout=10)
    assert _until(lambda: _is_free(database))


def _is_free(database: Database) -> bool:
    with database.alone_at("trailing 1") as is_mine:
        return is_mine


def _until(is_so: Callable[[], bool], seconds: float = 10.0) -> bool:
    ends = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True
