"""What a reconciliation comes to: sums that must agree, promises that were broken, visits of which nothing was charged."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from charges.period import Period

NOTHING = Decimal(0)


class Place(StrEnum):
    """Where the money of a charge is. Every cent of every charge is at exactly one place."""

    PATIENT_SHARE = "patient share"
    """Lines of a charge that go to no payer."""
    CLAIMED = "claimed"
    """On a claim that stands at the payer that was asked first, or is on its way there."""
    CHANGED = "changed since claimed"
    """What the charge says now, less what its claim says: it changed at the source after the claim left."""
    TO_JUDGE = "to be judged"
    TO_CLAIM = "to be claimed"
    HELD = "held"
    SELF_PAY = "self-pay"
    SHADOW = "shadow"
    """On a claim that was built for comparison and never sent."""
    VOID = "void"
    """Given up, voided, or on a void that is on its way."""


class Part(StrEnum):
    """What became of the money of a claim."""

    PAID = "paid"
    PATIENT = "owed by the patient"
    DENIED = "denied"
    ADJUSTED = "adjusted"
    """Taken off by contract, another payer or the law."""
    OPEN = "open"
    """Not decided yet, or the decision was taken back."""


@dataclass(frozen=True, slots=True)
class Equation:
    """An amount that is the sum of others, each from another source than it. ``off`` is 0 where it holds."""

    name: str
    whole: Decimal
    parts: Mapping[str, Decimal]

    @property
    def off(self) -> Decimal:
        """What the whole is more than its parts."""
        return self.whole - sum(self.parts.values(), NOTHING)

    def as_json(self) -> dict[str, object]:
        """For machines; amounts are dollars as text."""
        parts = {name: f"{amount:.2f}" for name, amount in self.parts.items()}
        return {"name": self.name, "whole": f"{self.whole:.2f}", "parts": parts, "off": f"{self.off:.2f}"}


@dataclass(frozen=True, slots=True)
class Break:
    """A promise or equation that something breaks: what, in a word for machines; of whom; a sentence; what to do."""

    promise: str
    subject: str
    says: str
    do: str

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {"promise": self.promise, "subject": self.subject, "says": self.says, "do": self.do}


@dataclass(frozen=True, slots=True)
class Visit:
    """An encounter of which nothing was charged. ``age`` is days since the visit, None where its day is not known.

    ``is_over`` says that the patient was checked out or the note locked, so that a charge is due.
    """

    charge: int
    day: date | None
    age: int | None
    is_over: bool

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {"charge": self.charge, "day": self.day, "age": self.age, "is_over": self.is_over}


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One practice and period: what was counted, the equations, what is shown beside them, and every break.

    ``visits`` are encounters without a charge; those that are over and older than ``lag`` days are breaks.
    """

    practice: str
    period: Period
    lag: int
    counted: Mapping[str, int]
    equations: tuple[Equation, ...]
    beside: Mapping[str, Decimal]
    breaks: tuple[Break, ...]
    visits: tuple[Visit, ...]

    @property
    def holds(self) -> bool:
        """Whether every equation and promise holds and no charge is missing."""
        return not self.breaks and not any(each.off for each in self.equations) and not self.missing

    @property
    def missing(self) -> tuple[Visit, ...]:
        """The visits whose charge should be here by now."""
        return tuple(each for each in self.visits if each.is_over and (each.age is None or each.age > self.lag))

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "practice": self.practice,
            "from": self.period.first,
            "to": self.period.last,
            "holds": self.holds,
            "counted": dict(self.counted),
            "equations": [each.as_json() for each in self.equations],
            "beside": {name: f"{amount:.2f}" for name, amount in self.beside.items()},
            "breaks": [each.as_json() for each in self.breaks],
            "encounters_without_charge": [each.as_json() for each in self.visits],
        }
