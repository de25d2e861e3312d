"""Weeks of a practice whose vendor does everything wrong, and workers that are killed: in the end nothing is lost or twice.

A few days by default; ``CHARGES_SOAK=full`` runs thirty, with more patients, more workers and a worker killed each day.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from charges.cli.main import main
from charges.db import Database
from charges.drift import breakers
from charges.keyring import write_keyring
from charges.lifecycle import broken_chains
from charges.pipeline import Pipeline
from charges.simulator import (
    CLIENT_SECRET,
    Fate,
    Fault,
    Schedule,
    SimulatedPractice,
    Tenant,
    build_practice,
    running,
    simulator_app,
)
from charges.simulator.practice import Version
from charges.simulator.updates import Update
from charges.sources.eclinicalworks.fieldmap import FieldMap
from charges.sources.eclinicalworks.mapping import to_charge
from charges.tables import BreakerRow, ChargeRow, ChargeStatus, ChargeVersionRow, ClaimRow, Mode
from tests.conftest import KEYRING
from tests.soak.worker import Clock, pipeline_at

FULL = os.environ.get("CHARGES_SOAK") == "full"
ZONE = ZoneInfo("America/Chicago")
TODAY = date(2026, 11, 23)
PATIENTS, WORKERS, DAYS = (120, 4, 30) if FULL else (24, 2, 6)
EVERY_DAY = {
    Fault.BUSY: 0.02,
    Fault.DENIED: 0.01,
    Fault.SERVER_ERROR: 0.03,
    Fault.SLOW: 0.02,
    Fault.DROPPED: 0.03,
    Fault.TRUNCATED: 0.03,
    Fault.EXPIRED_TOKEN: 0.03,
    Fault.REPEATED_PAGE: 0.2,
    Fault.SHIFTED_PAGE: 0.1,
    Fault.EDIT_BETWEEN_PAGES: 0.1,
    Fault.SILENT_EDIT: 0.03,
    Fault.SILENT_VOID: 0.01,
    Fault.VANISHED_CHARGE: 0.01,
    Fault.CLOCK_SKEW: 0.3,
}
UPDATES = (
    {
        4: Fault.RENAMED_FIELD,
        8: Fault.RETYPED_FIELD,
        10: Fault.NEW_CODE,
        12: Fault.VANISHED_FIELD,
        14: Fault.RENAMED_FIELD,
    }
    | {
        17: Fault.RENAMED_FIELD,
        20: Fault.RETYPED_FIELD,
        22: Fault.NEW_CODE,
        24: Fault.RENAMED_FIELD,
        26: Fault.VANISHED_FIELD,
    }
    if FULL
    else {2: Fault.RENAMED_FIELD, 3: Fault.RETYPED_FIELD, 4: Fault.VANISHED_FIELD, 5: Fault.NEW_CODE}
)
EMPTY = (6, 15, 16, 23) if FULL else (6,)


@dataclass
class Soak:
    """A practice, its vendor, the workers on one database, and the person who is asked."""

    database: Database
    folder: Path
    tenant: Tenant
    base_url: str
    pipeline: Pipeline
    chance: Random = field(default_factory=lambda: Random(7))
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    killed: int = 0

    @property
    def database_url(self) -> str:
        return self.database.engine.url.render_as_string(hide_password=False)

    # the workers

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.soak.worker", self.database_url, str(self.folder)]
        self.workers.append(subprocess.Popen(command, env=os.environ | {"LAKESIDE_CLIENT_SECRET": CLIENT_SECRET}))

    def kill(self) -> None:
        """End a worker in the middle of what it does."""
        time.sleep(self.chance.random() / 4)
        worker = self.workers.pop(self.chance.randrange(len(self.workers)))
        assert worker.poll() is None, "a worker ended by itself"
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        self.killed += 1

    def done(self) -> Counter[str]:
        """How often each stage ended, and how."""
        return Counter(" ".join(line.split()[:2]) for line in (self.folder / "done").read_text().splitlines())

    def let_work(self, times: int = 2) -> None:
        """Until each stage was done so many times more."""
        before = self.done()["generate well"]
        self.wait_until(lambda: self.done()["generate well"] >= before + times)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        ends = time.monotonic() + 120
        while not is_so():
            assert time.monotonic() < ends, self.done()
            assert all(worker.poll() is None for worker in self.workers), "a worker ended by itself"
            time.sleep(0.05)

    # the days

    def pass_hours(self, hours: float) -> None:
        with self.tenant.lock:
            self.tenant.life.advance(hours)
            Clock(self.folder / "clock").set(self.tenant.practice.now.replace(tzinfo=ZONE).astimezone(UTC))

    # the person

    def charges(self, *words: str) -> None:
        """What a person types."""
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        assert ended.value.code in (0, None), words

    def apply(self) -> None:
        profile = files("charges").joinpath("practice/examples/lakeside.yaml").read_text()
        names = ", ".join(f'"{path}": "{name}"' for path, name in self.fields.items())
        source = f"base_url: {self.base_url}\n  fields: {{{names}}}\n  page_size: 12"
        profile = re.sub(r"base_url: .*", source, profile.replace("  page_size: 200 ", "  # "))
        profile = profile.replace("requests_per_minute: 230", "requests_per_minute: 2000")
        demanded = {"days": 0, "charges": 0, "clean_rate": 0, "acceptance_rate": 0}
        for name, least in demanded.items():
            profile, replaced = re.subn(rf"(\n    {name}: )[0-9.]+", rf"\g<1>{least}", profile)
            assert replaced == 1
        (self.folder / "lakeside.yaml").write_text(profile)
        self.charges("practice", "apply", str(self.folder / "lakeside.yaml"), "--by", "engineer")

    def answer_for(self, update: Update) -> None:
        """The person sees what changed, has the profile follow it, and accepts."""
        is_code = update.fault is Fault.NEW_CODE  # which holds the charges that have it; all else opens the breaker
        self.wait_until(lambda: self._sees(update) if is_code else self.watched.stops)
        if update.fault is Fault.RENAMED_FIELD:
            around = update.path.rpartition(".")[0]
            self.fields[update.path] = f"{around}.{update.became}" if around and "[]" not in around else update.became
            self.apply()
        self.charges("drift", "accept", "lakeside", "--because", "the vendor said so", "--by", "Imogen Vale")

    def _sees(self, update: Update) -> bool:
        return any((each.path, each.value) == (update.path, update.became) for each in self.watched.verdicts)

    @property
    def watched(self) -> breakers.Watched:
        (found,) = breakers.watched(self.database)
        return found

    # what is held against the truth

    def stored(self) -> Mapping[str, ChargeRow]:
        with self.database.transaction() as session:
            rows = session.query(ChargeRow).all()
        assert len({row.key for row in rows}) == len(rows)
        return {row.key: row for row in rows}

    def live_claims(self) -> Counter[int]:
        with self.database.transaction() as session:
            return Counter(row.charge_id for row in session.query(ClaimRow).where(ClaimRow.live))

    def figures(self) -> str:
        """What happened, in a line."""
        with self.database.transaction() as session:
            versions, claims = session.query(ChargeVersionRow).count(), session.query(ClaimRow).count()
        happened = {str(fault): count for fault, count in sorted(self.tenant.fate.happened.items())}
        return (
            f"{self.tenant.life.day} days, {self.killed} workers killed, {len(self.stored())} charges, "
            f"{versions} versions, {claims} claims, {sum(self.tenant.requests.values())} requests, "
            f"{dict(self.done())}, {happened}"
        )


@contextmanager
def _soak(database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Soak]:
    days = {day: {fault: 1.0} for day, fault in UPDATES.items()} | {day: {Fault.EMPTY_DAY: 1.0} for day in EMPTY}
    fate = Fate(7, Schedule(every_day=EVERY_DAY, days=days))
    practice = build_practice(seed=7, patients=PATIENTS, today=TODAY)
    tenant = Tenant(practice, fate, slow_seconds=0.05)
    write_keyring(KEYRING, folder / "key")
    (folder / "done").touch()
    monkeypatch.setenv("CHARGES_DATABASE_URL", database.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CHARGES_KEY_FILE", str(folder / "key"))
    monkeypatch.setenv("LAKESIDE_CLIENT_SECRET", CLIENT_SECRET)
    with ExitStack() as stack:
        base_url = stack.enter_context(running(simulator_app(tenant)))
        soak = Soak(database, folder, tenant, base_url, pipeline_at(str(database.engine.url), folder))
        soak.pass_hours(0)
        soak.apply()
        for _ in (Mode.SHADOW, Mode.COHORT, Mode.FULL):
            soak.charges("rollout", "advance", "--because", "the month is about all of it", "--by", "Imogen Vale")
        try:
            yield soak
        finally:
            for worker in soak.workers:
                worker.kill()
                worker.wait()


@pytest.mark.timeout(3600 if FULL else 300)
def test_in_the_end_the_charges_are_what_the_practice_has(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _soak(database, tmp_path, monkeypatch) as soak:
        for _ in range(WORKERS):
            soak.start()
        soak.let_work()
        for day in range(2, DAYS + 1):
            soak.pass_hours(12)
            soak.let_work(1)
            soak.pass_hours(12)
            if day in UPDATES:
                soak.answer_for(soak.tenant.life.updates[-1])
            if FULL or day % 3 == 0:
                soak.kill()
                soak.start()
            soak.let_work(1)
        _come_to_rest(soak)
        _is_the_truth(soak)
        print(soak.figures())  # noqa: T201 - for docs/performance.md, shown with -s


def _come_to_rest(soak: Soak) -> None:
    """A day on which nothing goes wrong any more."""
    soak.tenant.fate.schedule = Schedule()
    soak.pass_hours(24)
    soak.let_work(WORKERS + 1)
    soak.pass_hours(25)
    soak.let_work(WORKERS + 1)
    if soak.watched.status:
        soak.charges("drift", "accept", "lakeside", "--because", "all is well", "--by", "Imogen Vale")
    soak.let_work(WORKERS + 1)


def _versions(practice: SimulatedPractice, version: Version) -> set[str]:
    """What a charge may be read as: a field that vanished stands in what was read before and never changed since."""
    record = json.loads(version.body)
    vanished = [each for each in practice.updates if each.fault is Fault.VANISHED_FIELD]
    found = {_version(record)}
    for update in vanished:
        update.applied(record)
        found.add(_version(record))
    return found


def _version(record: dict[str, Any]) -> str:
    charge = to_charge(json.dumps(record).encode(), FieldMap({}, {}))
    return charge.model_copy(update={"source": "eclinicalworks"}).versioned().version


def _is_the_truth(soak: Soak) -> None:
    practice, stored = soak.tenant.practice, soak.stored()
    lost = {deed.key for deed in practice.deeds if deed.fault is Fault.VANISHED_CHARGE}
    truth = {each.key: each for each in practice.visible}
    states = {key: row.status for key, row in stored.items()}
    nameless = {key for key in stored if key.startswith("without-number-")}  # kept while the number had another name
    assert {states[key] for key in nameless} <= {ChargeStatus.VOID}
    assert stored.keys() - truth.keys() - nameless <= lost
    assert truth.keys() - stored.keys() == set()
    wrong = [key for key, version in truth.items() if stored[key].version not in _versions(practice, version)]
    assert not wrong, [(key, states[key]) for key in wrong]
    live = soak.live_claims()
    assert set(live.values()) == {1}, "some are claimed, and none twice"
    gone = {key for key, version in truth.items() if version.voided} | (stored.keys() & lost)
    for key in gone:
        assert states[key] is (ChargeStatus.HELD if stored[key].id in live else ChargeStatus.VOID), key
    assert not [key for key in truth.keys() - gone if states[key] is ChargeStatus.VOID]
    with soak.database.transaction() as session:
        assert not list(broken_chains(session, KEYRING))
        assert session.query(BreakerRow).count() >= len(UPDATES)
