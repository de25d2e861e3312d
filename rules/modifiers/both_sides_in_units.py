"""Both sides are said by modifier 50 and by units as well.

A procedure on both sides is one line with 50 and one unit; 50 itself raises the price. Two units ask Medicare for
four sides.

>>> from decimal import Decimal
>>> from rules.examples import MEDICARE, charge, facts, line, show
>>> show(both_sides_in_units(facts(charge(line("27447", "50", units=Decimal(2)), coverages=(MEDICARE,)))))
lines[0].units
  Line 1: 27447 with 50 has 2 units, and both sides are one.
  Set the units to 1.

>>> show(both_sides_in_units(facts(charge(line("27447", "50"), coverages=(MEDICARE,)))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 12, section 40.7; NCCI Policy Manual, chapter I. Judged for
Medicare alone. The section is to be checked again, so the rule only warns. Prevents CARC 151.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first


@rule("MOD-020", Severity.WARN, modifiers=frozenset({"50"}))
def both_sides_in_units(facts: Facts) -> Iterator[Problem]:
    """Modifier 50 goes with one unit."""
    if not medicare_first(facts.charge):
        return
    for index, line in facts.billed:
        if "50" in line.modifiers and line.units is not None and line.units > 1:
            yield Problem(
                f"lines[{index}].units",
                f"Line {index + 1}: {line.code} with 50 has {line.units} units, and both sides are one.",
                {"code": line.code, "units": str(line.units)},
                "Set the units to 1.",
                (Change(at=f"lines[{index}].units", op="set", value="1"),),
            )
