"""A line is priced at nothing, below nothing, or at a fraction of a cent.

A payable service at 0.00 is paid 0.00; most often its price is missing from the fee schedule. Codes that only report
what was done (Category II codes, quality measures, the visit after surgery 99024) and vaccines the state supplied
(modifier SL) may be free. Amounts of more than ten digits have no room in a claim.

>>> from decimal import Decimal
>>> from rules.examples import charge, facts, line, show
>>> show(charge_not_positive(facts(charge(line("99213", charge=Decimal("0.00"))))))
lines[0].charge
  Line 1: 99213 is charged 0.00.
  Enter the price from the fee schedule.

>>> show(charge_not_positive(facts(charge(line("1036F", charge=Decimal("0.00"))))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2400, SV102; status M of CMS's physician fee schedule for measures.
Prevents CARC 16.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from charges.model import ServiceLine, Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary_line import unusual_line

REPORTED = re.compile(r"[0-9]{4}F|99024|G8[0-9]{3}|M1[0-9]{3}")
"""Codes that report and do not ask for money."""

STATE_SUPPLIED = "SL"
CENT = Decimal("0.01")
MOST = Decimal("99999999.99")
"""The most that ten digits hold."""


@rule("CHG-003", Severity.HOLD, line_where=unusual_line, line_by_line=True)
def charge_not_positive(facts: Facts) -> Iterator[Problem]:
    """Every line that asks for money has a price of whole cents above zero."""
    for index, line in facts.billed:
        price = line.charge
        if price is not None and CENT <= price <= MOST and not price % CENT:
            continue
        if said := _fault(line):
            evidence = {} if line.charge is None else {"charge": str(line.charge)}
            message = f"Line {index + 1}: {line.code} {said}."
            yield Problem(f"lines[{index}].charge", message, evidence, "Enter the price from the fee schedule.")


def _fault(line: ServiceLine) -> str:
    charge = line.charge
    if charge is None:
        return "has no charge"
    cents = charge * 100
    if cents != cents.to_integral_value():
        return f"is charged {charge}, which is not whole cents"
    free = STATE_SUPPLIED in line.modifiers or REPORTED.fullmatch(line.code) is not None
    if charge < 0 or (charge == 0 and not free):
        return f"is charged {charge}"
    return f"is charged {charge}, more than a claim can carry" if charge > MOST else ""
