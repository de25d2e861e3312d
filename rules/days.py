"""The lines of a charge that were given together: on one day, or on one day by one provider."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from charges.model import Charge, ServiceLine
from rules.engine import billed, rendering_npi

Lines = list[tuple[int, ServiceLine]]
"""Lines, each with its index in ``charge.lines``."""


def by_day(charge: Charge) -> Iterable[Lines]:
    """The billed lines of each day."""
    found: dict[date | None, Lines] = defaultdict(list)
    for index, line in billed(charge):
        found[line.service_date].append((index, line))
    return found.values()


def by_day_and_provider(charge: Charge) -> Iterable[Lines]:
    """The billed lines of each day and rendering provider: what NCCI takes for one session."""
    found: dict[tuple[date | None, str], Lines] = defaultdict(list)
    for index, line in billed(charge):
        found[line.service_date, rendering_npi(charge, line)].append((index, line))
    return found.values()
