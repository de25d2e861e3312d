"""Payments posted to the claims they are about: each decision of a remittance once, and what it asks of a person.

A denied claim stays out: the payer has it, and whoever sent it again as a new one would send a duplicate. So a denial
holds the charge with the payer's reasons, and a person corrects, appeals or lets it stand.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pydantic import TypeAdapter
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from charges.keyring import Keyring
from charges.model import Adjustment, Finding, Severity
from charges.tables import (
    AccountAdjustmentRow,
    ClaimRow,
    Onward,
    PaymentReasonRow,
    PaymentRow,
    RemittanceRow,
    ResponseRow,
    UnmatchedPaymentRow,
)
from charges.x12.payment_codes import PROVIDER_ADJUSTMENT, reason_told, remark_told
from charges.x12.remittance import ClaimPayment, Decision, LinePayment, Remittance, denies
from charges.x12.remittance_balance import unbalanced

RULE = "835"
"""What the findings of remittances are filed under."""

_SETTLED = (Decision.PAID, Decision.PARTLY_DENIED, Decision.DENIED)
_TOLD = 5
"""So many faults of a remittance are told; the remittance itself is kept."""
_AT_ONCE = 500

_PAYMENT: TypeAdapter[ClaimPayment] = TypeAdapter(ClaimPayment)


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision of a remittance about a claim of ours."""

    claim: ClaimRow
    remittance: Remittance
    payment: ClaimPayment

    @property
    def decision(self) -> Decision:
        """What was decided."""
        return self.payment.decision

    @property
    def key(self) -> tuple[int, str, str]:
        """The claim and the payment: what is posted once."""
        return self.claim.id, self.remittance.payer_number, self.remittance.trace

    @property
    def sentence(self) -> str:
        """The amounts, for the history of the charge."""
        paid = self.payment
        if self.decision is Decision.REVERSED:
            return f"By {self.named}: {-paid.paid:.2f} of {-paid.charged:.2f} taken back."
        return (
            f"By {self.named}: {paid.paid:.2f} of {paid.charged:.2f} paid, {paid.patient_responsibility:.2f} owed by the "
            f"patient, {paid.written_off:.2f} neither."
        )

    @property
    def named(self) -> str:
        """The payment by its number and day."""
        day = f" of {self.remittance.paid_on}" if self.remittance.paid_on else ""
        return f"payment {self.remittance.trace}{day}"


def faults(remittances: Iterable[Remittance]) -> str:
    """A sentence on what does not add up, nothing where all do."""
    found = [fault.sentence for remittance in remittances for fault in unbalanced(remittance)]
    if not found:
        return ""
    more = f" And {len(found) - _TOLD} more." if len(found) > _TOLD else ""
    return (
        f"The remittance does not add up, so nothing of it was carried out: {' '.join(found[:_TOLD])}{more} "
        "Ask the payer for a corrected one."
    )


def post(
    session: Session,
    keyring: Keyring,
    response: ResponseRow,
    entries: Sequence[Entry],
    now: datetime,
    remittances: Mapping[int, int] | None = None,
) -> Sequence[Entry]:
    """Store the decisions of payments that were not posted before; returns these. Their next payers are to be considered."""
    posted = list(_posted(session, entries))
    repeated = _repeated(entries, posted)
    payers: dict[int, dict[str, int]] = {}
    for claim, payer, _, rank in posted:
        payers.setdefault(claim, {})[payer] = rank
    ordinals: Counter[tuple[int, str, str]] = Counter()
    new = [entry for entry in entries if id(entry) not in repeated]
    rows: list[tuple[PaymentRow, ClaimPayment]] = []
    for entry in new:
        claim_id, payer, trace = entry.key
        row = PaymentRow(
            claim_id=claim_id,
            response_id=response.id,
            payer=payer,
            trace=trace,
            ordinal=ordinals[entry.key],
            decision=entry.decision,
            charged=entry.payment.charged,
            paid=entry.payment.paid,
            patient_responsibility=entry.payment.patient_responsibility,
            denied=entry.payment.denied,
            payer_rank=_rank(entry, payers),
            remittance_id=(remittances or {}).get(id(entry.remittance)),
            paid_on=entry.remittance.paid_on,
            posted_at=now,
        )
        row.seal(keyring, document=_PAYMENT.dump_json(entry.payment, exclude_defaults=True))
        session.add(row)
        ordinals[entry.key] += 1
        if entry.claim.live and entry.claim.onward is Onward.NONE:
            entry.claim.onward = Onward.DUE
        rows.append((row, entry.payment))
    session.flush()
    if reasons := [each for row, payment in rows for each in _reasons(row, payment)]:
        session.execute(insert(PaymentReasonRow), reasons)
    return new


def keep(
    session: Session,
    practice_id: int,
    response: ResponseRow,
    remittances: Sequence[Remittance],
    entries: Sequence[Entry],
    now: datetime,
) -> Mapping[int, int]:
    """Store what remittances say as a whole, and what of them is about no claim of ours; their rows by ``id``."""
    known = _repeated(entries, _posted(session, entries))
    matched = {id(entry.payment): entry for entry in entries}
    rows: dict[int, int] = {}
    for remittance in remittances:
        payer, trace = remittance.payer_number, remittance.trace
        account = sum((each.amount for each in remittance.provider_adjustments), Decimal(0))
        paid = sum((each.paid for each in remittance.claims), Decimal(0)) - account
        earlier = session.scalar(
            select(RemittanceRow.id).where(
                RemittanceRow.practice_id == practice_id,
                RemittanceRow.payer == payer,
                RemittanceRow.trace == trace,
                RemittanceRow.paid == paid,
                RemittanceRow.paid_on == remittance.paid_on,
            )
        )
        unmatched = [(n, each) for n, each in enumerate(remittance.claims, 1) if id(each) not in matched]
        again = [entry for entry in map(matched.get, map(id, remittance.claims)) if entry and id(entry) in known]
        repeated = sum((entry.payment.paid for entry in again), Decimal(0))
        if earlier is not None:  # the account and the strangers were written down when it came first
            repeated += sum((each.paid for _, each in unmatched), Decimal(0)) - account
        row = RemittanceRow(
            practice_id=practice_id,
            response_id=response.id,
            payer=payer,
            trace=trace,
            paid=paid,
            repeated=repeated,
            paid_on=remittance.paid_on,
            posted_at=now,
        )
        session.add(row)
        session.flush()
        rows[id(remittance)] = row.id
        if earlier is None:
            session.add_all(
                UnmatchedPaymentRow(
                    remittance_id=row.id, place=place, charged=each.charged, paid=each.paid, changed_at=now
                )
                for place, each in unmatched
            )
            session.add_all(
                AccountAdjustmentRow(remittance_id=row.id, reason=each.reason[:8], amount=each.amount)
                for each in remittance.provider_adjustments
            )
    return rows


def consider_next(session: Session, refused: ClaimRow) -> None:
    """Have the claim to a later payer, that was refused, made again from the decision of the payer before it."""
    before = ClaimRow.payer_rank == refused.payer_rank - 1
    session.execute(
        update(ClaimRow).where(ClaimRow.charge_id == refused.charge_id, before, ClaimRow.live).values(onward=Onward.DUE)
    )


def payment_of(row: PaymentRow, keyring: Keyring) -> ClaimPayment:
    """The decision with its lines and reasons, as it was posted."""
    return _PAYMENT.validate_json(row.unseal(keyring, "document"))


def findings(entries: Sequence[Entry]) -> Mapping[ClaimRow, Sequence[Finding]]:
    """What a person must look at, by claim."""
    by_claim: dict[ClaimRow, list[Entry]] = {}
    for entry in entries:
        by_claim.setdefault(entry.claim, []).append(entry)
    found = {claim: list(_of_claim(claim, decided)) for claim, decided in by_claim.items()}
    return {claim: said for claim, said in found.items() if said}


def counted(entries: Sequence[Entry], *, unmatched: int, repeated: int, remittances: Sequence[Remittance]) -> str:
    """The outcome of a reply in a sentence without names or numbers of claims."""
    decisions = Counter(entry.decision for entry in entries)
    told = ", ".join(f"{decisions[each]} {each}" for each in Decision if decisions[each]) or "none new"
    said = [f"{len(entries) + repeated + unmatched} payments of claims: {told}"]
    if repeated:
        said.append(f"{repeated} posted before")
    said.append(f"{unmatched} about nothing sent here")
    account: dict[str, Decimal] = {}
    for remittance in remittances:
        for each in remittance.provider_adjustments:
            account[each.reason] = account.get(each.reason, Decimal(0)) + each.amount
    for reason, amount in account.items():
        way = "taken from" if amount > 0 else "added to"
        words = PROVIDER_ADJUSTMENT.get(reason, "a reason told by its code only")
        said.append(f"{abs(amount):.2f} {way} the payment: {words} ({reason})")
    return "; ".join(said)


def _posted(session: Session, entries: Sequence[Entry]) -> Iterator[tuple[int, str, str, int]]:
    ids = sorted({entry.claim.id for entry in entries})
    for start in range(0, len(ids), _AT_ONCE):
        query = select(PaymentRow.claim_id, PaymentRow.payer, PaymentRow.trace, PaymentRow.payer_rank).order_by(
            PaymentRow.id
        )
        for row in session.execute(query.where(PaymentRow.claim_id.in_(ids[start : start + _AT_ONCE]))):
            yield row.claim_id, row.payer, row.trace, row.payer_rank


def _repeated(entries: Sequence[Entry], posted: Iterable[tuple[int, str, str, int]]) -> set[int]:
    """The ``id`` of each entry that was posted before, or stands in an earlier remittance of the same reply.

    A payment has one transaction set; where a reply has it twice, somebody put two copies into one file.
    """
    known = {(claim, payer, trace) for claim, payer, trace, _ in posted}
    told_by: dict[tuple[int, str, str], int] = {}
    return {
        id(entry)
        for entry in entries
        if told_by.setdefault(entry.key, id(entry.remittance)) != id(entry.remittance) or entry.key in known
    }


_RANKS = {"1": 1, "19": 1, "2": 2, "20": 2, "3": 3, "21": 3}
"""The place of the payer in the order of payers that a claim status (CLP02) tells."""


def _rank(entry: Entry, payers: dict[int, dict[str, int]]) -> int:
    """The place of the payer that decided. A claim that its payer forwarded is decided by the next one under our number."""
    claim, payer = entry.claim, entry.remittance.payer_number
    known = payers.setdefault(claim.id, {})
    if payer not in known:
        told = _RANKS.get(entry.payment.status, claim.payer_rank)
        known[payer] = max(told, claim.payer_rank) if known else claim.payer_rank
    return known[payer]


def _reasons(row: PaymentRow, payment: ClaimPayment) -> Iterator[dict[str, object]]:
    """The columns of the reasons of a payment."""
    places = [(payment.adjustments, payment.remarks), *((line.adjustments, line.remarks) for line in payment.lines)]
    is_reversal = payment.decision is Decision.REVERSED
    for line, (adjustments, remarks) in enumerate(places):
        for each in adjustments:
            yield {
                "payment_id": row.id,
                "line": line,
                "group": each.group[:2],
                "reason": each.reason[:8],
                "amount": each.amount,
                "denies": denies(each, is_reversal=is_reversal),
            }
        for remark in remarks:
            nothing = {"group": "", "amount": Decimal(0), "denies": False}
            yield {"payment_id": row.id, "line": line, "reason": remark[:8], **nothing}


def _of_claim(claim: ClaimRow, entries: Sequence[Entry]) -> Iterator[Finding]:
    settled = [entry for entry in entries if entry.decision in _SETTLED]
    if not claim.live:
        paid = [entry for entry in settled if entry.decision is not Decision.DENIED]
        yield from map(_contradiction, paid[:1])
    elif not settled:
        yield from (_reversal(entry) for entry in entries if entry.decision is Decision.REVERSED)
    else:
        yield from (_denial(entry) for entry in settled if entry.decision is not Decision.PAID)


def _finding(entry: Entry, message: str, fix: str) -> Finding:
    payment = entry.payment
    lines = [line for line in payment.lines if line.is_denied or entry.decision is Decision.DENIED]
    given = [*payment.adjustments, *(each for line in lines for each in line.adjustments)]
    remarks = [*payment.remarks, *(each for line in lines for each in line.remarks)]
    evidence = {
        "payer's claim number": payment.payer_claim_number,
        "reasons": ", ".join(dict.fromkeys(f"{each.group}-{each.reason}" for each in given)),
        "remarks": ", ".join(dict.fromkeys(remarks)),
    }
    return Finding(
        rule=RULE,
        severity=Severity.HOLD,
        at=f"claim {entry.claim.number}, payment {entry.remittance.trace}",
        message=message,
        evidence={name: value for name, value in evidence.items() if value},
        fix=fix,
    )


def _denial(entry: Entry) -> Finding:
    payment, number = entry.payment, entry.claim.number
    if entry.decision is Decision.DENIED:
        what, lines = f"denied claim {number}", payment.lines
    else:
        lines = tuple(line for line in payment.lines if line.is_denied)
        what = f"paid {payment.paid:.2f} of {payment.charged:.2f} of claim {number} and denied lines of it"
    said = [_line_told(line) for line in lines if line.charged or line.adjustments]
    whole = _reasons_told(payment.adjustments, payment.remarks)
    if whole:
        said.append(f"the claim as a whole: {whole}")
    return _finding(
        entry,
        f"The payer {what} ({entry.named}): {'. '.join(said) or 'no reason is given'}.",
        "Correct the charge at the source or appeal, as the reasons ask; waive this finding to let the decision stand.",
    )


def _reversal(entry: Entry) -> Finding:
    return _finding(
        entry,
        f"The payer took back {-entry.payment.paid:.2f} that it had paid for claim {entry.claim.number} ({entry.named}) and "
        "gave no new decision with it.",
        "Ask the payer why; waive this finding when the claim is settled.",
    )


def _contradiction(entry: Entry) -> Finding:
    return _finding(
        entry,
        f"The payer decided claim {entry.claim.number}, which an earlier answer refused. {entry.sentence}",
        "Make sure that no second claim for it is out. Give the charge up here if it is settled; waive this finding if not.",
    )


def _line_told(line: LinePayment) -> str:
    code = line.original_code or line.code or f"revenue code {line.revenue_code}"
    why = _reasons_told(line.adjustments, line.remarks) or "no reason is given"
    return f"{code}, {line.paid:.2f} of {line.charged:.2f} paid: {why}"


def _reasons_told(adjustments: Sequence[Adjustment], remarks: Sequence[str]) -> str:
    return "; ".join((*map(reason_told, adjustments), *map(remark_told, remarks)))
