"""Stage 4 again, accepted to claimed: the claim to the next payer, once the payer before it has decided.

A claim whose payer decided something is ``due``: it is considered once, and then its charge is claimed of the next payer,
held with a sentence, or left, which stands in its history. Left are charges of which the patient owes nothing, which the
payer sent on itself, took back or denied; a person may ask for the claim all the same.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from charges import filing, lifecycle
from charges.amending import differences
from charges.db import Database
from charges.desk import worklist
from charges.drift import breakers
from charges.errors import Refused, Stale
from charges.filing import Batch, Generated
from charges.model import Charge, Claim, Finding, Severity
from charges.practice.completion import complete
from charges.practice.profile import Practice
from charges.replies import posting
from charges.rollout import modes
from charges.rollout.modes import Standing
from charges.tables import (
    ChargeRow,
    ChargeStatus,
    ChargeVersionRow,
    ClaimFileRow,
    ClaimRow,
    ItemState,
    Onward,
    Origin,
    PaymentRow,
)
from charges.x12.coordination import Decided, charge_for_next
from charges.x12.kinds import Kind, kind_of
from charges.x12.options import options_of
from charges.x12.remittance import ClaimPayment, Decision

ACTOR = "secondary"
RULE = "COB-001"
"""The finding of a claim to the next payer that cannot be made, or would say something else now."""
_NUMBERLESS = "The payer has given no number for it. Wait for its 277CA or 835, or give the number with --payer-number."
_FORWARDED = frozenset(("19", "20", "21", "23"))
_SENT_ON = frozenset(("MA07", "MA18", "N89"))
"""Remarks by which a payer says that it sent the claim on."""


@dataclass(frozen=True, slots=True)
class _Left:
    """No claim to the next payer, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class _Next:
    """The charge for the next payer, the version it was made of, and the place of that payer."""

    charge: Charge
    version: str
    rank: int
    replaces: ClaimRow | None = None
    """The claim to that payer that is out, where this one takes its place."""


def generate(
    database: Database, practice_id: int, practice: Practice, standing: Standing, clock: Callable[[], datetime]
) -> Generated:
    """Consider all claims that are due, and build the files of those that go to a next payer.

    The claim to the next payer follows the one that left, whoever is chosen by now; where nothing is sent it waits.
    """
    generated = Generated()
    if not standing.is_sending:
        return generated
    scope = filing.control_scope(practice)
    with database.alone_at(f"claims {scope}") as is_mine:
        while is_mine and (found := _next_batch(database, practice_id, practice, standing, scope, clock)):
            batch, replaced = found
            built = _build(database, practice_id, practice, batch, replaced, clock)
            if not built.claims + built.held:
                break  # somebody was faster; the next run goes on
            generated += built
    return generated


def ask(database: Database, charge_number: int, *, by: str, reason: str, clock: Callable[[], datetime]) -> None:
    """A person wants the claim to the next payer, even after a denial or where the payer sent the claim on.

    Raises Refused where no payer decided yet, or none is left to ask, or its claim is out.
    """
    if not reason.strip():
        raise Refused("Give a reason: it stands in the charge's history for whoever asks later.")
    with database.transaction() as session:
        row = session.get(ChargeRow, charge_number, with_for_update=True)
        claim = _last_live(session, charge_number)
        if row is None or claim is None:
            raise Refused(f"No claim of charge {charge_number} is out, so there is nothing to tell a next payer.")
        decided = session.scalar(select(PaymentRow.id).where(PaymentRow.claim_id == claim.id).limit(1))
        if decided is None:
            raise Refused(f"Claim {claim.number} is not decided yet; the next payer needs the decision.")
        charge = _document(session, database, claim)
        if len(charge.coverages) <= claim.payer_rank:
            raise Refused(f"Charge {charge_number} has no payer after the one that decided claim {claim.number}.")
        claim.onward = Onward.ASKED
        lifecycle.note(session, [row], lifecycle.Deed("next payer asked", by, clock(), database.keyring, reason))


def replace(
    database: Database,
    practice: Practice,
    charge_number: int,
    *,
    by: str,
    reason: str,
    clock: Callable[[], datetime],
    payer_claim_number: str = "",
) -> None:
    """A person wants the last payer's claim, that is out, replaced by one that tells what the payers before decided since.

    It goes out with the next file as a replacement (frequency 7). Raises Refused where that payer has given no number and
    none is told, where its claim is not out or takes no replacement, or while anything else holds the charge.
    """
    if not reason.strip():
        raise Refused("Give a reason: it stands in the charge's history for whoever asks later.")
    with database.transaction() as session:
        row = session.get(ChargeRow, charge_number, with_for_update=True)
        claim = _last_live(session, charge_number)
        if row is None or claim is None or claim.payer_rank == 1:
            raise Refused(f"No claim of charge {charge_number} to a later payer is out. See `charges review show`.")
        before = session.scalar(
            select(ClaimRow).where(
                ClaimRow.charge_id == row.id, ClaimRow.live, ClaimRow.payer_rank == claim.payer_rank - 1
            )
        )
        if before is None:
            raise Refused(
                f"No claim stands that claim {claim.number} is made after; void it with `charges review void`."
            )
        file = session.get_one(ClaimFileRow, claim.claim_file_id)
        coverages = complete(practice, _document(session, database, before)).coverages
        if why := differences.hindrance(practice, file, claim, coverages):
            raise Refused(f"Claim {claim.number} cannot be replaced. {why}")
        if payer_claim_number.strip():  # who has a number for it has the claim
            claim.seal(database.keyring, answer=payer_claim_number.strip().upper().encode())
            claim.accepted = True
        if claim.answer is None:
            raise Refused(f"Claim {claim.number} cannot be replaced. {_NUMBERLESS}")
        for item in worklist.open_items(session, row):
            if item.rule == RULE:
                item.state, item.closed_at = ItemState.CLOSED, clock()
            elif item.severity.holds:
                raise Refused(f"Charge {charge_number} waits for a decision about {item.rule}; take that first.")
        before.onward = Onward.AGAIN
        deed = lifecycle.Deed("next payer told anew", by, clock(), database.keyring, reason)
        if row.status is ChargeStatus.ACCEPTED:
            lifecycle.note(session, [row], deed)
        elif row.status in (ChargeStatus.HELD, ChargeStatus.CLAIMED):
            lifecycle.move(session, [row], ChargeStatus.ACCEPTED, deed)
        else:
            raise Refused(
                f"Charge {charge_number} is {row.status}: a claim of it to another payer is to be built first."
            )


def _last_live(session: Session, charge_id: int) -> ClaimRow | None:
    return session.scalar(
        select(ClaimRow)
        .where(ClaimRow.charge_id == charge_id, ClaimRow.live)
        .order_by(ClaimRow.payer_rank.desc())
        .limit(1)
    )


def _considered(session: Session, rows: Iterable[ChargeRow]) -> None:
    ids = [row.id for row in rows]
    session.execute(update(ClaimRow).where(ClaimRow.charge_id.in_(ids), ClaimRow.live).values(onward=Onward.NONE))


def _build(
    database: Database,
    practice_id: int,
    practice: Practice,
    batch: Batch,
    replaced: Mapping[int, ClaimRow],
    clock: Callable[[], datetime],
) -> Generated:
    """Build a file; claims that others take the place of do not stand any more from the same transaction on."""

    def retire(session: Session, rows: Iterable[ChargeRow]) -> None:
        for before in _of(rows):
            claim = session.get_one(ClaimRow, before.id, with_for_update=True)
            if not claim.live:
                raise Stale(f"Claim {claim.number} does not stand any more.")
            claim.live = False
        session.flush()

    def made(session: Session, rows: Iterable[ChargeRow]) -> None:
        _considered(session, rows)
        for before in _of(rows):
            standing = select(ClaimRow).where(
                ClaimRow.charge_id == before.charge_id, ClaimRow.live, ClaimRow.payer_rank == before.payer_rank
            )
            claim = session.scalars(standing).one()
            if claim.id != before.id:
                number = before.unseal(database.keyring, "answer").decode()
                differences.replaced(session, database.keyring, before, claim, number, clock())

    def _of(rows: Iterable[ChargeRow]) -> Sequence[ClaimRow]:
        return [replaced[row.id] for row in rows if row.id in replaced]

    return filing.build(database, practice_id, practice, batch, clock, then=made, first=retire)


def _next_batch(
    database: Database,
    practice_id: int,
    practice: Practice,
    standing: Standing,
    scope: str,
    clock: Callable[[], datetime],
) -> tuple[Batch, Mapping[int, ClaimRow]] | None:
    """The next claims to later payers that fit into one file: of one kind and one place in the order.

    With them, by charge, the claims that some of them replace; those are apart, as in every file that amends.
    """
    claims: dict[ChargeRow, Claim] = {}
    versions: dict[ChargeRow, str] = {}
    replaced: dict[int, ClaimRow] = {}
    fit: tuple[int, Kind, bool] | None = None
    after = 0
    wanted = practice.trading_partner.claims_per_file
    with database.transaction() as session:
        if not modes.stands(session, practice_id, standing):
            return None
        number = filing.next_number(session, scope)
        while len(claims) < wanted and (found := _due(session, practice_id, after)):
            after = found[-1][0].id
            earlier = filing.claims_so_far(session, [row for _, row in found])
            for claim, row in found:
                outcome = _consider(session, database, practice, claim)
                if isinstance(outcome, _Left):
                    claim.onward = Onward.NONE
                    deed = lifecycle.Deed("no next payer", ACTOR, clock(), database.keyring, outcome.why)
                    lifecycle.note(session, [row], deed)
                elif isinstance(outcome, Finding):
                    claim.onward = Onward.NONE
                    worklist.put(session, database.keyring, {row: [outcome]}, origin=Origin.ANSWER, now=clock())
                    deed = lifecycle.Deed("next payer in doubt", ACTOR, clock(), database.keyring)
                    lifecycle.move(session, [row], ChargeStatus.HELD, deed)
                elif len(claims) < wanted:
                    own = outcome.rank, kind_of(outcome.charge), outcome.replaces is not None
                    if fit is not None and own != fit:
                        continue
                    fit = own
                    clm01 = practice.trading_partner.number_of_claim(row.id, earlier.get(row.id, 0) + 1)
                    claims[row] = Claim(number=clm01, charge=outcome.charge, frequency="7" if outcome.replaces else "1")
                    versions[row] = outcome.version
                    if outcome.replaces is not None:
                        replaced[row.id] = outcome.replaces
    if fit is None:
        return None
    batch = Batch(scope, number, claims, standing, payer_rank=fit[0], versions=versions, faults_from=Origin.ANSWER)
    return batch, replaced


def _due(session: Session, practice_id: int, after: int) -> Sequence[tuple[ClaimRow, ChargeRow]]:
    rows = session.execute(
        select(ClaimRow, ChargeRow)
        .join(ChargeRow, ChargeRow.id == ClaimRow.charge_id)
        .where(
            ClaimRow.onward != Onward.NONE,
            ClaimRow.live,
            ClaimRow.id > after,
            ChargeRow.practice_id == practice_id,
            # A charge that waits for a person is considered when that person is done.
            ChargeRow.status.in_((ChargeStatus.ACCEPTED, ChargeStatus.CLAIMED)),
            breakers.is_routed(),
        )
        .order_by(ClaimRow.id)
        .limit(200)
        .with_for_update(of=(ClaimRow, ChargeRow))
    )
    return [(claim, row) for claim, row in rows]


def _consider(session: Session, database: Database, practice: Practice, claim: ClaimRow) -> _Left | Finding | _Next:  # noqa: PLR0911 - one for each reason
    """What becomes of a claim whose payer decided."""
    charge = complete(practice, _document(session, database, claim))
    rank = claim.payer_rank + 1
    if len(charge.coverages) < rank:
        return _Left("The charge has no further payer.")
    after = session.scalar(
        select(ClaimRow).where(ClaimRow.charge_id == claim.charge_id, ClaimRow.live, ClaimRow.payer_rank == rank)
    )
    if after is not None and claim.onward is not Onward.AGAIN:
        return _finding(
            claim,
            f"The payer of claim {claim.number} decided anew after claim {after.number} to the next payer left.",
            f"`charges secondary replace {claim.charge_id}` tells the next payer what stands now; waive this finding to let "
            f"claim {after.number} stand.",
        )
    standing = _standing(session, database, claim)
    if isinstance(standing, str):
        return _finding(claim, standing, "Ask the payer which decision counts; waive this finding when it is settled.")
    if standing is None:
        return _Left("No decision of the payer stands.")
    if claim.onward is Onward.DUE and (why := _needless(standing[0])):
        return _Left(why)
    decided: dict[int, Decided] = {}
    for each in session.scalars(
        select(ClaimRow).where(ClaimRow.charge_id == claim.charge_id, ClaimRow.live, ClaimRow.payer_rank < rank)
    ):
        found = _standing(session, database, each)
        if found is not None and not isinstance(found, str):
            payment, paid_on = found
            numbers = _line_numbers(practice, each.number, charge)
            decided[each.payer_rank] = Decided(each.payer_rank, payment, paid_on, numbers)
    if len(decided) != rank - 1:
        return _Left("Not every payer before it has a decision that stands.")
    try:
        told = charge_for_next(charge, [decided[place] for place in sorted(decided)])
    except Refused as why_not:
        return _finding(
            claim,
            f"The claim to the next payer after claim {claim.number} cannot be made. {why_not}",
            f"Bill the next payer by hand, or have the remittance corrected and ask with `charges secondary ask "
            f"{claim.charge_id}`; waive this finding then.",
        )
    if after is not None:
        number = after.unseal(database.keyring, "answer").decode()
        references = told.references.model_copy(update={"payer_claim_number": number})
        told = told.model_copy(update={"references": references})
    return _Next(told, claim.version, rank, after)


def _needless(payment: ClaimPayment) -> str:
    """Why the next payer is not asked without somebody wanting it."""
    if payment.status in _FORWARDED or payment.next_payer is not None or _SENT_ON & set(payment.remarks):
        return "The payer sent the claim on itself."
    if payment.decision is Decision.DENIED:
        return "The payer denied the claim."
    if payment.patient_responsibility <= 0:
        return "The patient owes nothing."
    return ""


def _standing(session: Session, database: Database, claim: ClaimRow) -> tuple[ClaimPayment, date | None] | str | None:
    """The decision of a claim's own payer that was not taken back; a sentence where several stand."""
    standing: list[tuple[ClaimPayment, date | None]] = []
    for row in session.scalars(
        select(PaymentRow)
        .where(PaymentRow.claim_id == claim.id, PaymentRow.payer_rank == claim.payer_rank)
        .order_by(PaymentRow.id)
    ):
        if row.decision is Decision.REVERSED:
            standing = []
        elif row.decision is not Decision.UNDECIDED:
            standing.append((posting.payment_of(row, database.keyring), row.paid_on))
    if len(standing) > 1:
        return f"The payer decided claim {claim.number} {len(standing)} times and took none of these decisions back."
    return standing[0] if standing else None


def _line_numbers(practice: Practice, number: str, charge: Charge) -> tuple[str, ...]:
    options = options_of(practice.trading_partner)
    return tuple(
        options.text(line.control_number, 50) if line.control_number else options.line_number(number, place)[:50]
        for place, line in enumerate(charge.billed_lines, 1)
    )


def _document(session: Session, database: Database, claim: ClaimRow) -> Charge:
    version = session.scalars(
        select(ChargeVersionRow).where(
            ChargeVersionRow.charge_id == claim.charge_id, ChargeVersionRow.version == claim.version
        )
    ).one()
    return Charge.model_validate_json(version.unseal(database.keyring, "document"))


def _finding(claim: ClaimRow, message: str, fix: str) -> Finding:
    return Finding(rule=RULE, severity=Severity.HOLD, at=f"claim {claim.number}", message=message, fix=fix)
