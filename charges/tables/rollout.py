"""How far each practice has come in the roll-out."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from charges.tables.base import Base
from charges.tables.columns import BigId
from charges.tables.states import Mode


class RollOutRow(Base):
    """The mode of a practice; its chain of events says who brought it there, when and why.

    ``status`` is the mode. ``cohort_size`` patients were drawn for the cohort: those whose key is not after
    ``cohort_line``; no line was drawn where both are empty. ``event_count`` and ``event_head`` are the end of the chain.
    """

    __tablename__ = "roll_outs"

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"), unique=True)
    status: Mapped[Mode]
    cohort_size: Mapped[int] = mapped_column(Integer, default=0)
    cohort_line: Mapped[str] = mapped_column(String(32), default="")
    event_count: Mapped[int] = mapped_column(Integer, default=0)
    event_head: Mapped[str] = mapped_column(String(64), default="")
    since: Mapped[datetime]
    changed_at: Mapped[datetime]
