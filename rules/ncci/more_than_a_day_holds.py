"""More units of a code than one day can hold.

A medically unlikely edit with indicator 2 is absolute: by the code's own words or the body's, more cannot have been
done on one day, and no appeal helps. All lines of the day by the provider count together, those of earlier charges too.
Of lines that repeat another exactly the greatest counts; the rest is left to the rules about duplicates.

>>> from decimal import Decimal
>>> from rules.examples import charge, facts, line, show
>>> show(more_than_a_day_holds(facts(charge(line("83036", units=Decimal(2))))))
lines[0].units
  Line 1: 83036 comes to 2 units on 2026-11-16, and a day holds 1.
  Correct the units, or remove what was not done.

>>> show(more_than_a_day_holds(facts(charge(line("83036")))))
Nothing to say.

Authority: NCCI medically unlikely edits in force on the date of service, adjudication indicator 2. Prevents CARC 151
and 222.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ncci.units import totals


@rule("NCC-007", Severity.HOLD, where=totals)
def more_than_a_day_holds(facts: Facts) -> Iterator[Problem]:
    """The units of a day do not exceed an absolute limit."""
    for each in facts.once(totals):
        if each.limit.adjudication_indicator == 2 and each.apart > each.limit.units > 0:
            yield Problem(
                f"lines[{each.last}].units",
                f"Line {each.last + 1}: {each.said}, and a day holds {each.limit.units}.",
                {"code": each.code, "units": str(each.apart), "limit": str(each.limit.units)},
                "Correct the units, or remove what was not done.",
            )
