"""More units on one line than a line may carry.

A few codes, ambulance miles among them, have a limit for the line and not for the day (indicator 1). What is above it
is denied with the whole line; the same units on two lines, the second marked as repeated or separate, are paid.

>>> from decimal import Decimal
>>> from rules.examples import charge, facts, line, show, tables
>>> limits = tables({"mue": [{"code": "A0425", "units": 250, "adjudication_indicator": 1}]})
>>> show(more_than_a_line_holds(facts(charge(line("A0425", "RH", units=Decimal(300))), tables=limits)))
lines[0].units
  Line 1: A0425 has 300 units, and a line may carry 250.
  Split the line, the second with 76 or 59, if the units are right.

>>> show(more_than_a_line_holds(facts(charge(line("A0425", "RH", units=Decimal(200))), tables=limits)))
Nothing to say.

Authority: NCCI medically unlikely edits in force on the date of service, adjudication indicator 1. The units may be
right, so the rule only warns. Prevents CARC 151.
"""

from collections.abc import Iterator

from charges.model import ServiceLine, Severity
from rules.engine import Facts, Problem, rule
from rules.lines import MINUTES


def has_more_than_a_unit(_: Facts, line: ServiceLine) -> bool:
    """Whether a line bills more than one unit."""
    return line.units is not None and line.units > 1


@rule("NCC-009", Severity.WARN, line_where=has_more_than_a_unit, line_by_line=True)
def more_than_a_line_holds(facts: Facts) -> Iterator[Problem]:
    """The units of a line do not exceed the limit of a line."""
    for index, line in facts.billed:
        if line.units is None or line.units <= 1 or line.unit == MINUTES or line.service_date is None:
            continue
        limit = facts.tables.mue(line.code, line.service_date)
        if limit and limit.adjudication_indicator == 1 and line.units > limit.units > 0:
            yield Problem(
                f"lines[{index}].units",
                f"Line {index + 1}: {line.code} has {line.units} units, and a line may carry {limit.units}.",
                {"code": line.code, "units": str(line.units), "limit": str(limit.units)},
                "Split the line, the second with 76 or 59, if the units are right.",
            )
