"""Where charges come from: one protocol, one module or folder for each kind of source."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from charges.model import Charge


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record as the source gave it, before anybody reads it.

    ``key`` is the source's own number of the charge, stable over edits. ``body`` is the record's bytes; it may hold
    patient data and is stored encrypted.
    """

    key: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, oldest change first, and the cursor from which the next pull may start once they are stored.

    ``cursor`` is text that only the source understands; ``None`` leaves the stored one as it is.
    """

    records: tuple[RawRecord, ...]
    cursor: str | None = None


class ChargeSource(Protocol):
    """A system that knows of charges."""

    kind: str

    def changed_since(self, cursor: str | None) -> Iterator[Page]:
        """Every charge created, changed or voided since the cursor, page by page, oldest change first.

        May give a charge again: intake keeps each version once. Raises Unavailable when the system does not answer
        now and Refused when it will not answer until a person acts. Pages already given stay good.
        """

    def to_charge(self, record: RawRecord) -> Charge:
        """The facts of one record; pure. Raises Unreadable with the field and what is wrong with it."""
