"""What sources gave: each content of each record once, and how far each stream was read."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from charges.keyring import Keyring
from charges.sources import RawRecord
from charges.tables import CursorRow, PracticeRow, RawRecordRow, insert_all


def wait_for_turn(session: Session, practice_id: int) -> None:
    """Wait until no other worker stores records of the practice: several streams may give the same new charge at once."""
    session.execute(select(PracticeRow.id).where(PracticeRow.id == practice_id).with_for_update(key_share=True))


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
    session: Session, keyring: Keyring, practice_id: int, kind: str, records: Iterable[RawRecord], now: datetime
) -> Sequence[RawRecord]:
    """Store the records that were never stored with this content; returns those that may say something new.

    A record that went back to what it said before is stored already, and yet it is news.
    """
    digests = {(record.key, hashlib.sha256(record.body).hexdigest()): record for record in records}
    known = session.execute(
        select(RawRecordRow.key, RawRecordRow.digest)
        .where(
            RawRecordRow.practice_id == practice_id,
            RawRecordRow.source == kind,
            RawRecordRow.key.in_({key for key, _ in digests}),
        )
        .order_by(RawRecordRow.received_at, RawRecordRow.id)
    ).all()
    stored = {(key, digest) for key, digest in known}
    newest = {key: digest for key, digest in known}  # noqa: C416 - rows are tuples to us, not to the type checker
    fresh, rows = [], []
    for (key, digest), record in digests.items():
        if (key, digest) not in stored:
            columns = {"practice_id": practice_id, "source": kind, "key": key, "digest": digest, "received_at": now}
            rows.append(RawRecordRow.values(keyring, {"body": record.body}, **columns))
            fresh.append(record)
        elif newest[key] != digest:
            session.execute(
                update(RawRecordRow)
                .where(
                    RawRecordRow.practice_id == practice_id,
                    RawRecordRow.source == kind,
                    RawRecordRow.key == key,
                    RawRecordRow.digest == digest,
                )
                .values(received_at=now)
            )
            fresh.append(record)
    insert_all(session, RawRecordRow, rows)
    return fresh
