"""People who use the page: how they prove who they are, what they may see, their sessions and tokens."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from charges.tables.base import Base, SealedRow
from charges.tables.columns import BigId
from charges.tables.states import Role, UserStatus


class UserRow(SealedRow, Base):
    """A person with a name of their own.

    ``password`` is an Argon2id hash, empty where only the identity provider vouches for them; ``subject`` is what that
    provider calls them. ``totp`` is the secret of the second factor, ``totp_step`` the last half minute whose code was
    used: none is taken twice. ``failures`` counts refusals since the last success, and nothing is tried before
    ``locked_until``. ``sees_all`` is whether practices that come later are seen too. ``event_count`` and ``event_head`` are
    the end of the chain of events, as a charge has one.
    """

    __tablename__ = "users"
    SEALED = ("totp",)
    IDENTITY = ("name",)

    name: Mapped[str] = mapped_column(String(80), unique=True)
    role: Mapped[Role]
    status: Mapped[UserStatus]
    sees_all: Mapped[bool]
    password: Mapped[str] = mapped_column(String(200))
    must_change: Mapped[bool]
    totp: Mapped[bytes]
    totp_step: Mapped[int] = mapped_column(Integer, default=0)
    subject: Mapped[str | None] = mapped_column(String(200), unique=True)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[datetime | None]
    event_count: Mapped[int] = mapped_column(Integer, default=0)
    event_head: Mapped[str] = mapped_column(String(64), default="")
    added_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class GrantRow(Base):
    """A practice that a user may see; ``until`` ends what was opened in an emergency."""

    __tablename__ = "grants"
    __table_args__ = (UniqueConstraint("user_id", "practice_id"),)

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    until: Mapped[datetime | None]


class SessionRow(Base):
    """A browser in which somebody signed in, known by the SHA-256 of its random token.

    ``seen_at`` moves on while it is used; it ends when that is too long ago, and at ``ends_at`` at the latest. ``flash`` is
    a sentence for the next page shown.
    """

    __tablename__ = "sessions"

    digest: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), index=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    flash: Mapped[str | None]


class TokenRow(Base):
    """A token of the JSON API, known by its SHA-256: it may do what its user may, within ``scopes`` (parted by blanks)."""

    __tablename__ = "tokens"
    __table_args__ = (UniqueConstraint("user_id", "label"),)

    digest: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    label: Mapped[str] = mapped_column(String(80))
    scopes: Mapped[str]
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCodeRow(Base):
    """A code that takes the place of the second factor once, known by its SHA-256."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "digest"),)

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    digest: Mapped[str] = mapped_column(String(64))
