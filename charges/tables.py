"""The tables: an envelope in plain columns for what SQL filters by, everything about a patient sealed.

A charge is one document in an envelope, so rules never see a row and the model grows without a migration. Money is
whole cents, moments are UTC. A row class that derives from ``SealedRow`` names its sealed columns and the columns that
are its identity; the identity is authenticated with each sealed value.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from charges.keyring import Keyring
from charges.model import Severity
from charges.x12.remittance import Decision


class Cents(TypeDecorator[Decimal]):
    """Dollars as ``Decimal`` in code, whole cents in the column; exact on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """To the column."""
        return None if value is None else int((value * 100).to_integral_value())

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """From the column."""
        return None if value is None else Decimal(value).scaleb(-2)


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept as UTC; SQLite has no zones, so they are put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the column."""
        if value is None:
            return None
        assert value.tzinfo is not None, "a moment without a zone"
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the column."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


WordT = TypeVar("WordT", bound=StrEnum)


class Word(TypeDecorator[WordT]):
    """A word of a closed list: its text in the column, the enumeration's member in code."""

    impl = String
    cache_ok = True

    def __init__(self, words: type[WordT], length: int) -> None:
        self.words = words
        super().__init__(length)

    def process_bind_param(self, value: WordT | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To the column."""
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: Dialect) -> WordT | None:  # noqa: ARG002
        """From the column."""
        return None if value is None else self.words(value)


BigId = BigInteger().with_variant(Integer, "sqlite")


class ChargeStatus(StrEnum):
    """Where a charge stands."""

    CAPTURED = "captured"
    """Stored, not yet judged in its present version."""
    CLEAN = "clean"
    """Judged; nothing holds it; waits for the next claim file."""
    HELD = "held"
    """Waits for a person."""
    SELF_PAY = "self_pay"
    """The patient pays; no claim goes out."""
    CLAIMED = "claimed"
    """In a claim file."""
    ACCEPTED = "accepted"
    """The payer took the claim for adjudication."""
    VOID = "void"
    """Given up, here or at the source."""


class FileStatus(StrEnum):
    """Where a claim file stands."""

    BUILT = "built"
    """Numbered, checked and stored."""
    SENDING = "sending"
    """Staged at the receiver; whether it was published is not yet written down."""
    UNCERTAIN = "uncertain"
    """Neither staged nor published any more: a person says whether it was received."""
    SENT = "sent"
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    SHADOW = "shadow"
    """Built for comparison, never sent."""


class ItemState(StrEnum):
    """Where a review item stands."""

    OPEN = "open"
    WAIVED = "waived"
    """A person let it pass, for this version of the charge."""
    CLOSED = "closed"
    """It no longer applies: looked at again, changed at the source, or given up."""


class Origin(StrEnum):
    """Who raised a review item; what the rules raised, the rules also take back."""

    RULES = "rules"
    GUIDE = "guide"
    """The implementation guide, when the claim was built."""
    SOURCE = "source"
    """The source changed or voided the charge after its claim left, or gave a record that cannot be read."""
    ANSWER = "answer"
    """The vendor's or payer's reply."""


class Base(DeclarativeBase):
    """Names of constraints follow one convention, so that migrations can name them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Moment,
        Decimal: Cents,
        bytes: LargeBinary,
        str: String,
        ChargeStatus: Word(ChargeStatus, 16),
        FileStatus: Word(FileStatus, 16),
        ItemState: Word(ItemState, 8),
        Origin: Word(Origin, 8),
        Severity: Word(Severity, 8),
        Decision: Word(Decision, 16),
    }

    id: Mapped[int] = mapped_column(BigId, primary_key=True)


class SealedRow:
    """A row with sealed columns. ``key_id`` is the key that sealed all of them."""

    SEALED: ClassVar[tuple[str, ...]]
    IDENTITY: ClassVar[tuple[str, ...]]

    key_id: Mapped[int] = mapped_column(Integer)

    def place(self, column: str) -> str:
        """What is authenticated with the sealed value: table, column and the row's identity."""
        identity = "\x1f".join(str(getattr(self, name)) for name in self.IDENTITY)
        return f"{type(self).__name__}.{column}:{identity}"

    def seal(self, keyring: Keyring, **values: bytes | None) -> None:
        """Encrypt values into their columns; the identity columns must be set before."""
        self.key_id = keyring.current
        for column, plain in values.items():
            assert column in self.SEALED, column
            setattr(self, column, None if plain is None else keyring.seal(plain, self.place(column)))

    def unseal(self, keyring: Keyring, column: str) -> bytes:
        """The plain value of a sealed column, ``b""`` where there is none."""
        sealed: bytes | None = getattr(self, column)
        return b"" if sealed is None else keyring.open(sealed, self.place(column))

    def reseal(self, keyring: Keyring) -> None:
        """Encrypt everything anew with the current key."""
        self.seal(
            keyring,
            **{name: self.unseal(keyring, name) for name in self.SEALED if getattr(self, name) is not None},
        )


class PracticeRow(SealedRow, Base):
    """A practice and its profile. The profile is sealed because a cohort names patients' record numbers."""

    __tablename__ = "practices"
    SEALED = ("profile",)
    IDENTITY = ("code",)

    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    profile: Mapped[bytes]
    applied_at: Mapped[datetime]


class ChargeRow(Base):
    """The envelope of a charge.

    ``version`` is the digest of the current document, ``judged_with`` the digest of the practice profile and payer rules it
    was last judged with, ``event_count`` and ``event_head`` the end of its chain of events.
    """

    __tablename__ = "charges"
    __table_args__ = (
        UniqueConstraint("practice_id", "source", "key"),
        Index(None, "status", "practice_id", "id"),
        Index(None, "patient_key"),
    )

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    source: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(80))
    version: Mapped[str] = mapped_column(String(64))
    status: Mapped[ChargeStatus]
    payer_id: Mapped[str] = mapped_column(String(80))
    service_date: Mapped[date | None]
    total: Mapped[Decimal]
    patient_key: Mapped[str] = mapped_column(String(32))
    judged_with: Mapped[str] = mapped_column(String(64), default="")
    event_count: Mapped[int] = mapped_column(Integer, default=0)
    event_head: Mapped[str] = mapped_column(String(64), default="")
    captured_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class ChargeVersionRow(SealedRow, Base):
    """What a charge said at one time."""

    __tablename__ = "charge_versions"
    __table_args__ = (UniqueConstraint("charge_id", "version"),)
    SEALED = ("document",)
    IDENTITY = ("charge_id", "version")

    charge_id: Mapped[int] = mapped_column(BigId, ForeignKey("charges.id"))
    version: Mapped[str] = mapped_column(String(64))
    document: Mapped[bytes]
    captured_at: Mapped[datetime]


class RawRecordRow(SealedRow, Base):
    """A record as the source gave it, stored before it is read."""

    __tablename__ = "raw_records"
    __table_args__ = (UniqueConstraint("practice_id", "source", "key", "digest"),)
    SEALED = ("body",)
    IDENTITY = ("practice_id", "source", "key", "digest")

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    source: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes]
    received_at: Mapped[datetime]


class HistoryLineRow(Base):
    """A service line of a charge's current version, findable by patient and date: for duplicates and frequencies."""

    __tablename__ = "history_lines"
    __table_args__ = (Index(None, "patient_key", "service_date"),)

    charge_id: Mapped[int] = mapped_column(BigId, ForeignKey("charges.id"), index=True)
    patient_key: Mapped[str] = mapped_column(String(32))
    service_date: Mapped[date]
    code: Mapped[str] = mapped_column(String(48))
    modifiers: Mapped[str] = mapped_column(String(48))
    units: Mapped[str] = mapped_column(String(32))
    rendering_npi: Mapped[str] = mapped_column(String(80))


class ReviewItemRow(SealedRow, Base):
    """A finding kept, with what became of it. ``at`` and ``rule`` are plain; the sentence is sealed."""

    __tablename__ = "review_items"
    __table_args__ = (
        UniqueConstraint("charge_id", "version", "rule", "at", "ordinal"),
        Index(None, "state", "charge_id"),
    )
    SEALED = ("finding",)
    IDENTITY = ("charge_id", "version", "rule", "at", "ordinal")

    charge_id: Mapped[int] = mapped_column(BigId, ForeignKey("charges.id"))
    version: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str] = mapped_column(String(32))
    severity: Mapped[Severity]
    origin: Mapped[Origin]
    at: Mapped[str] = mapped_column(String(120))
    ordinal: Mapped[int] = mapped_column(Integer, default=0)
    state: Mapped[ItemState]
    finding: Mapped[bytes]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class EventRow(SealedRow, Base):
    """One thing that happened to one charge or claim file. Never changed, never deleted.

    ``digest`` covers the event and the digest before it in the same subject's chain, so a change, a gap or a swap shows.
    ``detail`` is what a person wrote, sealed because people write names; its keyed hash is in the chain.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("subject", "subject_id", "sequence"),
        CheckConstraint("subject IN ('charge', 'file')", name="subject"),
    )
    SEALED = ("detail",)
    IDENTITY = ("subject", "subject_id", "sequence")

    subject: Mapped[str] = mapped_column(String(8))
    subject_id: Mapped[int] = mapped_column(BigId)
    sequence: Mapped[int] = mapped_column(Integer)
    what: Mapped[str] = mapped_column(String(24))
    was: Mapped[str] = mapped_column(String(16))
    became: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
    detail: Mapped[bytes | None]
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class ClaimFileRow(SealedRow, Base):
    """One interchange: its exact bytes, sealed, under the name and number it is sent with, however often."""

    __tablename__ = "claim_files"
    __table_args__ = (UniqueConstraint("scope", "control_number"), Index(None, "status", "practice_id"))
    SEALED = ("content",)
    IDENTITY = ("scope", "control_number")

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    scope: Mapped[str] = mapped_column(String(80))
    control_number: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    content: Mapped[bytes]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(Integer)
    claim_count: Mapped[int] = mapped_column(Integer)
    total: Mapped[Decimal]
    status: Mapped[FileStatus]
    event_count: Mapped[int] = mapped_column(Integer, default=0)
    event_head: Mapped[str] = mapped_column(String(64), default="")
    built_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class ClaimRow(SealedRow, Base):
    """A claim of a charge in a file. At most one claim of a charge is ``live``: out, and not refused by anybody."""

    __tablename__ = "claims"
    __table_args__ = (
        Index(
            "uq_claims_live_charge_id",
            "charge_id",
            unique=True,
            sqlite_where=text("live"),
            postgresql_where=text("live"),
        ),
        Index(None, "claim_file_id"),
        Index(None, "charge_id"),
    )
    SEALED = ("answer",)
    IDENTITY = ("number",)

    charge_id: Mapped[int] = mapped_column(BigId, ForeignKey("charges.id"))
    claim_file_id: Mapped[int] = mapped_column(BigId, ForeignKey("claim_files.id"))
    number: Mapped[str] = mapped_column(String(20), unique=True)
    frequency: Mapped[str] = mapped_column(String(1))
    version: Mapped[str] = mapped_column(String(64))
    total: Mapped[Decimal]
    live: Mapped[bool]
    accepted: Mapped[bool] = mapped_column(default=False)
    answer: Mapped[bytes | None]


class ResponseRow(SealedRow, Base):
    """A reply, stored before it is read and once however often it comes."""

    __tablename__ = "responses"
    SEALED = ("content",)
    IDENTITY = ("practice_id", "sha256")
    __table_args__ = (UniqueConstraint("practice_id", "sha256"), Index(None, "state"))

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    content: Mapped[bytes]
    state: Mapped[str] = mapped_column(String(12))
    outcome: Mapped[str]
    received_at: Mapped[datetime]


class PaymentRow(SealedRow, Base):
    """What a payment decided about one claim, once however often its remittance comes.

    ``payer`` and ``trace`` name the payment (TRN03, TRN02), ``ordinal`` counts its decisions about the claim: a reversal
    and what replaces it are two. ``document`` is the ``ClaimPayment`` with its lines and reasons. Amounts add up over all
    decisions, as a reversal's are negative.
    """

    __tablename__ = "payments"
    __table_args__ = (UniqueConstraint("claim_id", "payer", "trace", "ordinal"), Index(None, "response_id"))
    SEALED = ("document",)
    IDENTITY = ("claim_id", "payer", "trace", "ordinal")

    claim_id: Mapped[int] = mapped_column(BigId, ForeignKey("claims.id"))
    response_id: Mapped[int] = mapped_column(BigId, ForeignKey("responses.id"))
    payer: Mapped[str] = mapped_column(String(30))
    trace: Mapped[str] = mapped_column(String(50))
    ordinal: Mapped[int] = mapped_column(Integer)
    decision: Mapped[Decision]
    charged: Mapped[Decimal]
    paid: Mapped[Decimal]
    patient_responsibility: Mapped[Decimal]
    paid_on: Mapped[date | None]
    document: Mapped[bytes]
    posted_at: Mapped[datetime]


class ControlNumberRow(Base):
    """The next interchange control number between one sender and one receiver."""

    __tablename__ = "control_numbers"

    scope: Mapped[str] = mapped_column(String(80), unique=True)
    next: Mapped[int] = mapped_column(Integer)


class CursorRow(Base):
    """How far a source was read."""

    __tablename__ = "cursors"
    __table_args__ = (UniqueConstraint("practice_id", "source"),)

    practice_id: Mapped[int] = mapped_column(BigId, ForeignKey("practices.id"))
    source: Mapped[str] = mapped_column(String(32))
    position: Mapped[str]
    moved_at: Mapped[datetime]


SEALED_ROWS: tuple[type[SealedRow], ...] = (
    PracticeRow,
    ChargeVersionRow,
    RawRecordRow,
    ReviewItemRow,
    EventRow,
    ClaimFileRow,
    ClaimRow,
    ResponseRow,
    PaymentRow,
)
"""All tables with sealed columns, for the rotation of keys."""
