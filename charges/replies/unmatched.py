"""Payments of claims that were not sent from here: a person says what became of each, or they stay open for ever.

Where the claim is one of ours after all, ``acknowledgements.match`` posts the payment to it. Otherwise it is settled with a
reason: it is another system's, was returned, is none of ours. Each act is an event of the payment.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from charges import lifecycle
from charges.db import Database
from charges.errors import Refused, Stale
from charges.tables import EventRow, PracticeRow, RemittanceRow, UnmatchedPaymentRow, UnmatchedStatus


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A payment that is about no claim of ours: ``number`` is what the acts are given, ``place`` counts the claims of it.

    ``by`` and ``reason`` are those of the last act about it, empty where nobody did anything.
    """

    number: int
    practice: str
    payer: str
    trace: str
    place: int
    paid_on: date | None
    charged: Decimal
    paid: Decimal
    status: UnmatchedStatus
    reply: int
    by: str
    reason: str

    def as_json(self) -> dict[str, object]:
        """For machines; amounts are dollars as text."""
        return asdict(self) | {"charged": f"{self.charged:.2f}", "paid": f"{self.paid:.2f}"}


def unmatched(database: Database, *, every: bool = False) -> Sequence[Unmatched]:
    """Those that wait for a person, oldest first; ``every`` gives the others too."""
    query = (
        select(UnmatchedPaymentRow, RemittanceRow, PracticeRow.code, EventRow)
        .join(RemittanceRow, RemittanceRow.id == UnmatchedPaymentRow.remittance_id)
        .join(PracticeRow, PracticeRow.id == RemittanceRow.practice_id)
        .outerjoin(
            EventRow,
            and_(
                EventRow.subject == "payment",
                EventRow.subject_id == UnmatchedPaymentRow.id,
                EventRow.sequence == UnmatchedPaymentRow.event_count,
            ),
        )
        .order_by(UnmatchedPaymentRow.id)
    )
    if not every:
        query = query.where(UnmatchedPaymentRow.status == UnmatchedStatus.OPEN)
    with database.transaction() as session:
        return [
            Unmatched(
                row.id,
                code,
                remittance.payer,
                remittance.trace,
                row.place,
                remittance.paid_on,
                row.charged,
                row.paid,
                row.status,
                remittance.response_id,
                last.actor if last else "",
                last.unseal(database.keyring, "detail").decode() if last else "",
            )
            for row, remittance, code, last in session.execute(query)
        ]


def settle(database: Database, number: int, *, by: str, reason: str, clock: Callable[[], datetime]) -> None:
    """A person says that no claim here is paid by it, and why; raises Stale where it was settled or matched before."""
    _move(database, number, UnmatchedStatus.SETTLED, "settled", by, reason, clock)


def reopen(database: Database, number: int, *, by: str, reason: str, clock: Callable[[], datetime]) -> None:
    """Undo that a payment was settled; raises Stale where it is not."""
    _move(database, number, UnmatchedStatus.OPEN, "opened again", by, reason, clock)


def _move(
    database: Database,
    number: int,
    to: UnmatchedStatus,
    what: str,
    by: str,
    reason: str,
    clock: Callable[[], datetime],
) -> None:
    with database.transaction() as session:
        row = locked(session, number, to, by, reason)
        lifecycle.move(session, [row], to, lifecycle.Deed(what, by, clock(), database.keyring, reason))


def locked(session: Session, number: int, to: UnmatchedStatus, by: str, reason: str) -> UnmatchedPaymentRow:
    """A payment that may be moved, locked; raises Refused where there is none or nobody says why, Stale where it may not."""
    if not by.strip() or not reason.strip():
        raise Refused("Say who you are and why: it stands in the payment's history for whoever asks later.")
    row = session.get(UnmatchedPaymentRow, number, with_for_update=True)
    if row is None:
        raise Refused(f"There is no unmatched payment {number}. See `charges payments list`.")
    if to not in lifecycle.UNMATCHED_MOVES[row.status]:
        raise Stale(f"Unmatched payment {number} is {row.status} by now; see `charges payments list --all`.")
    return row
