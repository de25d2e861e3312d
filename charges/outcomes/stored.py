"""What is stored of some claims: what payers decided, who refused them, and the findings they left with."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from charges.keyring import Keyring
from charges.model import Charge
from charges.outcomes.values import Denial
from charges.parts import AT_ONCE
from charges.period import Period
from charges.replies import posting
from charges.tables import (
    NEVER_SENT,
    AnswerRow,
    ChargeRow,
    ChargeVersionRow,
    ClaimFileRow,
    ClaimRow,
    ItemState,
    Origin,
    PaymentReasonRow,
    PaymentRow,
    ReviewItemRow,
)
from charges.x12.answers import Outcome
from charges.x12.remittance import Decision

REFUSALS = ("TA1", "999", "997", "277CA")
_DENIED = (Decision.DENIED, Decision.PARTLY_DENIED)
_NONE = "no reason"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim that was built to be sent."""

    id: int
    charge_id: int
    number: str
    version: str
    rank: int


@dataclass(frozen=True, slots=True)
class Item:
    """A finding of a rule that a claim left with, because it only warned or because a person waived it."""

    rule: str
    at: str
    waived: bool


def claims_after(session: Session, practice_id: int, period: Period, after: int) -> Sequence[Claim]:
    """The next claims of a practice and period in the order of their ids, without voids and shadows."""
    rows = session.execute(
        select(
            ClaimRow.id,
            ClaimRow.charge_id,
            ClaimRow.number,
            ClaimRow.version,
            ClaimRow.payer_rank,
        )
        .join(ClaimFileRow, ClaimFileRow.id == ClaimRow.claim_file_id)
        .join(ChargeRow, ChargeRow.id == ClaimRow.charge_id)
        .where(
            period.charges(practice_id),
            ClaimRow.id > after,
            ClaimRow.frequency != "8",
            ClaimFileRow.status.not_in(NEVER_SENT),
        )
        .order_by(ClaimRow.id)
        .limit(AT_ONCE)
    )
    return [Claim(*row) for row in rows]


class Found:
    """What is stored of some claims: what payers decided, what was refused, and the findings they left with."""

    def __init__(self, session: Session, keyring: Keyring, claims: Sequence[Claim]) -> None:
        self.session, self.keyring = session, keyring
        ids = [each.id for each in claims]
        self.payments = self._standing(claims, ids)
        self.refused = self._refusals(claims)
        self.items = self._findings(claims)
        self.codes = self._procedures(
            [each for each in claims if self.items.get(each.id) and self.payments.get(each.id)]
        )

    def _standing(self, claims: Sequence[Claim], ids: Sequence[int]) -> Mapping[int, Sequence[tuple[int, Decision]]]:
        """The decisions of each claim's own payer that were not taken back, as ids of payments with what was decided."""
        ranks = {each.id: each.rank for each in claims}
        found: dict[int, list[tuple[int, Decision]]] = {}
        for number, claim, rank, decision in self.session.execute(
            select(PaymentRow.id, PaymentRow.claim_id, PaymentRow.payer_rank, PaymentRow.decision)
            .where(PaymentRow.claim_id.in_(ids), PaymentRow.decision != Decision.UNDECIDED)
            .order_by(PaymentRow.id)
        ):
            if rank != ranks[claim]:
                continue
            if decision is Decision.REVERSED:
                found.pop(claim, None)
            else:
                found.setdefault(claim, []).append((number, decision))
        return found

    def _refusals(self, claims: Sequence[Claim]) -> Mapping[int, Denial]:
        """The claims that a reply refused, by its own word or with their file."""
        by_place = {(each.charge_id, f"claim {each.number}"): each.id for each in claims}
        found: dict[int, Denial] = {}
        items = select(ReviewItemRow.charge_id, ReviewItemRow.at, ReviewItemRow.rule).where(
            ReviewItemRow.charge_id.in_({each.charge_id for each in claims}),
            ReviewItemRow.origin == Origin.ANSWER,
            ReviewItemRow.rule.in_(REFUSALS),
        )
        for charge, at, rule in self.session.execute(items):
            if (claim := by_place.get((charge, at))) is not None:
                found[claim] = Denial(rule, is_refusal=True)
        codes = select(AnswerRow.claim_id, AnswerRow.codes).where(
            AnswerRow.claim_id.in_(found), AnswerRow.outcome == Outcome.REJECTED.value
        )
        for claim, said in self.session.execute(codes):
            if claim is not None:
                status = ":".join(said.partition(",")[0].split(":")[:2])
                found[claim] = Denial(f"277CA {status}", is_refusal=True)
        return found

    def _findings(self, claims: Sequence[Claim]) -> Mapping[int, Sequence[Item]]:
        """What the rules had found, by claim, in the version it was made of and not taken back before it was built."""
        rows = self.session.execute(
            select(
                ClaimRow.id,
                ReviewItemRow.rule,
                ReviewItemRow.at,
                ReviewItemRow.state,
            )
            .join(
                ClaimRow, and_(ClaimRow.charge_id == ReviewItemRow.charge_id, ClaimRow.version == ReviewItemRow.version)
            )
            .join(ClaimFileRow, ClaimFileRow.id == ClaimRow.claim_file_id)
            .where(
                ClaimRow.id.in_([each.id for each in claims]),
                ReviewItemRow.origin == Origin.RULES,
                ReviewItemRow.opened_at <= ClaimFileRow.built_at,
                or_(ReviewItemRow.state != ItemState.CLOSED, ReviewItemRow.closed_at > ClaimFileRow.built_at),
            )
        )
        found: dict[int, list[Item]] = defaultdict(list)
        for claim, rule, at, state in rows:
            found[claim].append(Item(rule, at, state is ItemState.WAIVED))
        return found

    def _procedures(self, claims: Sequence[Claim]) -> Mapping[int, Sequence[str]]:
        """The codes of the lines of the charges of claims that were denied, by claim."""
        denied = [each for each in claims if any(what in _DENIED for _, what in self.payments[each.id])]
        documents = {
            (row.charge_id, row.version): row
            for row in self.session.scalars(
                select(ChargeVersionRow)
                .join(
                    ClaimRow,
                    and_(
                        ClaimRow.charge_id == ChargeVersionRow.charge_id, ClaimRow.version == ChargeVersionRow.version
                    ),
                )
                .where(ClaimRow.id.in_([each.id for each in denied]))
            )
        }
        found = {}
        for each in denied:
            text = documents[each.charge_id, each.version].unseal(self.keyring, "document")
            found[each.id] = [line.code for line in Charge.model_validate_json(text).lines]
        return found

    def denials(self) -> Mapping[int, Sequence[Denial]]:
        """Why each claim that was refused or denied was, by claim."""
        found: dict[int, list[Denial]] = {claim: [why] for claim, why in self.refused.items()}
        whose = {
            number: claim
            for claim, payments in self.payments.items()
            for number, decision in payments
            if decision in _DENIED
        }
        if not whose:
            return found
        said: dict[int, list[tuple[int, str, Decimal, bool]]] = defaultdict(list)
        for number, line, group, reason, amount, denies in self.session.execute(
            select(
                PaymentReasonRow.payment_id,
                PaymentReasonRow.line,
                PaymentReasonRow.group,
                PaymentReasonRow.reason,
                PaymentReasonRow.amount,
                PaymentReasonRow.denies,
            ).where(PaymentReasonRow.payment_id.in_(whose))
        ):
            if denies or not group:
                said[number].append((line, reason, amount, denies))
        for row in self.session.scalars(select(PaymentRow).where(PaymentRow.id.in_(whose))):
            lines = [each.original_code or each.code for each in posting.payment_of(row, self.keyring).lines]
            found.setdefault(row.claim_id, []).extend(_denials(said[row.id], lines))
        return found


def _denials(said: Sequence[tuple[int, str, Decimal, bool]], lines: Sequence[str]) -> Iterator[Denial]:
    """The reasons of one payment that deny, each with the remarks of its line and of the claim as a whole."""
    remarks: dict[int, set[str]] = defaultdict(set)
    for line, reason, _, denies in said:
        if not denies:
            remarks[line].add(reason)
    why = [(line, reason, amount) for line, reason, amount, denies in said if denies]
    for line, reason, amount in why or [(0, _NONE, Decimal(0))]:
        procedure = lines[line - 1] if 0 < line <= len(lines) else ""
        yield Denial(reason, frozenset(remarks[line] | remarks[0]), procedure, amount)
