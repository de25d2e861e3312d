"""A test for diabetes is repeated sooner than Medicare finds reasonable.

The measure of blood sugar over months changes slowly. Medicare finds it needed every three months, and every month or
two while treatment changes. Sooner than four weeks it tells nothing new.

>>> from datetime import date
>>> from rules.examples import MEDICARE, charge, earlier, facts, line, show
>>> october = [earlier("83036", date(2026, 10, 25))]
>>> given = charge(line("83036"), coverages=(MEDICARE,))
>>> show(glycated_test_too_soon(facts(given, history=october)))
lines[0].code
  Line 1: 83036 of 2026-10-25 tells nothing new before four weeks.
  Check that the record shows why it was needed again.

>>> show(glycated_test_too_soon(facts(given, history=[earlier("83036", date(2026, 8, 1))])))
Nothing to say.

Authority: National Coverage Determination 190.21, laboratory tests of glycated hemoglobin and proteins. The record
may show a reason, so the rule only warns. Prevents CARC 119.
"""

from collections.abc import Iterator

from charges.model import Severity, undotted
from rules.engine import Facts, Problem, rule, seen_before
from rules.payers import medicare_first

GLYCATED = frozenset({"83036", "82985"})
DAYS = 28
PREGNANT = ("O", "Z33", "Z34", "Z3A")


@rule("MED-002", Severity.WARN, codes=GLYCATED, where=seen_before)
def glycated_test_too_soon(facts: Facts) -> Iterator[Problem]:
    """Glycated hemoglobin for Medicare is not measured twice in four weeks."""
    if not medicare_first(facts.charge) or not facts.history:
        return
    if any(undotted(each.code).startswith(PREGNANT) for each in facts.charge.diagnoses):
        return
    for index, line in facts.billed:
        day = line.service_date
        if line.code not in GLYCATED or day is None:
            continue
        for each in facts.history:
            if each.code == line.code and 0 < (day - each.service_date).days < DAYS:
                yield Problem(
                    f"lines[{index}].code",
                    f"Line {index + 1}: {line.code} of {each.service_date} tells nothing new before four weeks.",
                    {"code": line.code, "billed": str(each.service_date)},
                    "Check that the record shows why it was needed again.",
                )
                break
