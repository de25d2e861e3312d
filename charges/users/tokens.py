"""Tokens of the JSON API: shown once, known by their SHA-256, bounded by scopes and an end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from charges import lifecycle
from charges.db import Database
from charges.errors import Missing, Refused
from charges.tables import TokenRow, UserRow, UserStatus
from charges.users import secrets
from charges.users.permissions import PERMISSIONS, Permission, Viewer
from charges.users.sessions import viewer_of

Clock = Callable[[], datetime]
LONGEST_DAYS = 365
_PREFIX = "charges_"
_WORTH_NOTING = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as listed; nobody can show it again."""

    user: str
    label: str
    scopes: tuple[str, ...]
    ends_at: datetime
    used_at: datetime | None

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "user": self.user,
            "label": self.label,
            "scopes": list(self.scopes),
            "ends_at": self.ends_at,
            "used_at": self.used_at,
        }


def make(database: Database, user: str, label: str, scopes: Sequence[str], *, days: int, by: str, clock: Clock) -> str:
    """Make a token for what a program does in a user's name; returns it, and nobody can read it again.

    Raises Refused for a scope that is none or that the user's role does not include, and for a label in use.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise Refused(f"A token lasts 1 to {LONGEST_DAYS} days.")
    if not label.strip() or len(label) > 80 or not label.isprintable():
        raise Refused("Give the token a label of 1 to 80 characters that says which program has it.")
    now, token = clock(), _PREFIX + secrets.new_token()
    with database.transaction() as session:
        row = session.scalar(select(UserRow).where(UserRow.name == user.casefold()).with_for_update())
        if row is None:
            raise Missing(f"There is no user {user}. See `charges users list`.")
        allowed = PERMISSIONS[row.role]
        for scope in scopes:
            if scope not in allowed:
                raise Refused(
                    f"{scope} is nothing that the role {row.role} includes. It includes: {', '.join(sorted(allowed))}."
                )
        if not scopes:
            raise Refused(f"Say what the token may do, of: {', '.join(sorted(allowed))}.")
        if session.scalar(select(TokenRow.id).where(TokenRow.user_id == row.id, TokenRow.label == label)):
            raise Refused(f"{row.name} has a token {label} already. Choose another label, or revoke that one.")
        session.add(
            TokenRow(
                digest=secrets.digest(token),
                user_id=row.id,
                label=label,
                scopes=" ".join(dict.fromkeys(scopes)),
                made_at=now,
                ends_at=now + timedelta(days=days),
                used_at=None,
            )
        )
        deed = lifecycle.Deed("token made", by, now, database.keyring, f"{label}: {' '.join(scopes)}, {days} days")
        lifecycle.note(session, [row], deed)
    return token


def revoke(database: Database, user: str, label: str, *, by: str, clock: Clock) -> None:
    """End a token at once; raises Missing when there is none."""
    with database.transaction() as session:
        row = session.scalar(select(UserRow).where(UserRow.name == user.casefold()).with_for_update())
        ended = session.scalar(
            delete(TokenRow)
            .where(TokenRow.user_id == (row.id if row else 0), TokenRow.label == label)
            .returning(TokenRow.id)
        )
        if row is None or ended is None:
            raise Missing(f"{user} has no token {label}. See `charges users tokens`.")
        lifecycle.note(session, [row], lifecycle.Deed("token revoked", by, clock(), database.keyring, label))


def listed(database: Database, user: str = "") -> list[Token]:
    """The tokens of one user or of all."""
    query = select(TokenRow, UserRow.name).join(UserRow, UserRow.id == TokenRow.user_id)
    if user:
        query = query.where(UserRow.name == user.casefold())
    with database.transaction() as session:
        return [
            Token(name, row.label, tuple(row.scopes.split()), row.ends_at, row.used_at)
            for row, name in session.execute(query.order_by(UserRow.name, TokenRow.label))
        ]


def look_up(database: Database, token: str, *, clock: Clock) -> Viewer | None:
    """Whom a token stands for, allowed what both its scopes and the role include; None when it is not good."""
    now = clock()
    with database.transaction() as session:
        found = session.execute(
            select(TokenRow, UserRow)
            .join(UserRow, UserRow.id == TokenRow.user_id)
            .where(TokenRow.digest == secrets.digest(token))
        ).one_or_none()
        if found is None:
            return None
        row, user = found
        if now >= row.ends_at or user.status is not UserStatus.ACTIVE:
            return None
        if row.used_at is None or now - row.used_at >= _WORTH_NOTING:
            row.used_at = now
        viewer = viewer_of(session, user, now)
        scopes = {Permission(each) for each in row.scopes.split()}
        return replace(viewer, permissions=viewer.permissions & scopes)
