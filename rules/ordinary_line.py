"""Whether a line is ordinary in all that is no matter of other lines, as nearly every line is.

As with charges, one look at a line spares it the asking of each rule; it may be too strict, for of what is unusual the
rules themselves judge. Both looks stay within what makes lines alike (``rules.index.LINE`` and ``AROUND``).
"""

import re
from datetime import date
from decimal import Decimal

from charges.model import ServiceLine
from rules.engine import Facts
from rules.fees import CENT, factor_of, relative_value
from rules.reference import Reference

CODE = re.compile("[0-9]{5}|[A-V][0-9]{4}")
MODIFIERS = re.compile("(?:[0-9A-Z]{2},)*")
UNITS = "UN"
MOST_UNITS, MOST_CHARGED = 999, Decimal(99_999)
NOT_PAID_APART = frozenset("BINP")
"""Status codes of the fee schedule with which Medicare does not pay for a code by itself."""
MOST_TIMES = 19
"""How many times Medicare's amount a line is charged at most, well within what rules object to."""


def unusual_line(facts: Facts, line: ServiceLine) -> bool:
    """Whether its code, modifiers, charge, units or dates are missing or not ordinary."""
    charge, units, day, visit = line.charge, line.units, line.service_date, facts.charge.encounter
    return not (
        charge
        and units
        and day
        and line.unit == UNITS
        and 0 < charge <= MOST_CHARGED
        and not charge % CENT
        and (units == 1 or (0 < units <= MOST_UNITS and not units % 1))
        and CODE.fullmatch(line.code)
        and (not line.modifiers or _are_ordinary(line.modifiers))
        and day == visit.start_date
        and not visit.end_date
        and line.service_date_to in (None, day)
        and 0 <= (facts.today - day).days <= facts.policy.timely_filing_days
    )


def _are_ordinary(modifiers: tuple[str, ...]) -> bool:
    return len(set(modifiers)) == len(modifiers) and MODIFIERS.fullmatch(",".join((*modifiers, ""))) is not None


def unusual_fee(facts: Facts, line: ServiceLine) -> bool:
    """Whether Medicare's schedule says more of a line than an amount that its charge fits; raises TableMissing."""
    charge, units, day = line.charge, line.units, line.service_date
    if not charge or not units or day is None or line.unit != UNITS or not 0 < units <= MOST_UNITS:
        return True
    value, factor = facts.tables.known(_usual_value, day, "fees")[line.code], factor_of(day)
    if not value or not factor:
        return value is None
    amount = value * factor * units
    return not amount + CENT <= charge <= MOST_TIMES * amount


def _usual_value(tables: Reference, code: str, on: date) -> Decimal | None:
    """The relative value of a unit, 0 where the schedule has none; ``None`` where it says more of the code."""
    fee = tables.fee(code, on) if code else None
    if fee is None or fee.status in NOT_PAID_APART or fee.office_not_applicable != fee.facility_not_applicable:
        return None
    return relative_value(tables, code, on) or Decimal(0)
