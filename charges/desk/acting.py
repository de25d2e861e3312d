"""What every act of a person in the review has in common: a name, a reason, and the state of the charge that was seen.

Whoever acts says which event of the charge was the last they saw. What others did since makes the act Stale, so nobody
decides about something else than they looked at.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from charges.errors import Refused, Stale
from charges.tables import ChargeRow, ChargeStatus, ClaimRow, EventRow, ReviewItemRow

COMMENTED = "commented"
_CHANGES_NOTHING = (COMMENTED,)


def demand(by: str, reason: str) -> None:
    """Raise Refused unless somebody acts for a reason."""
    demand_name(by)
    if not reason.strip():
        raise Refused("Give a reason: it stands in the charge's history for whoever asks later.")


def demand_name(by: str) -> None:
    """Raise Refused unless somebody acts."""
    if not by.strip():
        raise Refused("Say who you are: every act in the review carries a name.")


def demand_storable(*texts: str) -> None:
    """Raise Refused for what no text column can hold."""
    if any("\0" in each for each in texts):
        raise Refused("There is a null character in the text; take it out.")


def charge_row(session: Session, charge_number: int, seen: int | None = None) -> ChargeRow:
    """A charge, locked; raises Refused where there is none, Stale when something was done since event ``seen``."""
    row = session.get(ChargeRow, charge_number, with_for_update=True)
    if row is None:
        raise Refused(f"There is no charge {charge_number}. See `charges review list`.")
    told = meanwhile(session, row, seen) if seen is not None else ""
    if told:
        raise Stale(f"{told} Nothing of yours was done; look again and repeat it if it still applies.")
    return row


def meanwhile(session: Session, row: ChargeRow, seen: int) -> str:
    """What was done last to a charge since an event of it, in a sentence; empty where nothing but comments was."""
    if row.event_count == seen:
        return ""
    last = session.scalar(
        select(EventRow)
        .where(
            EventRow.subject == "charge",
            EventRow.subject_id == row.id,
            EventRow.sequence > seen,
            EventRow.what.not_in(_CHANGES_NOTHING),
        )
        .order_by(EventRow.sequence.desc())
        .limit(1)
    )
    if last is None:
        return ""
    when = f"{last.at:%Y-%m-%d %H:%M} UTC"
    return f"Charge {row.id} changed since you opened it: {last.actor}, {last.what}, {when}."


def held_row(session: Session, charge_number: int, seen: int | None = None) -> ChargeRow:
    """A charge that waits for a person, locked; raises Stale where it does not."""
    row = charge_row(session, charge_number, seen)
    if row.status is not ChargeStatus.HELD:
        raise Stale(f"Charge {charge_number} is {row.status} and does not wait for a person.")
    return row


def item_row(session: Session, item_number: int) -> ReviewItemRow:
    """A review item; raises Refused where there is none."""
    item = session.get(ReviewItemRow, item_number)
    if item is None:
        raise Refused(f"There is no review item {item_number}. See `charges review list`.")
    return item


def live_claim(session: Session, row: ChargeRow) -> ClaimRow | None:
    """The claim of a charge that is out, to the last of the payers that were asked."""
    return session.scalar(
        select(ClaimRow)
        .where(ClaimRow.charge_id == row.id, ClaimRow.live)
        .order_by(ClaimRow.payer_rank.desc())
        .limit(1)
    )
