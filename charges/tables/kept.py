"""Counts that take long, as they were when they were made."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from charges.tables.base import Base


class KeptCountRow(Base):
    """One count by its name: ``document`` as JSON, without any patient; ``stamp`` says what it was about."""

    __tablename__ = "kept_counts"

    name: Mapped[str] = mapped_column(String(80), unique=True)
    stamp: Mapped[str] = mapped_column(String(80))
    document: Mapped[str] = mapped_column(Text)
    counted_at: Mapped[datetime]
