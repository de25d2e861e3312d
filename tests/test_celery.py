"""Real workers on real brokers and PostgreSQL: every charge exactly once, also when a worker is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery
from kombu import Queue

from charges.db import Database, create_database_engine, upgrade
from charges.demo import prepared
from charges.keyring import read_keyring
from charges.settings import Settings
from charges.simulator import build_practice, running, simulator_app
from charges.tables import ChargeRow, ChargeStatus, ClaimFileRow, ClaimRow, FileStatus
from tests.conftest import NOON
from tests.services import RABBITMQ, REDIS, demand, postgres_database

ROOT = Path(__file__).parent.parent
PATIENTS = 150
pytestmark = pytest.mark.services


class Installation:
    """A practice on PostgreSQL whose stages run in Celery workers of their own processes."""

    def __init__(self, folder: Path, database_url: str, broker_url: str) -> None:
        self.folder, self.queue = folder, f"charges-test-{os.getpid()}-{time.monotonic_ns()}"
        self.environment = os.environ | {
            "CHARGES_DATABASE_URL": database_url,
            "CHARGES_BROKER_URL": broker_url,
            "CHARGES_KEY_FILE": str(folder / "chargerouter.key"),
            "CHARGES_BATCH_SIZE": "10",
            "CHARGES_LOG_LEVEL": "info",
        }
        settings = Settings(database_url=database_url, key_file=folder / "chargerouter.key")
        self.database = Database(create_database_engine(settings), read_keyring(settings.key_file))
        self.broker = Celery(broker=broker_url)
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_worker(self) -> None:
        """A worker with one child, as `celery -A charges.tasks worker` starts it."""
        command = [sys.executable, "-m", "celery", "-A", "charges.tasks", "worker", "--concurrency=1", "-Q", self.queue]
        command += ["--without-gossip", "--without-mingle", "-n", f"w{len(self.workers)}@{self.queue}"]
        with (self.folder / f"worker{len(self.workers)}.log").open("ab") as log:
            self.workers.append(
                subprocess.Popen(
                    command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
                )
            )

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """SIGKILL, parent and child, with no word of farewell."""
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def stop(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                self.kill(worker)
        with self.broker.connection_for_write() as connection:
            Queue(self.queue, channel=connection.default_channel).delete()
        self.database.close()

    def ring(self, *stages: str) -> None:
        """What beat does every minute, done now."""
        self.broker.send_task("charges.tasks.sweep", args=(list(stages),), queue=self.queue)

    def states(self) -> dict[ChargeStatus, int]:
        counts: dict[ChargeStatus, int] = {}
        with self.database.transaction() as session:
            for (status,) in session.query(ChargeRow.status):
                counts[status] = counts.get(status, 0) + 1
        return counts

    def wait_until_done(self, total: int, seconds: int = 90) -> None:
        """Ring like beat until every charge has come to rest and every file is sent."""
        give_up = time.monotonic() + seconds
        moving = {ChargeStatus.CAPTURED, ChargeStatus.CLEAN}
        while time.monotonic() < give_up:
            states = self.states()
            with self.database.transaction() as session:
                unsent = session.query(ClaimFileRow).filter(ClaimFileRow.status != FileStatus.SENT).count()
            if sum(states.values()) == total and not moving & states.keys() and not unsent:
                return
            self.ring("pull", "judge", "generate", "deliver", "queue")
            time.sleep(1)
        logs = "\n".join(path.read_text()[-2000:] for path in self.folder.glob("worker*.log"))
        pytest.fail(f"after {seconds} s: {states}, {unsent} files unsent\n{logs}")


@contextmanager
def installation(folder: Path, broker_url: str) -> Iterator[tuple[Installation, int]]:
    """An installation with an invented practice, and how many charges that practice has."""
    simulated = build_practice(seed=11, patients=PATIENTS, today=NOON.date())
    with (
        postgres_database() as url,
        running(simulator_app(simulated)) as base_url,
        prepared(folder, lambda: NOON, url, base_url=base_url),
    ):
        installed = Installation(folder, url, broker_url)
        installed.environment["CHARGES_TASK_QUEUE"] = installed.queue
        try:
            yield installed, len(simulated.truth())
        finally:
            installed.stop()


def every_charge_exactly_once(installed: Installation, total: int) -> None:
    """Each charge stored once, each clean one in one claim of one file, each file dropped whole."""
    states = installed.states()
    assert sum(states.values()) == total
    dropped = b"".join(path.read_bytes() for path in (installed.folder / "outbound").glob("*.837"))
    with installed.database.transaction() as session:
        numbers = [number for (number,) in session.query(ClaimRow.number)]
        charges = [charge_id for (charge_id,) in session.query(ClaimRow.charge_id)]
        files = session.query(ClaimFileRow).order_by(ClaimFileRow.control_number).all()
    assert len(set(charges)) == len(charges) == states[ChargeStatus.CLAIMED] > 0
    assert all(dropped.count(f"CLM*{number}*".encode()) == 1 for number in numbers)
    assert dropped.count(b"CLM*") == len(numbers)
    assert [file.control_number for file in files] == list(range(1, len(files) + 1))


@pytest.mark.parametrize("broker", ["RabbitMQ", "Redis"])
def test_two_workers_do_every_charge_exactly_once(tmp_path: Path, broker: str) -> None:
    demand(broker)
    with installation(tmp_path, {"RabbitMQ": RABBITMQ, "Redis": REDIS}[broker]) as (installed, total):
        installed.start_worker()
        installed.start_worker()
        installed.wait_until_done(total)
        every_charge_exactly_once(installed, total)


def test_a_worker_killed_in_the_middle_costs_nothing_but_time(tmp_path: Path) -> None:
    demand("RabbitMQ")
    with installation(tmp_path, RABBITMQ) as (installed, total):
        installed.start_worker()
        installed.start_worker()
        installed.ring("pull")
        _wait_for_work_in_progress(installed)
        installed.kill(installed.workers[0])
        installed.kill(installed.workers[1])
        assert ChargeStatus.CAPTURED in installed.states() or sum(installed.states().values()) < total
        installed.start_worker()
        installed.wait_until_done(total)
        every_charge_exactly_once(installed, total)


def _wait_for_work_in_progress(installed: Installation) -> None:
    """Until some charges are judged and others are not."""
    for _ in range(3000):
        states = installed.states()
        if len(states) > 1 and ChargeStatus.CAPTURED in states:
            return
        time.sleep(0.01)
    pytest.fail(f"the work was never seen in progress: {states}")


def test_beat_knows_the_schedule() -> None:
    from charges.tasks import app

    assert {entry["task"] for entry in app.conf.beat_schedule.values()} == {
        "charges.tasks.sweep",
        "charges.tasks.tell",
    }
    rung = {stage for entry in app.conf.beat_schedule.values() if "args" in entry for stage in entry["args"][0]}
    assert rung == {
        "pull",
        "trailing",
        "reconcile",
        "judge",
        "generate",
        "deliver",
        "queue",
        "overdue",
        "notice",
        "figures",
    }
    assert {f"charges.tasks.{stage}" for stage in rung} <= set(app.tasks)


def test_the_settings_that_keep_messages() -> None:
    from charges.tasks import app

    assert app.conf.task_acks_late
    assert app.conf.task_ignore_result
    assert not app.conf.result_backend
    assert app.conf.accept_content == ["json"]
    assert app.conf.worker_prefetch_multiplier == 1


@pytest.mark.parametrize("url", ["filesystem://", "memory://", "sqla+sqlite:///x.db"])
def test_a_broker_that_loses_messages_is_refused_at_start(url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "charges.tasks", "report"],
        cwd=ROOT,
        env=os.environ | {"CHARGES_BROKER_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "CHARGES_BROKER_URL" in done.stderr + done.stdout
    assert "loses messages" in done.stderr + done.stdout


def test_upgrade_is_safe_to_run_twice(tmp_path: Path) -> None:
    engine = create_database_engine(Settings(database_url=f"sqlite:///{tmp_path / 'x.db'}"))
    upgrade(engine)
    upgrade(engine)
    engine.dispose()
