"""Measurements of the pipeline and of the language of claims, beside pyx12 alone.

The simulated vendor runs in a process of its own, so its work is not measured with ours. Every figure is one run on this
machine; quote several.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import httpx2
from sqlalchemy import create_engine, func, make_url, select
from sqlalchemy.exc import OperationalError

from charges.demo import prepared, source_at
from charges.errors import Unavailable
from charges.model import Claim
from charges.pipeline import Progress, utc_now
from charges.practice.partner import TradingPartner
from charges.tables import ChargeRow
from charges.x12 import check
from charges.x12.interchange import ControlNumbers, write
from rules.examples import charge, line

POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
"""Where PostgreSQL is looked for when CHARGES_BENCH_DATABASE_URL names no other."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement."""

    what: str
    per_second: float
    unit: str


def measure(*, patients: int, seed: int, claims: int, progress: Progress) -> list[Figure]:
    """All figures; ``progress`` is called with 1 after each."""
    figures = []
    for figure in (*_language(claims), *_pipelines(patients, seed)):
        figures.append(figure)
        progress(1)
    return figures


def _rate(count: int, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def example_partner() -> TradingPartner:
    """The trading partner of the example practice."""
    with tempfile.TemporaryDirectory() as folder, prepared(Path(folder), utc_now) as (_, applied):
        return applied.practice.trading_partner


def _language(count: int) -> Iterator[Figure]:
    """Writing, and checking with the maps kept at hand and as pyx12 does it alone."""
    partner = example_partner()
    lines = (line("99213", "25"), line("20610", "RT"), line("85025"))
    many = [Claim(number=f"CR{number:09d}01", charge=charge(*lines)) for number in range(count)]

    def written() -> bytes:
        return write(many, partner, ControlNumbers(1), datetime.now(UTC)).content

    content = written()
    yield Figure("write 837P", _rate(count, written), "claims")
    check.check(content)
    yield Figure("check 837P", _rate(count, lambda: check.check(content)), "claims")
    yield Figure("pyx12 alone", _rate(count, lambda: check.pyx12_alone(content)), "claims")


def _pipelines(patients: int, seed: int) -> Iterator[Figure]:
    with vendor(patients, seed) as base_url:
        with tempfile.TemporaryDirectory() as folder:
            yield from _stages("SQLite", Path(folder), base_url, "")
        with tempfile.TemporaryDirectory() as folder, scratch_database() as url:
            if url:
                yield from _stages("PostgreSQL", Path(folder), base_url, url)


def _stages(name: str, folder: Path, base_url: str, database_url: str) -> Iterator[Figure]:
    with prepared(folder, utc_now, database_url) as (pipeline, applied):
        source = source_at(applied, base_url)
        spent: dict[str, float] = {}

        def timed(stage: str, work: Callable[[], object]) -> None:
            started = time.perf_counter()
            work()
            spent[stage] = time.perf_counter() - started

        timed("pull", lambda: pipeline.pull(applied, source=source))
        timed("scrub", lambda: pipeline.judge(applied))
        timed("build", lambda: pipeline.generate(applied))
        timed("deliver", lambda: pipeline.deliver(applied))
        with pipeline.database.transaction() as session:
            count = session.scalar(select(func.count(ChargeRow.id))) or 0
        for stage in ("pull", "scrub", "build"):
            yield Figure(f"{stage} on {name}", count / spent[stage], "encounters")
        yield Figure(f"the whole on {name}", count / sum(spent.values()), "encounters")


@contextmanager
def vendor(patients: int, seed: int) -> Iterator[str]:
    """The simulated vendor in another process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "charges", "simulate", "--port", str(port), "--patients", str(patients)]
    command += ["--seed", str(seed), "--as-of", date.today().isoformat()]  # noqa: DTZ011 - any day will do
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - ourselves
        try:
            base_url = f"http://127.0.0.1:{port}"
            _wait_for(base_url)
            yield base_url
        finally:
            process.terminate()


def _wait_for(base_url: str) -> None:
    for _ in range(300):
        try:
            httpx2.get(f"{base_url}/truth", timeout=30)
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return
    raise Unavailable("The simulated vendor did not start within 30 seconds.")


@contextmanager
def scratch_database() -> Iterator[str]:
    """An empty PostgreSQL database for one measurement, or no URL where no server answers."""
    server = make_url(os.environ.get("CHARGES_BENCH_DATABASE_URL", POSTGRES))
    name = f"charges_bench_{os.getpid()}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    except OperationalError:
        yield ""
        return
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        engine.dispose()
