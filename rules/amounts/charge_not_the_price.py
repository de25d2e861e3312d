"""A line is not charged at the practice's price.

The practice has loaded its fee schedule. A line that was charged otherwise was typed by hand, or took the price of
another year or payer.

>>> from decimal import Decimal
>>> from rules.examples import charge, facts, line, show
>>> show(charge_not_the_price(facts(charge(line("99213", charge=Decimal("115.00"))))))
lines[0].charge
  Line 1: 99213 is charged 115.00, and the practice's price is 150.00.
  Set the charge to the price, unless it was agreed otherwise.

>>> show(charge_not_the_price(facts(charge(line("99213", charge=Decimal("150.00"))))))
Nothing to say.

Authority: The practice's own fee schedule on the date of service. A price may be agreed for one patient, so the rule
only warns.
"""

from collections.abc import Iterator
from decimal import Decimal

from charges.model import Change, ServiceLine, Severity
from rules.engine import Facts, Problem, rule

UNITS = "UN"


def is_not_the_price(facts: Facts, line: ServiceLine) -> bool:
    """Whether a line is charged otherwise than the practice charges. Raises TableMissing."""
    wanted = _wanted(facts, line)
    return wanted is not None and line.charge != wanted


@rule("CHG-006", Severity.WARN, line_where=is_not_the_price, line_by_line=True)
def charge_not_the_price(facts: Facts) -> Iterator[Problem]:
    """A line is charged at the practice's price."""
    for index, line in facts.billed:
        wanted = _wanted(facts, line)
        if wanted is not None and line.charge != wanted:
            yield Problem(
                f"lines[{index}].charge",
                f"Line {index + 1}: {line.code} is charged {line.charge}, and the practice's price is {wanted:.2f}.",
                {"code": line.code, "charge": str(line.charge), "price": f"{wanted:.2f}"},
                "Set the charge to the price, unless it was agreed otherwise.",
                (Change(at=f"lines[{index}].charge", op="set", value=f"{wanted:.2f}"),),
            )


def _wanted(facts: Facts, line: ServiceLine) -> Decimal | None:
    """What the practice charges for a line; ``None`` where it has no price for it."""
    if not line.charge or line.units is None or line.service_date is None or line.unit != UNITS:
        return None
    modifier = line.modifiers[0] if line.modifiers else ""
    price = facts.tables.price(facts.charge.practice, line.code, line.service_date, modifier)
    return price and price.amount * line.units
