"""What sources gave and how far they were read."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from charges.tables.base import Base, SealedRow
from charges.tables.columns import BigId


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
    """How far a source was read."""

    __tablename__ = "cursors"
    __table_args__ = (UniqueConstraint("practice_id", "source"),)

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    source: Mapped[str] = mapped_column(String(32))
    position: Mapped[str]
    moved_at: Mapped[datetime]
