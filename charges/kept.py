"""Counts that take long, kept for some minutes so that nobody waits for them; whoever shows one says of when it is.

In a small installation nothing is kept: every count is of this moment. In a large one the workers count again before what is
kept is too old; where none run, the first who asks after that waits.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from charges.db import Database
from charges.tables import ChargeRow, KeptCountRow

SMALL = 20_000
"""With no more charges than these, everything is counted when it is asked."""
NOW = timedelta(0)
"""How old a count may be that must be of this moment."""
AGING = timedelta(minutes=10)
"""Older ones are counted again by the workers."""
OLD = timedelta(minutes=30)
"""Older ones are not shown."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was counted, as JSON has it, and when; None where it is of this moment."""

    document: Any
    counted_at: datetime | None


def look(
    database: Database, name: str, stamp: str, count: Callable[[Session], Any], now: datetime, oldest: timedelta
) -> Kept:
    """A count by its name, made anew where what is kept is too old or of another ``stamp``, which says what it is about.

    While somebody else counts, what they had before is told, and nobody counts twice at a time.
    """
    with database.transaction() as session:
        is_small = (session.scalar(select(func.max(ChargeRow.id))) or 0) <= SMALL
        row = None if is_small or not oldest else session.scalar(_named(name))
    if is_small or not oldest:
        with database.snapshot() as session:
            return Kept(json.loads(json.dumps(count(session))), None)
    before = Kept(json.loads(row.document), row.counted_at) if row is not None and row.stamp == stamp else None
    if before is not None and before.counted_at is not None and now - before.counted_at < oldest:
        return before
    with database.alone_at(f"count {name}") as is_mine:
        if not is_mine and before is not None:
            return before
        with database.snapshot() as session:
            text = json.dumps(count(session))
        if is_mine:
            _keep(database, name, stamp, text, now)
    return Kept(json.loads(text), now)


def _keep(database: Database, name: str, stamp: str, text: str, now: datetime) -> None:
    with database.transaction() as session:
        row = session.scalar(_named(name)) or KeptCountRow(name=name)
        row.stamp, row.document, row.counted_at = stamp, text, now
        session.add(row)


def _named(name: str) -> Any:  # noqa: ANN401 - a query
    return select(KeptCountRow).where(KeptCountRow.name == name)
