"""A tenant's own names and values for those of the contract, as data of the practice's profile.

A renamed field is a change of the profile and not of the program. Records are stored as the tenant gave them and translated
each time they are read, so a map that is mended holds for what is stored too: where a record has none of the names that
the map gives, the contract's own name counts, unless the map gives that to another field.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from charges.errors import Refused
from charges.sources.eclinicalworks.contract import ChargeRecord

_NOTHING = object()
_PLACE = re.compile(r"\[\d+\]")
_SPAN = re.compile(r"(\w*?)(\d)-(\d)")

Steps = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rename:
    """One field of an object: where the contract has it, and the tenant's places for it, first choice first."""

    to: Steps
    places: tuple[Steps, ...]


class FieldMap:
    """The map of a tenant; ``FieldMap()`` is that of one that speaks the contract's words.

    Raises Refused with each name that the contract does not have.
    """

    def __init__(
        self,
        fields: Mapping[str, Sequence[str]] | None = None,
        values: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._fields, self._values = dict(fields or {}), dict(values or {})
        _demand_known([*self._fields, *self._values])
        self._renames: dict[str, list[_Rename]] = {}
        claimed = {(_object_of(path)[0], place) for path, places in self._fields.items() for place in places}
        for path, places in sorted(self._fields.items(), key=lambda each: each[0].count(".")):
            element, name = _object_of(path)
            known = [*places] if (element, name) in claimed else [*places, name]
            rename = _Rename(tuple(name.split(".")), tuple(tuple(each.split(".")) for each in known))
            self._renames.setdefault(element, []).append(rename)
        self._words: dict[str, list[tuple[Steps, Mapping[str, str]]]] = {}
        for path, words in self._values.items():
            element, name = _object_of(path)
            self._words.setdefault(element, []).append((tuple(name.split(".")), words))

    @property
    def is_empty(self) -> bool:
        """Whether the tenant speaks the contract's words."""
        return not self._fields and not self._values

    def value(self, record: object, name: str) -> object:
        """A field of the record itself by its contract name; None where it has none."""
        for rename in self._renames.get("", ()):
            if rename.to == (name,):
                found = _first(record, rename.places)
                return None if found is _NOTHING else found
        return record.get(name) if isinstance(record, dict) else None

    def with_value(self, record: dict[str, Any], name: str, value: str) -> dict[str, Any]:
        """The record with another value of one of its own fields, under the tenant's first name for it."""
        changed = dict(record)
        place = self._fields.get(name, (name,))[0].split(".")
        inner = changed
        for step in place[:-1]:
            inner[step] = dict(inner[step]) if isinstance(inner.get(step), dict) else {}
            inner = inner[step]
        inner[place[-1]] = value
        return changed

    def read(self, record: Any) -> Any:  # noqa: ANN401 - whatever JSON gave
        """The record in the contract's words; what is no object stays as it is."""
        if not isinstance(record, dict):
            return record
        whole = self._translated(record, "")
        for element in {*self._renames, *self._words} - {""}:
            items = whole.get(element)
            if isinstance(items, list):
                whole[element] = [self._translated(item, element) if isinstance(item, dict) else item for item in items]
        return whole

    def _translated(self, given: dict[str, Any], element: str) -> dict[str, Any]:
        renames = self._renames.get(element, ())
        found = [(rename.to, _first(given, rename.places)) for rename in renames]
        translated = dict(given)
        for steps, value in found:
            _put(translated, steps, value)
        for steps, words in self._words.get(element, ()):
            value = _first(translated, (steps,))
            said = str(value).lower() if isinstance(value, bool) else str(value)
            if said in words:
                _put(translated, steps, words[said])
        return translated

    def place(self, column: str) -> str:
        """The tenant's name of a place of the contract, such as ``cpt[2].Mod1`` or ``cpt[].Mod1-4``."""
        span = _SPAN.search(column)
        if span and any(path.startswith(f"{_PLACE.sub('[]', column)[: span.start()]}") for path in self._fields):
            numbers = range(int(span[2]), int(span[3]) + 1)
            names = [self.place(f"{column[: span.start()]}{span[1]}{number}") for number in numbers]
            return ", ".join(names)
        path = _PLACE.sub("[]", column)
        element, name = _object_of(path)
        before = (
            f"{self._fields.get(element, (element,))[0]}{column[len(element) : column.index(']') + 1]}."
            if element
            else ""
        )
        for length in range(name.count(".") + 1, 0, -1):
            head = ".".join(name.split(".")[:length])
            known = self._fields.get(f"{element}[].{head}" if element else head)
            if known:
                return before + known[0] + name[len(head) :]
        return before + name


def _object_of(path: str) -> tuple[str, str]:
    """The list of which a path is about the elements, ``""`` for the record itself, and the path within.

    >>> _object_of("cpt[].Mod1"), _object_of("patient.dob")
    (('cpt', 'Mod1'), ('', 'patient.dob'))
    """
    element, is_element, name = path.partition("[].")
    return (element, name) if is_element else ("", path)


def _first(record: object, places: tuple[Steps, ...]) -> object:
    """What stands at the first place that the record has."""
    for place in places:
        found: object = record
        for step in place:
            found = found.get(step, _NOTHING) if isinstance(found, dict) else _NOTHING
        if found is not _NOTHING:
            return found
    return _NOTHING


def _put(record: dict[str, Any], steps: Steps, value: object) -> None:
    """Set or take away a value without touching the objects that the record shares with the one it was made from."""
    for step in steps[:-1]:
        inner = record.get(step)
        if not isinstance(inner, dict):
            if value is _NOTHING or inner is not None:
                return
            inner = {}
        record[step] = record = dict(inner)
    if value is _NOTHING:
        record.pop(steps[-1], None)
    else:
        record[steps[-1]] = value


@cache
def known_paths() -> frozenset[str]:
    """Every path of the contract: ``InvId``, ``patient.dob``, ``cpt[].Mod1``."""
    return frozenset(_paths(ChargeRecord, ""))


def _paths(model: type[BaseModel], before: str) -> Iterator[str]:
    for field in model.model_fields.values():
        path = f"{before}{field.alias}" if field.alias else ""
        if not path:
            continue
        yield path
        inner = field.annotation
        is_list = str(inner).startswith("tuple")
        for each in (inner, *get_args(inner)):
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield from _paths(each, f"{path}[]." if is_list else f"{path}.")


def _demand_known(paths: Sequence[str]) -> None:
    for path in paths:
        if path not in known_paths():
            near = difflib.get_close_matches(path, known_paths(), n=1)
            hint = f" Is {near[0]} meant?" if near else ""
            raise Refused(
                f"source.fields and source.values name fields of docs/eclinicalworks-api.json; it has no {path}.{hint}"
            )
