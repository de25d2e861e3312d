"""Measurement of the pull: processor time for each encounter from the tenant's answer to the stored charge.

The simulated vendor runs in a process of its own, and so does PostgreSQL; what they spend is theirs. The pull asks, reads,
stores records, charges, versions, history and events, and counts its requests in the database, as it does at work.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
from sqlalchemy import func, select

from charges import intake
from charges.bench.pipeline import scratch_database, vendor
from charges.demo import prepared
from charges.pipeline import settle, utc_now
from charges.simulator import CLIENT_ID, CLIENT_SECRET
from charges.sources import Page
from charges.sources.eclinicalworks.contract import CHARGES_PATH, TOKEN_PATH
from charges.tables import ChargeRow

_PAGE = 200
_PASSES = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """What each encounter cost us in milliseconds: of the processor, and by the clock."""

    what: str
    encounters: int
    processor: float
    clock: float


def measure(patients: int, seed: int) -> Iterator[Cost]:
    """The vendor's own serving first, then on each database a first pull, and the same records stored once more."""
    with vendor(patients, seed) as base_url:
        yield _serving(base_url)
        yield from _best("SQLite", base_url, lambda: nullcontext(""))
        yield from _best("PostgreSQL", base_url, scratch_database)


def _best(name: str, base_url: str, empty: Callable[[], AbstractContextManager[str]]) -> Iterator[Cost]:
    """The cheapest of several passes, each into an empty database, for the machine is not ours alone; none without a server.

    One more is made before them: what is imported and compiled once in a process is not counted.
    """
    passes = []
    for _ in range(1 + _PASSES):
        with tempfile.TemporaryDirectory() as folder, empty() as url:
            if empty is scratch_database and not url:
                return
            passes.append(list(_pulls(name, Path(folder), base_url, url)))
    for alike in zip(*passes[1:], strict=True):
        yield min(alike, key=lambda cost: cost.processor)


def _serving(base_url: str) -> Cost:
    """All pages asked for and dropped: no adapter can be faster by the clock."""
    with httpx2.Client(base_url=base_url, timeout=60) as http:
        form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        token = http.post(TOKEN_PATH, data=form).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        count, page, more = 0, 1, True
        processor, clock = time.process_time(), time.perf_counter()
        while more:
            query = {"modifiedSince": "1900-01-01 00:00:00", "page": str(page), "pageSize": str(_PAGE)}
            content = http.get(CHARGES_PATH.format(code="LAKEFM"), params=query, headers=headers).content
            more, page = content.startswith(b'{"hasMore":true'), page + 1
            count += content.count(b'"InvId":')
        return _cost("the vendor's serving alone", count, processor, clock)


def _pulls(name: str, folder: Path, base_url: str, database_url: str) -> Iterator[Cost]:
    with prepared(folder, utc_now, database_url) as (pipeline, applied):
        settings = applied.practice.source.model_copy(update={"base_url": base_url, "page_size": _PAGE})
        practice = applied.practice.model_copy(update={"source": settings})
        source = pipeline.source(replace(applied, practice=practice))
        settle()
        processor, clock = time.process_time(), time.perf_counter()
        pipeline.pull(applied, source=source)
        with pipeline.database.transaction() as session:
            count = session.scalar(select(func.count(ChargeRow.id))) or 0
        yield _cost(f"first pull on {name}", count, processor, clock)
        records = [record for page in source.changed_since(None) for record in page.records]
        pages = [Page(tuple(records[start : start + _PAGE])) for start in range(0, len(records), _PAGE)]
        processor, clock = time.process_time(), time.perf_counter()
        for page in pages:
            intake.store(pipeline.database, applied.id, source, page, utc_now())
        yield _cost(f"the same records once more on {name}", count, processor, clock)


def _cost(what: str, count: int, processor: float, clock: float) -> Cost:
    spent = time.process_time() - processor, time.perf_counter() - clock
    return Cost(what, count, *(1000 * each / max(count, 1) for each in spent))
