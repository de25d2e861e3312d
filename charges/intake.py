"""Stage 1, source to captured: every version of every charge is stored once, with the record it was read from.

One page of the source is one transaction: raw records first, then the charges read from them, the patients' history
lines, and the cursor. A record that cannot be read is a charge that is held with the reason; it is never skipped. A
charge that changes after its claim left is held with the difference for a person. What could not be read is read again
with every pull, because a newer version of the program may know how.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from charges import documents, lifecycle, worklist
from charges.db import Database
from charges.errors import Unreadable
from charges.keyring import Keyring
from charges.model import Charge, Finding, Severity
from charges.sources import ChargeSource, Page, RawRecord
from charges.tables import (
    ChargeRow,
    ChargeStatus,
    ClaimRow,
    CursorRow,
    HistoryLineRow,
    ItemState,
    Origin,
    RawRecordRow,
    ReviewItemRow,
)

ACTOR = "intake"
UNREADABLE = "SRC-001"
"""The finding of a record that cannot be read."""
CHANGED_AFTER_BILLING = "SRC-002"
"""The finding of a charge that changed or was voided at the source after its claim left."""
_AT_ONCE = 200
"""So many records that could not be read are read again in one transaction."""


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
) -> Pulled:
    """Store what the source has new since the last pull. Stopped anywhere, the next pull goes on from there.

    ``progress`` is called with the number of records of each page stored.
    """
    pulled = Pulled()
    with database.transaction() as session:
        cursor = _cursor_of(session, practice_id, source.kind)
        position = cursor.position if cursor else None
    _read_again(database, practice_id, source, clock())
    for page in source.changed_since(position):
        with database.transaction() as session:
            pulled += _store(session, database.keyring, practice_id, source, page, clock())
        progress(len(page.records))
    return pulled


def _read_again(database: Database, practice_id: int, source: ChargeSource, now: datetime) -> None:
    """Take up the stored records that could not be read and now can."""
    after = 0
    while True:
        with database.transaction() as session:
            rows = session.scalars(
                select(ChargeRow)
                .join(ReviewItemRow, ReviewItemRow.charge_id == ChargeRow.id)
                .where(
                    ChargeRow.practice_id == practice_id,
                    ChargeRow.source == source.kind,
                    ChargeRow.id > after,
                    ReviewItemRow.rule == UNREADABLE,
                    ReviewItemRow.state == ItemState.OPEN,
                )
                .order_by(ChargeRow.id)
                .limit(_AT_ONCE)
                .with_for_update(of=ChargeRow)
            ).all()
            if not rows:
                return
            after = rows[-1].id
            by_key = {row.key: row for row in rows}
            capture = _Capture(session, database.keyring, practice_id, source.kind, now, by_key)
            for raw in _latest_raw(session, practice_id, source.kind, by_key).values():
                charge, fault = _read(source, RawRecord(raw.key, raw.unseal(database.keyring, "body")))
                if not fault:
                    capture.take(raw.key, charge, fault)
            capture.finish()


def _latest_raw(session: Session, practice_id: int, kind: str, keys: Iterable[str]) -> Mapping[str, RawRecordRow]:
    found = session.scalars(
        select(RawRecordRow)
        .where(RawRecordRow.practice_id == practice_id, RawRecordRow.source == kind, RawRecordRow.key.in_(keys))
        .order_by(RawRecordRow.received_at, RawRecordRow.id)
    )
    return {raw.key: raw for raw in found}


def _cursor_of(session: Session, practice_id: int, kind: str) -> CursorRow | None:
    return session.scalar(
        select(CursorRow).where(CursorRow.practice_id == practice_id, CursorRow.source == kind).with_for_update()
    )


def _store(
    session: Session, keyring: Keyring, practice_id: int, source: ChargeSource, page: Page, now: datetime
) -> Pulled:
    fresh = list(_store_raw(session, keyring, practice_id, source.kind, page.records, now))
    rows = {
        row.key: row
        for row in session.scalars(
            select(ChargeRow)
            .where(
                ChargeRow.practice_id == practice_id,
                ChargeRow.source == source.kind,
                ChargeRow.key.in_([record.key for record in fresh]),
            )
            .with_for_update()
        )
    }
    capture = _Capture(session, keyring, practice_id, source.kind, now, rows)
    for record in fresh:
        charge, fault = _read(source, record)
        capture.take(record.key, charge, fault)
    capture.finish()
    if page.cursor is not None:
        cursor = _cursor_of(session, practice_id, source.kind)
        if cursor is None:
            session.add(CursorRow(practice_id=practice_id, source=source.kind, position=page.cursor, moved_at=now))
        else:
            cursor.position, cursor.moved_at = page.cursor, now
    return Pulled(
        records=len(page.records),
        new=capture.new,
        changed=capture.changed,
        voided=capture.voided,
        unreadable=capture.unreadable,
    )


def _store_raw(
    session: Session, keyring: Keyring, practice_id: int, kind: str, records: Iterable[RawRecord], now: datetime
) -> Iterable[RawRecord]:
    """Store the records that were never stored with this content; give on those that may say something new.

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
    latest = {key: digest for key, digest in known}  # noqa: C416 - rows are tuples to us, not to the type checker
    for (key, digest), record in digests.items():
        if (key, digest) not in stored:
            row = RawRecordRow(practice_id=practice_id, source=kind, key=key, digest=digest, received_at=now)
            row.seal(keyring, body=record.body)
            session.add(row)
            yield record
        elif latest[key] != digest:
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
            yield record


def _read(source: ChargeSource, record: RawRecord) -> tuple[Charge, str]:
    """The charge of a record, and what kept it from being read if anything did."""
    try:
        return source.to_charge(record), ""
    except Unreadable as fault:
        sentence = str(fault)
    except Exception as error:  # noqa: BLE001 - whatever the reader's bug, the record is kept and a person is told
        sentence = f"The record could not be read ({type(error).__name__}); tell the engineer."
    return Charge(source=source.kind, key=record.key), sentence


class _Capture:
    """Takes the charges of one page and stores what changed, in few statements."""

    def __init__(
        self,
        session: Session,
        keyring: Keyring,
        practice_id: int,
        kind: str,
        now: datetime,
        rows: dict[str, ChargeRow],
    ) -> None:
        self.session, self.keyring, self.practice_id, self.kind, self.now = session, keyring, practice_id, kind, now
        self.rows = rows
        self.live = self._live_claims()
        self.documents: list[tuple[ChargeRow, Charge]] = []
        self.faults: dict[ChargeRow, list[Finding]] = {}
        self.moves: dict[tuple[str, ChargeStatus], list[ChargeRow]] = {}
        self.notes: dict[str, list[ChargeRow]] = {}
        self.new = self.changed = self.voided = self.unreadable = 0

    def _live_claims(self) -> Mapping[int, ClaimRow]:
        ids = [row.id for row in self.rows.values()]
        found = self.session.scalars(
            select(ClaimRow).where(ClaimRow.charge_id.in_(ids), ClaimRow.live).order_by(ClaimRow.payer_rank)
        )
        return {claim.charge_id: claim for claim in found}

    def take(self, key: str, read: Charge, fault: str) -> None:
        """Take one charge as read now."""
        charge = read.model_copy(update={"source": self.kind, "key": key})
        # A record that cannot be read has no content to tell versions by, so its fault stands for it.
        charge = charge.model_copy(update={"note": fault}).versioned() if fault else charge.versioned()
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = self._new_row(key, charge)
            self.new += 1
            self._note("captured", row)
        elif row.version == charge.version:
            return
        else:
            self.changed += 1
            self._note("changed", row)
        self._envelope(row, charge)
        self.documents.append((row, charge))
        self.voided += charge.voided
        self.unreadable += bool(fault)
        live = self.live.get(row.id)
        if live is not None:
            self._after_billing(row, charge, live)
        elif fault:
            self._move_to_captured(row)
            self._move("held", ChargeStatus.HELD, row)
            self.faults[row] = [_finding(UNREADABLE, fault, "Have the record mended, or tell the engineer.")]
        elif charge.voided:
            if row.status is not ChargeStatus.VOID:
                self._move("voided", ChargeStatus.VOID, row)
        else:
            self._move_to_captured(row)

    def _new_row(self, key: str, charge: Charge) -> ChargeRow:
        row = ChargeRow(
            practice_id=self.practice_id,
            source=self.kind,
            key=key,
            status=ChargeStatus.CAPTURED,
            judged_with="",
            event_count=0,
            event_head="",
            captured_at=self.now,
            changed_at=self.now,
        )
        self._envelope(row, charge)
        self.session.add(row)
        return row

    def _envelope(self, row: ChargeRow, charge: Charge) -> None:
        row.version = charge.version
        row.payer_id = charge.coverages[0].payer.payer_id if charge.coverages else ""
        row.service_date = charge.service_date
        row.total = charge.total.quantize(Decimal("0.01"))
        # Without a record number nobody knows whose charge it is, so it shares no history with another.
        patient = charge.patient.record_number or f"charge {row.key}"
        row.patient_key = self.keyring.fingerprint(f"{self.practice_id}|{patient}")

    def _after_billing(self, row: ChargeRow, charge: Charge, live: ClaimRow) -> None:
        if charge.version == live.version:  # changed back to what was billed
            if row.status is ChargeStatus.HELD:
                self._move("changed back", ChargeStatus.ACCEPTED if live.accepted else ChargeStatus.CLAIMED, row)
            return
        what = "voided" if charge.voided else "changed"
        if row.status is not ChargeStatus.HELD:
            self._move(f"{what} after billing", ChargeStatus.HELD, row)
        self.faults[row] = [
            _finding(
                CHANGED_AFTER_BILLING,
                f"This charge was {what} at the source after claim {live.number} left.",
                "Compare both; replace or void the claim at the payer if it matters, or waive this finding with the "
                "reason to let the claim stand.",
                severity=Severity.HOLD,
            )
        ]

    def _move_to_captured(self, row: ChargeRow) -> None:
        if row.status is not ChargeStatus.CAPTURED:
            self._move("captured again", ChargeStatus.CAPTURED, row)

    def _move(self, what: str, to: ChargeStatus, row: ChargeRow) -> None:
        self.moves.setdefault((what, to), []).append(row)

    def _note(self, what: str, row: ChargeRow) -> None:
        self.notes.setdefault(what, []).append(row)

    def finish(self) -> None:
        """Write all that was taken."""
        self.session.flush()
        documents.write(self.session, self.keyring, self.documents, self.now)
        changed = [row.id for row, _ in self.documents]
        self.session.execute(delete(HistoryLineRow).where(HistoryLineRow.charge_id.in_(changed)))
        self.session.add_all(line for row, charge in self.documents for line in _history(row, charge))
        worklist.close(self.session, [row for row, _ in self.documents], self.now)
        worklist.put(self.session, self.keyring, self.faults, origin=Origin.SOURCE, now=self.now)
        for what, rows in self.notes.items():
            lifecycle.note(self.session, rows, lifecycle.Deed(what, ACTOR, self.now, self.keyring))
        # A held charge that changed is captured before it is held again.
        for (what, to), rows in sorted(self.moves.items(), key=lambda each: each[0][1] is not ChargeStatus.CAPTURED):
            lifecycle.move(self.session, rows, to, lifecycle.Deed(what, ACTOR, self.now, self.keyring))


def _finding(rule: str, message: str, fix: str, severity: Severity = Severity.STOP) -> Finding:
    return Finding(rule=rule, severity=severity, at="", message=message, fix=fix)


def _history(row: ChargeRow, charge: Charge) -> Iterable[HistoryLineRow]:
    """The lines by which later charges of the patient are compared; a voided charge leaves none."""
    if charge.voided:
        return
    for line in charge.billed_lines:
        if line.service_date is not None:
            rendering = line.rendering_provider or charge.rendering_provider
            yield HistoryLineRow(
                charge_id=row.id,
                patient_key=row.patient_key,
                service_date=line.service_date,
                code=line.code[:48],
                modifiers=" ".join(line.modifiers)[:48],
                units=str(line.units or ""),
                rendering_npi=rendering.npi if rendering else "",
            )
