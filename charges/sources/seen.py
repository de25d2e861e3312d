"""What records show: which fields of a charge they fill, and where each was said to stand."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import chain, islice
from typing import Any

from charges.errors import Unreadable
from charges.model import Charge, Record
from charges.sources import ChargeSource, Probe, RawRecord

_POSITION = re.compile(r"\[\d+\]")
_NOT_GIVEN = {"source", "key", "version", "origins", "unread"}
"""What the program says of a charge itself."""
_SAMPLE = 200
"""So many records are looked at."""


def paths(charge: Charge) -> Iterator[str]:
    """The path of every field that says something.

    >>> from charges.model import ServiceLine
    >>> list(paths(Charge(lines=(ServiceLine(code="99213", modifiers=("25",)),))))
    ['lines[0].code', 'lines[0].modifiers']
    """
    yield from _paths(charge.model_dump(exclude_defaults=True, exclude=_NOT_GIVEN), "")


def _paths(value: object, at: str) -> Iterator[str]:
    if isinstance(value, dict) and at not in ("custom", ""):
        for name, each in value.items():
            yield from _paths(each, f"{at}.{name}")
    elif isinstance(value, dict) and not at:
        for name, each in value.items():
            yield from _paths(each, name)
    elif isinstance(value, tuple | list) and value and isinstance(value[0], dict):
        for index, each in enumerate(value):
            yield from _paths(each, f"{at}[{index}]")
    else:
        yield at


class Places:
    """Where each field stands in a source in which a field has one place always.

    ``charge`` has places by path, ``line`` by the path within a line. A field without a place of its own has that of what
    it is a part of, and a line's that of all lines.
    """

    def __init__(self, charge: Mapping[str, str], line: Mapping[str, str]) -> None:
        self._charge, self._line = charge, line
        self._parents = {path.rpartition(".")[0] for path in (*charge, *line)}

    def of(self, charge: Charge) -> dict[str, str]:
        """The place of every field of a charge that says something."""
        found: dict[str, str] = {}
        self._look(charge, self._charge, "", "", found)
        for index, line in enumerate(charge.lines):
            self._look(line, self._line, "", f"lines[{index}].", found)
        return found

    def _look(self, record: Record, places: Mapping[str, str], within: str, before: str, found: dict[str, str]) -> None:
        defaults = _defaults(type(record))
        for name, value in record.__dict__.items():
            default = defaults[name]
            if value is default or not _says(value, default):
                continue
            path = within + name
            place = places.get(path)
            if place is not None:
                found[before + path] = place
            if path in self._parents and isinstance(value, Record):
                self._look(value, places, f"{path}.", before, found)


@cache
def _defaults(kind: type[Record]) -> Mapping[str, Any]:
    return {name: field.default for name, field in kind.model_fields.items()}


def _says(value: object, default: object) -> bool:
    """Whether a field says anything; a record does when a field of it does."""
    if value is default:
        return False
    if isinstance(value, Record):
        defaults = _defaults(type(value))
        for name, each in value.__dict__.items():  # noqa: SIM110 - asked of each part of each record; a generator costs more
            if each is not defaults[name] and _says(each, defaults[name]):
                return True
        return False
    return bool(value) if isinstance(value, tuple | dict) else value != default


def _around(path: str) -> str:
    """What a field is a part of.

    >>> _around("coverages[0].payer.name"), _around("coverages[0]"), _around("coverages")
    ('coverages[0].payer', 'coverages', '')
    """
    head, dot, _ = path.rpartition(".")
    if dot:
        return head
    head, bracket, _ = path.rpartition("[")
    return head if bracket else ""


def origin(charge: Charge, path: str) -> str:
    """Where a field stood: its own origin, else that of what it is a part of; ``""`` when nobody said."""
    while path and path not in charge.origins:
        path = _around(path)
    return charge.origins.get(path, "")


def probe_of(source: ChargeSource, streams: tuple[str, ...], newest: str, records: Iterable[RawRecord]) -> Probe:
    """What a source can give, by what some of its records fill."""
    looked_at = unreadable = 0
    filled: Counter[str] = Counter()
    for record in islice(records, _SAMPLE):
        looked_at += 1
        try:
            charge = source.to_charge(record)
        except Unreadable:
            unreadable += 1
        else:
            filled.update({_POSITION.sub("[]", path) for path in paths(charge)})
    return Probe(streams, newest, looked_at, unreadable, tuple(sorted(filled.items())))


def probe_by_reading(source: ChargeSource, newest: str) -> Probe:
    """What a folder gives, by the first of its records."""
    records = chain.from_iterable(page.records for page in source.changed_since(None))
    return probe_of(source, ("changes",), newest, records)


def moment_of_file(nanoseconds: Iterable[int]) -> str:
    """The newest of some files' times of change, in UTC; ``""`` when there is none."""
    newest = max(nanoseconds, default=None)
    return "" if newest is None else datetime.fromtimestamp(newest // 10**9, UTC).isoformat()
