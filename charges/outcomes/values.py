"""What outcomes are told in: denials, what became of a rule's findings, and the denials that nobody foresaw."""

from dataclasses import dataclass, field
from decimal import Decimal

from charges.model import Severity
from charges.period import Period
from rules.prevents import Prevented

ENOUGH = 20
"""So many claims, or denials, before anything is advised about a rule."""
PROMOTE, RETIRE = 0.5, 0.05
"""A warning that comes true this often should hold; a finding that comes true no more often than that weighs too much."""


@dataclass(frozen=True, slots=True)
class Denial:
    """One reason for which a claim was refused or a payer denied it or a line of it.

    ``code`` is CARC, or the kind of reply that refused. ``procedure`` is the code of the line, empty for the whole claim.
    """

    code: str
    remarks: frozenset[str] = frozenset()
    procedure: str = ""
    amount: Decimal = Decimal(0)
    is_refusal: bool = False


@dataclass(slots=True)
class Let:
    """A rule's findings on claims that left with them, and what became of these claims.

    ``passed`` of them were decided or refused, ``waived`` of these after a person waived a finding that held; ``hits`` were
    denied for what the rule expects, ``foreseen`` has their charges. ``missed`` are other claims that were denied so and
    had no finding that fits.
    """

    rule: str
    severity: Severity | None = None
    expects: Prevented = field(default_factory=Prevented)
    passed: int = 0
    waived: int = 0
    hits: int = 0
    missed: int = 0
    foreseen: list[int] = field(default_factory=list)

    @property
    def precision(self) -> float | None:
        """The share of its findings that came true."""
        return self.hits / self.passed if self.passed else None

    @property
    def recall(self) -> float | None:
        """The share of the denials it expects that it foresaw, of those that no other rule did."""
        known = self.hits + self.missed
        return self.hits / known if known and self.expects.is_known else None

    @property
    def advice(self) -> str:
        """What to do about the rule; nothing where numbers do not suffice."""
        said = []
        rate, wrongly = self.precision, self.waived * 2 > self.passed
        if rate is not None and self.passed >= ENOUGH and rate >= PROMOTE:
            what = "stop waiving it" if wrongly else f"let it hold (`rules: {{{self.rule}: hold}}` in the profile)"
            said.append(f"{self.hits} of {self.passed} claims that left with it came back denied: {what}.")
        elif rate is not None and self.passed >= ENOUGH and rate <= RETIRE:
            weight = "warn" if wrongly else '"off"'
            said.append(
                f"{self.passed} claims left with it and {self.hits} came back denied: weigh it less "
                f"(`rules: {{{self.rule}: {weight}}}`)."
            )
        if self.missed >= ENOUGH and (self.recall or 0) < PROMOTE:
            said.append(f"{self.missed} denied claims that it should have found had no finding: see what they share.")
        return " ".join(said)

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "passed": self.passed,
            "waived": self.waived,
            "hits": self.hits,
            "missed": self.missed,
            "precision": self.precision,
            "recall": self.recall,
            "advice": self.advice,
        }


@dataclass(frozen=True, slots=True)
class Unforeseen:
    """Denials without any finding that fits, by code; ``expected_by`` are the rules that say that they prevent it.

    ``charges`` has the charge of each of the claims.
    """

    code: str
    amount: Decimal
    expected_by: tuple[str, ...]
    charges: tuple[int, ...]

    @property
    def claims(self) -> int:
        """How many claims were denied so."""
        return len(self.charges)

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "code": self.code,
            "claims": self.claims,
            "amount": f"{self.amount:.2f}",
            "expected_by": list(self.expected_by),
        }


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One practice and period. Claims are ``decided`` when a payer decided or somebody refused them."""

    practice: str
    period: Period
    decided: int
    denied: int
    refused: int
    rules: tuple[Let, ...]
    unforeseen: tuple[Unforeseen, ...]

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "practice": self.practice,
            "from": self.period.first,
            "to": self.period.last,
            "decided": self.decided,
            "denied": self.denied,
            "refused": self.refused,
            "rules": [each.as_json() for each in self.rules],
            "unforeseen": [each.as_json() for each in self.unforeseen],
        }
