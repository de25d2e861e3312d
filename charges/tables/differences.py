"""Charges that changed at the source after their claim left, and what a person decided about it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from charges.tables.base import Base, SealedRow
from charges.tables.columns import BigId
from charges.tables.states import Amendment, DifferenceState


class DifferenceRow(SealedRow, Base):
    """How the present version of a charge differs from what its claim said. At most one of a charge is ``unresolved``.

    ``claim_id`` is the claim that stands at the payer, ``made_claim_id`` the one that was built to amend it.
    ``amendment`` is what is proposed while the difference is open and what was decided afterwards; ``bills_anew`` whether
    the charge is billed again once its claim is void. ``is_numbered`` says whether the payer's number of the standing
    claim was known when this was written. ``document`` has the fields that differ and the payer's number.
    """

    __tablename__ = "differences"
    __table_args__ = (
        Index(
            "uq_differences_unresolved_charge_id",
            "charge_id",
            unique=True,
            sqlite_where=text("unresolved"),
            postgresql_where=text("unresolved"),
        ),
        Index(None, "charge_id"),
        Index(None, "claim_id"),
        Index(None, "made_claim_id"),
    )
    SEALED = ("document",)
    IDENTITY = ("charge_id", "claim_id")

    charge_id: Mapped[int] = mapped_column(BigId, ForeignKey("charges.id"))
    claim_id: Mapped[int] = mapped_column(BigId, ForeignKey("claims.id"))
    made_claim_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("claims.id"))
    version: Mapped[str] = mapped_column(String(64))
    state: Mapped[DifferenceState]
    unresolved: Mapped[bool]
    amendment: Mapped[Amendment]
    bills_anew: Mapped[bool]
    is_numbered: Mapped[bool]
    document: Mapped[bytes]
    found_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
