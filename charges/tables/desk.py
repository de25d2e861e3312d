"""What people leave beside charges: corrections, who looked at which charge, and ways of looking at the queue."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from charges.tables.base import Base, SealedRow
from charges.tables.columns import BigId
from charges.tables.states import CorrectionState


class CorrectionRow(SealedRow, Base):
    """A correction made here: it made ``to_version`` of a charge out of ``from_version``, both of which are kept.

    ``event`` is the sequence of its event in the charge's chain, ``rule`` what it answers. ``document`` has each field with
    what stood there and what stands there now, to be entered at the source, and what was held against it before.
    """

    __tablename__ = "corrections"
    __table_args__ = (
        UniqueConstraint("charge_id", "event"),
        Index(
            "ix_corrections_standing",
            "charge_id",
            sqlite_where=text("state = 'standing'"),
            postgresql_where=text("state = 'standing'"),
        ),
    )
    SEALED = ("document",)
    IDENTITY = ("charge_id", "event")

    charge_id: Mapped[int] = mapped_column(BigId, ForeignKey("charges.id"))
    event: Mapped[int] = mapped_column(Integer)
    from_version: Mapped[str] = mapped_column(String(64))
    to_version: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str] = mapped_column(String(32))
    state: Mapped[CorrectionState]
    made_by: Mapped[str] = mapped_column(String(80))
    made_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    document: Mapped[bytes]


class LookRow(Base):
    """Somebody had a charge before them, from ``began_at`` until ``seen_at`` at least.

    ``how`` is ``page``, ``list``, ``command``, ``trial`` or ``export``; only a page's time goes on.
    """

    __tablename__ = "looks"
    __table_args__ = (Index(None, "charge_id", "seen_at"),)

    charge_id: Mapped[int] = mapped_column(BigId, ForeignKey("charges.id"))
    actor: Mapped[str] = mapped_column(String(80))
    how: Mapped[str] = mapped_column(String(8))
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class ViewRow(Base):
    """A way of looking at the queue that somebody named; ``address`` is its query. A shared one is offered to everybody."""

    __tablename__ = "views"
    __table_args__ = (UniqueConstraint("owner", "name"),)

    owner: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(1000))
    shared: Mapped[bool]
    saved_at: Mapped[datetime]
