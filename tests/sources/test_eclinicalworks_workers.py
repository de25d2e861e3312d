"""Several processes at one practice: a stream has one of them, and all of them share the tenant's minute."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from charges.db import Database
from charges.practice.connections import EclinicalWorks, Secret
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
from charges.simulator.practice import Version
from tests.practice import Workplace

TODAY = date(2026, 11, 23)
BEGIN = """
import sys, time
from pathlib import Path
from charges.feeds.budget import SharedAllowance, tenant_of
from charges.practice.connections import EclinicalWorks, Secret
from charges.db import Database, create_database_engine
from charges.pipeline import Pipeline
from charges.settings import Settings
from charges.simulator import CLIENT_ID
from charges.sources.eclinicalworks.client import Client
from tests.conftest import KEYRING, NOON

url, what, base_url, secret, go = sys.argv[1:]
database = Database(create_database_engine(Settings(database_url=url)), KEYRING)
pipeline = Pipeline(database, Settings(), lambda: NOON)
print("ready", flush=True)
while not Path(go).exists():
    time.sleep(0.01)
"""


@contextmanager
def _workers(
    code: str, whats: Sequence[str], url: str, base_url: str, folder: Path
) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that begin at one moment; each is told what it is to do."""
    (folder / "secret").write_text(CLIENT_SECRET)
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", BEGIN + code, url, what, base_url, str(folder / "secret"), str(folder / "go")],
            stdout=subprocess.PIPE,
            text=True,
        )
        for what in whats
    ]
    try:
        for worker in begun:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        (folder / "go").touch()
        yield begun
    finally:
        for worker in begun:
            worker.kill()
            worker.wait()


class Watched(Tenant):
    """A tenant that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__(
            build_practice(seed=5, patients=20, today=TODAY),
            Fate(5, Schedule(every_day={Fault.SLOW: 1.0})),
            slow_seconds=0.2,
        )
        self.asked: Counter[tuple[str, ...]] = Counter()

    def of_days(self, first: str, last: str, after: str) -> Sequence[Version]:
        self.asked["days", first, last, after] += 1
        return super().of_days(first, last, after)

    def page(self, authorization: str, since: str, number: int, size: int) -> bytes:
        self.asked["changes", since, str(number)] += 1
        return super().page(authorization, since, number, size)


STREAM = """
applied = pipeline.practice("lakeside")
if what == "changes":
    pulled = pipeline.pull(applied)
else:
    pulled = pipeline.revisit(applied, what, at_once=True)
print(pulled.records, pulled.new)
"""


def test_two_workers_never_read_one_stream_and_read_two_at_once(workplace: Workplace, tmp_path: Path) -> None:
    tenant = Watched()
    url = workplace.database.engine.url.render_as_string(hide_password=False)
    with running(simulator_app(tenant)) as base_url:
        workplace.apply(
            source=EclinicalWorks(
                kind="eclinicalworks",
                base_url=base_url,
                practice_code="LAKEFM",
                client_id=CLIENT_ID,
                client_secret=Secret(file=tmp_path / "secret"),
                page_size=10,
            )
        )
        with _workers(STREAM, ["changes", "changes", "trailing", "trailing"], url, base_url, tmp_path) as workers:
            said = [worker.communicate(timeout=120)[0].split() for worker in workers]
    records = [int(each[0]) for each in said]
    assert 0 in records[:2]
    assert 0 in records[2:]
    assert min(max(records[:2]), max(records[2:])) > 10
    assert max(tenant.asked.values()) == 1  # no page was asked for twice
    assert sum(int(each[1]) for each in said) == len(workplace.rows()) == len(tenant.practice.visible)


FASTER, BEGAN = 40, time.time() // 60 * 60
"""A minute lasts a second and a half."""


def _fast() -> float:
    return BEGAN + (time.time() - BEGAN) * FASTER


ASK = f"""
def fast():
    return {BEGAN} + (time.time() - {BEGAN}) * {FASTER}

settings = EclinicalWorks(
    kind="eclinicalworks", base_url=base_url, practice_code="LAKEFM", client_id=CLIENT_ID,
    client_secret=Secret(file=Path(secret)),
)
allowance = SharedAllowance(
    database, tenant_of(base_url, "LAKEFM"), 20, fast, lambda seconds: time.sleep(seconds / {FASTER})
)
with Client(settings, allowance, wall_clock=fast) as client:
    for _ in range(19):
        client.charges("1900-01-01 00:00:00", 1, size=1)
"""


def test_workers_together_stay_within_what_the_tenant_counts_in_a_minute_of_its_clock(
    database: Database, tmp_path: Path
) -> None:
    tenant = Tenant(
        build_practice(seed=5, patients=3, today=TODAY),
        requests_per_minute=32,
        wall_clock=lambda: _fast() + 20,  # a clock that is ahead of ours
    )
    url = database.engine.url.render_as_string(hide_password=False)
    with (
        running(simulator_app(tenant)) as base_url,
        _workers(ASK, ["ask"] * 3, url, base_url, tmp_path) as workers,
    ):
        for worker in workers:
            worker.communicate(timeout=120)
            assert worker.returncode == 0
    assert sum(tenant.requests.values()) == 60  # none was refused and asked again
    assert max(tenant.requests.values()) <= 32
