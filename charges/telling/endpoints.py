"""The systems that are told of a practice by webhooks: added, listed, given new secrets, removed by whoever runs it.

A secret is handed out once and stored sealed. For a while after a new one was made both sign, so that a receiver need not
change in the same instant.
"""

import base64
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from charges.db import Database
from charges.errors import Missing, Refused
from charges.keyring import Keyring
from charges.tables import DeliveryRow, DeliveryState, EndpointRow, NoticeRow, PracticeRow, Topic
from charges.telling import topics as words
from charges.telling.webhooks import Networks, checked_url

Clock = Callable[[], datetime]
SHOWN = 20
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as shown; its secrets never are. ``waiting`` and ``given_up`` count messages."""

    practice: str
    name: str
    url: str
    topics: tuple[Topic, ...]
    added_at: datetime
    added_by: str
    signs_twice_until: datetime | None
    silent_since: datetime | None
    stopped_at: datetime | None
    waiting: int
    given_up: int

    @property
    def state(self) -> str:
        """``answers``, ``silent`` while the last try failed, ``stopped`` when it wants no more."""
        return "stopped" if self.stopped_at else "silent" if self.silent_since else "answers"

    @property
    def sentence(self) -> str:
        """What is wrong and what to do; where nothing is, how many messages wait."""
        show = f"See `charges telling show {self.practice} {self.name}`."
        if self.stopped_at:
            return f"It answered 410 on {self.stopped_at:%Y-%m-%d %H:%M} UTC: it wants no messages any more. Remove it."
        if self.silent_since:
            since = f"It takes no message since {self.silent_since:%Y-%m-%d %H:%M} UTC"
            return f"{since}; {self.waiting} wait and {self.given_up} were given up. {show}"
        return f"{self.waiting} messages wait" if self.waiting else "every message arrived"

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "practice": self.practice,
            "name": self.name,
            "url": self.url,
            "topics": list(self.topics),
            "state": self.state,
            "silent_since": self.silent_since,
            "signs_twice_until": self.signs_twice_until,
            "waiting": self.waiting,
            "given_up": self.given_up,
        }


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its way to an endpoint or user, or how it ended."""

    uid: str
    topic: Topic | None
    state: DeliveryState
    tries: int
    made_at: datetime
    settled_at: datetime | None
    next_try_at: datetime
    fault: str

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "id": self.uid,
            "topic": self.topic,
            "state": self.state,
            "tries": self.tries,
            "made_at": self.made_at,
            "settled_at": self.settled_at,
            "next_try_at": self.next_try_at if self.state is DeliveryState.WAITING else None,
            "fault": self.fault,
        }


def add(
    database: Database,
    practice: str,
    name: str,
    url: str,
    topics: Sequence[str],
    *,
    networks: Networks,
    by: str,
    clock: Clock,
) -> str:
    """Have a practice's news sent to a URL, all topics where none is named; returns the secret that signs, shown once.

    Raises Refused for a name in use, an address to which nothing may go, or a topic that is none.
    """
    plain = name.strip()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}", plain):
        raise Refused("Give the endpoint a name of 1 to 80 letters, digits, dots, dashes and blanks.")
    wanted = words.chosen(topics) or tuple(Topic)
    target = checked_url(url, networks)
    made = new_secret()
    with database.transaction() as session:
        practice_id = _practice_id(session, practice)
        if _find(session, practice_id, plain) is not None:
            raise Refused(f"{practice} has an endpoint {plain} already. Choose another name, or remove that one.")
        row = EndpointRow(
            uid=f"ep_{secrets.token_hex(12)}",
            practice_id=practice_id,
            name=plain,
            url=target,
            topics=words.as_words(wanted),
            added_at=clock(),
            added_by=by[:80],
        )
        row.seal(database.keyring, secret=made.encode(), former=None)
        session.add(row)
    return made


def rotate(database: Database, practice: str, name: str, *, hours: int, clock: Clock) -> str:
    """Make a new secret; the one before signs too for some hours. Returns the new one, shown once; raises Missing."""
    made = new_secret()
    with database.transaction() as session:
        row = _row(session, practice, name)
        before = row.unseal(database.keyring, "secret")
        row.seal(database.keyring, secret=made.encode(), former=before if hours else None)
        row.former_until = clock() + timedelta(hours=hours) if hours else None
    return made


def remove(database: Database, practice: str, name: str, *, by: str, clock: Clock) -> int:
    """Tell an endpoint nothing more; returns how many messages had not arrived. Raises Missing."""
    now = clock()
    with database.transaction() as session:
        row = _row(session, practice, name)
        row.seal(database.keyring, secret=None, former=None)
        row.removed_at, row.removed_by = now, by[:80]
        end_silence(session, row, now)
        needless = (
            update(DeliveryRow.__table__)  # type: ignore[arg-type]
            .where(DeliveryRow.endpoint_id == row.id, DeliveryRow.state == DeliveryState.WAITING)
            .values(state=DeliveryState.NEEDLESS, settled_at=now)
        )
        return session.connection().execute(needless).rowcount


def listed(database: Database, practices: Sequence[str] | None = None) -> list[Endpoint]:
    """The endpoints of these practices, of all where None is given, by practice and name."""
    with database.transaction() as session:
        query = (
            select(EndpointRow, PracticeRow.code)
            .join(PracticeRow, PracticeRow.id == EndpointRow.practice_id)
            .where(EndpointRow.removed_at.is_(None))
            .order_by(PracticeRow.code, EndpointRow.name)
        )
        if practices is not None:
            query = query.where(PracticeRow.code.in_(practices))
        return [_shown(session, row, code) for row, code in session.execute(query)]


def endpoint(database: Database, practice: str, name: str) -> Endpoint:
    """One endpoint; raises Missing."""
    with database.transaction() as session:
        return _shown(session, _row(session, practice, name), practice)


def sent(database: Database, practice: str, name: str, limit: int = SHOWN) -> list[Sent]:
    """The last messages to an endpoint, newest first; raises Missing."""
    with database.transaction() as session:
        row = _row(session, practice, name)
        found = session.scalars(
            select(DeliveryRow)
            .where(DeliveryRow.endpoint_id == row.id)
            .order_by(DeliveryRow.made_at.desc(), DeliveryRow.id.desc())
            .limit(limit)
        )
        return [shown(each) for each in found]


def shown(row: DeliveryRow) -> Sent:
    """A message as shown."""
    return Sent(
        row.uid, row.topic, row.state, row.tries, row.made_at, row.settled_at, row.next_try_at, fault=row.fault or ""
    )


def target(database: Database, practice: str, name: str, now: datetime) -> tuple[str, list[str]]:
    """Where an endpoint is and what signs for it now; raises Missing."""
    with database.transaction() as session:
        row = _row(session, practice, name)
        return row.url, signing(row, database.keyring, now)


def live(session: Session, practice_id: int, topic: Topic) -> list[EndpointRow]:
    """The endpoints of a practice that want a topic and still take messages."""
    rows = session.scalars(
        select(EndpointRow).where(
            EndpointRow.practice_id == practice_id,
            EndpointRow.removed_at.is_(None),
            EndpointRow.stopped_at.is_(None),
        )
    )
    return [row for row in rows if topic.value in row.topics.split()]


def signing(row: EndpointRow, keyring: Keyring, now: datetime) -> list[str]:
    """The secrets that sign now, the newest first."""
    found = [row.unseal(keyring, "secret").decode()]
    if row.former_until is not None and now < row.former_until:
        found.append(row.unseal(keyring, "former").decode())
    return [each for each in found if each]


def new_secret() -> str:
    """A secret in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def silence_key(row: EndpointRow) -> str:
    """What a notice about an endpoint's silence is known by."""
    return f"endpoint {row.id}"


def standing_silence(session: Session, row: EndpointRow) -> NoticeRow | None:
    """The notice that says that an endpoint is silent, where it was told."""
    return session.scalar(
        select(NoticeRow).where(
            NoticeRow.practice_id == row.practice_id,
            NoticeRow.key == silence_key(row),
            NoticeRow.ended_at.is_(None),
        )
    )


def end_silence(session: Session, row: EndpointRow, now: datetime) -> None:
    """Write down that an endpoint takes messages again, or is asked no more."""
    row.silent_since = None
    standing = standing_silence(session, row)
    if standing is not None:
        standing.ended_at = now


def _shown(session: Session, row: EndpointRow, practice: str) -> Endpoint:
    states = session.scalars(
        select(DeliveryRow.state).where(
            DeliveryRow.endpoint_id == row.id,
            DeliveryRow.state.in_([DeliveryState.WAITING, DeliveryState.GIVEN_UP]),
        )
    ).all()
    return Endpoint(
        practice=practice,
        name=row.name,
        url=row.url,
        topics=words.chosen(row.topics.split()),
        added_at=row.added_at,
        added_by=row.added_by,
        signs_twice_until=row.former_until,
        silent_since=row.silent_since,
        stopped_at=row.stopped_at,
        waiting=sum(each is DeliveryState.WAITING for each in states),
        given_up=sum(each is DeliveryState.GIVEN_UP for each in states),
    )


def _practice_id(session: Session, practice: str) -> int:
    """The practice's row, locked, so that two of its endpoints do not get one name."""
    found = session.scalar(select(PracticeRow.id).where(PracticeRow.code == practice).with_for_update(key_share=True))
    if found is None:
        raise Missing(f"No practice is called {practice}. See `charges practice list`.")
    return found


def _find(session: Session, practice_id: int, name: str) -> EndpointRow | None:
    return session.scalar(
        select(EndpointRow)
        .where(EndpointRow.practice_id == practice_id, EndpointRow.name == name, EndpointRow.removed_at.is_(None))
        .with_for_update()
    )


def _row(session: Session, practice: str, name: str) -> EndpointRow:
    row = _find(session, _practice_id(session, practice), name.strip())
    if row is None:
        raise Missing(f"{practice} has no endpoint {name}. See `charges telling list`.")
    return row
