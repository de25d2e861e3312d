"""What the records of a source are made of, counted, so that a change of the vendor's is seen before it is billed.

A record's shape is its paths with the kinds of value at each: the places of a list are one path (``cpt[].Code``), a path
lies in its parent (``cpt[]``, ``cpt``). A census adds shapes up, by record and never by line, because the lines of one
record resemble each other. Values are counted only at the paths that a source declares to hold codes.

Against an accepted baseline a record may be *novel* (a path, a kind or a code never seen) and a census may show that the
contract is *broken*: something that used to be there is gone, is empty, or is of another kind. Broken is a path of which

* the share fell to half of the baseline's or less, over at least ``LEAST`` records that could have had it, and
* so many or more lacks would fall among these by chance, if nothing had changed, in less than one case of a million: the
  exact hypergeometric tail (Fisher's test, one side), which is sound for few records and for rare fields alike.

Of a path that 200 records always had, five of five lacks break it; of one that 30 % of them had, 44 of 44.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

EMPTY, TEXT, NUMBER, TRUTH, OBJECT, LIST = 1, 2, 4, 8, 16, 32
"""Kinds of value. Kinds found together at one path of a record are one number, their sum."""
_KIND_OF = {str: TEXT, int: NUMBER, float: NUMBER, bool: TRUTH, dict: OBJECT, list: LIST, type(None): EMPTY}
_NAMES = {TEXT: "text", NUMBER: "number", TRUTH: "yes or no", OBJECT: "object", LIST: "list"}
_FILLED = TEXT | NUMBER | TRUTH | OBJECT | LIST

LEAST = 5
"""So many records must have been able to hold a path before its absence means anything."""
_ONE_CASE_IN = 10**6

_NOTHING = frozenset({"", "0000-00-00", "00/00/0000", "0000-00-00 00:00:00"})
_NAME = re.compile(r"[A-Za-z_$][\w$-]{0,63}", re.ASCII)
_NUMBERS = re.compile(r"\d{3,}")
_LONGEST_VALUE = 40


@dataclass(frozen=True, slots=True)
class Shape:
    """One record: the kinds of value at each path, and the codes found at the paths declared to hold codes."""

    kinds: Mapping[str, int]
    values: frozenset[tuple[str, str]] = frozenset()


class _Node:
    """A path with those below it, so that no path is put together twice."""

    __slots__ = ("below", "codes", "element", "is_code", "path")

    def __init__(self, path: str, codes: frozenset[str]) -> None:
        self.path, self.codes, self.is_code = path, codes, path in codes
        self.below: dict[str, _Node] = {}
        self.element: _Node | None = None

    def child(self, key: str) -> "_Node":
        """The node of a key; keys that look like data instead of a name share one, so that no data becomes a path."""
        name = _NUMBERS.sub("#", key) if _NAME.fullmatch(key) else "*"
        found = self.below.get(name)
        if found is None:
            found = self.below[name] = _Node(f"{self.path}.{name}" if self.path else name, self.codes)
        return found

    def of_list(self) -> "_Node":
        """The node of the places of a list."""
        if self.element is None:
            self.element = _Node(f"{self.path}[]", self.codes)
        return self.element


class Surveyor:
    """Tells the shape of JSON values; ``codes`` are the paths whose values may be kept."""

    def __init__(self, codes: Iterable[str] = ()) -> None:
        self._root = _Node("", frozenset(codes))

    def shape(self, value: Any, name: str = "") -> Shape:  # noqa: ANN401 - whatever JSON can say
        """The shape of a value; with a ``name`` its paths lie below that name."""
        return self.shapes([(name, value)])

    def shapes(self, named: Iterable[tuple[str, Any]]) -> Shape:
        """The shape of a record of several values, each below its name."""
        kinds: dict[str, int] = {}
        values: set[tuple[str, str]] = set()
        for name, value in named:
            node = self._root.child(name) if name else self._root
            if name:
                _look(node, value, kinds, values)
            elif type(value) is dict:
                _look_into(node, value, kinds, values)
            else:
                _look(node.of_list(), value, kinds, values)
        return Shape(kinds, frozenset(values))


def _look_into(node: _Node, given: dict[str, Any], kinds: dict[str, int], values: set[tuple[str, str]]) -> None:
    below = node.below
    for key, value in given.items():
        child = below.get(key) or node.child(key)
        kind = _KIND_OF[type(value)]
        if kind == TEXT:  # written out because nearly every value is a text
            if value in _NOTHING:
                kind = EMPTY
            elif child.is_code:
                values.add((child.path, value.strip()[:_LONGEST_VALUE]))
            path = child.path
            kinds[path] = kinds.get(path, 0) | kind
        else:
            _look(child, value, kinds, values)


def _look(node: _Node, value: Any, kinds: dict[str, int], values: set[tuple[str, str]]) -> None:  # noqa: ANN401
    kind = _KIND_OF[type(value)]
    if kind in (OBJECT, LIST, TEXT) and (not value or (kind == TEXT and value in _NOTHING)):
        kind = EMPTY
    elif kind == OBJECT:
        _look_into(node, value, kinds, values)
    elif kind == LIST:
        element = node.of_list()
        for each in value:
            _look(element, each, kinds, values)
    elif node.is_code and kind != EMPTY:
        values.add((node.path, str(value).strip()[:_LONGEST_VALUE]))
    kinds[node.path] = kinds.get(node.path, 0) | kind


def parent(path: str) -> str:
    """The path in which a path lies; ``""`` is the record itself.

    >>> parent("cpt[].Code"), parent("cpt[]"), parent("cpt")
    ('cpt[]', 'cpt', '')
    """
    return path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0]


@dataclass(frozen=True)
class Census:
    """Shapes added up: in how many ``records`` a path had which kinds, and which codes. Adding knows no order."""

    records: int = 0
    kinds: Mapping[tuple[str, int], int] = field(default_factory=dict)
    values: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, shapes: Sequence[Shape]) -> "Census":
        """The census of some records."""
        kinds: Counter[tuple[str, int]] = Counter()
        values: Counter[tuple[str, str]] = Counter()
        for shape in shapes:
            kinds.update(shape.kinds.items())
            values.update(shape.values)
        return cls(len(shapes), kinds, values)

    def __add__(self, other: "Census") -> "Census":
        return Census(
            self.records + other.records,
            Counter(self.kinds) + Counter(other.kinds),
            Counter(self.values) + Counter(other.values),
        )

    @cached_property
    def by_path(self) -> Mapping[str, Mapping[int, int]]:
        """For each path the kinds and their records."""
        found: dict[str, dict[int, int]] = {}
        for (path, kind), count in self.kinds.items():
            found.setdefault(path, {})[kind] = count
        return found

    @cached_property
    def types(self) -> Mapping[str, int]:
        """For each path all kinds ever seen, as one number."""
        found: dict[str, int] = {}
        for path, kind in self.kinds:
            found[path] = found.get(path, 0) | kind
        return found

    def could_have(self, path: str) -> int:
        """The records that could have had a path: those that had what it lies in."""
        above = parent(path)
        return self.having(above, OBJECT | LIST) if above else self.records

    def having(self, path: str, kinds: int) -> int:
        """The records that had any of these kinds at a path."""
        return sum(count for kind, count in self.by_path.get(path, {}).items() if kind & kinds)

    def filled(self, path: str) -> int:
        """The records that said something at a path."""
        return self.having(path, _FILLED)

    def to_json(self) -> dict[str, Any]:
        """As JSON; ``from_json`` reads it."""
        values: dict[str, dict[str, int]] = {}
        for (path, value), count in self.values.items():
            values.setdefault(path, {})[value] = count
        kinds = {path: {str(kind): count for kind, count in each.items()} for path, each in self.by_path.items()}
        return {"records": self.records, "kinds": kinds, "values": values}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Census":
        """A census that ``to_json`` wrote."""
        return cls(
            given["records"],
            {(path, int(kind)): count for path, each in given["kinds"].items() for kind, count in each.items()},
            {(path, value): count for path, each in given["values"].items() for value, count in each.items()},
        )


class Drift(StrEnum):
    """What may be different from the baseline."""

    NEW_PATH = "new path"
    NEW_VALUE = "new value"
    WIDER = "wider type"
    GONE = "gone"
    RETYPED = "type changed"
    EMPTIED = "empty"
    SILENT = "changed in silence"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One difference from the baseline, as a sentence. ``value`` is the code or the kind that is new."""

    drift: Drift
    path: str
    says: str
    value: str = ""

    def to_json(self) -> dict[str, str]:
        """As JSON; ``Verdict(**...)`` reads it but for the word of the drift."""
        return {"drift": self.drift.value, "path": self.path, "value": self.value, "says": self.says}

    @classmethod
    def from_json(cls, given: Mapping[str, str]) -> "Verdict":
        """A verdict that ``to_json`` wrote."""
        return cls(Drift(given["drift"]), given["path"], given["says"], given["value"])


def kind_names(kinds: int) -> str:
    """Kinds in words.

    >>> kind_names(TEXT | NUMBER), kind_names(EMPTY)
    ('text or number', 'nothing')
    """
    return " or ".join(name for kind, name in _NAMES.items() if kinds & kind) or "nothing"


def novel(known: Census, seen: Census, codes: Mapping[str, frozenset[str]]) -> Census:
    """The part of a census that the known one does not have; ``codes`` are the values documented for a path."""
    types = known.types
    return Census(
        seen.records,
        {(path, kind): count for (path, kind), count in seen.kinds.items() if kind & ~types.get(path, 0) & ~EMPTY}
        | {(path, kind): count for (path, kind), count in seen.kinds.items() if path not in types},
        {
            (path, value): count
            for (path, value), count in seen.values.items()
            if (path, value) not in known.values and value not in codes.get(path, frozenset())
        },
    )


def novelties(known: Census, different: Census) -> list[Verdict]:
    """What ``novel`` found, as verdicts by path."""
    found = []
    for path, types in different.types.items():
        before = known.types.get(path, 0)
        kinds = kind_names(types & ~before)
        if not before & _FILLED:
            says = f"{path} is new ({kind_names(types)})." if path not in known.types else f"{path} was always empty."
            found.append(Verdict(Drift.NEW_PATH, path, says))
        else:
            found.append(Verdict(Drift.WIDER, path, f"{path} was always {kind_names(before)} and is {kinds}.", kinds))
    found += [
        Verdict(Drift.NEW_VALUE, path, f"{path} says {value}, which no record said before.", value)
        for path, value in different.values
    ]
    return sorted(found, key=lambda each: (each.path, each.drift, each.value))


def holding(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Those novelties for which the charge of the record is held."""
    return [each for each in verdicts if each.drift in (Drift.NEW_VALUE, Drift.WIDER)]


def broken(known: Census, rates: Census, seen: Census) -> list[Verdict]:
    """What is gone, empty or of another kind than the shares of ``rates`` let expect; kinds in ``known`` are no change."""
    found = []
    for path, kinds in rates.by_path.items():
        of, seen_of = rates.could_have(path), seen.could_have(path)
        if seen_of < LEAST:
            continue
        there, seen_there = sum(kinds.values()), seen.having(path, _FILLED | EMPTY)
        usual = known.types.get(path, 0) & _FILLED
        good, seen_good = rates.having(path, usual), seen.having(path, usual)
        if fell(there, of, seen_there, seen_of):
            drift, what, before, now = Drift.GONE, "is gone", there, seen_there
        elif usual and fell(good, of, seen_good, seen_of):
            other = seen.having(path, _FILLED & ~usual)
            is_retyped = 2 * other > seen_of - seen_good
            drift, before, now = Drift.RETYPED if is_retyped else Drift.EMPTIED, good, seen_good
            new = kind_names(seen.types.get(path, 0) & ~usual)
            what = f"is {new} instead of {kind_names(usual)}" if is_retyped else "is empty"
        else:
            continue
        says = f"{path} {what}: it was as usual in {before} of {of} records, and in {now} of the last {seen_of}."
        found.append(Verdict(drift, path, says))
    return sorted(found, key=lambda each: each.path)


def carried(rates: Census, since: Census, changed: Collection[str]) -> Census:
    """The shares of ``rates`` as if the ``changed`` paths, and what lies below them, had always been as ``since``.

    So that all else is watched on with what is known of it, however few records came since.
    """
    if not since.records:
        return rates
    begins = tuple(f"{path}{mark}" for path in changed for mark in (".", "[]"))

    def is_changed(path: str) -> bool:
        return path in changed or path.startswith(begins)

    kinds = {(path, kind): count for (path, kind), count in rates.kinds.items() if not is_changed(path)}
    for (path, kind), count in since.kinds.items():
        if is_changed(path):
            kinds[path, kind] = round(count * rates.records / since.records)
    return Census(rates.records, kinds, rates.values) + since


def fell(good: int, of: int, now_good: int, now_of: int) -> bool:
    """Whether a share fell by half or more, and not by chance; see the module.

    >>> fell(200, 200, 0, 5), fell(200, 200, 0, 4), fell(60, 200, 0, 44), fell(60, 200, 0, 43)
    (True, False, True, False)
    """
    good = min(good, of)
    if not good or now_of < LEAST or 2 * now_good * of > good * now_of:
        return False
    lacks, now_lacks = (of - good) + (now_of - now_good), now_of - now_good
    ways = sum(
        math.comb(now_of, each) * math.comb(of, lacks - each) for each in range(now_lacks, min(now_of, lacks) + 1)
    )
    return ways * _ONE_CASE_IN < math.comb(of + now_of, lacks)


def shape_of_segments(segments: Iterable[tuple[str, Sequence[str]]]) -> Shape:
    """The shape of a record of segments, each its name and its fields from the first on (``FT1.7``).

    >>> sorted(shape_of_segments([("CLM", ["CR1", "", "100"])]).kinds)
    ['CLM', 'CLM.1', 'CLM.3']
    """
    kinds: dict[str, int] = {}
    for name, fields in segments:
        kinds[name] = OBJECT
        for place, text in enumerate(fields, 1):
            if text and not text.isspace():
                kinds[f"{name}.{place}"] = TEXT
    return Shape(kinds)


def shape_of_json(surveyor: Surveyor, body: bytes) -> Shape | None:
    """The shape of a record in JSON, ``None`` where it is none."""
    try:
        return surveyor.shape(json.loads(body))
    except (ValueError, RecursionError):
        return None
