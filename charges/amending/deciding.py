"""What people decide about claims whose charge changed after they left: replace, void, send a new first one, or leave.

Every decision names who took it and why, holds for the version of the charge that it was taken about, and is refused when
the charge changed meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from charges import documents, lifecycle
from charges.amending import differences
from charges.amending.differences import NUMBERLESS, RULE, document_of, hindrance, standing_claim, standing_status
from charges.db import Database
from charges.desk import worklist
from charges.errors import Refused, Stale
from charges.model import Severity
from charges.practice.completion import complete
from charges.practice.profile import Practice
from charges.tables import (
    Amendment,
    ChargeRow,
    ChargeStatus,
    ClaimFileRow,
    ClaimRow,
    DifferenceRow,
    DifferenceState,
    ItemState,
    Origin,
)

_DONE = {
    Amendment.NOTHING: "claim left to stand",
    Amendment.REPLACE: "replacement decided",
    Amendment.VOID: "void decided",
    Amendment.RENEW: "new claim decided",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided, who, and why.

    ``seen`` is the beginning of the version that the person looked at, empty where they do not say. ``payer_claim_number``
    is what the payer told by other means. ``bills_anew`` says whether the charge is billed again once its claim is void;
    None leaves it as proposed.
    """

    amendment: Amendment
    by: str
    because: str
    seen: str = ""
    payer_claim_number: str = field(default="", repr=False)
    bills_anew: bool | None = None


def decide(
    database: Database, practice: Practice, charge_number: int, decision: Decision, clock: Callable[[], datetime]
) -> ChargeStatus:
    """Carry out a decision about the difference of a charge; returns where the charge stands then.

    Raises Refused when nothing is to be decided or the payer could not take it, and Stale when the charge changed since.
    """
    if not decision.by.strip():
        raise Refused("Say who you are: every act in the review carries a name.")
    if not decision.because.strip():
        raise Refused("Give a reason: it stands in the charge's history for whoever asks later.")
    with database.transaction() as session:
        row = session.get(ChargeRow, charge_number, with_for_update=True)
        difference = differences.unresolved(session, charge_number)
        if row is None or difference is None:
            raise Refused(
                f"Charge {charge_number} has no difference from its claim that waits for a decision. See `charges review "
                f"show {charge_number}`."
            )
        claim = _demand_current(session, row, difference, decision.seen)
        act = _Act(session, database, practice, row, difference, claim, decision, clock())
        if decision.amendment is Amendment.NOTHING:
            act.leave()
        else:
            act.approve()
        return row.status


def _demand_current(session: Session, row: ChargeRow, difference: DifferenceRow, seen: str) -> ClaimRow:
    again = f"Look again with `charges review show {row.id}` and repeat."
    if difference.version != row.version or not row.version.startswith(seen):
        raise Stale(f"Charge {row.id} changed again since the difference was seen; nothing was decided. {again}")
    claim = standing_claim(session, row)
    if claim is None or claim.id != difference.claim_id:
        raise Stale(f"The claim of charge {row.id} that the difference is about does not stand any more. {again}")
    if row.status is not ChargeStatus.HELD:
        raise Stale(f"It is decided already what becomes of charge {row.id}, and it goes out with the next file.")
    return claim


@dataclass(frozen=True, slots=True)
class _Act:
    """One decision being carried out in one transaction."""

    session: Session
    database: Database
    practice: Practice
    row: ChargeRow
    difference: DifferenceRow
    claim: ClaimRow
    decision: Decision
    now: datetime

    def leave(self) -> None:
        """The claim stands; what the rules said of the present version does not matter then, what payers said does."""
        differences.resolve(self.difference, DifferenceState.LEFT, self.now)
        for item in worklist.open_items(self.session, self.row):
            if item.rule == RULE:
                item.state, item.closed_at = ItemState.WAIVED, self.now
            elif item.origin in (Origin.RULES, Origin.GUIDE):
                item.state, item.closed_at = ItemState.CLOSED, self.now
        self.session.flush()
        if any(item.severity.holds for item in worklist.open_items(self.session, self.row)):
            lifecycle.note(self.session, [self.row], self._deed())
        else:
            lifecycle.move(self.session, [self.row], standing_status(self.session, self.row), self._deed())

    def approve(self) -> None:
        """Have the amending claim built with the next file: a replacement once the rules find the charge clean."""
        amendment, keyring = self.decision.amendment, self.database.keyring
        document = document_of(self.difference, keyring)
        number = self._number(document.payer_claim_number)
        differences.seal(self.difference, replace(document, payer_claim_number=number), keyring)
        self.difference.state, self.difference.amendment = DifferenceState.APPROVED, amendment
        self.difference.decided_at, self.difference.is_numbered = self.now, True
        if self.decision.bills_anew is not None:
            self.difference.bills_anew = self.decision.bills_anew
        if amendment is not Amendment.VOID:
            worklist.close(self.session, [self.row], self.now)
            lifecycle.move(self.session, [self.row], ChargeStatus.CAPTURED, self._deed())
            return
        for item in worklist.open_items(self.session, self.row):
            if item.rule == RULE:  # stands until the void is built, so that nothing else is done with the charge
                said = worklist.finding_of(item, keyring)
                told = f"{said.message} Decided: the void of claim {self.claim.number} goes out with the next file."
                changed = said.model_copy(update={"message": told, "severity": Severity.HOLD})
                item.seal(keyring, finding=changed.model_dump_json(exclude_defaults=True).encode())
            else:
                item.state, item.closed_at = ItemState.CLOSED, self.now
        lifecycle.note(self.session, [self.row], self._deed())

    def _number(self, known: str) -> str:
        """The payer's number of the claim that is amended; raises Refused where it must not be amended this way."""
        file = self.session.get_one(ClaimFileRow, self.claim.claim_file_id)
        (present,) = documents.read(self.session, self.database.keyring, [self.row]).values()
        name, amendment = self.claim.number, self.decision.amendment
        if why := hindrance(self.practice, file, self.claim, complete(self.practice, present).coverages):
            raise Refused(f"Claim {name} cannot be amended. {why}")
        number = self.claim.unseal(self.database.keyring, "answer").decode() or known
        if amendment is Amendment.RENEW and self.claim.payer_rank > 1:
            raise Refused(f"Claim {name} went to a later payer and is made of what the first one decided. Void it.")
        if amendment is Amendment.RENEW:
            if number or self.claim.accepted:
                raise Refused(
                    f"The payer has claim {name}: another first claim would be a duplicate. Replace it instead."
                )
            return ""
        number = self.decision.payer_claim_number.strip().upper() or number
        if not number:
            raise Refused(f"Claim {name} cannot be amended. {NUMBERLESS}")
        proposal = document_of(self.difference, self.database.keyring).proposal
        if amendment is Amendment.REPLACE and proposal is Amendment.VOID:
            raise Refused(
                f"What is left of charge {self.row.id} cannot replace claim {name}: it is for another payer, or nothing of "
                "it is billed to one. Void the claim."
            )
        return number

    def _deed(self) -> lifecycle.Deed:
        decision = self.decision
        return lifecycle.Deed(_DONE[decision.amendment], decision.by, self.now, self.database.keyring, decision.because)
