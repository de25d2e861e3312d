"""What the Medicare physician fee schedule says of a line on its date of service."""

from datetime import date
from decimal import Decimal

from charges.model import ServiceLine
from rules.engine import Facts
from rules.reference import Reference
from rules.reference.rows import FeeIndicators

CENT = Decimal("0.01")

GLOBAL_DAYS = {"000": 0, "010": 10, "090": 90}


def fee_of(facts: Facts, line: ServiceLine) -> FeeIndicators | None:
    """The indicators of a line's code; ``None`` where it is in no schedule or has no date. Raises TableMissing."""
    return facts.tables.fee(line.code, line.service_date) if line.code and line.service_date else None


def global_days(facts: Facts, code: str, on: date) -> int | None:
    """How many days after a procedure its price includes; ``None`` for what has no such period."""
    return facts.tables.once(_global_days, code, on, "fees")


def _global_days(tables: Reference, code: str, on: date) -> int | None:
    fee = tables.fee(code, on)
    return GLOBAL_DAYS.get(fee.global_days) if fee else None


FACTORS = (
    (date(2024, 1, 1), date(2024, 3, 8), Decimal("32.7442")),
    (date(2024, 3, 9), date(2024, 12, 31), Decimal("33.2875")),
    (date(2025, 1, 1), date(2025, 12, 31), Decimal("32.3465")),
    (date(2026, 1, 1), date(2026, 12, 31), Decimal("33.4009")),
)
"""Dollars for one relative value, by date of service, both ends included (the factor without a quality programme)."""


def allowance(facts: Facts, line: ServiceLine) -> Decimal | None:
    """About what Medicare pays for a line, in dollars and without regard to the locality; the lesser of both places' values.

    ``None`` where the code has no value, or its year's factor is not known here. Raises TableMissing.
    """
    units, day = line.units, line.service_date
    if day is None or units is None or not 0 < units <= 9999 or line.unit != "UN":
        return None
    value, factor = facts.tables.once(relative_value, line.code, day, "fees"), factor_of(day)
    return (value * factor * units).quantize(CENT) if value and factor else None


def factor_of(on: date) -> Decimal | None:
    """The dollars of one relative value on a date; ``None`` where they are not known here."""
    return next((each for first, last, each in FACTORS if first <= on <= last), None)


def relative_value(tables: Reference, code: str, on: date) -> Decimal | None:
    """The relative value of one unit of a code, the lesser of both places'. Raises TableMissing."""
    fee = tables.fee(code, on) if code else None
    return min((each for each in (fee.office_total, fee.facility_total) if each > 0), default=None) if fee else None
