"""Medicare is asked for telehealth at home after the law that allows it.

The patient's home counts as a place of telehealth for all services until the end of 2027. After that it does for the
care of mind and addiction alone, unless Congress prolongs it again.

>>> from datetime import date
>>> from rules.examples import MEDICARE, charge, facts, line, show
>>> later = line("99213", "95", place_of_service="10", service_date=date(2028, 1, 5))
>>> show(home_after_the_law(facts(charge(later, coverages=(MEDICARE,)))))
lines[0].place_of_service
  Line 1: 99213 of 2028-01-05 at home (10) is after the law that allows it.
  Check whether the law was prolonged.

>>> show(home_after_the_law(facts(charge(line("99213", "95", place_of_service="10"), coverages=(MEDICARE,)))))
Nothing to say.

Authority: Consolidated Appropriations Act, 2026; 42 CFR 410.78(b). Congress prolonged it before, so the rule only
warns. Prevents CARC 96.
"""

from collections.abc import Iterator
from datetime import date

from charges.model import Severity, undotted
from rules.codes.groups import numbers
from rules.engine import Facts, Problem, place_of, rule
from rules.payers import medicare_first

END = date(2028, 1, 1)
HOME = "10"
OF_MIND_AND_ADDICTION = numbers(90785, 90899) | numbers(96105, 96171) | {"99408", "99409", "G2086", "G2087", "G2088"}
MIND = "F"
"""Diagnoses of mind and addiction begin so (ICD-10-CM, chapter 5)."""


@rule("TEL-006", Severity.WARN, since=END, places=frozenset({HOME}))
def home_after_the_law(facts: Facts) -> Iterator[Problem]:
    """Telehealth at home goes to Medicare until the end of 2027."""
    for index, line in facts.billed if medicare_first(facts.charge) else ():
        if line.service_date is None or line.service_date < END or place_of(facts.charge, line) != HOME:
            continue
        for_the_mind = any(undotted(each).startswith(MIND) for each in line.diagnoses)
        if line.code not in OF_MIND_AND_ADDICTION and not for_the_mind:
            yield Problem(
                f"lines[{index}].place_of_service",
                f"Line {index + 1}: {line.code} of {line.service_date} at home (10) is after the law that allows it.",
                {"code": line.code, "service_date": str(line.service_date)},
                "Check whether the law was prolonged.",
            )
