"""What all tables share, and what those with sealed columns share."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import Integer, LargeBinary, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from charges.keyring import Keyring
from charges.model import Severity
from charges.tables.columns import BigId, Cents, Moment, Word
from charges.tables.states import (
    Amendment,
    BreakerStatus,
    ChargeStatus,
    CorrectionState,
    DeliveryState,
    DifferenceState,
    FileStatus,
    ItemState,
    Mode,
    Onward,
    Origin,
    Role,
    Topic,
    UnmatchedStatus,
    UserStatus,
)
from charges.x12.remittance import Decision


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
        Onward: Word(Onward, 8),
        Severity: Word(Severity, 8),
        Decision: Word(Decision, 16),
        Amendment: Word(Amendment, 8),
        BreakerStatus: Word(BreakerStatus, 8),
        DifferenceState: Word(DifferenceState, 8),
        Role: Word(Role, 8),
        UnmatchedStatus: Word(UnmatchedStatus, 8),
        UserStatus: Word(UserStatus, 8),
        CorrectionState: Word(CorrectionState, 8),
        Mode: Word(Mode, 8),
        Topic: Word(Topic, 16),
        DeliveryState: Word(DeliveryState, 16),
    }

    id: Mapped[int] = mapped_column(BigId, primary_key=True)


class SealedRow:
    """A row with sealed columns. ``key_id`` is the key that sealed all of them."""

    SEALED: ClassVar[tuple[str, ...]]
    IDENTITY: ClassVar[tuple[str, ...]]

    key_id: Mapped[int] = mapped_column(Integer)

    @classmethod
    def values(cls, keyring: Keyring, sealed: Mapping[str, bytes | None], **columns: object) -> dict[str, object]:
        """The columns of a row that is inserted with many others, the ``sealed`` ones encrypted."""
        for column, plain in sealed.items():
            assert column in cls.SEALED, column
            place = cls._place(column, columns)
            columns[column] = None if plain is None else keyring.seal(plain, place)
        return columns | {"key_id": keyring.current}

    @classmethod
    def _place(cls, column: str, columns: Mapping[str, object]) -> str:
        identity = "\x1f".join(str(columns[name]) for name in cls.IDENTITY)
        return f"{cls.__name__}.{column}:{identity}"

    def place(self, column: str) -> str:
        """What is authenticated with the sealed value: table, column and the row's identity."""
        return self._place(column, {name: getattr(self, name) for name in self.IDENTITY})

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

    @classmethod
    def opened(cls, keyring: Keyring, column: str, columns: Mapping[Any, Any]) -> bytes:
        """The same of a row that was read by its ``columns``."""
        sealed: bytes | None = columns[column]
        return b"" if sealed is None else keyring.open(sealed, cls._place(column, columns))

    def reseal(self, keyring: Keyring) -> None:
        """Encrypt everything anew with the current key."""
        self.seal(
            keyring,
            **{name: self.unseal(keyring, name) for name in self.SEALED if getattr(self, name) is not None},
        )
