"""Stage 1, source to captured: every version of every charge is stored once, with the record it was read from.

One page of the source is one transaction: raw records first, then the charges read from them, the patients' history
lines, and the cursor. A record that cannot be read is a charge that is held with the reason; it is never skipped. A
charge that changes after its claim left is held with the difference for a person. What could not be read is read again
with every pull, because a newer version of the program may know how; all that waits is read again by a new profile,
because its map of fields may have been mended for it. What records are made of is counted (``drift``), so
that a change of the vendor's is seen before it is billed.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from charges import lifecycle
from charges.capture import ACTOR, UNREADABLE, Capture
from charges.db import Database
from charges.desk import worklist
from charges.drift import baselines as drift
from charges.drift import breakers
from charges.errors import Unreadable
from charges.feeds import received
from charges.keyring import Keyring
from charges.model import Charge
from charges.parts import parts
from charges.sources import ChargeSource, Completing, Incomplete, Page, RawRecord
from charges.tables import ChargeRow, ChargeStatus, ClaimRow, RawRecordRow

CHANGES = "changes"
"""The stream of what changed since the last pull."""
_AT_ONCE = 200
"""So many stored records are read again in one transaction."""
_IS_UNREAD = worklist.waits_for(UNREADABLE)
"""Holds for charges that wait because their records could not be read, or not completed."""
_IS_WAITING = and_(
    ChargeRow.status.in_((ChargeStatus.CAPTURED, ChargeStatus.HELD, ChargeStatus.CLEAN, ChargeStatus.SELF_PAY)),
    ~select(ClaimRow.id).where(ClaimRow.charge_id == ChargeRow.id, ClaimRow.live).exists(),
)
"""Holds for charges that were not claimed yet, and may be."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull brought: records seen, charges new, changed and voided, records that could not be read."""

    records: int = 0
    new: int = 0
    changed: int = 0
    voided: int = 0
    unreadable: int = 0

    def __add__(self, other: "Pulled") -> "Pulled":
        return Pulled(
            self.records + other.records,
            self.new + other.new,
            self.changed + other.changed,
            self.voided + other.voided,
            self.unreadable + other.unreadable,
        )


def pull(
    database: Database,
    practice_id: int,
    source: ChargeSource,
    clock: Callable[[], datetime],
    progress: Callable[[int], None] = lambda _: None,
    *,
    baseline_records: int = drift.BASELINE_RECORDS,
    profile: str = "",
) -> Pulled:
    """Store what the source has new since the last pull. Stopped anywhere, the next pull goes on from there.

    ``progress`` is called with the number of records of each page stored; ``baseline_records`` make the first baseline;
    ``profile`` is the digest of the profile that made the source. Raises Stale when the practice has another one by now.
    """
    pulled = Pulled()
    with database.transaction() as session:
        cursor = received.cursor_of(session, practice_id, source.kind, CHANGES)
        position = cursor.position if cursor else None
    _read_again(database, practice_id, source, clock(), profile, _IS_UNREAD)
    _read_by(profile, database, practice_id, source, clock())
    read_accepted(database, practice_id, source, clock(), profile)
    unread = source.again(_unread(database, practice_id, source.kind)) if isinstance(source, Completing) else ()
    completed = (Page(tuple(some)) for some in parts(unread))
    for page, asked_at in asked(chain(completed, source.changed_since(position)), clock):
        pulled += store(
            database,
            practice_id,
            source,
            page,
            clock(),
            baseline_records=baseline_records,
            profile=profile,
            asked_at=asked_at,
        )
        progress(len(page.records))
    return pulled


def asked(pages: Iterator[Page], clock: Callable[[], datetime]) -> Iterator[tuple[Page, datetime]]:
    """Pages, each with the moment before it was asked for."""
    while True:
        asked_at = clock()
        page = next(pages, None)
        if page is None:
            return
        yield page, asked_at


def store(
    database: Database,
    practice_id: int,
    source: ChargeSource,
    page: Page,
    now: datetime,
    stream: str = CHANGES,
    reason: str = "",
    *,
    baseline_records: int = drift.BASELINE_RECORDS,
    profile: str = "",
    asked_at: datetime | None = None,
) -> Pulled:
    """Store one page of a stream whole, or nothing of it; ``reason`` is written down with what it changes.

    What another worker stored since ``asked_at`` stays where it is the later change. Raises Stale as ``pull`` does.
    """
    with database.transaction() as session:
        received.wait_for_turn(session, practice_id, profile)
        pulled = _store(session, database.keyring, practice_id, source, page, now, baseline_records, reason, asked_at)
        if page.cursor is not None:
            received.move_cursor(session, practice_id, source.kind, stream, page.cursor, now)
    return pulled


def _unread(database: Database, practice_id: int, kind: str) -> list[RawRecord]:
    """What the source said last of the charges that wait because their records could not be read, or not completed."""
    with database.transaction() as session:
        keys = session.scalars(
            select(ChargeRow.key)
            .where(ChargeRow.practice_id == practice_id, ChargeRow.source == kind, _IS_UNREAD)
            .order_by(ChargeRow.id)
        ).all()
        return [
            RawRecord(key, row.unseal(database.keyring, "body"))
            for some in parts(keys)
            for key, row in received.latest(session, practice_id, kind, some).items()
        ]


def _read_by(profile: str, database: Database, practice_id: int, source: ChargeSource, now: datetime) -> None:
    """Read again what another profile read of charges of which no claim is out.

    Stopped anywhere, the next pull does it again. What is claimed stays as it was claimed.
    """
    with database.transaction() as session:
        read_by = received.cursor_of(session, practice_id, source.kind, received.READ_BY)
        if not profile or (read_by is not None and read_by.position == profile):
            return
    _read_again(database, practice_id, source, now, profile, _IS_WAITING, reason="Read again by the new profile.")
    with database.transaction() as session:
        received.move_cursor(session, practice_id, source.kind, received.READ_BY, profile, now)


def _read_again(
    database: Database,
    practice_id: int,
    source: ChargeSource,
    now: datetime,
    profile: str,
    which: ColumnElement[bool],
    reason: str = "",
) -> None:
    """Take up the stored records of some charges anew."""
    after = 0
    while True:
        with database.transaction() as session:
            received.wait_for_turn(session, practice_id, profile)
            rows = session.scalars(
                select(ChargeRow)
                .where(
                    ChargeRow.practice_id == practice_id,
                    ChargeRow.source == source.kind,
                    ChargeRow.id > after,
                    which,
                )
                .order_by(ChargeRow.id)
                .limit(_AT_ONCE)
                .with_for_update()
            ).all()
            if not rows:
                return
            after = rows[-1].id
            by_key = {row.key: row for row in rows}
            capture = Capture(session, database.keyring, practice_id, source.kind, now, by_key, reason)
            for raw in received.latest(session, practice_id, source.kind, by_key).values():
                record = RawRecord(raw.key, raw.unseal(database.keyring, "body"))
                charge, fault = _read(source, record)
                if fault or (named := _named(source, record)).key == raw.key:
                    capture.take(raw.key, charge, fault)
                else:
                    _give_number(session, database.keyring, source, by_key[raw.key], named, raw.received_at, now)
            capture.finish()


def _named(source: ChargeSource, record: RawRecord) -> RawRecord:
    """A record under the key that its source finds in it now."""
    named: Callable[[RawRecord], RawRecord] | None = getattr(source, "named", None)
    return named(record) if named else record


def _give_number(
    session: Session,
    keyring: Keyring,
    source: ChargeSource,
    nameless: ChargeRow,
    record: RawRecord,
    received_at: datetime,
    now: datetime,
) -> None:
    """Settle a charge whose number was not known and now is: what it says is said of the charge of that number."""
    newest = received.latest(session, nameless.practice_id, source.kind, [record.key]).get(record.key)
    if newest is None or newest.received_at < received_at:
        received.store(session, keyring, nameless.practice_id, source.kind, [record], received_at)
        rows = _rows_of(session, nameless.practice_id, source.kind, [record.key])
        capture = Capture(session, keyring, nameless.practice_id, source.kind, now, rows)
        capture.take(record.key, *_read(source, record))
        capture.finish()
    worklist.close(session, [nameless], now)
    reason = f"Its number is known by now: it is charge {record.key}, under which all goes on."
    lifecycle.move(session, [nameless], ChargeStatus.VOID, lifecycle.Deed("voided", ACTOR, now, keyring, reason))


def read_accepted(database: Database, practice_id: int, source: ChargeSource, now: datetime, profile: str = "") -> None:
    """Read the records since a drift that a person accepted again, and then let their charges go on.

    Stopped anywhere, the next pull does it again; until it is done none of them is routed. Raises Stale as ``pull`` does.
    """
    with database.transaction() as session:
        since = breakers.accepted_since(session, practice_id, source.kind)
    after = 0
    while since is not None:
        with database.transaction() as session:
            received.wait_for_turn(session, practice_id, profile)
            found = session.execute(
                select(RawRecordRow.id, RawRecordRow.key)
                .where(
                    RawRecordRow.practice_id == practice_id,
                    RawRecordRow.source == source.kind,
                    RawRecordRow.received_at >= since,
                    RawRecordRow.id > after,
                )
                .order_by(RawRecordRow.id)
                .limit(_AT_ONCE)
            ).all()
            if not found:
                breakers.close(session, database.keyring, practice_id, source.kind, now)
                return
            after, keys = found[-1].id, {each.key for each in found}
            rows = _rows_of(session, practice_id, source.kind, keys)
            breakers.release(session, database.keyring, list(rows.values()), now)
            capture = Capture(session, database.keyring, practice_id, source.kind, now, rows)
            for raw in received.latest(session, practice_id, source.kind, keys).values():
                record = RawRecord(raw.key, raw.unseal(database.keyring, "body"))
                if _named(source, record).key == raw.key:  # else the next pull settles it, as what could not be read
                    capture.take(raw.key, *_read(source, record))
            capture.finish()


def _rows_of(session: Session, practice_id: int, kind: str, keys: Iterable[str]) -> dict[str, ChargeRow]:
    """The charges of these keys, locked."""
    found = session.scalars(
        select(ChargeRow)
        .where(ChargeRow.practice_id == practice_id, ChargeRow.source == kind, ChargeRow.key.in_(keys))
        .order_by(ChargeRow.id)
        .with_for_update()
    )
    return {row.key: row for row in found}


def _store(
    session: Session,
    keyring: Keyring,
    practice_id: int,
    source: ChargeSource,
    page: Page,
    now: datetime,
    baseline_records: int,
    reason: str,
    asked_at: datetime | None,
) -> Pulled:
    moment: Callable[[RawRecord], str] = getattr(source, "moment", lambda _: "")

    def is_older(ours: RawRecord, theirs: RawRecord) -> bool:
        return moment(ours) < moment(theirs)

    fresh = received.store(session, keyring, practice_id, source.kind, page.records, now, is_older, asked_at)
    doubts = drift.watch(session, keyring, practice_id, source, fresh, now, baseline_records)
    rows = _rows_of(session, practice_id, source.kind, [record.key for record in fresh])
    capture = Capture(session, keyring, practice_id, source.kind, now, rows, reason)
    for record in fresh:
        charge, fault = _read(source, record)
        capture.take(record.key, charge, fault, doubts.get(record.key, ()))
    capture.finish()
    return Pulled(
        records=len(page.records),
        new=capture.new,
        changed=capture.changed,
        voided=capture.voided,
        unreadable=capture.unreadable,
    )


def _read(source: ChargeSource, record: RawRecord) -> tuple[Charge, str]:
    """The charge of a record, and what kept it from being read if anything did."""
    try:
        return source.to_charge(record), ""
    except Incomplete as fault:
        return fault.charge, str(fault)
    except Unreadable as fault:
        sentence = str(fault)
    except Exception as error:  # noqa: BLE001 - whatever the reader's bug, the record is kept and a person is told
        sentence = f"The record could not be read ({type(error).__name__}); tell the engineer."
    return Charge(source=source.kind, key=record.key), sentence
