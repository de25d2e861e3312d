"""More units of a code than is medically usual on one day.

A medically unlikely edit with indicator 3 rests on what is usual. More may be right, and then the record must show
why; the payer denies the units above the limit first and pays on appeal. All lines of the day by the provider count
together, those of earlier charges too.

>>> from decimal import Decimal
>>> from rules.examples import charge, facts, line, show
>>> show(more_than_is_usual(facts(charge(line("97110", units=Decimal(7))))))
lines[0].units
  Line 1: 97110 comes to 7 units on 2026-11-16, and 6 are usual.
  Check the units, and that the record shows why more were needed.

>>> show(more_than_is_usual(facts(charge(line("97110", units=Decimal(4))))))
Nothing to say.

Authority: NCCI medically unlikely edits in force on the date of service, adjudication indicator 3. More may be right,
so the rule only warns. Prevents CARC 151.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ncci.units import totals


@rule("NCC-008", Severity.WARN, where=totals)
def more_than_is_usual(facts: Facts) -> Iterator[Problem]:
    """The units of a day do not exceed what is usual."""
    for each in facts.once(totals):
        if each.limit.adjudication_indicator == 3 and each.apart > each.limit.units > 0:
            yield Problem(
                f"lines[{each.last}].units",
                f"Line {each.last + 1}: {each.said}, and {each.limit.units} are usual.",
                {"code": each.code, "units": str(each.apart), "limit": str(each.limit.units)},
                "Check the units, and that the record shows why more were needed.",
            )
