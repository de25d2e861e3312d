"""A service that is paid once a month is billed again in the month.

Managing the care of chronic illness is counted over a calendar month and billed once, when its minutes are reached. A
second line in the month is denied, whoever renders it.

>>> from datetime import date
>>> from rules.examples import charge, earlier, facts, line, show
>>> third = [earlier("99490", date(2026, 11, 3))]
>>> show(monthly_service_twice(facts(charge(line("99490", service_date=date(2026, 11, 20))), history=third)))
lines[0].code
  Line 1: 99490 is paid once a month and was billed on 2026-11-03.
  Remove the line; add its minutes to the month's service.

>>> show(monthly_service_twice(facts(charge(line("99490", service_date=date(2026, 12, 3))), history=third)))
Nothing to say.

Authority: CMS, chronic care management services, and CPT: once a calendar month; NCCI unlikely edit of 1. Prevents
CARC 119.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule, seen_before

MONTHLY = frozenset({"99490", "99487", "99491", "99424", "99426", "99484", "99492", "99493", "G0511", "99457"})


@rule("EM-008", Severity.HOLD, codes=MONTHLY, where=seen_before)
def monthly_service_twice(facts: Facts) -> Iterator[Problem]:
    """A monthly service is billed once in a calendar month."""
    for index, line in facts.billed if facts.history else ():
        day = line.service_date
        if line.code not in MONTHLY or day is None:
            continue
        for each in facts.history:
            then = each.service_date
            if each.code == line.code and then != day and (then.year, then.month) == (day.year, day.month):
                yield Problem(
                    f"lines[{index}].code",
                    f"Line {index + 1}: {line.code} is paid once a month and was billed on {then}.",
                    {"code": line.code, "billed": str(then)},
                    "Remove the line; add its minutes to the month's service.",
                    (Change(at=f"lines[{index}]", op="remove"),),
                )
                break
