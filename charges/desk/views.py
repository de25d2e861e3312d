"""A way of looking at the review queue, as a value with an address: a query string that says all of it.

So it can be bookmarked, saved and sent to a colleague. It names no patient: who looks for a record number gets the keyed
hash of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Self
from urllib.parse import urlencode

from charges.desk import acting
from charges.errors import Refused
from charges.model import Severity

ME, NOBODY = "me", "nobody"
"""Assignees by these words are whoever looks, and none."""

COLUMNS = ("dollars", "deadline", "held", "service", "payer", "provider", "assignee")
"""What a list of the queue may show beside the charge and what is wrong with it, from left to right."""


class Shelf(StrEnum):
    """A part of what is held."""

    OPEN = "open"
    """What can be worked on now: neither put off nor waiting for the provider's answer."""
    SNOOZED = "snoozed"
    ASKED = "asked"
    ALL = "all"


class Sort(StrEnum):
    """What the queue is sorted by; the most urgent first: oldest, dearest, due soonest."""

    DEADLINE = "deadline"
    AGE = "age"
    DOLLARS = "dollars"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which charges of the queue, in which order, from where on.

    ``older`` counts days since the finding came up; ``least`` and ``most`` are dollars. ``after`` and ``before`` are where a
    neighbouring page ends or begins.
    ``columns`` are those of ``COLUMNS`` that are shown, with commas between; all when empty.
    """

    shelf: Shelf = Shelf.OPEN
    practice: str = ""
    payer: str = ""
    provider: str = ""
    rule: str = ""
    family: str = ""
    severity: Severity | None = None
    older: int | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    assignee: str = ""
    patient: str = ""
    sort: Sort = Sort.DEADLINE
    reverse: bool = False
    after: str = ""
    before: str = ""
    columns: str = ""

    def __post_init__(self) -> None:
        acting.demand_storable(*(value for each in fields(self) if isinstance(value := getattr(self, each.name), str)))

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """From a query string's names and values; others than these are ignored. Raises Refused for a value that is none."""
        given: dict[str, Any] = {}
        for name, text in query.items():
            if name in _READ and text.strip():
                try:
                    given[name] = _READ[name](text.strip())
                except (ValueError, InvalidOperation):
                    raise Refused(
                        f"The queue cannot be filtered by {name} in this way; take it out or choose again."
                    ) from None
        return cls(**given)

    def address(self, **changes: object) -> str:
        """The query string that says the same, with some of it changed; a page of a changed view is its first."""
        wanted = replace(self, **({"after": "", "before": ""} | changes))  # type: ignore[arg-type]
        said = {each.name: getattr(wanted, each.name) for each in fields(wanted)}
        return urlencode(
            {
                name: "1" if value is True else str(value)
                for name, value in said.items()
                if not _is_nothing(value) and value != _DEFAULTS[name]
            }
        )

    @property
    def shown(self) -> tuple[str, ...]:
        """The columns that are shown."""
        return tuple(self.columns.split(",")) if self.columns else COLUMNS

    @property
    def filters(self) -> Mapping[str, str]:
        """What narrows the view, by name: neither order nor page nor shelf."""
        said = {name: getattr(self, name) for name in _DEFAULTS if name not in _ORDER}
        return {name: str(value) for name, value in said.items() if not _is_nothing(value)}


def _is_nothing(value: object) -> bool:
    return value is None or value is False or value == ""


def dollars(text: str) -> Decimal:
    """An amount as people write one; raises ValueError or InvalidOperation for what is none."""
    amount = Decimal(text.replace(",", "").removeprefix("$"))
    if not amount.is_finite() or not 0 <= amount < 10**12:
        raise ValueError
    return amount


def _days(text: str) -> int:
    days = int(text)
    if not 0 <= days < 10_000:
        raise ValueError
    return days


def _columns(text: str) -> str:
    wanted = {each.strip() for each in text.split(",")}
    if not wanted <= {*COLUMNS, ""}:
        raise ValueError
    chosen = [each for each in COLUMNS if each in wanted]
    return "" if len(chosen) == len(COLUMNS) else ",".join(chosen)


def _short(text: str) -> str:
    return text[:200]


_READ: Mapping[str, Any] = {
    "shelf": Shelf,
    "severity": Severity,
    "older": _days,
    "least": dollars,
    "most": dollars,
    "sort": Sort,
    "reverse": lambda text: text == "1",
    "columns": _columns,
} | dict.fromkeys(("practice", "payer", "provider", "rule", "family", "assignee", "patient", "after", "before"), _short)
_DEFAULTS = {each.name: each.default for each in fields(Wanted)}
_ORDER = ("shelf", "sort", "reverse", "after", "before", "columns")
