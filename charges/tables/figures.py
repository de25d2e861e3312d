"""What was counted of each practice and day, so that nobody who looks at the whole has to wait until it is counted."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from charges.tables.base import Base
from charges.tables.columns import BigId


class FigureRow(Base):
    """One figure of a practice's day: how many of a measure have a key, and the dollars of their charges."""

    __tablename__ = "figures"
    __table_args__ = (
        UniqueConstraint("practice_id", "measure", "day", "key"),
        Index(None, "day", "practice_id"),
    )

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    measure: Mapped[str] = mapped_column(String(12))
    day: Mapped[date]
    key: Mapped[str] = mapped_column(String(160))
    count: Mapped[int] = mapped_column(Integer)
    dollars: Mapped[Decimal]


class CountedDayRow(Base):
    """When the figures of one part of a practice's day were counted last."""

    __tablename__ = "counted_days"
    __table_args__ = (UniqueConstraint("practice_id", "part", "day"),)

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    part: Mapped[str] = mapped_column(String(12))
    day: Mapped[date]
    counted_at: Mapped[datetime]
