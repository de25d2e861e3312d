"""What remittances say, in plain columns that can be counted: payments, their reasons, and what belongs to no claim."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from charges.tables.base import Base
from charges.tables.columns import BigId
from charges.tables.states import UnmatchedStatus


class RemittanceRow(Base):
    """One payment of a payer as its remittance tells it.

    ``paid`` is what it comes to, negative when the payer takes it. ``repeated`` is what it pays for claims of which this
    payment was posted before; so ``paid`` = posted + unmatched + repeated - the provider's account.
    """

    __tablename__ = "remittances"
    __table_args__ = (Index(None, "practice_id", "payer", "trace"), Index(None, "response_id"))

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    response_id: Mapped[int] = mapped_column(BigId, ForeignKey("responses.id"))
    payer: Mapped[str] = mapped_column(String(30))
    trace: Mapped[str] = mapped_column(String(50))
    paid: Mapped[Decimal]
    repeated: Mapped[Decimal]
    paid_on: Mapped[date | None]
    posted_at: Mapped[datetime]


class PaymentReasonRow(Base):
    """A reason of a decision: an adjustment (``group`` and CARC), or a remark (RARC) with no group and no amount.

    ``line`` counts the lines of the remittance's claim from 1, 0 is the claim as a whole. ``denies`` as in
    ``x12.remittance``.
    """

    __tablename__ = "payment_reasons"
    __table_args__ = (Index(None, "payment_id"), Index(None, "reason"))

    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id"))
    line: Mapped[int] = mapped_column(Integer)
    group: Mapped[str] = mapped_column(String(2))
    reason: Mapped[str] = mapped_column(String(8))
    amount: Mapped[Decimal]
    denies: Mapped[bool]


class UnmatchedPaymentRow(Base):
    """A claim in a remittance that is none of ours.

    ``place`` counts the claims of the payment from 1; its number may be a patient's account number and stands in the
    reply alone. ``event_count`` and ``event_head`` are the end of the chain of events that says what people did about it.
    """

    __tablename__ = "unmatched_payments"
    __table_args__ = (Index(None, "remittance_id"),)

    remittance_id: Mapped[int] = mapped_column(BigId, ForeignKey("remittances.id"))
    place: Mapped[int] = mapped_column(Integer)
    charged: Mapped[Decimal]
    paid: Mapped[Decimal]
    status: Mapped[UnmatchedStatus] = mapped_column(default=UnmatchedStatus.OPEN)
    event_count: Mapped[int] = mapped_column(Integer, default=0)
    event_head: Mapped[str] = mapped_column(String(64), default="")
    changed_at: Mapped[datetime]


class AccountAdjustmentRow(Base):
    """An amount of a PLB: taken from the payment when positive, added to it when negative."""

    __tablename__ = "account_adjustments"
    __table_args__ = (Index(None, "remittance_id"),)

    remittance_id: Mapped[int] = mapped_column(BigId, ForeignKey("remittances.id"))
    reason: Mapped[str] = mapped_column(String(8))
    amount: Mapped[Decimal]
