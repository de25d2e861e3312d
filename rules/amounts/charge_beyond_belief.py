"""A line is charged many times what Medicare would pay.

Practices charge two or three times Medicare's amount. Twenty times is nearly always a slip: a point in the wrong
place, the units multiplied twice.

>>> from decimal import Decimal
>>> from rules.examples import charge, facts, line, show
>>> show(charge_beyond_belief(facts(charge(line("99213", charge=Decimal("15000.00"))))))
lines[0].charge
  Line 1: 99213 is charged 15000.00, and Medicare's amount is about 91.85.
  Check the charge for a slip.

>>> show(charge_beyond_belief(facts(charge(line("99213", charge=Decimal("150.00"))))))
Nothing to say.

Authority: Relative values of CMS's physician fee schedule on the date of service with the year's conversion factor;
that twenty times is a slip is a practice's own experience, so the rule only warns.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.fees import allowance
from rules.ordinary_line import unusual_fee

TIMES = 20


@rule("CHG-005", Severity.WARN, line_where=unusual_fee, line_by_line=True)
def charge_beyond_belief(facts: Facts) -> Iterator[Problem]:
    """A line is charged less than twenty times Medicare's amount."""
    for index, line in facts.billed:
        amount = allowance(facts, line) if line.charge and line.charge > TIMES else None
        if amount and line.charge and line.charge > TIMES * amount:
            yield Problem(
                f"lines[{index}].charge",
                f"Line {index + 1}: {line.code} is charged {line.charge}, and Medicare's amount is about {amount}.",
                {"code": line.code, "charge": str(line.charge), "allowance": str(amount)},
                "Check the charge for a slip.",
            )
