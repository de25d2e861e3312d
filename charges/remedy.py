"""What mends a charge: changes that a finding proposes and a person makes.

A path is that of a finding: names joined by dots, positions from 0 in brackets (``lines[1].modifiers[0]``). Changes are
made in order, each on what the one before left, so several removals from one list name the last place first.

Lines point to diagnoses by their code: where a diagnosis gets another code the pointers follow it, and where it goes they
go with it.

>>> from rules.examples import charge, line
>>> mended = apply(charge(line("99213"), line("20610")), (Change(at="lines[0].modifiers", op="add", value="25"),))
>>> mended.lines[0].modifiers
('25',)
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import JsonValue, ValidationError

from charges.errors import Refused
from charges.model import Change, Charge, undotted

PROTECTED = frozenset({"practice", "source", "key", "version", "origins"})
"""What tells one charge from another and where its facts came from: no remedy touches it."""

_STEP = re.compile(r"([a-z_0-9]+)((?:\[[0-9]{1,4}\])*)")
_POSITION = re.compile(r"\[([0-9]+)\]")

Steps = tuple[str | int, ...]


def apply(charge: Charge, changes: Iterable[Change]) -> Charge:
    """The charge with the changes made; raises Refused where a change does not fit it, and then none is made."""
    content = json.loads(charge.model_dump_json())
    for change in changes:
        pointed = _pointed_code(content, change)
        _MAKE[change.op](content, change)
        if pointed:
            _point_anew(content, pointed, str(change.value) if change.op == "set" else "")
    try:
        return Charge.model_validate_json(json.dumps(content))
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_input=False, include_url=False)[0]["loc"]))
        raise Refused(f"The remedy does not fit the charge: {place} cannot take the value it proposes.") from None


def steps(path: str) -> Steps:
    """The names and positions of a path; raises Refused when it is none.

    >>> steps("lines[1].drug.ndc")
    ('lines', 1, 'drug', 'ndc')
    """
    found: list[str | int] = []
    for part in path.split("."):
        named = _STEP.fullmatch(part)
        if named is None:
            raise Refused(f"{path} is not the path of a field.")
        found += [named[1], *(int(position) for position in _POSITION.findall(named[2]))]
    if found[0] in PROTECTED:
        raise Refused(f"No remedy changes {path}.")
    return tuple(found)


def _pointed_code(content: dict[str, Any], change: Change) -> str:
    """The code of the diagnosis that a change takes away or gives another code; empty where it does neither."""
    way = steps(change.at)
    if not ((change.op == "set" and way[2:] == ("code",)) or (change.op == "remove" and len(way) == 2)):
        return ""
    if way[0] != "diagnoses" or not isinstance(way[1], int) or way[1] >= len(content["diagnoses"]):
        return ""
    return undotted(content["diagnoses"][way[1]]["code"])


def _point_anew(content: dict[str, Any], gone: str, code: str) -> None:
    """Let the lines that point to a code point to another, or no more, unless a diagnosis still has it."""
    if gone in [undotted(each["code"]) for each in content["diagnoses"]]:
        return
    for line in content["lines"]:
        pointers = [code if undotted(each) == gone else each for each in line["diagnoses"]]
        line["diagnoses"] = [each for each in dict.fromkeys(pointers) if each]


def _set(content: dict[str, Any], change: Change) -> None:
    _put(content, change.at, change.value)


def _add(content: dict[str, Any], change: Change) -> None:
    items = _get(content, change.at)
    if not isinstance(items, list):
        raise Refused(f"The remedy does not fit the charge: {change.at} is not a list.")
    if change.value not in items:
        items.append(change.value)


def _remove(content: dict[str, Any], change: Change) -> None:
    *above, last = steps(change.at)
    items = _follow(content, tuple(above), change.at)
    if not isinstance(items, list) or not isinstance(last, int) or last >= len(items):
        raise Refused(f"The remedy does not fit the charge: there is no {change.at} to remove.")
    del items[last]


def _swap(content: dict[str, Any], change: Change) -> None:
    other = str(change.value)
    first, second = _get(content, change.at), _get(content, other)
    _put(content, change.at, second)
    _put(content, other, first)


_MAKE: dict[str, Callable[[dict[str, Any], Change], None]] = {
    "set": _set,
    "add": _add,
    "remove": _remove,
    "swap": _swap,
}


def _get(content: dict[str, Any], path: str) -> Any:  # noqa: ANN401 - whatever JSON can say
    return _follow(content, steps(path), path)


def _put(content: dict[str, Any], path: str, value: JsonValue) -> None:
    *above, last = steps(path)
    holder = _follow(content, tuple(above), path)
    if not (isinstance(holder, dict) if isinstance(last, str) else isinstance(holder, list) and last < len(holder)):
        raise Refused(f"The remedy does not fit the charge: it has no {path}.")
    holder[last] = value


def _follow(content: Any, way: Steps, path: str) -> Any:  # noqa: ANN401 - whatever JSON can say
    for step in way:
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            raise Refused(f"The remedy does not fit the charge: it has no {path}.") from None
    return content
