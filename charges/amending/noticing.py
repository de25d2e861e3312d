"""After billing: a charge that changed or was voided at the source after its claim left, and what becomes of the claim.

``compare`` says what a claim written now would say differently and proposes a replacement (frequency 7), a void (8), or,
where the claim says the same, nothing. A person decides (``amending``). What was decided is built with the next file; it
holds for one version only, so a charge that changes again is compared again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from charges import documents, lifecycle
from charges.amending import differences
from charges.amending.differences import (
    NUMBERLESS,
    RULE,
    Document,
    document_of,
    hindrance,
    standing_claim,
    standing_status,
)
from charges.db import Database
from charges.desk import worklist
from charges.model import Charge, Finding, Severity
from charges.practice.completion import complete
from charges.practice.profile import Practice
from charges.tables import (
    NEVER_SENT,
    Amendment,
    ChargeRow,
    ChargeStatus,
    ChargeVersionRow,
    ClaimFileRow,
    ClaimRow,
    DifferenceRow,
    DifferenceState,
    ItemState,
    Origin,
    ReviewItemRow,
)
from charges.x12.comparing import changes, in_words

ACTOR = "after billing"
_TOLD = 6
"""So many changed fields are told in a finding; all of them are shown with the difference."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Differences put before a person, and those that need nobody."""

    proposed: int = 0
    settled: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference as shown. ``version`` is the beginning of the charge's version that it is about."""

    charge_number: int
    claim: str
    version: str
    proposal: Amendment
    decision: Amendment
    state: DifferenceState
    payer_claim_number: str = field(repr=False)
    hindrance: str
    changes: tuple[tuple[str, str, str], ...] = field(repr=False)


def compare(database: Database, practice_id: int, practice: Practice, clock: Callable[[], datetime]) -> Compared:
    """Look at every charge whose present version is not the one that was claimed, and at what waits for a decision."""
    proposed = settled = 0
    with database.alone_at(f"compare {practice_id}") as is_mine:
        if not is_mine:
            return Compared()
        with database.transaction() as session:
            due = _due(session, practice_id)
        for charge_id in due:
            with database.transaction() as session:
                row = session.get_one(ChargeRow, charge_id, with_for_update=True)
                found = _Comparison(session, database, practice, row, clock()).settle()
            proposed += found is True
            settled += found is False
    return Compared(proposed, settled)


def _due(session: Session, practice_id: int) -> Sequence[int]:
    """The charges to compare: changed and not compared, or compared with what no longer is so."""
    live, other = aliased(ClaimRow), aliased(ClaimRow)
    known = exists().where(
        DifferenceRow.claim_id == live.id,
        DifferenceRow.version == ChargeRow.version,
        DifferenceRow.state != DifferenceState.REFUSED,
    )
    is_first = ~exists().where(other.charge_id == live.charge_id, other.live, other.payer_rank < live.payer_rank)
    item = exists().where(ReviewItemRow.charge_id == ChargeRow.id, ReviewItemRow.state == ItemState.OPEN)
    unresolved = exists().where(DifferenceRow.charge_id == ChargeRow.id, DifferenceRow.unresolved)
    # What was settled for this version before, and came back to it.
    again = and_(ChargeRow.status == ChargeStatus.HELD, or_(item.where(ReviewItemRow.rule == RULE), ~item), ~unresolved)
    new = (
        select(ChargeRow.id)
        .join(live, live.charge_id == ChargeRow.id)
        .where(
            ChargeRow.practice_id == practice_id,
            live.live,
            is_first,
            live.version != ChargeRow.version,
            or_(~known, again),
        )
    )
    old = (
        select(ChargeRow.id)
        .join(DifferenceRow, DifferenceRow.charge_id == ChargeRow.id)
        .join(ClaimRow, ClaimRow.id == DifferenceRow.claim_id)
        .where(
            ChargeRow.practice_id == practice_id,
            DifferenceRow.unresolved,
            or_(
                DifferenceRow.version != ChargeRow.version,
                ClaimRow.version == ChargeRow.version,
                ~ClaimRow.live,
                and_(~DifferenceRow.is_numbered, ClaimRow.answer.is_not(None)),
            ),
        )
    )
    return sorted({*session.scalars(new), *session.scalars(old)})


class _Comparison:
    """One charge held against the claim of it that stands."""

    def __init__(self, session: Session, database: Database, practice: Practice, row: ChargeRow, now: datetime) -> None:
        self.session, self.keyring, self.practice, self.row, self.now = session, database.keyring, practice, row, now
        self.difference = differences.unresolved(session, row.id)

    def settle(self) -> bool | None:
        """Bring the difference of the charge up to date; returns whether a person must decide, None when nothing changed."""
        claim = standing_claim(self.session, self.row)
        if self.difference is not None and (claim is None or self.difference.claim_id != claim.id):
            self._resolve(DifferenceState.SETTLED)
        if claim is None:
            self._go_on("no claim stands")
            return False
        if self.row.version == claim.version:
            self._resolve(DifferenceState.SETTLED)
            return False
        file = self.session.get_one(ClaimFileRow, claim.claim_file_id)
        if file.status in NEVER_SENT:  # nobody outside has it: judged and built anew
            claim.live = False
            self._resolve(DifferenceState.SETTLED)
            self._go_on("unsent claim dropped")
            return False
        if self._is_unreadable():
            return None
        if self._was_left(claim):
            self._resolve(DifferenceState.LEFT)
            self._let_stand("let stand before")
            return False
        return self._propose(claim, file)

    def _propose(self, claim: ClaimRow, file: ClaimFileRow) -> bool:
        sent, present = self._charges(claim)
        proposal, anew = _proposal(sent, present)
        if claim.payer_rank > 1:  # the claims to the payers before it were taken back, so it tells of what is no more
            proposal, anew = Amendment.VOID, differences.was_to_bill_anew(self.session, self.row)
        changed = changes(sent, present, self.practice.trading_partner) if proposal is not Amendment.VOID else ()
        if not changed and proposal is Amendment.REPLACE:
            if self.difference is None:
                self._add(claim, DifferenceState.SETTLED, Amendment.NOTHING, Document())
            self._resolve(DifferenceState.SETTLED)
            self._let_stand("claim says the same")
            return False
        if anew:
            changed = changes(sent, present, self.practice.trading_partner)
        number = claim.unseal(self.keyring, "answer").decode()
        why = hindrance(self.practice, file, claim, present.coverages) or ("" if number else NUMBERLESS)
        document = Document(changed, number, why, proposal)
        row = self.difference
        if row is None:
            row = self._add(claim, DifferenceState.OPEN, proposal, document)
        row.version, row.state, row.amendment, row.decided_at = self.row.version, DifferenceState.OPEN, proposal, None
        row.bills_anew, row.is_numbered = anew, bool(number)
        differences.seal(row, document, self.keyring)
        finding = _finding(self.row.id, claim, present, proposal, document, anew=anew)
        worklist.put(self.session, self.keyring, {self.row: [finding]}, origin=Origin.SOURCE, now=self.now)
        deed = self._deed("difference found", f"{proposal}: {', '.join(each.at for each in changed)}")
        if self.row.status is ChargeStatus.HELD:
            lifecycle.note(self.session, [self.row], deed)
        else:
            lifecycle.move(self.session, [self.row], ChargeStatus.HELD, deed)
        return True

    def _charges(self, claim: ClaimRow) -> tuple[Charge, Charge]:
        """The version that was claimed and the present one, both with what the profile knows now."""
        stored = self.session.scalars(
            select(ChargeVersionRow).where(
                ChargeVersionRow.charge_id == self.row.id, ChargeVersionRow.version == claim.version
            )
        ).one()
        sent = Charge.model_validate_json(stored.unseal(self.keyring, "document"))
        present = documents.read(self.session, self.keyring, [self.row])[self.row]
        return complete(self.practice, sent), complete(self.practice, present)

    def _is_unreadable(self) -> bool:
        return self.session.scalar(self._items().where(ReviewItemRow.rule == "SRC-001").limit(1)) is not None

    def _was_left(self, claim: ClaimRow) -> bool:
        """Whether a person let the claim stand beside this very version."""
        left = self.session.scalar(
            select(DifferenceRow.id)
            .where(
                DifferenceRow.claim_id == claim.id,
                DifferenceRow.version == self.row.version,
                DifferenceRow.state == DifferenceState.LEFT,
            )
            .limit(1)
        )
        waived = self.session.scalar(
            select(ReviewItemRow.id)
            .where(
                ReviewItemRow.charge_id == self.row.id,
                ReviewItemRow.version == self.row.version,
                ReviewItemRow.rule == RULE,
                ReviewItemRow.state == ItemState.WAIVED,
            )
            .limit(1)
        )
        if left is None and waived is not None and self.difference is None:
            self._add(claim, DifferenceState.LEFT, Amendment.NOTHING, Document())
        return left is not None or waived is not None

    def _let_stand(self, what: str) -> None:
        self._close(RULE)
        self.session.flush()
        if self.row.status is ChargeStatus.HELD and not _holding(self.session, self.row):
            lifecycle.move(self.session, [self.row], standing_status(self.session, self.row), self._deed(what))

    def _go_on(self, what: str) -> None:
        """The charge goes on in its present version where only its refused claim or the difference held it."""
        refused = select(ClaimRow.number).where(ClaimRow.charge_id == self.row.id, ~ClaimRow.live)
        self._close(RULE, *(f"claim {number}" for number in self.session.scalars(refused)))
        self.session.flush()
        if self.row.status is not ChargeStatus.HELD or _holding(self.session, self.row):
            return
        (present,) = documents.read(self.session, self.keyring, [self.row]).values()
        to = ChargeStatus.VOID if present.voided else ChargeStatus.CAPTURED
        lifecycle.move(self.session, [self.row], to, self._deed(what))

    def _items(self) -> Select[ReviewItemRow]:
        return select(ReviewItemRow).where(
            ReviewItemRow.charge_id == self.row.id, ReviewItemRow.state == ItemState.OPEN
        )

    def _close(self, rule: str, *places: str) -> None:
        for item in self.session.scalars(self._items()):
            if item.rule == rule or item.at in places:
                item.state, item.closed_at = ItemState.CLOSED, self.now

    def _resolve(self, state: DifferenceState) -> None:
        if self.difference is not None:
            self.difference.version = self.row.version
            differences.resolve(self.difference, state, self.now)
            self.session.flush()
            self.difference = None

    def _add(self, claim: ClaimRow, state: DifferenceState, amendment: Amendment, document: Document) -> DifferenceRow:
        row = DifferenceRow(
            charge_id=self.row.id,
            claim_id=claim.id,
            made_claim_id=None,
            version=self.row.version,
            state=state,
            unresolved=state is DifferenceState.OPEN,
            amendment=amendment,
            bills_anew=False,
            is_numbered=False,
            found_at=self.now,
            decided_at=None,
        )
        differences.seal(row, document, self.keyring)
        self.session.add(row)
        return row

    def _deed(self, what: str, reason: str = "") -> lifecycle.Deed:
        return lifecycle.Deed(what, ACTOR, self.now, self.keyring, reason)


def _proposal(sent: Charge, present: Charge) -> tuple[Amendment, bool]:
    """What is to be done if the claim says anything else by now; and whether the charge is billed anew afterwards."""
    if present.voided or present.self_pay or not present.billed_lines:
        return Amendment.VOID, False
    payers = [each.coverages[0].payer.payer_id if each.coverages else "" for each in (sent, present)]
    if payers[0] != payers[1]:  # no payer replaces the claim of another
        return Amendment.VOID, True
    return Amendment.REPLACE, False


def _finding(
    charge_number: int, claim: ClaimRow, present: Charge, proposal: Amendment, document: Document, *, anew: bool
) -> Finding:
    what = "voided" if present.voided else "changed"
    said = [f"This charge was {what} at the source after claim {claim.number} left."]
    if document.changes:
        told = "; ".join(each.sentence for each in document.changes[:_TOLD])
        more = f"; and {len(document.changes) - _TOLD} more" if len(document.changes) > _TOLD else ""
        said.append(f"A claim would say differently now: {told}{more}.")
    elif not present.voided:
        said.append("There is nothing left to bill to the payer.")
    if proposal is Amendment.REPLACE:
        said.append("Proposed: a replacement (frequency 7) of the claim.")
    else:
        then = ", and then a new claim to the payer that is named now" if anew else ""
        said.append(f"Proposed: a void (frequency 8) of the claim{then}.")
    if document.hindrance:
        said.append(f"The claim cannot be amended yet. {document.hindrance}")
    verb = "replace" if proposal is Amendment.REPLACE else "void"
    evidence = {"claim": claim.number, "payer's claim number": document.payer_claim_number}
    evidence |= {in_words(each.at): f"{each.was} -> {each.now}" for each in document.changes}
    return Finding(
        rule=RULE,
        severity=Severity.HOLD,
        at="",
        message=" ".join(said),
        evidence={name: value for name, value in evidence.items() if value},
        fix=f"`charges review {verb} {charge_number}` sends it, `charges review leave {charge_number}` lets the claim "
        "stand; both want a reason.",
    )


def _holding(session: Session, row: ChargeRow) -> bool:
    return any(item.severity.holds for item in worklist.open_items(session, row))


def shown(database: Database, charge_number: int) -> Difference | None:
    """The unresolved difference of a charge, None where there is none."""
    with database.transaction() as session:
        found = session.execute(
            select(DifferenceRow, ClaimRow.number)
            .join(ClaimRow, ClaimRow.id == DifferenceRow.claim_id)
            .where(DifferenceRow.charge_id == charge_number, DifferenceRow.unresolved)
        ).one_or_none()
        if found is None:
            return None
        row, number = found
        document = document_of(row, database.keyring)
        return Difference(
            charge_number=charge_number,
            claim=number,
            version=row.version[:12],
            proposal=document.proposal,
            decision=row.amendment,
            state=row.state,
            payer_claim_number=document.payer_claim_number,
            hindrance=document.hindrance,
            changes=tuple((in_words(each.at), each.was, each.now) for each in document.changes),
        )
