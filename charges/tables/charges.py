"""Practices, their charges with every version, what the review has of them, and the chain of events."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from charges.model import Severity
from charges.tables.base import Base, SealedRow
from charges.tables.columns import BigId
from charges.tables.states import ChargeStatus, ItemState, Origin


class PracticeRow(SealedRow, Base):
    """A practice and its profile. The profile is sealed because a cohort names patients' record numbers."""

    __tablename__ = "practices"
    SEALED = ("profile",)
    IDENTITY = ("code",)

    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    profile: Mapped[bytes]
    applied_at: Mapped[datetime]


class ChargeRow(Base):
    """The envelope of a charge.

    ``version`` is the digest of the current document, ``judged_with`` the digest of the practice profile and payer rules it
    was last judged with, ``event_count`` and ``event_head`` the end of its chain of events.
    """

    __tablename__ = "charges"
    __table_args__ = (
        UniqueConstraint("practice_id", "source", "key"),
        Index(None, "status", "practice_id", "id"),
        Index(None, "patient_key"),
    )

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    source: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(80))
    version: Mapped[str] = mapped_column(String(64))
    status: Mapped[ChargeStatus]
    payer_id: Mapped[str] = mapped_column(String(80))
    service_date: Mapped[date | None]
    total: Mapped[Decimal]
    patient_key: Mapped[str] = mapped_column(String(32))
    judged_with: Mapped[str] = mapped_column(String(64), default="")
    event_count: Mapped[int] = mapped_column(Integer, default=0)
    event_head: Mapped[str] = mapped_column(String(64), default="")
    captured_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class ChargeVersionRow(SealedRow, Base):
    """What a charge said at one time."""

    __tablename__ = "charge_versions"
    __table_args__ = (UniqueConstraint("charge_id", "version"),)
    SEALED = ("document",)
    IDENTITY = ("charge_id", "version")

    charge_id: Mapped[int] = mapped_column(BigId, ForeignKey("charges.id"))
    version: Mapped[str] = mapped_column(String(64))
    document: Mapped[bytes]
    captured_at: Mapped[datetime]


class HistoryLineRow(Base):
    """A service line of a charge's current version, findable by patient and date: for duplicates and frequencies."""

    __tablename__ = "history_lines"
    __table_args__ = (Index(None, "patient_key", "service_date"),)

    charge_id: Mapped[int] = mapped_column(BigId, ForeignKey("charges.id"), index=True)
    patient_key: Mapped[str] = mapped_column(String(32))
    service_date: Mapped[date]
    code: Mapped[str] = mapped_column(String(48))
    modifiers: Mapped[str] = mapped_column(String(48))
    units: Mapped[str] = mapped_column(String(32))
    rendering_npi: Mapped[str] = mapped_column(String(80))


class ReviewItemRow(SealedRow, Base):
    """A finding kept, with what became of it. ``at`` and ``rule`` are plain; the sentence is sealed."""

    __tablename__ = "review_items"
    __table_args__ = (
        UniqueConstraint("charge_id", "version", "rule", "at", "ordinal"),
        Index(None, "state", "charge_id"),
    )
    SEALED = ("finding",)
    IDENTITY = ("charge_id", "version", "rule", "at", "ordinal")

    charge_id: Mapped[int] = mapped_column(BigId, ForeignKey("charges.id"))
    version: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str] = mapped_column(String(32))
    severity: Mapped[Severity]
    origin: Mapped[Origin]
    at: Mapped[str] = mapped_column(String(120))
    ordinal: Mapped[int] = mapped_column(Integer, default=0)
    state: Mapped[ItemState]
    finding: Mapped[bytes]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class EventRow(SealedRow, Base):
    """One thing that happened to one charge, claim file, breaker or user. Never changed, never deleted.

    ``digest`` covers the event and the digest before it in the same subject's chain, so a change, a gap or a swap shows.
    ``detail`` is what a person wrote, sealed because people write names; its keyed hash is in the chain.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("subject", "subject_id", "sequence"),
        CheckConstraint("subject IN ('charge', 'file', 'breaker', 'user')", name="subject"),
    )
    SEALED = ("detail",)
    IDENTITY = ("subject", "subject_id", "sequence")

    subject: Mapped[str] = mapped_column(String(8))
    subject_id: Mapped[int] = mapped_column(BigId)
    sequence: Mapped[int] = mapped_column(Integer)
    what: Mapped[str] = mapped_column(String(24))
    was: Mapped[str] = mapped_column(String(16))
    became: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
    detail: Mapped[bytes | None]
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
