"""What whoever runs the installation does with accounts: add, change, disable, reset, open in an emergency.

Every act names who did it and is an event of the account. Secrets are handed out once and not stored readable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, or_, select
from sqlalchemy.orm import Session, aliased

from charges import lifecycle
from charges.db import Database
from charges.errors import Missing, Refused
from charges.parts import parts
from charges.tables import (
    EventRow,
    GrantRow,
    PracticeRow,
    RecoveryCodeRow,
    Role,
    SessionRow,
    TokenRow,
    UserRow,
    UserStatus,
)
from charges.users import secrets

Clock = Callable[[], datetime]
EMERGENCY_HOURS = 24
"""The longest that a practice can be opened for in an emergency."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user as shown. ``practices`` are codes, those of an emergency with their end in ``emergencies``."""

    number: int
    name: str
    role: Role
    status: UserStatus
    sees_all: bool
    practices: tuple[str, ...]
    emergencies: tuple[tuple[str, datetime], ...]
    locked_until: datetime | None
    must_change: bool
    subject: str
    added_at: datetime

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "user": self.name,
            "role": self.role,
            "status": self.status,
            "practices": "all" if self.sees_all else list(self.practices),
            "emergencies": {code: until for code, until in self.emergencies},  # noqa: C416 - dict() would hide the pair
            "locked_until": self.locked_until,
            "added_at": self.added_at,
        }


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is handed to a person once: a one-time password, the secret of the second factor, recovery codes."""

    name: str
    password: str
    totp: str
    recovery_codes: tuple[str, ...]

    @property
    def address(self) -> str:
        """The secret as an authenticator reads it from a QR code."""
        return secrets.totp_address(self.name, self.totp)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an account is to be. ``practices`` are codes; with ``sees_all`` they are all, also those that come later.

    ``subject`` is what the identity provider calls the person, who then has no password here.
    """

    role: Role
    practices: Sequence[str] = ()
    sees_all: bool = False
    subject: str = ""


def add(database: Database, name: str, wanted: Wanted, *, by: str, clock: Clock) -> Credentials | None:
    """Make an account; returns what to hand over, or None where the identity provider vouches for the person.

    Raises Refused for a name that is taken or that cannot be one, and for practices that do not exist.
    """
    plain = name.strip()
    if not plain or len(plain) > 80 or not plain.isprintable():
        raise Refused("A user has a name of 1 to 80 printable characters; each person has their own.")
    made = None if wanted.subject else _new_credentials(plain)
    now = clock()
    with database.transaction() as session:
        if _find(session, plain) is not None:
            raise Refused(f"There is a user {plain} already. Every person has a name of their own; choose another.")
        if wanted.subject and session.scalar(select(UserRow.id).where(UserRow.subject == wanted.subject)):
            raise Refused("The identity provider's name for this person belongs to another user already.")
        row = UserRow(
            name=plain.casefold(),
            role=wanted.role,
            status=UserStatus.ACTIVE,
            sees_all=wanted.sees_all,
            password="",
            must_change=False,
            subject=wanted.subject or None,
            added_at=now,
            changed_at=now,
        )
        row.seal(database.keyring, totp=b"")
        session.add(row)
        session.flush()
        if made:
            _put(session, database, row, made)
        _grant(session, row, wanted.practices)
        _note(session, database, row, "added", by, now, _described(wanted))
    return made


def change(database: Database, name: str, wanted: Wanted, *, by: str, clock: Clock) -> None:
    """Give a user another role or other practices; raises Missing or Refused. Their next request is judged by it."""
    with database.transaction() as session:
        row = _row(session, name)
        row.role, row.sees_all = wanted.role, wanted.sees_all
        session.execute(delete(GrantRow).where(GrantRow.user_id == row.id))
        _grant(session, row, wanted.practices)
        _note(session, database, row, "changed", by, clock(), _described(wanted))


def disable(database: Database, name: str, *, by: str, because: str, clock: Clock) -> None:
    """End all sessions and tokens of a user, who signs in no more until enabled; raises Missing or Refused."""
    _demand_reason(because)
    with database.transaction() as session:
        row = _row(session, name)
        if row.status is UserStatus.DISABLED:
            raise Refused(f"{row.name} is disabled already.")
        _end_everything(session, row)
        deed = lifecycle.Deed("disabled", by, clock(), database.keyring, because)
        lifecycle.move(session, [row], UserStatus.DISABLED, deed)


def enable(database: Database, name: str, *, by: str, because: str, clock: Clock) -> None:
    """Let a disabled user sign in again; raises Missing or Refused."""
    _demand_reason(because)
    with database.transaction() as session:
        row = _row(session, name)
        if row.status is UserStatus.ACTIVE:
            raise Refused(f"{row.name} is not disabled.")
        deed = lifecycle.Deed("enabled", by, clock(), database.keyring, because)
        lifecycle.move(session, [row], UserStatus.ACTIVE, deed)


def reset(database: Database, name: str, *, by: str, because: str, clock: Clock) -> Credentials:
    """Give a user who lost them a new password, second factor and recovery codes; ends a lock, sessions and tokens."""
    _demand_reason(because)
    with database.transaction() as session:
        row = _row(session, name)
        if row.subject:
            raise Refused(f"{row.name} signs in with the identity provider, which resets what they sign in with.")
        made = _new_credentials(row.name)
        _put(session, database, row, made)
        _end_everything(session, row)
        _note(session, database, row, "reset", by, clock(), because)
    return made


def open_in_emergency(
    database: Database, name: str, practice: str, *, hours: int, by: str, because: str, clock: Clock
) -> datetime:
    """Let a user see a practice that is not theirs for some hours; returns the end. It is shown until then.

    Raises Refused without a reason, for more than a day, or when the practice is theirs anyhow.
    """
    _demand_reason(because)
    if not 1 <= hours <= EMERGENCY_HOURS:
        raise Refused(f"A practice is opened in an emergency for 1 to {EMERGENCY_HOURS} hours.")
    now = clock()
    until = now + timedelta(hours=hours)
    with database.transaction() as session:
        row = _row(session, name)
        (practice_id,) = _practice_ids(session, [practice])
        grant = session.scalar(select(GrantRow).where(GrantRow.user_id == row.id, GrantRow.practice_id == practice_id))
        if row.sees_all or (grant is not None and grant.until is None):
            raise Refused(f"{row.name} sees {practice} already.")
        if grant is None:
            grant = GrantRow(user_id=row.id, practice_id=practice_id)
            session.add(grant)
        grant.until = until
        _note(
            session, database, row, "emergency access", by, now, f"{practice} until {until:%Y-%m-%d %H:%M}: {because}"
        )
    return until


def listed(
    database: Database,
    now: datetime,
    *,
    within: Sequence[str] | None = None,
    after: str = "",
    limit: int | None = None,
) -> list[Account]:
    """Users by name; of emergencies those that have not ended.

    ``within`` keeps to users who see no practice but these (codes), ``after`` to the names that follow.
    """
    query = select(UserRow).where(*_within(within)).order_by(UserRow.name).limit(limit)
    if after:
        query = query.where(UserRow.name > after.casefold())
    with database.transaction() as session:
        return _all_shown(session, session.scalars(query).all(), now)


def account(database: Database, name: str, now: datetime) -> Account:
    """One user; raises Missing."""
    with database.transaction() as session:
        row = session.scalar(select(UserRow).where(UserRow.name == name.casefold()))
        if row is None:
            raise _no_user(name)
        (found,) = _all_shown(session, [row], now)
        return found


@dataclass(frozen=True, slots=True)
class Emergency:
    """A practice that is open to a user because of an emergency."""

    name: str
    practice: str
    until: datetime


def emergencies(database: Database, now: datetime, *, within: Sequence[str] | None = None) -> list[Emergency]:
    """The emergencies of now, by user; ``within`` as for those who are listed."""
    query = (
        select(UserRow.name, PracticeRow.code, GrantRow.until)
        .select_from(UserRow)
        .join(GrantRow, GrantRow.user_id == UserRow.id)
        .join(PracticeRow, PracticeRow.id == GrantRow.practice_id)
        .where(GrantRow.until > now, *_within(within))
        .order_by(UserRow.name, PracticeRow.code)
    )
    with database.transaction() as session:
        return [Emergency(name, code, until) for name, code, until in session.execute(query) if until is not None]


def _within(practices: Sequence[str] | None) -> list[ColumnElement[bool]]:
    """The conditions of users who see no other practice for good than these; none where there is None."""
    if practices is None:
        return []
    granted, practice = aliased(GrantRow), aliased(PracticeRow)
    elsewhere = exists().where(
        granted.user_id == UserRow.id,
        granted.until.is_(None),
        granted.practice_id == practice.id,
        practice.code.not_in(practices),
    )
    return [~UserRow.sees_all, ~elsewhere]


def _all_shown(session: Session, rows: Sequence[UserRow], now: datetime) -> list[Account]:
    grants: dict[int, list[tuple[str, datetime | None]]] = {}
    for some in parts(row.id for row in rows):
        query = (
            select(GrantRow.user_id, PracticeRow.code, GrantRow.until)
            .join(PracticeRow, PracticeRow.id == GrantRow.practice_id)
            .where(GrantRow.user_id.in_(some), or_(GrantRow.until.is_(None), GrantRow.until > now))
            .order_by(PracticeRow.code)
        )
        for user_id, code, until in session.execute(query):
            grants.setdefault(user_id, []).append((code, until))
    return [_shown(row, grants.get(row.id, [])) for row in rows]


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of an account."""

    at: datetime
    what: str
    by: str
    detail: str


def history(database: Database, name: str, limit: int = 50) -> list[Happened]:
    """What happened to an account, newest first; raises Missing."""
    with database.transaction() as session:
        row = _row(session, name)
        events = session.scalars(
            select(EventRow)
            .where(EventRow.subject == "user", EventRow.subject_id == row.id)
            .order_by(EventRow.sequence.desc())
            .limit(limit)
        )
        return [
            Happened(each.at, each.what, each.actor, each.unseal(database.keyring, "detail").decode())
            for each in events
        ]


def _shown(row: UserRow, grants: Sequence[tuple[str, datetime | None]]) -> Account:
    return Account(
        number=row.id,
        name=row.name,
        role=row.role,
        status=row.status,
        sees_all=row.sees_all,
        practices=tuple(code for code, until in grants if until is None),
        emergencies=tuple((code, until) for code, until in grants if until is not None),
        locked_until=row.locked_until,
        must_change=row.must_change,
        subject=row.subject or "",
        added_at=row.added_at,
    )


def _new_credentials(name: str) -> Credentials:
    return Credentials(name.casefold(), secrets.new_password(), secrets.new_totp(), secrets.new_recovery_codes())


def _put(session: Session, database: Database, row: UserRow, made: Credentials) -> None:
    """Store what was made, as far as it must be known."""
    row.password, row.must_change = secrets.hash_password(made.password), True
    row.seal(database.keyring, totp=made.totp.encode())
    row.totp_step, row.failures, row.locked_until = 0, 0, None
    put_recovery_codes(session, row, made.recovery_codes)


def put_recovery_codes(session: Session, row: UserRow, codes: Sequence[str]) -> None:
    """Store recovery codes in place of those there were."""
    session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == row.id))
    session.add_all([RecoveryCodeRow(user_id=row.id, digest=each) for each in secrets.digests(codes)])


def _grant(session: Session, row: UserRow, practices: Sequence[str]) -> None:
    session.add_all([GrantRow(user_id=row.id, practice_id=each) for each in _practice_ids(session, practices)])


def _practice_ids(session: Session, codes: Sequence[str]) -> list[int]:
    known = {code: number for code, number in session.execute(select(PracticeRow.code, PracticeRow.id))}  # noqa: C416 - mypy cannot see that a row is a pair
    for code in codes:
        if code not in known:
            raise Refused(f"No practice is called {code}. Known are: {', '.join(sorted(known)) or 'none yet'}.")
    return [known[code] for code in dict.fromkeys(codes)]


def _end_everything(session: Session, row: UserRow) -> None:
    for table in (SessionRow, TokenRow):
        session.execute(delete(table).where(table.user_id == row.id))


def _note(session: Session, database: Database, row: UserRow, what: str, by: str, now: datetime, why: str) -> None:
    lifecycle.note(session, [row], lifecycle.Deed(what, by, now, database.keyring, why))


def _described(wanted: Wanted) -> str:
    return f"{wanted.role}, {'all practices' if wanted.sees_all else ' '.join(wanted.practices) or 'no practice'}"


def _demand_reason(because: str) -> None:
    if not because.strip():
        raise Refused("Give a reason: it stands in the account's history for whoever asks later.")


def _find(session: Session, name: str) -> UserRow | None:
    """The row of a name, locked until the transaction ends."""
    return session.scalar(select(UserRow).where(UserRow.name == name.strip().casefold()).with_for_update())


def _row(session: Session, name: str) -> UserRow:
    row = _find(session, name)
    if row is None:
        raise _no_user(name)
    return row


def _no_user(name: str) -> Missing:
    return Missing(f"There is no user {name}. See `charges users list`.")
