"""Condition trees, compiled to closures: no text of a file is ever run, and the work for a charge has a bound.

A condition is a mapping; everything in it must hold. ``all``, ``any`` and ``not`` join conditions, ``any_line``,
``all_lines`` and ``no_line`` ask about every line of the charge, and any other name is a fact with what is asked of it::

    any:
      - line.place: ["02", "10"]
      - line.modifiers: {has_none: ["95"]}

A value that is absent passes no comparison but ``is_not``, ``not_in``, ``has_none`` and ``empty``.
"""

import difflib
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from charges.model import undotted
from charges.yamlfile import Place
from rules.engine import Facts
from rules.payer.catalogue import FACTS, Fact, Kind, Value

DEEPEST, MOST_NODES, MOST_VALUES, LONGEST_TEXT = 8, 60, 2000, 500

Test = Callable[[Facts, int], bool]


@dataclass(frozen=True, slots=True)
class Node:
    """A compiled condition: what it says, whether it holds, and its parts."""

    says: str
    test: Test
    parts: tuple["Node", ...] = ()


class _Fault(ValueError):
    """What cannot be asked, found while one value is read."""


@dataclass
class Compiler:
    """Compiles the conditions of one rule; ``faults`` are places and sentences of all that is wrong."""

    faults: list[tuple[Place, str]] = field(default_factory=list)
    asks_a_line: bool = False
    """Whether a fact of a line is asked outside of the questions about every line."""
    nodes: int = 0

    def condition(self, raw: object, place: Place, depth: int = 1, *, each_line: bool = False) -> Node:
        """The compiled condition; where it is faulty, one that never holds, and a fault more."""
        if not isinstance(raw, dict):
            return self._fault(place, "a condition is a mapping of facts to what is asked of them")
        if depth > DEEPEST:
            return self._fault(place, f"conditions stand at most {DEEPEST} deep in each other")
        parts = [self._part(str(name), value, (*place, str(name)), depth, each_line) for name, value in raw.items()]
        return parts[0] if len(parts) == 1 else _all(parts)

    def _part(self, name: str, value: object, place: Place, depth: int, each_line: bool) -> Node:  # noqa: FBT001
        self.nodes += 1
        if self.nodes == MOST_NODES + 1:
            self._fault(place, f"a rule asks at most {MOST_NODES} things; make two rules of it")
        if self.nodes > MOST_NODES:
            return NEVER
        if name in ("all", "any"):
            return self._joined(name, value, place, depth, each_line)
        if name == "not":
            inner = self.condition(value, place, depth + 1, each_line=each_line)
            return Node("not", lambda facts, index, test=inner.test: not test(facts, index), (inner,))  # type: ignore[misc]
        if name in _OF_LINES:
            if each_line:
                return self._fault(place, f"{name} cannot stand within a question about every line")
            return _OF_LINES[name](self.condition(value, place, depth + 1, each_line=True))
        return self._asked(name, value, place, each_line=each_line)

    def _joined(self, name: str, value: object, place: Place, depth: int, each_line: bool) -> Node:  # noqa: FBT001
        if not isinstance(value, list) or not value:
            return self._fault(place, f"{name} holds a list of conditions")
        parts = [
            self.condition(each, (*place, index), depth + 1, each_line=each_line)
            for index, each in enumerate(value[: MOST_NODES + 1])
        ]
        return _all(parts) if name == "all" else _any(parts)

    def _asked(self, name: str, value: object, place: Place, *, each_line: bool) -> Node:
        fact = self.fact(name, place)
        if fact is None:
            return NEVER
        if fact.is_of_a_line and not each_line:
            self.asks_a_line = True
        if not isinstance(value, dict):
            value = {_SHORT[fact.kind][isinstance(value, list)]: value}
        nodes = []
        for asked, operand in value.items():
            here = (*place, str(asked))
            make = OPERATORS[fact.kind].get(str(asked))
            if make is None:
                known = ", ".join(OPERATORS[fact.kind])
                return self._fault(here, f"{name} is a {fact.kind}; it can be asked: {known}")
            try:
                nodes.append(Node(f"{name} {asked} {_shown(operand)}", make(fact, operand)))
            except _Fault as fault:
                return self._fault(here, str(fault))
        return nodes[0] if len(nodes) == 1 else _all(nodes)

    def fact(self, name: str, place: Place) -> Fact | None:
        """The fact of a name; without one, a fault that names the nearest."""
        if name not in FACTS:
            near = difflib.get_close_matches(name, FACTS, n=1, cutoff=0.6)
            self._fault(place, "is no fact" + (f"; is {near[0]} meant?" if near else "; see `charges rules facts`"))
        return FACTS.get(name)

    def _fault(self, place: Place, sentence: str) -> Node:
        self.faults.append((place, sentence))
        return NEVER


def said(node: Node, facts: Facts, index: int, depth: int = 0) -> list[tuple[int, bool, str]]:
    """The tree with the truth of every node for one line: depth, whether it holds, what it says.

    What is asked of every line has no truth for one of them and is left out.
    """
    rows = [(depth, node.test(facts, index), node.says)]
    if node.says in _OF_LINES:
        return rows
    return rows + [row for part in node.parts for row in said(part, facts, index, depth + 1)]


NEVER = Node("never", lambda _facts, _index: False)
ALWAYS = Node("always", lambda _facts, _index: True)


def _all(parts: list[Node]) -> Node:
    tests = tuple(each.test for each in parts)

    def test(facts: Facts, index: int) -> bool:
        for each in tests:  # noqa: SIM110 - a loop costs half of all() with a generator
            if not each(facts, index):
                return False
        return True

    return Node("all", test, tuple(parts)) if parts else ALWAYS


def _any(parts: list[Node]) -> Node:
    tests = tuple(each.test for each in parts)

    def test(facts: Facts, index: int) -> bool:
        for each in tests:  # noqa: SIM110 - as above
            if each(facts, index):
                return True
        return False

    return Node("any", test, tuple(parts))


def _any_line(inner: Node) -> Node:
    return Node("any_line", lambda facts, _: any(inner.test(facts, each) for each, _line in facts.billed), (inner,))


def _all_lines(inner: Node) -> Node:
    return Node("all_lines", lambda facts, _: all(inner.test(facts, each) for each, _line in facts.billed), (inner,))


def _no_line(inner: Node) -> Node:
    return Node("no_line", lambda facts, _: not any(inner.test(facts, each) for each, _line in facts.billed), (inner,))


_OF_LINES: Mapping[str, Callable[[Node], Node]] = {
    "any_line": _any_line,
    "all_lines": _all_lines,
    "no_line": _no_line,
}

_SHORT: Mapping[Kind, tuple[str, str]] = {
    Kind.TEXT: ("is", "in"),
    Kind.NUMBER: ("is", "in"),
    Kind.DATE: ("is", "in"),
    Kind.FLAG: ("is", "in"),
    Kind.TEXTS: ("has", "has_any"),
}
"""What a bare value and a bare list ask of each kind."""


# What can be asked: each makes the test of a fact and a value of the file.

Make = Callable[[Fact, object], Test]


def _compared(parse: Callable[[Fact, object], Any], holds: Callable[[Any, Any], bool], *, absent: bool = False) -> Make:
    def make(fact: Fact, operand: object) -> Test:
        read, wanted = fact.read, parse(fact, operand)

        def test(facts: Facts, index: int) -> bool:
            value = read(facts, index)
            return absent if value is None else holds(value, wanted)

        def test_text(facts: Facts, index: int) -> bool:
            value = read(facts, index)
            return holds(value, wanted) if value else absent

        return test_text if fact.kind is Kind.TEXT else test

    return make


def text_of(fact: Fact, operand: object) -> str:
    """A text of the file as it is compared; raises ValueError."""
    if isinstance(operand, bool) or not isinstance(operand, str | int) or operand == "":
        raise _Fault("needs a text; put quotes around it")
    if len(str(operand)) > LONGEST_TEXT:
        raise _Fault(f"a text has at most {LONGEST_TEXT} characters")
    return undotted(str(operand)) if fact.is_a_diagnosis else str(operand)


def _texts(fact: Fact, operand: object) -> frozenset[str]:
    listed = operand if isinstance(operand, list) else [operand]
    if not listed or len(listed) > MOST_VALUES:
        raise _Fault(f"needs a list of 1 to {MOST_VALUES} texts")
    return frozenset(text_of(fact, each) for each in listed)


def _beginnings(fact: Fact, operand: object) -> tuple[str, ...]:
    return tuple(sorted(_texts(fact, operand)))


def _number(_: Fact, operand: object) -> Decimal:
    try:
        number = Decimal(str(operand)) if isinstance(operand, str | int) and not isinstance(operand, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise _Fault("needs a number")
    return number


def _day(_: Fact, operand: object) -> date:
    try:
        return operand if isinstance(operand, date) else date.fromisoformat(str(operand))
    except ValueError:
        raise _Fault("needs a date, such as 2026-11-16") from None


def _flag(_: Fact, operand: object) -> bool:
    if operand in (True, "yes", "true"):
        return True
    if operand in (False, "no", "false"):
        return False
    raise _Fault("needs yes or no")


_SHAPE = {"A": "[A-Z]", "9": "[0-9]", "X": "[A-Z0-9]"}


def _shapes(fact: Fact, operand: object) -> tuple[re.Pattern[str], ...]:
    """Patterns such as ``AAA999999999``: A for a capital, 9 for a digit, X for either, anything else for itself."""
    return tuple(
        re.compile("".join(_SHAPE.get(each, re.escape(each)) for each in shape)) for shape in _beginnings(fact, operand)
    )


def _empty(fact: Fact, operand: object) -> Test:
    read, wanted = fact.read, _flag(fact, operand)

    def test(facts: Facts, index: int) -> bool:
        value: Value = read(facts, index)
        return (value in (None, "", ())) is wanted

    return test


def _shown(operand: object) -> str:
    shown = " ".join(map(str, operand)) if isinstance(operand, list) else str(operand)
    return shown if len(shown) <= 120 else f"{shown[:117]}..."


OPERATORS: Mapping[Kind, Mapping[str, Make]] = {
    Kind.TEXT: {
        "is": _compared(text_of, operator.eq),
        "is_not": _compared(text_of, operator.ne, absent=True),
        "in": _compared(_texts, lambda value, wanted: value in wanted),
        "not_in": _compared(_texts, lambda value, wanted: value not in wanted, absent=True),
        "begins": _compared(_beginnings, lambda value, wanted: value.startswith(wanted)),
        "shape": _compared(_shapes, lambda value, wanted: any(each.fullmatch(value) for each in wanted)),
        "empty": _empty,
    },
    Kind.NUMBER: {
        "is": _compared(_number, operator.eq),
        "is_not": _compared(_number, operator.ne, absent=True),
        "at_least": _compared(_number, operator.ge),
        "at_most": _compared(_number, operator.le),
        "above": _compared(_number, operator.gt),
        "below": _compared(_number, operator.lt),
        "empty": _empty,
    },
    Kind.DATE: {
        "is": _compared(_day, operator.eq),
        "on_or_after": _compared(_day, operator.ge),
        "on_or_before": _compared(_day, operator.le),
        "after": _compared(_day, operator.gt),
        "before": _compared(_day, operator.lt),
        "empty": _empty,
    },
    Kind.FLAG: {"is": _compared(_flag, operator.is_)},
    Kind.TEXTS: {
        "has": _compared(text_of, operator.contains),
        "has_any": _compared(_texts, lambda value, wanted: not wanted.isdisjoint(value)),
        "has_all": _compared(_texts, lambda value, wanted: wanted.issubset(value)),
        "has_none": _compared(_texts, lambda value, wanted: wanted.isdisjoint(value)),
        "begins": _compared(_beginnings, lambda value, wanted: any(each.startswith(wanted) for each in value)),
        "empty": _empty,
    },
}
"""What can be asked of each kind of fact."""
