"""What each user is told by e-mail, chosen by themselves or by whoever looks after the users."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from charges import lifecycle
from charges.db import Database
from charges.errors import Missing, Refused
from charges.tables import DeliveryRow, DeliveryState, SubscriptionRow, Topic, UserRow
from charges.telling import topics as words
from charges.telling.mail import checked_address
from charges.users.permissions import PERMISSIONS

Clock = Callable[[], datetime]
USUAL_HOUR = 7


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a user is told, where, and when. ``hour`` is of the day in the zone of each practice."""

    user: str
    address: str
    topics: tuple[Topic, ...]
    at_once: bool
    hour: int
    since: datetime
    waiting: int = 0
    given_up: int = 0
    fault: str = ""

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "user": self.user,
            "address": self.address,
            "topics": list(self.topics),
            "urgent_at_once": self.at_once,
            "hour": self.hour,
            "since": self.since,
            "waiting": self.waiting,
            "given_up": self.given_up,
            "fault": self.fault,
        }


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user wants to be told; the topics that are usual for the role where ``topics`` is None."""

    address: str
    topics: Sequence[str] | None = None
    at_once: bool = True
    hour: int = USUAL_HOUR


def subscribe(database: Database, user: str, wish: Wish, *, by: str, clock: Clock) -> Subscription:
    """Tell a user by e-mail from now on, or otherwise than before.

    Raises Missing without such a user, Refused for an address that is none, an hour that is none, or a topic that the
    user's role may not see.
    """
    address = checked_address(wish.address)
    if not 0 <= wish.hour <= 23:
        raise Refused("The hour of the digest is 0 to 23.")
    now = clock()
    with database.transaction() as session:
        person = _user(session, user)
        may = PERMISSIONS[person.role]
        chosen = words.USUAL[person.role] if wish.topics is None else words.chosen(wish.topics)
        for topic in chosen:
            if words.NEEDED[topic] not in may:
                raise Refused(f"{topic} is nothing that the role {person.role} may see. Leave it out.")
        if not chosen:
            raise Refused(f"Choose what {person.name} is told, for example deadline.near, or unsubscribe them.")
        row = session.scalar(select(SubscriptionRow).where(SubscriptionRow.user_id == person.id).with_for_update())
        if row is None:
            row = SubscriptionRow(user_id=person.id, since=now)
            session.add(row)
        row.address, row.topics = address, words.as_words(chosen)
        row.at_once, row.hour = wish.at_once, wish.hour
        lifecycle.note(session, [person], lifecycle.Deed("told by e-mail", by, now, database.keyring, row.topics))
        return _shown(session, person, row)


def unsubscribe(database: Database, user: str, *, by: str, clock: Clock) -> None:
    """Tell a user nothing more; raises Missing."""
    with database.transaction() as session:
        person = _user(session, user)
        row = session.scalar(select(SubscriptionRow).where(SubscriptionRow.user_id == person.id).with_for_update())
        if row is None:
            raise Missing(f"{person.name} is told nothing by e-mail.")
        session.delete(row)
        lifecycle.note(session, [person], lifecycle.Deed("told no more", by, clock(), database.keyring))


def of(database: Database, user: str) -> Subscription | None:
    """What a user is told, None where it is nothing; raises Missing without such a user."""
    with database.transaction() as session:
        person = _user(session, user)
        row = session.scalar(select(SubscriptionRow).where(SubscriptionRow.user_id == person.id))
        return _shown(session, person, row) if row else None


def listed(database: Database) -> list[Subscription]:
    """All who are told something, by name."""
    with database.transaction() as session:
        rows = session.execute(
            select(UserRow, SubscriptionRow)
            .join(SubscriptionRow, SubscriptionRow.user_id == UserRow.id)
            .order_by(UserRow.name)
        )
        return [_shown(session, person, row) for person, row in rows]


def _shown(session: Session, person: UserRow, row: SubscriptionRow) -> Subscription:
    since = session.execute(
        select(DeliveryRow.state, DeliveryRow.fault)
        .where(DeliveryRow.user_id == person.id, DeliveryRow.made_at >= row.since)
        .order_by(DeliveryRow.id)
    ).all()
    states = [each.state for each in since]
    return Subscription(
        person.name,
        row.address,
        words.chosen(row.topics.split()),
        at_once=row.at_once,
        hour=row.hour,
        since=row.since,
        waiting=states.count(DeliveryState.WAITING),
        given_up=states.count(DeliveryState.GIVEN_UP),
        fault=(since[-1].fault or "") if since else "",
    )


def _user(session: Session, name: str) -> UserRow:
    row = session.scalar(select(UserRow).where(UserRow.name == name.strip().casefold()).with_for_update())
    if row is None:
        raise Missing(f"There is no user {name}. See `charges users list`.")
    return row
