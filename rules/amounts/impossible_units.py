"""The units of a line are missing, zero, broken or beyond belief.

Units say how often, or for how many minutes, a service was given. They are whole numbers above zero; more than 9999
is a slip of the keyboard. On a professional claim they are units (UN) or minutes of anesthesia (MJ).

>>> from decimal import Decimal
>>> from rules.examples import charge, facts, line, show
>>> show(impossible_units(facts(charge(line("97110", units=Decimal(0))))))
lines[0].units
  Line 1: 97110 has 0 units.
  Enter how often the service was given.

>>> show(impossible_units(facts(charge(line("97110", units=Decimal(3))))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2400, SV103 and SV104. Prevents CARC 16.
"""

from collections.abc import Iterator
from decimal import Decimal

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary_line import unusual_line

UNITS = {"UN": "units", "MJ": "minutes"}
MOST = 9999


@rule("CHG-007", Severity.HOLD, line_where=unusual_line, line_by_line=True, professional_only=True)
def impossible_units(facts: Facts) -> Iterator[Problem]:
    """Units are whole, above zero and at most 9999, and counted as units or minutes."""
    for index, line in facts.billed:
        units = line.units
        if line.unit in UNITS and units is not None and 0 < units <= MOST and not units % 1:
            continue
        name = f"Line {index + 1}: {line.code}"
        if line.unit not in UNITS:
            yield Problem(
                f"lines[{index}].unit",
                f"{name} is counted in {line.unit or '(blank)'}, and a claim knows UN and MJ.",
                {"unit": line.unit},
                "Choose UN for units or MJ for minutes.",
            )
        if said := _fault(line.units, UNITS.get(line.unit, "units")):
            evidence = {} if line.units is None else {"units": str(line.units)}
            message = f"{name} has {said}."
            yield Problem(f"lines[{index}].units", message, evidence, "Enter how often the service was given.")


def _fault(units: Decimal | None, counted: str) -> str:
    if units is None:
        return f"no {counted}"
    if units <= 0:
        return f"{units} {counted}"
    if units > MOST:
        return f"{units} {counted}, more than {MOST}"
    return f"{units} {counted}, not a whole number" if units != units.to_integral_value() else ""
