"""How a segment becomes fields of a record: what all loops share when they are read.

A loop is a table from a segment's name to the function that reads it. Such a function puts what it finds into the fields
of a record to be and says whether it had a place for it; ``reads`` names the elements it looks at, so that anything
standing in another one is noticed too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any

from charges.x12.scanner import PLACES, Delimiters, Segment
from charges.x12.segments import to_amount, to_day

Fields = dict[str, Any]
"""The fields of a record to be: absent ones are left out."""

ReadSegment = Callable[[Fields, Segment, Delimiters], bool]


@dataclass(frozen=True, slots=True)
class Handler:
    """How one kind of segment is read; ``others`` gives the elements that it does not look at."""

    read: ReadSegment
    others: Callable[[Segment], tuple[str, ...]]


Table = dict[str, Handler]
"""The segments of a loop by name."""


def reads(*elements: int) -> Callable[[ReadSegment], Handler]:
    """Say which elements a function reads."""
    others = itemgetter(*(place for place in range(1, PLACES) if place not in elements))

    def made(function: ReadSegment) -> Handler:
        return Handler(function, others)

    return made


def put(fields: Fields, name: str, value: object) -> bool:
    """Put a value where none is yet; a second one has no place."""
    if name in fields:
        return False
    fields[name] = value
    return True


def put_text(fields: Fields, **values: str) -> None:
    """Put those texts that are not empty."""
    for name, value in values.items():
        if value:
            fields[name] = value


def put_amount(fields: Fields, name: str, value: str) -> bool:
    """Put a number, or say no where the text is none. An absent one is fine."""
    if not value:
        return True
    number = to_amount(value)
    return number is not None and put(fields, name, number)


def put_day(fields: Fields, name: str, qualifier: str, value: str) -> bool:
    """Put a date of D8."""
    found = to_day(value) if qualifier == "D8" else None
    return found is not None and put(fields, name, found)


def add(fields: Fields, name: str, value: object, at_most: int = 1000) -> bool:
    """Add to a list, which stays within ``at_most``."""
    values = fields.setdefault(name, [])
    if len(values) >= at_most:
        return False
    values.append(value)
    return True


def span(qualifier: str, value: str) -> tuple[date, date | None] | None:
    """A date (D8) or a span (RD8)."""
    first, _, last = value.partition("-")
    start = to_day(first)
    if start is None or (qualifier == "D8") is bool(last) or qualifier not in ("D8", "RD8"):
        return None
    end = to_day(last) if last else None
    return None if last and end is None else (start, end)


def components(element: str, delimiters: Delimiters, count: int) -> list[str] | None:
    """The components of a composite, filled up to ``count``; ``None`` when there are more."""
    found = element.split(delimiters.component)
    missing = count - len(found)
    if missing < 0:
        return None if any(found[count:]) else found[:count]
    return found + [""] * missing


def yes(value: str) -> bool | None:
    """Y or N."""
    return {"Y": True, "N": False}.get(value)


def dated(qualifiers: Mapping[str, str], at: str = "dates") -> ReadSegment:
    """Read a DTP into the field of ``at`` that its qualifier means."""

    def read(fields: Fields, e: Segment, _: Delimiters) -> bool:
        name = qualifiers.get(e[1])
        return name is not None and put_day(fields.setdefault(at, {}), name, e[2], e[3])

    return read
