"""Signing in, and staying signed in: sessions are rows that end, when unused and at the latest after half a day.

Whatever is wrong about a sign-in is told in the same words and takes about the same time. Refusals lock an account for
longer and longer, whatever is tried meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from charges import lifecycle
from charges.db import Database
from charges.errors import Refused
from charges.tables import GrantRow, PracticeRow, RecoveryCodeRow, SessionRow, UserRow, UserStatus
from charges.users import secrets
from charges.users.accounts import put_recovery_codes
from charges.users.permissions import PERMISSIONS, Viewer

Clock = Callable[[], datetime]

LONGEST = timedelta(hours=12)
"""A session ends after this, however busy it is."""
IDLE = timedelta(minutes=15)
"""It ends when nothing was done with it for so long, unless the settings say otherwise (45 CFR 164.312(a)(2)(iii))."""
TRIES = 5
"""So many refusals in a row lock an account for a minute, each further one for twice as long, an hour at most."""
_LONGEST_LOCK = timedelta(hours=1)
_WORTH_NOTING = timedelta(seconds=30)

NOT_SIGNED_IN = (
    "This name, password and code do not belong together, or the account is locked or disabled. After "
    f"{TRIES} refusals it is locked for a while; whoever looks after the users can reset it."
)


class SignInRefused(Refused):
    """Somebody could not sign in; the words are the same for every cause."""

    def __init__(self) -> None:
        super().__init__(NOT_SIGNED_IN)


@dataclass(frozen=True, slots=True)
class Signed:
    """A session at a request: who it is, and what its forms must bring along. ``flash`` is a sentence to be shown."""

    number: int
    viewer: Viewer
    csrf: str
    must_change: bool
    flash: str


def sign_in(database: Database, name: str, password: str, code: str, *, clock: Clock) -> str:
    """Start a session by password and second factor, or a recovery code; returns its token. Raises SignInRefused."""
    plain = name.strip().casefold()[:80]
    with database.transaction() as session:
        row = session.scalar(select(UserRow).where(UserRow.name == plain))
        stored = row.password if row is not None and _is_open(row, clock()) else ""
    is_right = secrets.is_password(stored, password)  # slow on purpose, so no transaction waits for it
    now = clock()
    with database.transaction() as session:
        row = session.scalar(select(UserRow).where(UserRow.name == plain).with_for_update())
        if row is not None and _is_open(row, now):
            factor = _factor(session, database, row, code, now) if is_right and row.password == stored else ""
            if factor:
                return _start(session, database, row, now, factor)
            _refuse(session, database, row, now)
    raise SignInRefused


def sign_in_vouched(database: Database, subject: str, *, clock: Clock) -> str:
    """Start a session of whom the identity provider vouches for; returns its token. Raises SignInRefused."""
    now = clock()
    with database.transaction() as session:
        row = session.scalar(select(UserRow).where(UserRow.subject == subject).with_for_update())
        if subject and row is not None and row.status is UserStatus.ACTIVE:
            return _start(session, database, row, now, "identity provider")
    raise SignInRefused


def look_up(database: Database, token: str, *, idle: timedelta = IDLE, clock: Clock) -> Signed | None:
    """The session of a token, which thereby stays alive; None when it ended or never was."""
    now = clock()
    with database.transaction() as session:
        found = session.execute(
            select(SessionRow, UserRow)
            .join(UserRow, UserRow.id == SessionRow.user_id)
            .where(SessionRow.digest == secrets.digest(token))
        ).one_or_none()
        if found is None:
            return None
        row, user = found
        if now >= row.ends_at or now - row.seen_at >= idle or user.status is not UserStatus.ACTIVE:
            session.delete(row)
            return None
        if now - row.seen_at >= _WORTH_NOTING:
            row.seen_at = now
        flash, row.flash = row.flash or "", None
        return Signed(row.id, viewer_of(session, user, now), secrets.csrf_of(token), user.must_change, flash)


def tell(database: Database, number: int, sentence: str) -> None:
    """Keep a sentence for the next page of a session."""
    with database.transaction() as session:
        row = session.get(SessionRow, number)
        if row is not None:
            row.flash = sentence


def sign_out(database: Database, signed: Signed, *, clock: Clock) -> None:
    """End a session."""
    with database.transaction() as session:
        session.execute(delete(SessionRow).where(SessionRow.id == signed.number))
        user = session.get_one(UserRow, signed.viewer.user_id, with_for_update=True)
        _note(session, database, user, "signed out", clock())


def change_password(database: Database, signed: Signed, old: str, new: str, *, clock: Clock) -> None:
    """Choose a password of one's own, knowing the present one; ends the user's other sessions. Raises Refused."""
    secrets.demand_good_password(signed.viewer.name, new)
    with database.transaction() as session:
        stored = session.get_one(UserRow, signed.viewer.user_id).password
    if not secrets.is_password(stored, old):
        raise Refused("The present password is not right, so nothing was changed.")
    if new == old:
        raise Refused("This is the present password. Choose another.")
    hashed = secrets.hash_password(new)
    with database.transaction() as session:
        user = session.get_one(UserRow, signed.viewer.user_id, with_for_update=True)
        if user.password != stored:
            raise Refused("The password was changed elsewhere meanwhile. Sign in again.")
        user.password, user.must_change = hashed, False
        session.execute(delete(SessionRow).where(SessionRow.user_id == user.id, SessionRow.id != signed.number))
        _note(session, database, user, "password changed", clock())


def renew_recovery_codes(database: Database, signed: Signed, *, clock: Clock) -> tuple[str, ...]:
    """New recovery codes in place of the old, told once."""
    made = secrets.new_recovery_codes()
    with database.transaction() as session:
        user = session.get_one(UserRow, signed.viewer.user_id, with_for_update=True)
        put_recovery_codes(session, user, made)
        _note(session, database, user, "recovery codes made", clock())
    return made


def viewer_of(session: Session, user: UserRow, now: datetime) -> Viewer:
    """The viewer that a user is now."""
    query = select(PracticeRow.code, PracticeRow.id)
    if not user.sees_all:
        query = query.join(GrantRow, GrantRow.practice_id == PracticeRow.id).where(
            GrantRow.user_id == user.id, or_(GrantRow.until.is_(None), GrantRow.until > now)
        )
    practices = {code: number for code, number in session.execute(query.order_by(PracticeRow.code))}  # noqa: C416 - mypy cannot see that a row is a pair
    return Viewer(user.id, user.name, user.role, PERMISSIONS[user.role], practices)


def _is_open(row: UserRow, now: datetime) -> bool:
    return row.status is UserStatus.ACTIVE and not (row.locked_until and now < row.locked_until)


def _factor(session: Session, database: Database, row: UserRow, code: str, now: datetime) -> str:
    """Which second factor a code is, used up with it; empty when it is none."""
    plain, secret = secrets.plain_code(code), row.unseal(database.keyring, "totp").decode()
    step = secrets.matching_step(secret, plain, now, row.totp_step) if secret else None
    if step is not None:
        row.totp_step = step
        return "authenticator"
    known = session.scalar(
        select(RecoveryCodeRow).where(
            RecoveryCodeRow.user_id == row.id, RecoveryCodeRow.digest == secrets.digest(plain)
        )
    )
    if known is None:
        return ""
    session.delete(known)
    return "recovery code"


def _start(session: Session, database: Database, row: UserRow, now: datetime, factor: str) -> str:
    token = secrets.new_token()
    session.execute(delete(SessionRow).where(SessionRow.ends_at <= now))
    session.add(
        SessionRow(
            digest=secrets.digest(token), user_id=row.id, started_at=now, seen_at=now, ends_at=now + LONGEST, flash=None
        )
    )
    row.failures, row.locked_until = 0, None
    _note(session, database, row, "signed in", now, factor)
    return token


def _refuse(session: Session, database: Database, row: UserRow, now: datetime) -> None:
    row.failures += 1
    if row.failures >= TRIES:
        row.locked_until = now + min(timedelta(minutes=2 ** min(row.failures - TRIES, 6)), _LONGEST_LOCK)
    _note(session, database, row, "locked" if row.locked_until else "sign-in refused", now)


def _note(session: Session, database: Database, row: UserRow, what: str, now: datetime, why: str = "") -> None:
    lifecycle.note(session, [row], lifecycle.Deed(what, row.name, now, database.keyring, why))
