"""What sources gave: each content of each record once, and how far each stream was read."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from charges.errors import Stale
from charges.keyring import Keyring
from charges.sources import RawRecord
from charges.tables import CursorRow, PracticeRow, RawRecordRow, insert_all

READ_BY = "profile"
"""Where the digest of the profile stands by which all charges that wait were read; no stream of the source."""


def wait_for_turn(session: Session, practice_id: int, profile: str = "") -> None:
    """Wait until no other worker stores records of the practice: several streams may give the same new charge at once.

    Raises Stale when the practice's profile is no longer the one of this digest, for what was read of the records by
    another map of fields would stand until they change.
    """
    now = session.scalar(
        select(PracticeRow.digest).where(PracticeRow.id == practice_id).with_for_update(key_share=True)
    )
    if profile and profile != now:
        raise Stale(
            "The practice's profile was changed while its records were read. Nothing of this page was taken; the next run "
            "goes on from here with the new profile."
        )


def cursor_of(session: Session, practice_id: int, kind: str, stream: str) -> CursorRow | None:
    """How far a stream was read; None when it never was."""
    return session.scalar(
        select(CursorRow)
        .where(CursorRow.practice_id == practice_id, CursorRow.source == kind, CursorRow.stream == stream)
        .with_for_update()
    )


def move_cursor(session: Session, practice_id: int, kind: str, stream: str, position: str, now: datetime) -> None:
    """Remember how far a stream was read."""
    cursor = cursor_of(session, practice_id, kind, stream)
    if cursor is None:
        cursor = CursorRow(practice_id=practice_id, source=kind, stream=stream)
        session.add(cursor)
    cursor.position, cursor.moved_at = position, now


def latest(session: Session, practice_id: int, kind: str, keys: Iterable[str]) -> Mapping[str, RawRecordRow]:
    """What the source said last of each charge."""
    found = session.scalars(
        select(RawRecordRow)
        .where(RawRecordRow.practice_id == practice_id, RawRecordRow.source == kind, RawRecordRow.key.in_(keys))
        .order_by(RawRecordRow.received_at, RawRecordRow.id)
    )
    return {raw.key: raw for raw in found}


def store(
    session: Session,
    keyring: Keyring,
    practice_id: int,
    kind: str,
    records: Iterable[RawRecord],
    now: datetime,
    is_older: Callable[[RawRecord, RawRecord], bool] = lambda _ours, _theirs: False,
    asked_at: datetime | None = None,
) -> Sequence[RawRecord]:
    """Store the records that were never stored with this content; returns those that may say something new.

    A record that went back to what it said before is stored already, and yet it is news. Of a record that another worker
    stored after we asked nobody knows which answer is the later one; ``is_older`` says whether ours is, and then it is left
    out: when the source is asked again it tells which holds.
    """
    digests = {(record.key, hashlib.sha256(record.body).hexdigest()): record for record in records}
    known = session.execute(
        select(RawRecordRow.key, RawRecordRow.digest, RawRecordRow.received_at)
        .where(
            RawRecordRow.practice_id == practice_id,
            RawRecordRow.source == kind,
            RawRecordRow.key.in_({key for key, _ in digests}),
        )
        .order_by(RawRecordRow.received_at, RawRecordRow.id)
    ).all()
    stored = {(each.key, each.digest) for each in known}
    newest = {each.key: each for each in known}
    fresh, rows = [], []
    for (key, digest), record in digests.items():
        last = newest.get(key)
        if last is not None and last.digest == digest:
            continue
        if last is not None and asked_at is not None and last.received_at > asked_at:
            theirs = latest(session, practice_id, kind, [key])[key].unseal(keyring, "body")
            if is_older(record, RawRecord(key, theirs)):
                continue
        # What was stored last is the newest, although the clocks of two workers' machines may differ.
        received_at = now if last is None else max(now, last.received_at + timedelta(microseconds=1))
        if (key, digest) in stored:
            session.execute(
                update(RawRecordRow)
                .where(
                    RawRecordRow.practice_id == practice_id,
                    RawRecordRow.source == kind,
                    RawRecordRow.key == key,
                    RawRecordRow.digest == digest,
                )
                .values(received_at=received_at)
            )
        else:
            columns = {"practice_id": practice_id, "source": kind, "key": key, "digest": digest}
            rows.append(RawRecordRow.values(keyring, {"body": record.body}, **columns, received_at=received_at))
        fresh.append(record)
    insert_all(session, RawRecordRow, rows)
    return fresh
