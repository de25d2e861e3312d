"""Which reply spoke of which file and claim, and which replies are overdue."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from charges.tables.base import Base
from charges.tables.columns import BigId


class AnswerRow(Base):
    """What one reply said of one claim file, or of one claim in it: the links of the chain that proves timely filing.

    ``kind`` is TA1, 999, 997, 277CA, 835 or report; ``outcome`` what it decided, ``codes`` the codes it gave (category,
    status and entity of a 277CA). ``control_number`` and ``written`` are ISA13, and ISA09 with ISA10, of the reply.
    """

    __tablename__ = "answers"
    __table_args__ = (Index(None, "claim_file_id", "kind"), Index(None, "claim_id", "kind"), Index(None, "response_id"))

    response_id: Mapped[int] = mapped_column(BigId, ForeignKey("responses.id"))
    claim_file_id: Mapped[int] = mapped_column(BigId, ForeignKey("claim_files.id"))
    claim_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("claims.id"))
    kind: Mapped[str] = mapped_column(String(8))
    outcome: Mapped[str] = mapped_column(String(16))
    codes: Mapped[str] = mapped_column(String(200), default="")
    control_number: Mapped[str] = mapped_column(String(9), default="")
    written: Mapped[str] = mapped_column(String(12), default="")


class AlarmRow(Base):
    """A reply that a claim file should have had by ``due_at``; cleared when it has come.

    ``claims`` is how many claims of the file wait for it; it is the whole file that waits for a TA1 or 999.
    """

    __tablename__ = "alarms"
    __table_args__ = (UniqueConstraint("claim_file_id", "kind"), Index(None, "practice_id", "cleared_at"))

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    claim_file_id: Mapped[int] = mapped_column(BigId, ForeignKey("claim_files.id"))
    kind: Mapped[str] = mapped_column(String(8))
    claims: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[datetime]
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
