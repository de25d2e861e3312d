"""What people and other systems are told: what was noticed, to whom it goes, and how far it has come.

No column here holds a patient's data, so none is sealed but the secrets that messages are signed with.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from charges.tables.base import Base, SealedRow
from charges.tables.columns import BigId
from charges.tables.states import DeliveryState, Topic


class NoticeRow(Base):
    """Something of a practice that people should know, noticed once.

    ``key`` says what it is about; what ended and begins again is the next ``episode``. ``facts`` is JSON: counts, names of
    files, control numbers and rules. ``ended_at`` is None while it stands.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("practice_id", "key", "episode"),
        Index(None, "practice_id", "noticed_at"),
        Index(
            "ix_notices_standing",
            "practice_id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    topic: Mapped[Topic]
    key: Mapped[str] = mapped_column(String(80))
    episode: Mapped[int] = mapped_column(Integer)
    sentence: Mapped[str] = mapped_column(Text)
    facts: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(String(200))
    noticed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class EndpointRow(SealedRow, Base):
    """Where another system wants to be told about a practice, over HTTPS.

    ``topics`` are parted by blanks. Messages are signed with ``secret``, and until ``former_until`` with ``former`` too.
    ``silent_since`` is when it last began to take no message; ``stopped_at`` is when it said that it wants none any more.
    An endpoint that was removed keeps its row, without secrets, for the history of what was sent.
    """

    __tablename__ = "endpoints"
    __table_args__ = (UniqueConstraint("uid"), Index(None, "practice_id", "name"))
    SEALED = ("secret", "former")
    IDENTITY = ("uid",)

    uid: Mapped[str] = mapped_column(String(40))
    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    name: Mapped[str] = mapped_column(String(80))
    url: Mapped[str] = mapped_column(String(2000))
    topics: Mapped[str]
    secret: Mapped[bytes | None]
    former: Mapped[bytes | None]
    former_until: Mapped[datetime | None]
    silent_since: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(80))
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[str | None] = mapped_column(String(80))


class SubscriptionRow(Base):
    """What a user is told by e-mail: ``topics``, parted by blanks, to ``address``.

    Urgent ones come ``at_once``, or like the others in a digest a day, at ``hour`` in the zone of the practices it is about.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (UniqueConstraint("user_id"),)

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    address: Mapped[str] = mapped_column(String(254))
    topics: Mapped[str]
    at_once: Mapped[bool]
    hour: Mapped[int] = mapped_column(Integer)
    since: Mapped[datetime]


class DeliveryRow(Base):
    """A message on its way to one endpoint or user; ``uid`` is its id at every try, so that a receiver can drop repeats.

    ``key`` says what it is about and to whom, so that nothing is told twice. ``body`` is what an endpoint is sent, byte for
    byte at each try; of a mail it is JSON with the numbers of its notices. It is a worker's own while ``lease`` is set and
    ``leased_until`` is not over; ``fault`` says why the last try failed.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("uid"),
        UniqueConstraint("key"),
        Index(None, "state", "next_try_at"),
        Index(None, "user_id", "made_at"),
        Index(None, "endpoint_id", "made_at"),
    )

    uid: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(120))
    endpoint_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("endpoints.id"))
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    topic: Mapped[Topic | None]
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[DeliveryState]
    tries: Mapped[int] = mapped_column(Integer, default=0)
    next_try_at: Mapped[datetime]
    lease: Mapped[str | None] = mapped_column(String(40))
    leased_until: Mapped[datetime | None]
    fault: Mapped[str | None] = mapped_column(String(300))
    made_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
