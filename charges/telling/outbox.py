"""The outbox: messages are rows, lent to one worker at a time until they have arrived or are given up.

A row is lent for a while and the loan committed before anything is sent, so two workers never send one message at the same
time. A worker that dies gives it back by the end of the loan, and another sends it again under the same id: at least once.
"""

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from charges.db import Database
from charges.tables import DeliveryRow, DeliveryState, Topic

LEASE = timedelta(minutes=2)
"""Longer than any try may take."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
Clock = Callable[[], datetime]
Jitter = Callable[[], float]
"""A number from 0 to 1, another each time."""

by_chance: Jitter = secrets.SystemRandom().random


@dataclass(frozen=True, slots=True)
class Lent:
    """A message that is this worker's to send. ``tries`` includes this one."""

    number: int
    uid: str
    lease: str
    endpoint_id: int | None
    user_id: int | None
    body: str
    tries: int
    made_at: datetime


def new_uid() -> str:
    """The id of a message, the same at each try."""
    return f"msg_{secrets.token_hex(16)}"


def put(
    session: Session,
    key: str,
    body: str,
    now: datetime,
    *,
    endpoint_id: int | None = None,
    user_id: int | None = None,
    topic: Topic | None = None,
) -> DeliveryRow:
    """Put a message into the outbox, to be sent once this transaction is kept. The unique ``key`` keeps it from a second."""
    row = DeliveryRow(
        uid=new_uid(),
        key=key,
        body=body,
        state=DeliveryState.WAITING,
        next_try_at=now,
        made_at=now,
        endpoint_id=endpoint_id,
        user_id=user_id,
        topic=topic,
    )
    session.add(row)
    return row


def lend(database: Database, clock: Clock, resting: Collection[int] = (), *, with_mail: bool = True) -> Lent | None:
    """The message that is due longest, None when there is none; endpoints that rest are passed over, mail too if wanted."""
    now = clock()
    wanted = and_(DeliveryRow.endpoint_id.is_not(None), DeliveryRow.endpoint_id.not_in(resting))
    with database.transaction() as session:
        row = session.scalar(
            select(DeliveryRow)
            .where(
                DeliveryRow.state == DeliveryState.WAITING,
                DeliveryRow.next_try_at <= now,
                or_(DeliveryRow.leased_until.is_(None), DeliveryRow.leased_until <= now),
                or_(DeliveryRow.user_id.is_not(None), wanted) if with_mail else wanted,
            )
            .order_by(DeliveryRow.next_try_at, DeliveryRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return None
        row.lease, row.leased_until, row.tries = secrets.token_hex(16), now + LEASE, row.tries + 1
        return Lent(row.id, row.uid, row.lease, row.endpoint_id, row.user_id, row.body, row.tries, made_at=row.made_at)


def settle(session: Session, lent: Lent, state: DeliveryState, now: datetime, fault: str = "") -> bool:
    """Write down what became of a message for good; False where its loan had ended and it is another worker's now."""
    return _give_back(session, lent, state=state, settled_at=now, fault=fault[:300] or None)


def postpone(session: Session, lent: Lent, now: datetime, fault: str, jitter: Jitter = by_chance) -> bool:
    """Have a message tried again, later after each failure, and never by all workers in the same instant."""
    return _give_back(session, lent, next_try_at=now + pause(lent.tries, jitter), fault=fault[:300])


def pause(tries: int, jitter: Jitter = by_chance) -> timedelta:
    """How long to wait after so many tries: twice as long each time, an hour at most, give or take a half.

    >>> [pause(tries, lambda: 0.5).seconds for tries in (1, 2, 3, 20)]
    [30, 60, 120, 3600]
    """
    doubled: int = 2 ** min(tries - 1, 20)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE) * (0.5 + jitter())


def _give_back(session: Session, lent: Lent, **values: object) -> bool:
    statement = (
        update(DeliveryRow.__table__)  # type: ignore[arg-type]
        .where(
            DeliveryRow.id == lent.number,
            DeliveryRow.lease == lent.lease,
            DeliveryRow.state == DeliveryState.WAITING,
        )
        .values(lease=None, leased_until=None, **values)
    )
    return session.connection().execute(statement).rowcount == 1
