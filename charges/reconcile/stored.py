"""What is stored of some charges, read together: rows, documents, claims, and what was decided about each claim."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import and_, case, func, not_, or_, select
from sqlalchemy.orm import Session

from charges.keyring import Keyring
from charges.model import Charge
from charges.parts import AT_ONCE
from charges.period import Period
from charges.reconcile.values import NOTHING
from charges.tables import (
    ChargeRow,
    ChargeStatus,
    ChargeVersionRow,
    ClaimFileRow,
    ClaimRow,
    DifferenceRow,
    DifferenceState,
    FileStatus,
    PaymentReasonRow,
    PaymentRow,
)
from charges.x12.remittance import PATIENT_RESPONSIBILITY, Decision


@dataclass(frozen=True, slots=True)
class Decided:
    """What one payer decided about a claim, all its decisions together; a reversal counts against what it takes back.

    ``charged``, ``paid`` and ``denied`` are the amounts of the payments; ``patient``, ``refused`` and ``adjusted`` those of
    their reasons. ``standing`` is how many decisions were not taken back.
    """

    charged: Decimal
    paid: Decimal
    denied: Decimal
    standing: int
    patient: Decimal = NOTHING
    refused: Decimal = NOTHING
    adjusted: Decimal = NOTHING


UNDECIDED = Decided(NOTHING, NOTHING, NOTHING, 0)


@dataclass(frozen=True, slots=True)
class StoredClaim:
    """A claim with the file it stands in. ``decided`` has what payers decided by their place in the order of payers."""

    id: int
    number: str
    frequency: str
    version: str
    total: Decimal
    live: bool
    rank: int
    file_id: int
    file_status: FileStatus
    decided: Mapping[int, Decided]

    @property
    def own(self) -> Decided:
        """What the payer that was asked decided."""
        return self.decided.get(self.rank, UNDECIDED)

    @property
    def paid(self) -> Decimal:
        """What all payers paid on it."""
        return sum((each.paid for each in self.decided.values()), NOTHING)


@dataclass(frozen=True, slots=True)
class StoredCharge:
    """A charge as its row and its present document say it, with all its claims in their order.

    ``amends`` says that a person decided what becomes of the claim that stands, and that it is not built yet. ``chain`` is
    the end of the chain of events.
    """

    id: int
    status: ChargeStatus
    version: str
    total: Decimal
    service_date: date | None
    captured_at: datetime
    chain: tuple[int, str]
    document: Charge
    claims: tuple[StoredClaim, ...]
    amends: bool


def charges(session: Session, keyring: Keyring, practice_id: int, period: Period) -> Iterator[Sequence[StoredCharge]]:
    """The charges of a practice and period, so many at once that memory stays flat."""
    after = 0
    while True:
        rows = session.scalars(
            select(ChargeRow)
            .where(period.charges(practice_id), ChargeRow.id > after)
            .order_by(ChargeRow.id)
            .limit(AT_ONCE)
        ).all()
        if not rows:
            return
        after = rows[-1].id
        yield list(_together(session, keyring, rows))
        session.expunge_all()


def _together(session: Session, keyring: Keyring, rows: Sequence[ChargeRow]) -> Iterator[StoredCharge]:
    ids = [row.id for row in rows]
    present = select(ChargeVersionRow).join(
        ChargeRow, and_(ChargeRow.id == ChargeVersionRow.charge_id, ChargeRow.version == ChargeVersionRow.version)
    )
    documents = {
        each.charge_id: Charge.model_validate_json(each.unseal(keyring, "document"))
        for each in session.scalars(present.where(ChargeRow.id.in_(ids)))
    }
    claims = _claims(session, ids)
    amends = set(
        session.scalars(
            select(DifferenceRow.charge_id).where(
                DifferenceRow.charge_id.in_(ids),
                DifferenceRow.unresolved,
                DifferenceRow.state == DifferenceState.APPROVED,
            )
        )
    )
    for row in rows:
        yield StoredCharge(
            id=row.id,
            status=row.status,
            version=row.version,
            total=row.total,
            service_date=row.service_date,
            captured_at=row.captured_at,
            chain=(row.event_count, row.event_head),
            document=documents[row.id],
            claims=tuple(claims.get(row.id, ())),
            amends=row.id in amends,
        )


def _claims(session: Session, charge_ids: Sequence[int]) -> Mapping[int, list[StoredClaim]]:
    rows = session.execute(
        select(
            ClaimRow.id,
            ClaimRow.charge_id,
            ClaimRow.number,
            ClaimRow.frequency,
            ClaimRow.version,
            ClaimRow.total,
            ClaimRow.live,
            ClaimRow.payer_rank,
            ClaimRow.claim_file_id,
            ClaimFileRow.status,
        )
        .join(ClaimFileRow, ClaimFileRow.id == ClaimRow.claim_file_id)
        .where(ClaimRow.charge_id.in_(charge_ids))
        .order_by(ClaimRow.id)
    ).all()
    decided = _decided(session, charge_ids)
    found: dict[int, list[StoredClaim]] = {}
    for id_, charge_id, number, frequency, version, total, live, rank, file_id, status in rows:
        said = decided.get(id_, {})
        claim = StoredClaim(id_, number, frequency, version, total, live, rank, file_id, status, said)
        found.setdefault(charge_id, []).append(claim)
    return found


def _decided(session: Session, charge_ids: Sequence[int]) -> Mapping[int, dict[int, Decided]]:
    """The sums of the decisions about claims, by claim and place of the payer that decided."""
    ours = (ClaimRow.charge_id.in_(charge_ids), PaymentRow.decision != Decision.UNDECIDED)
    whose = (PaymentRow.claim_id, PaymentRow.payer_rank)
    standing = func.sum(case((PaymentRow.decision == Decision.REVERSED, -1), else_=1))
    payments = (
        select(*whose, func.sum(PaymentRow.charged), func.sum(PaymentRow.paid), func.sum(PaymentRow.denied), standing)
        .join(ClaimRow, ClaimRow.id == PaymentRow.claim_id)
        .where(*ours)
        .group_by(*whose)
    )
    amount, is_patients = PaymentReasonRow.amount, PaymentReasonRow.group == PATIENT_RESPONSIBILITY
    reasons = (
        select(
            *whose,
            func.sum(case((is_patients, amount), else_=NOTHING)),
            func.sum(case((PaymentReasonRow.denies, amount), else_=NOTHING)),
            func.sum(case((not_(or_(is_patients, PaymentReasonRow.denies)), amount), else_=NOTHING)),
        )
        .join(PaymentRow, PaymentRow.id == PaymentReasonRow.payment_id)
        .join(ClaimRow, ClaimRow.id == PaymentRow.claim_id)
        .where(*ours)
        .group_by(*whose)
    )
    why = {(claim, rank): sums for claim, rank, *sums in session.execute(reasons)}
    found: dict[int, dict[int, Decided]] = {}
    for claim, rank, charged, paid, denied, count in session.execute(payments):
        sums = why.get((claim, rank), ())
        found.setdefault(claim, {})[rank] = Decided(charged, paid, denied, int(count), *sums)
    return found
