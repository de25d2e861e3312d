"""What becomes of charges as they were read: each version stored once, and each charge put where it goes on from there.

A charge that nobody knew is inserted with its first event. One that is known changes; where its claim has left, a person
is shown the difference. What is taken is written together, in few statements for a whole page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from charges import documents, lifecycle
from charges.amending import differences
from charges.desk import corrections, worklist
from charges.keyring import Keyring
from charges.model import Charge, Finding, Severity, digest_of
from charges.parts import parts
from charges.patients import register as patients
from charges.tables import ChargeRow, ChargeStatus, ClaimRow, Origin, next_ids

ACTOR = "intake"
UNREADABLE = "SRC-001"
"""The finding of a record that cannot be read."""
_ORDER = {ChargeStatus.CAPTURED: 0, ChargeStatus.HELD: 1}
"""What a charge is moved to first, where one change moves it twice."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """A charge as read now, with its version and content; ``row`` is the one that is known, if any."""

    charge: Charge
    version: str
    content: bytes
    row: ChargeRow | None
    fault: str
    doubts: Sequence[Finding]


class Capture:
    """Takes the charges of one page and stores what changed; ``rows`` are those that are known, locked."""

    def __init__(
        self,
        session: Session,
        keyring: Keyring,
        practice_id: int,
        kind: str,
        now: datetime,
        rows: dict[str, ChargeRow],
        reason: str = "",
    ) -> None:
        self.reason = reason
        self.session, self.keyring, self.practice_id, self.kind, self.now = session, keyring, practice_id, kind, now
        self.rows = rows
        self.live = self._live_claims()
        self.taken: dict[str, _Taken] = {}
        self.faults: dict[ChargeRow, list[Finding]] = {}
        self.moves: dict[tuple[str, ChargeStatus], list[ChargeRow]] = {}
        self.new = self.changed = self.voided = self.unreadable = 0

    def _live_claims(self) -> Mapping[int, ClaimRow]:
        ids = [row.id for row in self.rows.values()]
        found = self.session.scalars(
            select(ClaimRow).where(ClaimRow.charge_id.in_(ids), ClaimRow.live).order_by(ClaimRow.payer_rank)
        )
        return {claim.charge_id: claim for claim in found}

    def take(self, key: str, read: Charge, fault: str, doubts: Sequence[Finding] = ()) -> None:
        """Take one charge as read now; ``doubts`` about its record hold it, should it say anything new."""
        # A record that cannot be read has no content to tell versions by, so its fault stands for it.
        said = {"source": self.kind, "key": key} | ({"note": fault} if fault else {})
        charge = read.model_copy(update=said)
        content = charge.content()
        version = digest_of(content)
        if key in self.taken:
            self._settle(key)
        row = self.rows.get(key)
        if row is not None and row.source_version == version:
            return
        self.taken[key] = _Taken(charge, version, content, row, fault, doubts)
        self.new += row is None
        self.changed += row is not None
        self.voided += charge.voided
        self.unreadable += bool(fault)

    def _settle(self, key: str) -> None:
        """Write what was taken so far, of a charge that comes twice: what it says now is a change of that."""
        self.finish()
        of_key = select(ChargeRow).where(
            ChargeRow.practice_id == self.practice_id, ChargeRow.source == self.kind, ChargeRow.key == key
        )
        self.rows[key] = self.session.scalars(of_key).one()

    def finish(self) -> None:
        """Write all that was taken."""
        taken = list(self.taken.values())
        self.taken = {}
        if self.kind in patients.AUTHORITIES:
            charges = [each.charge for each in taken]
            keys = patients.learn(self.session, self.keyring, self.practice_id, charges, self.now)
        else:
            keys = [patients.stated_key(self.keyring, self.practice_id, each.charge) for each in taken]
        known = [(each, each.row, key) for each, key in zip(taken, keys, strict=True) if each.row is not None]
        self._insert([(each, key) for each, key in zip(taken, keys, strict=True) if each.row is None])
        self._change(known)
        worklist.put(self.session, self.keyring, self.faults, origin=Origin.SOURCE, now=self.now)
        lifecycle.note(self.session, [row for _, row, _ in known], self._deed("changed"))
        # A held charge that changed is captured before it is held again, and one that is to be claimed again is held first.
        for (what, to), rows in sorted(self.moves.items(), key=lambda each: _ORDER.get(each[0][1], len(_ORDER))):
            lifecycle.move(self.session, rows, to, self._deed(what))
        self.faults, self.moves = {}, {}

    def _insert(self, new: Sequence[tuple[_Taken, str]]) -> None:
        """Insert charges that nobody knew, captured; those that go on from there at once are read again for that."""
        numbers = next_ids(self.session, ChargeRow, len(new))
        first = [
            documents.First(number, each.charge, each.version, each.content, key)
            for number, (each, key) in zip(numbers, new, strict=True)
        ]
        same = {"practice_id": self.practice_id, "source": self.kind, "status": ChargeStatus.CAPTURED}
        same |= {"captured_at": self.now, "held_since": self.now}
        rows = [
            same
            | {"id": each.number, "key": each.charge.key, "version": each.version, "patient_key": each.patient_key}
            | documents.envelope(each.charge)
            for each in first
        ]
        lifecycle.begin(self.session, ChargeRow, rows, self._deed("captured"))
        documents.write_first(self.session, self.keyring, first, self.now)
        going_on = {
            number: each
            for number, (each, _) in zip(numbers, new, strict=True)
            if each.fault or each.doubts or each.charge.voided
        }
        for ids in parts(going_on):
            for row in self.session.scalars(select(ChargeRow).where(ChargeRow.id.in_(ids)).order_by(ChargeRow.id)):
                self._go_on(row, going_on[row.id])

    def _change(self, known: Sequence[tuple[_Taken, ChargeRow, str]]) -> None:
        """Let charges that are known be what their source says now."""
        charges = []
        for each, row, patient_key in known:
            charge = each.charge.model_copy(update={"version": each.version})
            documents.describe(self.keyring, row, charge)
            row.patient_key = patient_key
            row.snoozed_until = None  # whoever put it off waited for a change, or wants to know of it
            charges.append((row, charge))
            live = self.live.get(row.id)
            if live is not None:
                self._after_billing(row, charge, live, each.fault)
            else:
                self._go_on(row, each)
        if charges:
            rows = [row for row, _ in charges]
            documents.write(self.session, self.keyring, charges, self.now)
            documents.forget_lines(self.session, rows)
            worklist.close(self.session, rows, self.now)
            corrections.settle(self.session, self.keyring, charges, self.now)
            documents.remember_lines(self.session, charges)

    def _go_on(self, row: ChargeRow, each: _Taken) -> None:
        """Put a charge of which no claim is out where it goes on from here."""
        if each.charge.voided and not each.fault:
            if row.status is not ChargeStatus.VOID:
                self._move("voided", ChargeStatus.VOID, row)
            return
        if row.status is not ChargeStatus.CAPTURED:
            self._move("captured again", ChargeStatus.CAPTURED, row)
        if each.fault:
            self.faults[row] = [_finding(UNREADABLE, each.fault, "Have the record mended, or tell the engineer.")]
        elif each.doubts:
            self.faults[row] = list(each.doubts)
        else:
            return
        self._move("held", ChargeStatus.HELD, row)

    def _after_billing(self, row: ChargeRow, charge: Charge, live: ClaimRow, fault: str) -> None:
        amends = row.status in (ChargeStatus.CAPTURED, ChargeStatus.CLEAN)  # decided on, and on its way into a file
        if charge.version == live.version:  # changed back to what was billed
            if amends:
                self._move("changed back", ChargeStatus.HELD, row)
            if amends or row.status is ChargeStatus.HELD:
                self._move("changed back", ChargeStatus.ACCEPTED if live.accepted else ChargeStatus.CLAIMED, row)
            return
        what = "voided" if charge.voided else "changed"
        if row.status is not ChargeStatus.HELD:
            self._move(f"{what} after billing", ChargeStatus.HELD, row)
        if fault:
            self.faults[row] = [_finding(UNREADABLE, fault, "Have the record mended, or tell the engineer.")]
            return
        self.faults[row] = [
            _finding(
                differences.RULE,
                f"This charge was {what} at the source after claim {live.number} left.",
                "Compare both; replace or void the claim at the payer if it matters, or waive this finding with the "
                "reason to let the claim stand.",
                severity=Severity.HOLD,
            )
        ]

    def _move(self, what: str, to: ChargeStatus, row: ChargeRow) -> None:
        self.moves.setdefault((what, to), []).append(row)

    def _deed(self, what: str) -> lifecycle.Deed:
        return lifecycle.Deed(what, ACTOR, self.now, self.keyring, self.reason)


def _finding(rule: str, message: str, fix: str, severity: Severity = Severity.STOP) -> Finding:
    return Finding(rule=rule, severity=severity, at="", message=message, fix=fix)
