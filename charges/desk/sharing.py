"""How people share the work of the queue: who is at a charge, what waits until when, what was asked, who looks on.

None of it decides anything about a charge. Each act is an event of the charge with the name of who did it; what somebody
wrote is sealed in that event.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from charges import lifecycle
from charges.db import Database
from charges.desk import acting
from charges.errors import Refused
from charges.tables import ChargeRow, GrantRow, LookRow, UserRow, ViewRow, insert_all

Clock = Callable[[], datetime]

PRESENT = timedelta(seconds=90)
"""Whoever's page was heard of within this time is still there."""
LISTED_AGAIN = timedelta(minutes=15)
"""A list that shows the same charges again within this time is no other look."""
LONGEST_SNOOZE = timedelta(days=90)
_LONGEST_TEXT = 4000


class Look(StrEnum):
    """How somebody had charges before them."""

    PAGE = "page"
    LIST = "list"
    """Among others, with what is wrong with each."""
    COMMAND = "command"
    TRIAL = "trial"
    """A rule that they wrote was tried on it."""
    EXPORT = "export"


def assign(
    database: Database,
    charge_number: int,
    to: str,
    *,
    by: str,
    clock: Clock,
    reason: str = "",
    seen: int | None = None,
) -> str:
    """Give a held charge to somebody, or to nobody where ``to`` is empty; returns whose it was."""
    acting.demand_name(by)
    acting.demand_storable(to)
    name = to.strip()[:80]
    with database.transaction() as session:
        row = acting.held_row(session, charge_number, seen)
        was, row.assignee = row.assignee, name
        _note(session, database, row, "assigned" if name else "unassigned", by, clock, _joined(name, reason))
        return was


def snooze(
    database: Database,
    charge_number: int,
    until: date | None,
    *,
    by: str,
    clock: Clock,
    reason: str = "",
    seen: int | None = None,
) -> None:
    """Put a held charge off until a day, or take it up at once where ``until`` is None; a change of it wakes it earlier.

    Raises Refused where the day is past, too far off, or after the last day on which the payer takes the claim.
    """
    acting.demand_name(by)
    today = clock().date()
    with database.transaction() as session:
        row = acting.held_row(session, charge_number, seen)
        if until is not None:
            if until <= today:
                raise Refused(f"{until} is not in the future; name a later day.")
            if until - today > LONGEST_SNOOZE:
                raise Refused(f"{until} is more than {LONGEST_SNOOZE.days} days off; name an earlier day.")
            if until > row.deadline:
                raise Refused(
                    f"The payer takes the claim of charge {charge_number} until {row.deadline}; name an earlier day."
                )
        row.snoozed_until = until
        what = f"snoozed to {until}" if until else "woken"
        _note(session, database, row, what, by, clock, reason)


def ask(
    database: Database, charge_number: int, question: str, *, by: str, clock: Clock, seen: int | None = None
) -> None:
    """Ask the provider about a held charge; it waits apart until the answer is written down."""
    _demand_text(by, question, "Write the question for the provider.")
    with database.transaction() as session:
        row = acting.held_row(session, charge_number, seen)
        row.asked_at = clock()
        _note(session, database, row, "asked the provider", by, clock, question)


def answer(
    database: Database, charge_number: int, said: str, *, by: str, clock: Clock, seen: int | None = None
) -> None:
    """Write down what the provider answered, or why nothing is asked any more."""
    _demand_text(by, said, "Write what the provider answered.")
    with database.transaction() as session:
        row = acting.charge_row(session, charge_number, seen)
        if row.asked_at is None:
            raise Refused(f"Nothing is asked about charge {charge_number}.")
        row.asked_at = None
        _note(session, database, row, "provider answered", by, clock, said)


def comment(database: Database, charge_number: int, text: str, *, by: str, clock: Clock) -> None:
    """Write something down for whoever works on the charge next; nobody's act becomes stale by it."""
    _demand_text(by, text, "Write the comment.")
    with database.transaction() as session:
        row = acting.charge_row(session, charge_number)
        _note(session, database, row, acting.COMMENTED, by, clock, text)


def look(database: Database, charge_number: int, *, by: str, clock: Clock) -> tuple[str, ...]:
    """Somebody has a charge before them: written down, once for as long as they stay. Returns who else is there."""
    acting.demand_name(by)
    now = clock()
    with database.transaction() as session:
        present = session.scalars(
            select(LookRow).where(
                LookRow.charge_id == charge_number, LookRow.seen_at > now - PRESENT, LookRow.how == Look.PAGE
            )
        ).all()
        mine = next((each for each in present if each.actor == by), None)
        if mine is None:
            session.add(LookRow(charge_id=charge_number, actor=by[:80], how=Look.PAGE, began_at=now, seen_at=now))
        else:
            mine.seen_at = now
        return tuple(sorted({each.actor for each in present} - {by}))


def changed_since(database: Database, charge_number: int, seen: int) -> str:
    """What others did to a charge since an event of it, in a sentence; empty where nobody did anything."""
    with database.transaction() as session:
        return acting.meanwhile(session, session.get_one(ChargeRow, charge_number), seen)


def saw(database: Database, charge_numbers: Iterable[int], how: Look, *, by: str, clock: Clock) -> None:
    """Write down whose charges somebody had before them; in a list only those that they had not just now."""
    acting.demand_name(by)
    now, numbers = clock(), list(charge_numbers)
    with database.transaction() as session:
        if how is Look.LIST:
            lately = select(LookRow.charge_id).where(
                LookRow.charge_id.in_(numbers),
                LookRow.seen_at > now - LISTED_AGAIN,
                LookRow.actor == by[:80],
                LookRow.how == how,
            )
            known = set(session.scalars(lately))
            numbers = [each for each in numbers if each not in known]
        insert_all(
            session,
            LookRow,
            [
                {"charge_id": number, "actor": by[:80], "how": how.value, "began_at": now, "seen_at": now}
                for number in numbers
            ],
        )


@dataclass(frozen=True, slots=True)
class View:
    """A named way of looking at the queue."""

    name: str
    address: str
    owner: str
    shared: bool


def views(database: Database, owner: str, among: Collection[int]) -> Sequence[View]:
    """Somebody's own views and the shared ones of whoever works for one of these practices too, by name."""
    granted = select(GrantRow.id).where(GrantRow.user_id == UserRow.id, GrantRow.practice_id.in_(among))
    colleagues = select(UserRow.name).where(UserRow.sees_all | granted.exists())
    is_theirs = (ViewRow.owner == owner) | (ViewRow.shared & ViewRow.owner.in_(colleagues))
    with database.transaction() as session:
        found = session.scalars(select(ViewRow).where(is_theirs).order_by(ViewRow.name, ViewRow.id))
        return [View(each.name, each.address, each.owner, each.shared) for each in found]


def save_view(database: Database, name: str, address: str, *, by: str, shared: bool, clock: Clock) -> None:
    """Name a way of looking at the queue; the same name again replaces one's own."""
    acting.demand_name(by)
    acting.demand_storable(name, address)
    named = " ".join(name.split())[:80]
    if not named:
        raise Refused("Give the view a name.")
    if len(address) > 1000:
        raise Refused("The view has too many filters to be saved.")
    with database.transaction() as session:
        row = session.scalar(select(ViewRow).where(ViewRow.owner == by, ViewRow.name == named))
        if row is None:
            row = ViewRow(owner=by, name=named)
            session.add(row)
        row.address, row.shared, row.saved_at = address, shared, clock()


def forget_view(database: Database, name: str, *, by: str) -> None:
    """Forget one of one's own views; one that is not there is forgotten already."""
    acting.demand_storable(name)
    with database.transaction() as session:
        row = session.scalar(select(ViewRow).where(ViewRow.owner == by, ViewRow.name == name))
        if row is not None:
            session.delete(row)


def _note(session: Session, database: Database, row: ChargeRow, what: str, by: str, clock: Clock, detail: str) -> None:
    deed = lifecycle.Deed(what, by, clock(), database.keyring, detail.strip())
    lifecycle.note(session, [row], deed)


def _joined(name: str, reason: str) -> str:
    return ": ".join(filter(None, (name, reason.strip())))


def _demand_text(by: str, text: str, otherwise: str) -> None:
    acting.demand_name(by)
    if not text.strip():
        raise Refused(otherwise)
    if len(text) > _LONGEST_TEXT:
        raise Refused(f"That is longer than {_LONGEST_TEXT} characters; write it shorter.")
