"""A few charges that nobody touches any more, read again each day: when they change, the vendor changed something.

A charge whose moment of change is the same and whose contents are not was not edited. Fields that several such charges lost,
or have as another kind, break the contract; values that differ are noticed. As far as the source allows: it must give
one charge by its number and say when it changed (``Revisitable.one``, ``moment``).
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from charges import intake
from charges.db import Database
from charges.drift import baselines as drift
from charges.drift.census import Census, Drift, Shape, Verdict, kind_names, parent
from charges.errors import NotOffered, Unreadable
from charges.feeds import received
from charges.sources import Page, RawRecord, Revisitable
from charges.tables import ChargeRow, ChargeStatus, RawRecordRow

STREAM = "canaries"
HOW_MANY = 5
_OLD_ENOUGH = timedelta(days=7)
_DONE = "done"
_SEVERAL = 2
"""One charge may have been edited in a way that moved no moment; two that lost the same field were not."""


@dataclass(frozen=True, slots=True)
class _Changed:
    """A charge that changed in silence: its record before and now, and the shapes of both."""

    before: Shape
    now: Shape


def look(
    database: Database,
    practice_id: int,
    source: Revisitable,
    every: timedelta,
    clock: Callable[[], datetime],
    *,
    baseline_records: int = drift.BASELINE_RECORDS,
    profile: str = "",
) -> int:
    """Read the canaries again unless that was done within ``every``; returns how many changed in silence.

    What is different is stored as any late edit is. Raises Unavailable as the source does, and Stale when ``profile`` is
    not the digest of the practice's own any more.
    """
    moment: Callable[[RawRecord], str] | None = getattr(source, "moment", None)
    if moment is None:
        return 0
    with database.transaction() as session:
        cursor = received.cursor_of(session, practice_id, source.kind, STREAM)
        if cursor is not None and cursor.moved_at > clock() - every:
            return 0
    asked_at = clock()
    stored = _canaries(database, practice_id, source.kind, clock() - _OLD_ENOUGH)
    found: list[RawRecord] = []
    changed: list[_Changed] = []
    for before in stored:
        try:
            now = source.one(before.key)
        except (NotOffered, Unreadable):
            continue
        if now is None or now.body == before.body:
            continue  # a charge that is gone is settled when numbers are compared
        found.append(now)
        shapes = drift.shape_of(source, before), drift.shape_of(source, now)
        if moment(now) == moment(before) and shapes[0] and shapes[1]:
            changed.append(_Changed(shapes[0], shapes[1]))
    page = Page(tuple(found), cursor=_DONE)
    intake.store(
        database,
        practice_id,
        source,
        page,
        clock(),
        STREAM,
        baseline_records=baseline_records,
        profile=profile,
        asked_at=asked_at,
    )
    if changed:
        _tell(database, practice_id, source.kind, changed, clock())
    return len(changed)


def _canaries(database: Database, practice_id: int, kind: str, until: datetime) -> list[RawRecord]:
    with database.transaction() as session:
        rows = session.execute(
            select(RawRecordRow)
            .join(
                ChargeRow,
                (ChargeRow.practice_id == RawRecordRow.practice_id)
                & (ChargeRow.source == RawRecordRow.source)
                & (ChargeRow.key == RawRecordRow.key),
            )
            .where(
                ChargeRow.practice_id == practice_id,
                ChargeRow.source == kind,
                ChargeRow.status != ChargeStatus.VOID,
                RawRecordRow.received_at <= until,
            )
            .order_by(RawRecordRow.received_at.desc(), RawRecordRow.id.desc())
            .limit(HOW_MANY)
        )
        newest = received.latest(session, practice_id, kind, {row.key for (row,) in rows})
        return [RawRecord(key, row.unseal(database.keyring, "body")) for key, row in newest.items()]


def _tell(database: Database, practice_id: int, kind: str, changed: list[_Changed], now: datetime) -> None:
    lost: Counter[str] = Counter()
    retyped: Counter[tuple[str, int]] = Counter()
    for each in changed:
        lost.update(each.before.kinds.keys() - each.now.kinds.keys())
        retyped.update(_retyped(each.before.kinds, each.now.kinds))
    of = len(changed)
    nobody = f"of {of} charges that nobody edited"
    verdicts = {
        path: Verdict(Drift.GONE, path, f"{path} is gone from {count} {nobody}.")
        for path, count in lost.items()
        if count >= _SEVERAL and lost[parent(path)] < _SEVERAL
    } | {
        path: Verdict(Drift.RETYPED, path, f"{path} became {kind_names(kind)} in {count} {nobody}.")
        for (path, kind), count in retyped.items()
        if count >= _SEVERAL
    }
    is_broken = bool(verdicts)
    if not is_broken:
        says = f"{of} charges read again say something else, and their moment of change is the same."
        verdicts = {"": Verdict(Drift.SILENT, "", says)}
    with database.transaction() as session:
        kept = drift.Kept(session, database.keyring, practice_id, kind, now)
        page = Census.of([each.now for each in changed])
        kept.wait(kept.waiting(), verdicts, Census(), page, page, is_broken=is_broken)


def _retyped(before: Mapping[str, int], now: Mapping[str, int]) -> set[tuple[str, int]]:
    """The paths that have a kind which they had not, each with that kind; from nothing to something is no change."""
    return {
        (path, kind & ~before[path])
        for path, kind in now.items()
        if before.get(path, 0) > 1 and kind & ~before[path] > 1
    }
