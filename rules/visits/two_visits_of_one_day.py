"""Two visits of one day by one provider.

One visit is paid for a day; what was done in two is added up into the level of one. When the second was for another
problem at another time, 25 or 27 says so.

>>> from rules.examples import charge, facts, line, show
>>> show(two_visits_of_one_day(facts(charge(line("99213"), line("99214")))))
lines[1].code
  Line 2: visit 99214 stands beside visit 99213 of the same day.
  Bill one visit of the level that both come to.

>>> show(two_visits_of_one_day(facts(charge(line("99214")))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 12, section 30.6.7.B; NCCI pairs of office visits with each
other. Prevents CARC 97.
"""

from collections.abc import Iterator
from datetime import date

from charges.model import Change, ServiceLine, Severity
from rules.codes.groups import OFFICE_VISITS
from rules.engine import Facts, Problem, rendering_npi, rule

APART = frozenset({"25", "27", "24", "57"})


@rule("EM-003", Severity.HOLD, codes=OFFICE_VISITS, several=True)
def two_visits_of_one_day(facts: Facts) -> Iterator[Problem]:
    """A provider bills one office visit for a day."""
    first: dict[tuple[date | None, str], ServiceLine] = {}
    for index, line in facts.billed:
        if line.code not in OFFICE_VISITS or not APART.isdisjoint(line.modifiers):
            continue
        other = first.setdefault((line.service_date, rendering_npi(facts.charge, line)), line)
        if other.code != line.code:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: visit {line.code} stands beside visit {other.code} of the same day.",
                {"code": line.code, "other": other.code},
                "Bill one visit of the level that both come to.",
                (Change(at=f"lines[{index}]", op="remove"),),
            )
