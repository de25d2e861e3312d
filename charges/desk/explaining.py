"""What a rule saw of a charge, each fact with its origin, each question to a table with its answer, and what it says."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from charges.errors import Refused
from charges.model import Finding
from charges.practice.profile import Practice
from charges.sources.seen import origin
from rules.engine import Facts, Rule, judge
from rules.payer.book import Book
from rules.payer.compiled import PayerRule
from rules.payer.conditions import said
from rules.witness import LookUp, consults, reads

_PREVENTS = re.compile(r"Prevents ((?:CARC|RARC)\b[^.]*)\.")


@dataclass(frozen=True, slots=True)
class Seen:
    """One fact that a rule read: its path, what it was, where it stood."""

    at: str
    value: str = field(repr=False)
    origin: str


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a payer rule's condition, ``depth`` levels down, and whether it holds there."""

    at: str
    depth: int
    holds: bool
    says: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule before one charge. ``is_asked`` is false of a payer rule about other payers."""

    rule: Rule
    is_asked: bool
    facts: tuple[Seen, ...]
    tables: tuple[LookUp, ...]
    condition: tuple[Step, ...]
    findings: tuple[Finding, ...]

    @property
    def why(self) -> str:
        """Why the rule exists, in plain words: its documentation without title, examples and authority.

        >>> from rules.engine import load
        >>> rule = next(each for each in load() if each.id == "EM-004")
        >>> Explanation(rule, True, (), (), (), ()).why[:52]
        'A preventive visit covers small findings. When a pro'
        """
        paragraphs = [" ".join(each.split()) for each in self.rule.documentation.strip().split("\n\n")]
        told = [each for each in paragraphs[1:] if not each.startswith((">>>", "Authority:"))]
        return "\n".join(told or paragraphs[:1])

    @property
    def authority(self) -> str:
        """Who demands it, without the denial that it prevents."""
        return _PREVENTS.sub("", self.rule.authority).strip()

    @property
    def prevents(self) -> str:
        """The adjustment reason that a payer would deny it with; empty where none is known."""
        found = _PREVENTS.search(self.rule.authority)
        return found[1] if found else ""


def rule_of(id: str, rules: Sequence[Rule], book: Book) -> tuple[Rule, PayerRule | None]:
    """A rule by its id, and how it was written where it is a payer's; raises Refused where there is none."""
    wanted = id.upper()
    for written in book.rules:
        if written.rule.id == wanted:
            return written.rule, written
    for each in rules:
        if each.id == wanted:
            return each, None
    raise Refused(f"No rule is called {id}. See `charges rules list`.")


def explain(id: str, rules: Sequence[Rule], book: Book, practice: Practice, facts: Facts) -> Explanation:
    """Have a rule judge facts and note what it looks at; raises Refused where there is no such rule."""
    rule, written = rule_of(id, rules, book)
    is_asked = written is None or written.concerns(facts.charge)
    return Explanation(
        rule,
        is_asked,
        tuple(Seen(path, _shown(value), _origin(path, facts)) for path, value in reads(rule, facts).items()),
        consults(rule, facts),
        tuple(_steps(written, facts)) if written else (),
        judge([rule] if is_asked else [], facts, practice.weights(facts.charge)),
    )


def _steps(written: PayerRule, facts: Facts) -> list[Step]:
    """The rule's condition with its truth, for every line or for the charge."""
    places = facts.billed if written.is_of_lines else facts.billed[:1]
    return [
        Step(f"line {index + 1}" if written.is_of_lines else "charge", depth, holds, says)
        for index, _ in places
        for depth, holds, says in said(written.condition, facts, index)
    ]


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    return "none" if value is None or value == "" else str(value)


def _origin(path: str, facts: Facts) -> str:
    """Where the source, or the profile, gave a fact: its own origin, else that of what it is a part of."""
    if path.startswith("policy."):
        return "practice profile"
    if path.startswith("history"):
        return "earlier charges"
    return origin(facts.charge, path)
