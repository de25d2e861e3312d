"""What sources gave and how far they were read."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from charges.tables.base import Base, SealedRow
from charges.tables.columns import BigId
from charges.tables.states import BreakerStatus


class RawRecordRow(SealedRow, Base):
    """A record as the source gave it, stored before it is read."""

    __tablename__ = "raw_records"
    __table_args__ = (UniqueConstraint("practice_id", "source", "key", "digest"),)
    SEALED = ("body",)
    IDENTITY = ("practice_id", "source", "key", "digest")

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    source: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes]
    received_at: Mapped[datetime]


class CursorRow(Base):
    """How far a stream of a source was read.

    ``stream`` is ``changes``, ``trailing``, ``reconcile`` or ``backfill`` with its first and last day; ``profile`` is the
    profile by which all that waits was read.
    """

    __tablename__ = "cursors"
    __table_args__ = (UniqueConstraint("practice_id", "source", "stream"),)

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    source: Mapped[str] = mapped_column(String(32))
    stream: Mapped[str] = mapped_column(String(40), default="changes")
    position: Mapped[str]
    moved_at: Mapped[datetime]


class ProbeRow(SealedRow, Base):
    """What a practice's source gave when it was last asked what it can give, or why it did not answer."""

    __tablename__ = "probes"
    __table_args__ = (UniqueConstraint("practice_id", "source"),)
    SEALED = ("document",)
    IDENTITY = ("practice_id", "source")

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    source: Mapped[str] = mapped_column(String(32))
    document: Mapped[bytes]
    asked_at: Mapped[datetime]


class AllowanceRow(Base):
    """How many requests all workers together made to a tenant within a minute of the tenant's clock.

    ``tenant`` is a digest; ``minute`` counts minutes since 1970.
    """

    __tablename__ = "allowances"
    __table_args__ = (UniqueConstraint("tenant"),)

    tenant: Mapped[str] = mapped_column(String(64))
    minute: Mapped[int] = mapped_column(Integer)
    used: Mapped[int] = mapped_column(Integer)


class CensusRow(SealedRow, Base):
    """What the records of a practice's source are made of: the accepted ``baseline``, and the last few and last many.

    ``since`` is when the first of its ``records`` came. The document is sealed because a vendor may put anything where a
    code was.
    """

    __tablename__ = "census"
    __table_args__ = (UniqueConstraint("practice_id", "source", "role"),)
    SEALED = ("document",)
    IDENTITY = ("practice_id", "source", "role")

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    source: Mapped[str] = mapped_column(String(32))
    role: Mapped[str] = mapped_column(String(8))
    records: Mapped[int] = mapped_column(Integer)
    document: Mapped[bytes]
    since: Mapped[datetime]
    changed_at: Mapped[datetime]


class BreakerRow(SealedRow, Base):
    """How the records of a practice's source differ from their baseline, until a person accepts it.

    At most one of a source waits; ``number`` counts them. ``since`` is when the first record came that may differ.
    ``event_count`` and ``event_head`` are the end of its chain of events, as a charge has one.
    """

    __tablename__ = "breakers"
    __table_args__ = (
        UniqueConstraint("practice_id", "source", "number"),
        Index(
            "uq_breakers_waiting_practice_id_source",
            "practice_id",
            "source",
            unique=True,
            sqlite_where=text("status IN ('noticed', 'open')"),
            postgresql_where=text("status IN ('noticed', 'open')"),
        ),
        Index(None, "status", "practice_id", "source"),
    )
    SEALED = ("document",)
    IDENTITY = ("practice_id", "source", "number")

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    source: Mapped[str] = mapped_column(String(32))
    number: Mapped[int] = mapped_column(Integer)
    status: Mapped[BreakerStatus]
    document: Mapped[bytes]
    since: Mapped[datetime]
    event_count: Mapped[int] = mapped_column(Integer, default=0)
    event_head: Mapped[str] = mapped_column(String(64), default="")
    noticed_at: Mapped[datetime]
    changed_at: Mapped[datetime]
