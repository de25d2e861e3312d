"""The surgeries of a patient whose included days reach another day."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from charges.model import HistoryLine
from rules.engine import Facts
from rules.fees import global_days

ONLY_A_PART = frozenset({"54", "55", "56", "80", "81", "82", "AS"})
"""Modifiers of those who did not take on the days after the surgery, or assisted."""


class Surgery(NamedTuple):
    """An earlier surgery and how many days its price includes."""

    line: HistoryLine
    days: int


def reaching(facts: Facts, npi: str, day: date) -> Iterator[Surgery]:
    """The surgeries of 10 or 90 days by a provider, before a day and with the day among theirs; raises TableMissing."""
    for each in facts.history:
        apart = (day - each.service_date).days
        if 0 < apart <= 90 and each.rendering_npi == npi and ONLY_A_PART.isdisjoint(each.modifiers):
            days = global_days(facts, each.code, each.service_date)
            if days and apart <= days:
                yield Surgery(each, days)
