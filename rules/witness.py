"""What a rule looks at: facts that note which of their fields are read, and tables that note what they are asked.

>>> from rules.examples import charge, facts, line
>>> from rules.engine import load
>>> rule = next(each for each in load() if each.id == "MOD-010")
>>> reads(rule, facts(charge(line("99213", "25"))))["lines[0].modifiers"]
('25',)
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from functools import cache
from typing import Any, TypeVar

from charges.model import Record
from rules.engine import Facts, Rule
from rules.reference.library import Reference, TableMissing

R = TypeVar("R", bound=Record)


def reads(rule: Rule, facts: Facts) -> dict[str, Any]:
    """Every fact that a rule reads to judge, by its path, in the order in which it was first read.

    Facts of the payer's policy stand below ``policy``, the patient's earlier lines below ``history``.
    """
    seen: dict[str, Any] = {}
    watched = replace(
        facts,
        charge=_watched(facts.charge, "", seen),
        history=_value(tuple(facts.history), "history", seen),
        policy=_watched(facts.policy, "policy", seen),
    )
    try:
        rule(watched)
    except Exception:  # noqa: BLE001 - what was read until a rule failed is what somebody wants to know then
        return seen
    return seen


@dataclass(frozen=True, slots=True)
class LookUp:
    """One question to a code table and its answer. ``release`` is empty where none covers the date."""

    table: str
    asked: str
    release: str
    answer: str


def consults(rule: Rule, facts: Facts) -> tuple[LookUp, ...]:
    """Every question to a code table that a rule asks to judge, each once, in order."""
    seen: list[LookUp] = []
    with suppress(Exception):  # what was asked until a rule failed is what somebody wants to know then
        rule(replace(facts, tables=_watching_tables(facts.tables, seen)))
    return tuple(dict.fromkeys(seen))


_LOOK_UPS = (
    *("ptp", "mue", "add_on", "icd", "icd_notes", "excludes1", "seventh", "mce", "hcpcs", "fee", "pos", "taxonomy"),
    *("telehealth", "waived", "price", "policies", "covered_diagnoses", "coverage"),
)
"""The look-ups of ``Reference`` by name; each takes the date last, a fee and a price a modifier after it."""


def _watching_tables(tables: Reference, seen: list[LookUp]) -> Reference:
    """The same tables, noting each look-up."""

    def look_up(name: str) -> Callable[..., Any]:
        def look(_: Reference, *asked: Any) -> Any:  # noqa: ANN401 - as the look-up has them
            days = [each for each in asked if isinstance(each, date)]
            codes = " ".join(str(each) for each in asked if each and not isinstance(each, date))
            question = f"{codes} on {days[0]}" if days else codes
            try:
                found = getattr(tables, name)(*asked)
            except TableMissing:
                seen.append(LookUp(name, question, "", "no release covers the date"))
                raise
            seen.append(LookUp(name, question, _release_of(found, tables, name, days), _answer(found)))
            return found

        return look

    watched: type[Reference] = type("Reference", (Reference,), {name: look_up(name) for name in _LOOK_UPS})
    return watched(())


def _release_of(found: Any, tables: Reference, name: str, days: list[date]) -> str:  # noqa: ANN401
    row = next(iter(found), None) if isinstance(found, (tuple, frozenset)) and not hasattr(found, "release") else found
    release = getattr(row, "release", None)
    if release is None and days and tables.has(name, days[0]):
        release = tables.release(name, days[0])
    return release.name if release is not None else ""


def _answer(found: Any) -> str:  # noqa: ANN401 - a row, several, or codes
    if not found:
        return "no row in force"
    if hasattr(found, "_asdict"):
        return ", ".join(f"{name} {value}" for name, value in found._asdict().items() if name != "release" and value)
    if is_dataclass(found):
        return ", ".join(f"{each.name} {value}" for each in fields(found) if (value := getattr(found, each.name)))
    if isinstance(found, (tuple, frozenset)):
        return "; ".join(sorted(_answer(each) if not isinstance(each, str) else each for each in found))
    return str(found)


def _watched(record: R, path: str, seen: dict[str, Any]) -> R:
    copy: R = object.__new__(_watching(type(record)))
    state = dict(record.__dict__)
    state[_NOTE] = lambda name, value: _value(value, f"{path}.{name}" if path else name, seen)
    object.__setattr__(copy, "__dict__", state)
    object.__setattr__(copy, "__pydantic_fields_set__", record.model_fields_set)
    return copy


_NOTE = "note of what is read"


@cache
def _watching(model: type[R]) -> type[R]:
    """The model, handing out each of its fields only after it was noted."""
    fields = frozenset(model.model_fields)

    def read(self: Record, name: str) -> Any:  # noqa: ANN401 - whatever the field holds
        value = model.__getattribute__(self, name)
        if name not in fields:
            return value
        note: Callable[[str, Any], Any] = object.__getattribute__(self, "__dict__")[_NOTE]
        return note(name, value)

    return type(model.__name__, (model,), {"__getattribute__": read, "__module__": model.__module__})


def _value(value: Any, path: str, seen: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever a field holds
    if isinstance(value, Record):
        return _watched(value, path, seen)
    if isinstance(value, tuple) and value and isinstance(value[0], Record):
        return tuple(_watched(each, f"{path}[{index}]", seen) for index, each in enumerate(value))
    seen.setdefault(path, value)
    return value
