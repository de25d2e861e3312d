"""Stage 1 once more, for what no moment of change tells: days of service are read again, and numbers are compared.

::

    changes     every few minutes    what changed since the last pull                             intake
    trailing    every day            the days of the last weeks again, whatever changed when      late edits
    reconcile   every week           the numbers of the last year beside ours                     what vanished, what we lack
    backfill    when a person asks   the days of a span, in slices                                charges of before the start

Each is a stream with a cursor of its own, saved with each page; stopped anywhere, it goes on from there. Reading again
costs nothing but the asking, for a record that says what it said is known by its digest. A charge that vanished is asked
for by its number first; only when the system says that it has none is it void, or held when its claim has left.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import select

from charges import intake
from charges.db import Database
from charges.drift import baselines as drift
from charges.errors import NotOffered, Refused, Unreadable
from charges.feeds import received
from charges.intake import Pulled
from charges.sources import Page, RawRecord, Revisitable
from charges.tables import ChargeRow, ChargeStatus

Loop = Literal["trailing", "reconcile"]
"""The streams that come round by themselves."""
DONE, NOT_OFFERED = "done", "not offered"
"""The positions of a stream that was read to its end, and of one that the system does not know."""
_FEW = 10
_TOO_MANY = 0.2
"""Of more than a few charges of a span no greater share may vanish at once: such an answer is more likely wrong."""
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Days:
    """A span of days of service, both ends in it."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first} {self.last}"


class Revisit:
    """The loops of one practice's source over days of service."""

    def __init__(
        self,
        database: Database,
        practice_id: int,
        source: Revisitable,
        clock: Callable[[], datetime],
        progress: Callable[[int], None] = lambda _: None,
        baseline_records: int = drift.BASELINE_RECORDS,
        profile: str = "",
    ) -> None:
        self._database, self._practice_id, self._source = database, practice_id, source
        self._clock, self._progress, self._baseline_records = clock, progress, baseline_records
        self._profile = profile

    def when_due(self, stream: Loop, every: timedelta, days: Days) -> Pulled:
        """Read ``trailing`` or ``reconcile`` unless it was read to its end within a time, by this or another worker.

        A system that does not know of days of service is asked again after that time and not before.
        """
        with self._database.transaction() as session:
            cursor = received.cursor_of(session, self._practice_id, self._source.kind, stream)
            if (
                cursor is not None
                and cursor.position in (DONE, NOT_OFFERED)
                and cursor.moved_at > self._clock() - every
            ):
                return Pulled()
        try:
            return self.reconcile(days) if stream == "reconcile" else self.read(stream, days)
        except NotOffered:
            self._finish(stream, NOT_OFFERED)
            return Pulled()

    def read(self, stream: str, days: Days) -> Pulled:
        """Store the charges of days of service as they are now, going on where the stream was stopped."""
        position = self._position(stream)
        pulled = Pulled()
        for page, asked_at in intake.asked(self._source.of_days(days.first, days.last, position), self._clock):
            pulled += self._store(page, stream, asked_at)
        self._finish(stream)
        return pulled

    def backfill(self, days: Days) -> Pulled:
        """The same for a span that a person names; one that was read to its end is read from the beginning."""
        return self.read(f"backfill {days}", days)

    def reconcile(self, days: Days) -> Pulled:
        """Compare the numbers of days of service with ours; take up what we lack and settle what vanished.

        Raises Refused, having changed nothing, when so many seem to have vanished that the answer is in doubt.
        """
        asked_at = self._clock()
        theirs = self._source.numbers_of_days(days.first, days.last)
        ours, present = self._ours(days)
        if not theirs and len(present) > _FEW:
            raise self._too_many(len(present), len(present), days)
        pulled = Pulled()
        for start in range(0, len(lacking := sorted(theirs - ours)), _AT_ONCE):
            found = [record for key in lacking[start : start + _AT_ONCE] if (record := self._asked(key))]
            pulled += self._store(Page(tuple(found)), "reconcile", asked_at)
        answers, gone = [], []
        for key in sorted(present - theirs):
            is_gone, record = self._source_says(key)
            if is_gone:
                gone.append(key)
            answers.append(record)
            if len(gone) > _FEW and len(gone) > _TOO_MANY * len(present):
                raise self._too_many(len(gone), len(present), days)
        for start in range(0, len(answers), _AT_ONCE):
            moved = [record for record in answers[start : start + _AT_ONCE] if record is not None]
            pulled += self._store(Page(tuple(moved)), "reconcile", asked_at)
        for start in range(0, len(gone), _AT_ONCE):
            page = Page(self._withdrawn(gone[start : start + _AT_ONCE]))
            says = "The practice's system says that it has no such charge any more."
            pulled += self._store(page, "reconcile", asked_at, says)
        self._finish("reconcile")
        return pulled

    def _too_many(self, gone: int, of: int, days: Days) -> Refused:
        return Refused(
            f"{gone} of {of} charges of {days.first} to {days.last} are not in the practice's system any more, or more. "
            "That many are not made void by themselves: ask the vendor, and void them one by one if it is true."
        )

    def _ours(self, days: Days) -> tuple[frozenset[str], frozenset[str]]:
        """The keys of all charges that we have, and of those that the list of the days should have and that are not void.

        A charge of no day or of one to come, as a slip of the pen may have it, is asked for with them.
        """
        with self._database.transaction() as session:
            found = session.execute(
                select(ChargeRow.key, ChargeRow.status, ChargeRow.service_date).where(
                    ChargeRow.practice_id == self._practice_id, ChargeRow.source == self._source.kind
                )
            ).all()
        present = {
            each.key
            for each in found
            if each.status is not ChargeStatus.VOID and (each.service_date is None or each.service_date >= days.first)
        }
        return frozenset(each.key for each in found), frozenset(present)

    def _asked(self, key: str) -> RawRecord | None:
        try:
            return self._source.one(key)
        except Unreadable:
            return None

    def _source_says(self, key: str) -> tuple[bool, RawRecord | None]:
        """Whether a charge is gone, and else how it is now; neither when nobody can be asked for it."""
        try:
            record = self._source.one(key)
        except Unreadable:
            return False, None
        return record is None, record

    def _withdrawn(self, keys: list[str]) -> tuple[RawRecord, ...]:
        with self._database.transaction() as session:
            found = received.latest(session, self._practice_id, self._source.kind, keys)
            keyring = self._database.keyring
            return tuple(
                self._source.withdrawn(RawRecord(key, row.unseal(keyring, "body"))) for key, row in found.items()
            )

    def _position(self, stream: str) -> str | None:
        with self._database.transaction() as session:
            cursor = received.cursor_of(session, self._practice_id, self._source.kind, stream)
            return cursor.position if cursor is not None and cursor.position not in (DONE, NOT_OFFERED) else None

    def _store(self, page: Page, stream: str, asked_at: datetime, reason: str = "") -> Pulled:
        pulled = intake.store(
            self._database,
            self._practice_id,
            self._source,
            page,
            self._clock(),
            stream,
            reason,
            baseline_records=self._baseline_records,
            profile=self._profile,
            asked_at=asked_at,
        )
        self._progress(len(page.records))
        return pulled

    def _finish(self, stream: str, position: str = DONE) -> None:
        with self._database.transaction() as session:
            received.move_cursor(session, self._practice_id, self._source.kind, stream, position, self._clock())
