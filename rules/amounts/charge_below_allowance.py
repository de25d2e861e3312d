"""A line is charged less than Medicare would pay.

Payers pay the lesser of their fee and the charge. A charge below Medicare's own amount gives money away with each
line, mostly because a price was not raised for years or a digit is missing.

>>> from decimal import Decimal
>>> from rules.examples import charge, facts, line, show
>>> show(charge_below_allowance(facts(charge(line("99213", charge=Decimal("40.00"))))))
lines[0].charge
  Line 1: 99213 is charged 40.00, and Medicare's amount is about 91.85.
  Check the price in the fee schedule.

>>> show(charge_below_allowance(facts(charge(line("99213", charge=Decimal("150.00"))))))
Nothing to say.

Authority: Relative values of CMS's physician fee schedule on the date of service with the year's conversion factor,
without regard to the locality; 42 CFR 414.20. A low price may be meant, so the rule only warns.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.fees import allowance
from rules.ordinary_line import unusual_fee

ONLY_TELLING = frozenset({"25", "57", "24", "95", "93", "GT", "LT", "RT", "59", "XE", "XP", "XS", "XU"})
"""Modifiers that leave the price as it is; with others a lower one may be right."""


@rule("CHG-004", Severity.WARN, line_where=unusual_fee, line_by_line=True)
def charge_below_allowance(facts: Facts) -> Iterator[Problem]:
    """A line is charged no less than Medicare's amount."""
    for index, line in facts.billed:
        if not line.charge or line.charge < 0 or not ONLY_TELLING.issuperset(line.modifiers):
            continue
        amount = allowance(facts, line)
        if amount and line.charge < amount:
            yield Problem(
                f"lines[{index}].charge",
                f"Line {index + 1}: {line.code} is charged {line.charge}, and Medicare's amount is about {amount}.",
                {"code": line.code, "charge": str(line.charge), "allowance": str(amount)},
                "Check the price in the fee schedule.",
            )
