"""A wellness visit comes too soon after the last.

Medicare pays the first wellness visit once in a life and the later ones when eleven full months have passed since the
month of the last. What comes sooner is denied, and other practices may have given the last one.

>>> from datetime import date
>>> from rules.examples import charge, earlier, facts, line, show
>>> march = [earlier("G0439", date(2026, 3, 1))]
>>> show(wellness_visit_too_soon(facts(charge(line("G0439")), history=march)))
lines[0].code
  Line 1: G0439 follows G0439 of 2026-03-01 too soon.
  Use G0439 after the first, and not before the twelfth month; else remove the line.

>>> show(wellness_visit_too_soon(facts(charge(line("G0439")), history=[earlier("G0439", date(2025, 11, 30))])))
Nothing to say.

Authority: 42 CFR 410.15. The count of months is to be checked again, so the rule only warns. Prevents CARC 119.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule, seen_before

FIRST, LATER, WELCOME = "G0438", "G0439", "G0402"
YEARLY = frozenset({FIRST, LATER})


@rule("EM-009", Severity.WARN, codes=YEARLY, where=seen_before)
def wellness_visit_too_soon(facts: Facts) -> Iterator[Problem]:
    """G0438 is billed once, and G0439 once in twelve months."""
    for index, line in facts.billed if facts.history else ():
        day = line.service_date
        if line.code not in YEARLY or day is None:
            continue
        for each in facts.history:
            then = each.service_date
            months = (day.year - then.year) * 12 + day.month - then.month
            again = line.code == FIRST and each.code == FIRST
            if then < day and (again or (each.code in YEARLY | {WELCOME} and months < 12)):
                yield Problem(
                    f"lines[{index}].code",
                    f"Line {index + 1}: {line.code} follows {each.code} of {then} too soon.",
                    {"code": line.code, "earlier": each.code, "earlier_date": str(then)},
                    "Use G0439 after the first, and not before the twelfth month; else remove the line.",
                )
                break
