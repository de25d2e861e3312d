"""Kinds of columns: money in whole cents, moments in UTC, words of a closed list."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, String
from sqlalchemy.types import TypeDecorator


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
