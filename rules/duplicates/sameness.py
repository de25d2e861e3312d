"""When two lines ask for the same service."""

from datetime import date
from typing import NamedTuple

from charges.model import Charge, ServiceLine
from rules.engine import rendering_npi

REPEATS = frozenset({"76", "77", "91", "59", "XE", "XP", "XS", "XU"})
"""Modifiers that say a service was meant to be given again, or apart from the other."""


class Service(NamedTuple):
    """What makes two lines of one patient the same service; the order of modifiers does not."""

    day: date
    code: str
    modifiers: frozenset[str]
    rendering_npi: str


def service(charge: Charge, line: ServiceLine) -> Service | None:
    """The service a line asks for, or ``None`` where it cannot be compared or says that it is a repeat."""
    if line.service_date is None or not line.code or not REPEATS.isdisjoint(line.modifiers):
        return None
    return Service(line.service_date, line.code, frozenset(line.modifiers), rendering_npi(charge, line))
