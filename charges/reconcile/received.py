"""Remittances held against what was posted of them, and what of them is about nothing sent here."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from charges.keyring import Keyring
from charges.parts import AT_ONCE
from charges.period import Period
from charges.reconcile.filed import broken_payments
from charges.reconcile.values import NOTHING, Break, Equation
from charges.tables import (
    AccountAdjustmentRow,
    PaymentRow,
    RemittanceRow,
    ResponseRow,
    UnmatchedPaymentRow,
    UnmatchedStatus,
)

Column = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]
_POSTED, _REPEATED, _ACCOUNT = "posted to claims", "posted before", "provider's account"
_UNMATCHED, _SETTLED = "unmatched", "unmatched and settled"


class Remittances:
    """The sums over the remittances of a period, by the day of payment or, where none is told, of posting."""

    def __init__(self, session: Session, keyring: Keyring, practice_id: int, period: Period) -> None:
        self.session, self.keyring = session, keyring
        self.practice_id, self.period = practice_id, period
        self.remittances = 0
        self.paid = NOTHING
        self.parts: dict[str, Decimal] = defaultdict(Decimal)

    def equation(self) -> Equation:
        """What payers sent, and what became of it."""
        parts = {name: self.parts[name] for name in (_POSTED, _UNMATCHED, _SETTLED, _REPEATED, _ACCOUNT)}
        return Equation("remittances", self.paid, parts)

    def examine(self) -> Iterator[Break]:
        """Look at all of them; gives those that do not come to what was posted, and payments of nothing sent here."""
        after = 0
        while True:
            rows = self.session.scalars(
                select(RemittanceRow)
                .where(self._ours(), RemittanceRow.id > after)
                .order_by(RemittanceRow.id)
                .limit(AT_ONCE)
            ).all()
            if not rows:
                break
            after = rows[-1].id
            yield from self._some(rows)
            self.session.expunge_all()

    def _some(self, rows: Sequence[RemittanceRow]) -> Iterator[Break]:
        ids = [row.id for row in rows]
        posted = self._sums(PaymentRow.remittance_id, PaymentRow.paid, ids)
        account = self._sums(AccountAdjustmentRow.remittance_id, AccountAdjustmentRow.amount, ids)
        unmatched: dict[int, list[UnmatchedPaymentRow]] = {}
        for each in self.session.scalars(
            select(UnmatchedPaymentRow)
            .where(
                UnmatchedPaymentRow.remittance_id.in_(ids),
                UnmatchedPaymentRow.status != UnmatchedStatus.MATCHED,  # these are posted
            )
            .order_by(UnmatchedPaymentRow.remittance_id, UnmatchedPaymentRow.place)
        ):
            unmatched.setdefault(each.remittance_id, []).append(each)
        yield from broken_payments(
            self.session,
            self.keyring,
            {each.id: (each.event_count, each.event_head) for some in unmatched.values() for each in some},
        )
        for row in rows:
            self.remittances += 1
            self.paid += row.paid
            strangers = [each for each in unmatched.get(row.id, []) if each.status is UnmatchedStatus.OPEN]
            settled = [each for each in unmatched.get(row.id, []) if each.status is UnmatchedStatus.SETTLED]
            said = {
                _POSTED: posted.get(row.id, NOTHING),
                _UNMATCHED: sum((each.paid for each in strangers), NOTHING),
                _SETTLED: sum((each.paid for each in settled), NOTHING),
                _REPEATED: row.repeated,
                _ACCOUNT: -account.get(row.id, NOTHING),
            }
            for name, amount in said.items():
                self.parts[name] += amount
            if row.paid != sum(said.values(), NOTHING):
                yield Break(
                    "remittance",
                    f"payment {row.trace}",
                    f"Payment {row.trace} of payer {row.payer} is {row.paid:.2f}, but what was posted of it comes to "
                    f"{sum(said.values(), NOTHING):.2f}.",
                    "Change nothing, keep a backup, and give the engineer this sentence.",
                )
            for each in strangers:
                yield Break(
                    "unmatched",
                    f"payment {row.trace}",
                    f"Claim {each.place} of payment {row.trace} of payer {row.payer}, {each.paid:.2f} paid of "
                    f"{each.charged:.2f}, is about nothing sent here.",
                    f"`charges files reply {row.response_id}` shows whose it is. `charges payments match {each.id} CLAIM` "
                    f"posts it to a claim of yours, and `charges payments settle {each.id} --reason TEXT` says that it is "
                    "posted in another system, returned or not yours.",
                )

    def _sums(self, whose: Column, amount: InstrumentedAttribute[Decimal], ids: Sequence[int]) -> dict[int, Decimal]:
        rows = self.session.execute(select(whose, func.sum(amount)).where(whose.in_(ids)).group_by(whose))
        return {number: total for number, total in rows if number is not None}

    def _ours(self) -> ColumnElement[bool]:
        days = self.period.days(RemittanceRow.paid_on, RemittanceRow.posted_at)
        return and_(RemittanceRow.practice_id == self.practice_id, days)


def not_carried_out(session: Session, practice_id: int, period: Period) -> int:
    """How many replies of the period are kept and were not carried out, because nobody can read them or they are off."""
    return (
        session.scalar(
            select(func.count())
            .select_from(ResponseRow)
            .where(
                ResponseRow.practice_id == practice_id,
                ResponseRow.state.in_(("unreadable", "unbalanced")),
                period.moments(ResponseRow.received_at),
            )
        )
        or 0
    )
