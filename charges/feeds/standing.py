"""How far each practice's source was read, what it gave when it was asked, and how its records differ: read-only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from charges.db import Database
from charges.drift import breakers
from charges.drift.breakers import Watched
from charges.feeds import probing, received
from charges.feeds.probing import Probed
from charges.tables import CursorRow


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a source: ``changes``, ``trailing``, ``reconcile``, or ``backfill`` with its days."""

    name: str
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class Feed:
    """A source of a practice.

    ``read_at`` is when changes were last taken in, None before the first time; ``lag`` how long ago that is. ``watched`` is
    how its records compare with their baseline, None before any was counted.
    """

    practice: str
    kind: str
    streams: tuple[Stream, ...]
    read_at: datetime | None
    lag: timedelta | None
    probed: Probed | None
    watched: Watched | None

    @property
    def stops(self) -> bool:
        """Whether none of its charges is routed."""
        return self.watched is not None and self.watched.stops

    @property
    def waits(self) -> bool:
        """Whether something of it waits for a person."""
        return self.watched is not None and self.watched.status in ("noticed", "open")

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "practice": self.practice,
            "kind": self.kind,
            "read_at": self.read_at,
            "lag_seconds": None if self.lag is None else int(self.lag.total_seconds()),
            "routed": not self.stops,
            "status": self.watched.status if self.watched else "",
            "since": self.watched.since if self.watched else None,
            "differences": [each.says for each in self.watched.verdicts] if self.watched else [],
            "streams": {each.name: each.moved_at for each in self.streams},
        }


def feeds(database: Database, practice_id: int, code: str, kind: str, now: datetime) -> Sequence[Feed]:
    """The sources of a practice: that of its profile (``kind``) first, then any it had before whose records were counted."""
    watched = {each.source: each for each in breakers.watched(database, code)}
    with database.transaction() as session:
        cursors = session.scalars(
            select(CursorRow)
            .where(CursorRow.practice_id == practice_id, CursorRow.stream != received.READ_BY)
            .order_by(CursorRow.stream)
        ).all()
    found = []
    for each in dict.fromkeys((kind, *watched)):
        streams = tuple(Stream(row.stream, row.moved_at) for row in cursors if row.source == each)
        read_at = next((stream.moved_at for stream in streams if stream.name == "changes"), None)
        lag = now - read_at if read_at else None
        probed = probing.last(database, practice_id, each)
        found.append(Feed(code, each, streams, read_at, lag, probed, watched.get(each)))
    return found
