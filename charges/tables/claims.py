"""Claim files, the claims in them, and what was answered and paid."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from charges.tables.base import Base, SealedRow
from charges.tables.columns import BigId
from charges.tables.states import FileStatus, Onward
from charges.x12.remittance import Decision


class ClaimFileRow(SealedRow, Base):
    """One interchange: its exact bytes, sealed, under the name and number it is sent with, however often.

    ``parcel`` and ``parcel_name`` are what is sent where that differs: compressed or encrypted, kept at the first try.
    ``tries`` counts the tries that failed since one succeeded, ``fault`` says why the last one did, and nothing is tried
    before ``next_try_at``.
    """

    __tablename__ = "claim_files"
    __table_args__ = (UniqueConstraint("scope", "control_number"), Index(None, "status", "practice_id"))
    SEALED = ("content", "parcel")
    IDENTITY = ("scope", "control_number")

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    scope: Mapped[str] = mapped_column(String(80))
    control_number: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    content: Mapped[bytes]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(Integer)
    claim_count: Mapped[int] = mapped_column(Integer)
    total: Mapped[Decimal]
    status: Mapped[FileStatus]
    event_count: Mapped[int] = mapped_column(Integer, default=0)
    event_head: Mapped[str] = mapped_column(String(64), default="")
    built_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    parcel: Mapped[bytes | None]
    parcel_name: Mapped[str | None] = mapped_column(String(220))
    tries: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    fault: Mapped[str | None]
    next_try_at: Mapped[datetime | None]


class ClaimRow(SealedRow, Base):
    """A claim of a charge in a file. At most one claim of a charge to a payer is ``live``: out, and not refused by anybody.

    ``payer_rank`` is the place of the payer in the charge's order of payers, 1 for the first. ``onward`` says whether the
    next payer is to be considered.
    """

    __tablename__ = "claims"
    __table_args__ = (
        Index(
            "uq_claims_live_charge_id_payer_rank",
            "charge_id",
            "payer_rank",
            unique=True,
            sqlite_where=text("live"),
            postgresql_where=text("live"),
        ),
        Index(None, "claim_file_id"),
        Index(None, "charge_id"),
        Index(
            "ix_claims_onward",
            "onward",
            sqlite_where=text("onward <> 'none'"),
            postgresql_where=text("onward <> 'none'"),
        ),
    )
    SEALED = ("answer",)
    IDENTITY = ("number",)

    charge_id: Mapped[int] = mapped_column(BigId, ForeignKey("charges.id"))
    claim_file_id: Mapped[int] = mapped_column(BigId, ForeignKey("claim_files.id"))
    number: Mapped[str] = mapped_column(String(20), unique=True)
    frequency: Mapped[str] = mapped_column(String(1))
    version: Mapped[str] = mapped_column(String(64))
    total: Mapped[Decimal]
    live: Mapped[bool]
    accepted: Mapped[bool] = mapped_column(default=False)
    payer_rank: Mapped[int] = mapped_column(Integer, default=1, server_default=text("1"))
    onward: Mapped[Onward] = mapped_column(default=Onward.NONE, server_default=text("'none'"))
    answer: Mapped[bytes | None]


class ResponseRow(SealedRow, Base):
    """A reply, stored before it is read and once however often it comes."""

    __tablename__ = "responses"
    SEALED = ("content",)
    IDENTITY = ("practice_id", "sha256")
    __table_args__ = (UniqueConstraint("practice_id", "sha256"), Index(None, "state"))

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    content: Mapped[bytes]
    state: Mapped[str] = mapped_column(String(12))
    outcome: Mapped[str]
    received_at: Mapped[datetime]


class PaymentRow(SealedRow, Base):
    """What a payment decided about one claim, once however often its remittance comes.

    ``payer`` and ``trace`` name the payment (TRN03, TRN02), ``ordinal`` counts its decisions about the claim: a reversal
    and what replaces it are two. ``document`` is the ``ClaimPayment`` with its lines and reasons. Amounts add up over all
    decisions, as a reversal's are negative. ``payer_rank`` is the place of the payer that decided: a claim that the first
    payer forwarded is decided by the second too. ``denied`` is what was taken off by reasons that deny.
    """

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("claim_id", "payer", "trace", "ordinal"),
        Index(None, "response_id"),
        Index(None, "remittance_id"),
    )
    SEALED = ("document",)
    IDENTITY = ("claim_id", "payer", "trace", "ordinal")

    claim_id: Mapped[int] = mapped_column(BigId, ForeignKey("claims.id"))
    response_id: Mapped[int] = mapped_column(BigId, ForeignKey("responses.id"))
    payer: Mapped[str] = mapped_column(String(30))
    trace: Mapped[str] = mapped_column(String(50))
    ordinal: Mapped[int] = mapped_column(Integer)
    decision: Mapped[Decision]
    charged: Mapped[Decimal]
    paid: Mapped[Decimal]
    patient_responsibility: Mapped[Decimal]
    denied: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default=text("0"))
    payer_rank: Mapped[int] = mapped_column(Integer, default=1, server_default=text("1"))
    remittance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("remittances.id"))
    paid_on: Mapped[date | None]
    document: Mapped[bytes]
    posted_at: Mapped[datetime]


class ControlNumberRow(Base):
    """The next interchange control number between one sender and one receiver."""

    __tablename__ = "control_numbers"

    scope: Mapped[str] = mapped_column(String(80), unique=True)
    next: Mapped[int] = mapped_column(Integer)
