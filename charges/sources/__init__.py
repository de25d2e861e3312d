"""Where charges come from: one protocol, one module or folder for each kind of source.

Every source says what changed since a cursor, reads a record as a charge, and says what it can give. A system that can
also be asked about days of service, whatever changed when, is ``Revisitable``: late edits that moved no moment of change,
charges that vanished, and the charges of years ago are found so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, runtime_checkable

from charges.errors import Unreadable
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


@dataclass(frozen=True, slots=True)
class Probe:
    """What a system can give, as it showed itself when it was asked.

    ``streams`` are what it can be asked for: ``changes`` always, ``days`` and ``numbers`` when it answers for days of
    service, or the kinds of resource it knows. ``newest`` is the moment of the newest change as the system writes it, ``""``
    when it has none or tells none. Of the ``records`` that were looked at ``unreadable`` could not be read; ``fields``
    says how many fill each field of a charge, by its path without positions (``lines[].modifiers``).
    """

    streams: tuple[str, ...]
    newest: str = ""
    records: int = 0
    unreadable: int = 0
    fields: tuple[tuple[str, int], ...] = ()


class ChargeSource(Protocol):
    """A system that knows of charges."""

    kind: str

    def changed_since(self, cursor: str | None) -> Iterator[Page]:
        """Every charge created, changed or voided since the cursor, page by page, oldest change first.

        May give a charge again: intake keeps each version once. Raises Unavailable when the system does not answer
        now and Refused when it will not answer until a person acts. Pages already given stay good.
        """

    def to_charge(self, record: RawRecord) -> Charge:
        """The facts of one record; pure. Raises Unreadable with the field and what is wrong with it.

        ``origins`` of the charge say for each of its fields, or for what the field is a part of, where it stood.
        """

    def probe(self) -> Probe:
        """Ask the system what it can give. Changes nothing; raises as ``changed_since`` does."""


@runtime_checkable
class Revisitable(ChargeSource, Protocol):
    """A system that can be asked about days of service."""

    def of_days(self, first: date, last: date, cursor: str | None) -> Iterator[Page]:
        """Every charge of these days of service as it is now, from the cursor on when one is given, else from the first.

        A cursor stays good when the days move on: what is left of the new ones is given. Raises as ``changed_since``.
        """

    def numbers_of_days(self, first: date, last: date) -> frozenset[str]:
        """The keys of all charges of these days of service that the system has now."""

    def one(self, key: str) -> RawRecord | None:
        """A charge as it is now; None when the system says that it has none of this key.

        Raises Unreadable when the key is one that we made, by which nobody can be asked.
        """

    def withdrawn(self, record: RawRecord) -> RawRecord:
        """The record of a charge that the system no longer has, so that it reads as voided; pure."""


class Incomplete(Unreadable):
    """A record was read, and what belongs to it was not found elsewhere; ``charge`` is what it says itself."""

    def __init__(self, charge: Charge, sentence: str) -> None:
        self.charge = charge
        super().__init__(sentence)


@runtime_checkable
class Completing(ChargeSource, Protocol):
    """A source whose records are completed from another system as they come; until then a charge is ``Incomplete``."""

    def again(self, records: Iterable[RawRecord]) -> Iterator[RawRecord]:
        """Of records that were given before, those of which the other system says something else now."""
