"""Practices, their charges with every version, what the review has of them, and the chain of events."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from charges.model import Severity
from charges.tables.base import Base, SealedRow
from charges.tables.columns import BigId
from charges.tables.states import ChargeStatus, ItemState, Origin

NO_DEADLINE = date(9999, 12, 31)
"""The day by which a charge must be filed where nobody knows it, so that it comes after all others."""


def _when_captured(context: DefaultExecutionContext) -> datetime:
    captured: datetime = context.current_parameters["captured_at"]  # type: ignore[index]
    return captured


_NARROWED_BY = (
    "status", "practice_id", "payer_id", "provider_npi", "assignee", "held_since", "deadline", "total", "snoozed_until",
    "asked_at",
)  # fmt: skip


def _of_held(name: str, *columns: str, but: str = "") -> Index:
    """An index of held charges alone, of which there are few beside those that went out; ``but`` is a condition more.

    On PostgreSQL it has all that the queue is narrowed by, so that a view is found without the charges themselves. SQLite
    takes one that begins with the status for what is only sorted, where it would else sort all that are held.
    """
    held = text(f"status = 'held' AND {but}" if but else "status = 'held'")
    others = [each for each in _NARROWED_BY if each not in columns]
    return Index(
        f"ix_charges_held_{name}", *columns, sqlite_where=held, postgresql_where=held, postgresql_include=others
    )


def _of_open(*columns: str, others: Sequence[str]) -> Index:
    is_open = text("state = 'open'")
    return Index(
        f"ix_review_items_open_{columns[0]}",
        *columns,
        sqlite_where=is_open,
        postgresql_where=is_open,
        postgresql_include=list(others),
    )


_NOT_OF_RULES = text("state = 'open' AND origin <> 'rules'")


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
    was last judged with, ``event_count`` and ``event_head`` the end of its chain of events. Where a correction made the
    current version of another, ``corrected_from`` is the source's.

    The rest is what the queue is filtered and sorted by: who rendered it, the last day on which the payer takes its claim,
    since when what holds it is known, who is at it, until when it can wait, since when the provider is asked.
    """

    __tablename__ = "charges"
    __table_args__ = (
        UniqueConstraint("practice_id", "source", "key"),
        Index(None, "status", "practice_id", "id"),
        Index(None, "patient_key"),
        Index(None, "practice_id", "captured_at"),
        Index(None, "practice_id", "service_date"),
        _of_held("since", "status", "held_since", "id"),
        _of_held("total", "status", "total", "id"),
        _of_held("deadline", "status", "deadline", "id"),
        _of_held("snoozed", "status", "deadline", "id", but="snoozed_until IS NOT NULL"),
        _of_held("asked", "status", "deadline", "id", but="asked_at IS NOT NULL"),
        _of_held("practice", "practice_id", "deadline", "id"),
        _of_held("provider", "provider_npi", "deadline", "id"),
        _of_held("payer", "payer_id", "deadline", "id"),
        _of_held("assignee", "assignee", "deadline", "id"),
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
    corrected_from: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    provider_npi: Mapped[str] = mapped_column(String(80), default="", server_default=text("''"))
    deadline: Mapped[date] = mapped_column(default=NO_DEADLINE, server_default=text("'9999-12-31'"))
    held_since: Mapped[datetime] = mapped_column(
        default=_when_captured, server_default=text("'1970-01-01 00:00:00+00'")
    )
    assignee: Mapped[str] = mapped_column(String(80), default="", server_default=text("''"))
    snoozed_until: Mapped[date | None]
    asked_at: Mapped[datetime | None]

    @property
    def source_version(self) -> str:
        """The version that the source gave last."""
        return self.corrected_from or self.version


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
        Index("ix_review_items_found", "opened_at", "rule", "severity", "charge_id"),
        _of_open("rule", "charge_id", others=("severity", "origin", "state")),
        _of_open("severity", "charge_id", others=("rule", "origin", "state")),
        Index(
            "ix_review_items_open_origin",
            "origin",
            "charge_id",
            sqlite_where=_NOT_OF_RULES,
            postgresql_where=_NOT_OF_RULES,
        ),
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
    """One thing that happened to a charge, file, unmatched payment, breaker, user or roll-out. Never changed or deleted.

    ``digest`` covers the event and the digest before it in the same subject's chain, so a change, a gap or a swap shows.
    ``detail`` is what a person wrote, sealed because people write names; its keyed hash is in the chain.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("subject", "subject_id", "sequence"),
        Index(None, "subject", "at"),
        CheckConstraint("subject IN ('charge', 'file', 'breaker', 'user', 'roll_out', 'payment')", name="subject"),
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
