"""The people a practice knows, how they are found without reading everybody, and what persons decided about others."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from charges.tables.base import Base, SealedRow
from charges.tables.columns import BigId


class PatientRow(SealedRow, Base):
    """Somebody whom a source registered that is an authority for people.

    ``key`` is the patient key of the charges of this person. ``told`` is the keyed hash of what was said last, by which
    what says nothing new is known without opening ``demographics``.
    """

    __tablename__ = "patients"
    __table_args__ = (Index(None, "practice_id", "changed_at"),)
    SEALED = ("demographics",)
    IDENTITY = ("key",)

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    key: Mapped[str] = mapped_column(String(32), unique=True)
    told: Mapped[str] = mapped_column(String(32))
    demographics: Mapped[bytes]
    changed_at: Mapped[datetime]


class PatientSearchKeyRow(Base):
    """One way in which a patient is found: the keyed hash of the practice with a number, or with birth date and name."""

    __tablename__ = "patient_search_keys"
    __table_args__ = (UniqueConstraint("key", "patient_id"), Index(None, "patient_id"))

    patient_id: Mapped[int] = mapped_column(BigId, ForeignKey("patients.id"))
    key: Mapped[str] = mapped_column(String(32))


class PatientLinkRow(Base):
    """Who a person said it is, or that it is none of those known (``patient_id`` is null).

    ``subject`` is the keyed hash of the source's number of the person, of the charge where there is none. The link holds
    as long as ``told``, the keyed hash of what the source says of the person, is what the source says.
    """

    __tablename__ = "patient_links"
    __table_args__ = (UniqueConstraint("subject"), Index(None, "patient_id"))

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    subject: Mapped[str] = mapped_column(String(32))
    told: Mapped[str] = mapped_column(String(32))
    patient_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("patients.id"))
    actor: Mapped[str] = mapped_column(String(80))
    decided_at: Mapped[datetime]
