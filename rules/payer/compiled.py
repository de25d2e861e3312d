"""One payer rule, from what its file says to a rule that judges, with its cases."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from charges.model import Change, Charge, Coverage
from charges.yamlfile import shown as shown_place
from rules.cases import facts_of, places
from rules.engine import Facts, Problem, Rule
from rules.examples import COVERAGE
from rules.payer.catalogue import FACTS, Value
from rules.payer.conditions import ALWAYS, Compiler, Node, Test
from rules.payer.definitions import CEILING, Codes, Definition, Stage, Written, codes

MOST_MODIFIERS = 4
_NAMED = re.compile(r"\{([^{}]*)\}")

SUGGESTIBLE: Mapping[str, frozenset[str]] = {
    "line.modifiers": frozenset({"add", "remove"}),
    **dict.fromkeys(("line.code", "line.place", "line.units", "line.unit", "line.note"), frozenset({"set"})),
    **dict.fromkeys(("charge.place", "charge.note"), frozenset({"set"})),
}
"""The facts that a rule may propose to change, and how."""

REQUIRED: Mapping[str, tuple[str, str]] = {
    "authorization": ("line.authorization", "Get the authorization and enter its number."),
    "referral": ("line.referral", "Enter the referral's number."),
    "attachment": ("line.attachments", "Attach the paperwork and say how it is sent."),
}
"""What can be required: the fact that is empty where it is missing, and what to do."""


@dataclass(frozen=True, slots=True)
class PayerRule:
    """A compiled payer rule: how it judges, its condition as a tree, and where it was written.

    ``test`` is the condition with what is required, of a line of its codes; ``codes`` is ``None`` when it is about any.
    ``number`` is its place in the book.
    """

    number: int
    rule: Rule
    written: Written
    condition: Node
    test: Test
    codes: Codes | None
    is_of_lines: bool

    @property
    def definition(self) -> Definition:
        """What the file says."""
        return self.written.definition

    def concerns(self, charge: Charge) -> bool:
        """Whether the rule is about a charge's first payer."""
        wanted = self.definition
        if not (wanted.payers or wanted.payer_classes):
            return True
        payer = charge.coverages[0].payer if charge.coverages else None
        return payer is not None and (
            payer.payer_id in wanted.payers or payer.claim_filing_code in wanted.payer_classes
        )

    def failures(self) -> list[str]:
        """The cases that fail, as sentences with their lines."""
        found = []
        for kind, each, given in self._cases():
            where = f"line {self.written.line_of(('cases', kind, each))}: case {each!r}"
            try:
                facts = facts_of(given, self._coverage())
            except ValueError as error:
                found.append(f"{where}: {error}")
                continue
            said = places(self.rule, facts) if self.concerns(facts.charge) else []
            wanted = given.get("at")
            if kind == "passes" and said:
                found.append(f"{where} should pass, and {self.rule.id} finds {_listed(said)}")
            elif kind == "fires" and not said:
                found.append(f"{where} should fire, and {self.rule.id} finds nothing")
            elif kind == "fires" and wanted is not None and sorted(wanted) != said:
                found.append(f"{where} should fire at {_listed(wanted)}, and {self.rule.id} finds {_listed(said)}")
        return found

    def _cases(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        cases = self.definition.cases
        for kind, named in (("fires", cases.fires), ("passes", cases.passes)):
            for name, given in named.items():
                yield kind, name, given or {}

    def _coverage(self) -> Coverage:
        """The policy a case begins with: one of a payer that the rule is about."""
        return _coverage_of(self.definition.payers[:1], self.definition.payer_classes[:1])


@lru_cache(maxsize=1000)
def _coverage_of(payers: tuple[str, ...], classes: tuple[str, ...]) -> Coverage:
    clean = COVERAGE.payer
    payer = clean.model_copy(
        update={
            "payer_id": payers[0] if payers else clean.payer_id,
            "claim_filing_code": classes[0] if classes else clean.claim_filing_code,
        }
    )
    return COVERAGE.model_copy(update={"payer": payer})


def compiled(written: Written, number: int = 0) -> tuple[PayerRule, list[str]]:
    """The rule of what was written, and all its faults with their lines; with a fault it must not judge."""
    definition = written.definition
    compiler = Compiler()
    condition = ALWAYS if definition.when is None else compiler.condition(definition.when, ("when",))
    chosen = None
    if definition.codes:
        try:
            chosen = codes(definition.codes)
        except ValueError as error:
            compiler.faults.append((("codes",), str(error)))
    speech = _Speech(definition, compiler)
    is_of_lines = bool(chosen or compiler.asks_a_line)
    test = _with_what_is_missing(definition, condition.test)
    rule = Rule(
        id=definition.id,
        title=definition.title,
        severity=definition.then.severity,
        check=_of_lines(definition, chosen, test, speech) if is_of_lines else _of_charge(test, speech),
        documentation=_documentation(definition),
        since=definition.since,
        until=definition.until,
        ceiling=CEILING.get(definition.stage),
    )
    made = PayerRule(number, rule, written, condition, test, chosen, is_of_lines)
    faults = sorted((written.line_of(place), shown_place(place), said) for place, said in compiler.faults)
    return made, [f"line {line}: {place}: {said}" for line, place, said in faults]


def _with_what_is_missing(definition: Definition, test: Test) -> Test:
    """The condition, and that what the rule requires is absent."""
    if definition.then.require is None:
        return test
    read = FACTS[REQUIRED[definition.then.require][0]].read
    return lambda facts, index: not read(facts, index) and test(facts, index)


def _of_lines(
    definition: Definition, chosen: Codes | None, test: Test, speech: "_Speech"
) -> Callable[[Facts], Iterator[Problem]]:
    names, beginnings = (chosen.names, chosen.beginnings) if chosen else (None, ())
    since, until = definition.since or date.min, definition.until or date.max

    def check(facts: Facts) -> Iterator[Problem]:
        for index, line in facts.billed:
            if names is not None and line.code not in names and not (beginnings and line.code.startswith(beginnings)):
                continue
            if test(facts, index) and (line.service_date is None or since <= line.service_date <= until):
                yield speech.about(facts, index)

    return check


def _of_charge(test: Test, speech: "_Speech") -> Callable[[Facts], Iterator[Problem]]:
    def check(facts: Facts) -> Iterator[Problem]:
        if facts.billed and test(facts, facts.billed[0][0]):
            yield speech.about(facts, None)

    return check


class _Speech:
    """How a rule says what it found."""

    def __init__(self, definition: Definition, compiler: Compiler) -> None:
        then = definition.then
        self.message, self.then, self.stage = then.message, then, definition.stage
        self.named = [
            fact for name in _NAMED.findall(then.message) if (fact := compiler.fact(name, ("then", "message")))
        ]
        required = REQUIRED[then.require] if then.require else None
        target = next(iter(then.suggest or {}), None)
        at = then.at or target or (required[0] if required else None)
        self.at = compiler.fact(at, ("then", "at")) if at else None
        self.fix = then.fix or (required[1] if required else "")
        self.change = self._change(compiler)
        if required or any(fact.is_of_a_line for fact in (*self.named, *filter(None, (self.at,)))):
            compiler.asks_a_line = True

    def _change(self, compiler: Compiler) -> tuple[str, str, str] | None:
        for name, how in (self.then.suggest or {}).items():
            op, value = next(iter(how.items()))
            if op in SUGGESTIBLE.get(name, ()):
                self.fix = (
                    self.fix or {"add": f"Add {value}.", "remove": f"Remove {value}.", "set": f"Enter {value}."}[op]
                )
                return name, op, value
            can = ", ".join(f"{fact} ({', '.join(sorted(ops))})" for fact, ops in SUGGESTIBLE.items())
            compiler.faults.append((("then", "suggest", name), f"a rule may suggest to change: {can}"))
        return None

    def about(self, facts: Facts, index: int | None) -> Problem:
        """The problem of a line, or of the charge."""
        line = index or 0
        seen = {fact.name: shown(fact.read(facts, line)) for fact in self.named}
        message = _NAMED.sub(lambda found: seen.get(found[1], ""), self.message)
        if self.stage is Stage.SHADOW:
            seen["stage"] = "shadow"
        return Problem(
            self.at.at(line) if self.at else "" if index is None else f"lines[{index}]",
            message if index is None else f"Line {index + 1}: {message}",
            seen,
            self.fix,
            self._remedy(facts, line),
        )

    def _remedy(self, facts: Facts, index: int) -> tuple[Change, ...]:
        if self.change is None:
            return ()
        name, op, value = self.change
        at = FACTS[name].at(index)
        if name != "line.modifiers":
            return (Change(at=at, op="set", value=value),)
        modifiers = facts.charge.lines[index].modifiers
        if op == "add":
            return (Change(at=at, op="add", value=value),) if len(modifiers) < MOST_MODIFIERS else ()
        places = [place for place, each in enumerate(modifiers) if each == value]
        return tuple(Change(at=f"{at}[{place}]", op="remove") for place in reversed(places))


def shown(value: Value) -> str:
    """A fact's value in a sentence.

    >>> shown(("25", "RT")), shown(None), shown(True)
    ('25 RT', 'nothing', 'yes')
    """
    if isinstance(value, tuple):
        return " ".join(value) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None or value == "" else str(value)


def _listed(found: object) -> str:
    return ", ".join(str(each) or "the charge" for each in found) if isinstance(found, list) else str(found)


def _documentation(definition: Definition) -> str:
    about = [
        f"Payers: {', '.join((*definition.payers, *definition.payer_classes)) or 'all'}.",
        f"Codes: {', '.join(definition.codes) or 'all'}.",
    ]
    steps = [
        f"{step.stage} since {step.date}, by {step.by}{f': {step.reason}' if step.reason else ''}".rstrip(".") + "."
        for step in definition.life
    ]
    return "\n\n".join(
        (
            definition.title,
            definition.reason,
            " ".join(about),
            "\n".join(steps),
            "Authority: the payer or practice, as stated above.",
        )
    )
