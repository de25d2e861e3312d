"""A vaccine of a grown person is given with the code for counselling a child's family.

90460 and 90461 are for patients up to 18 whose family was counselled. For others the giving is 90471 to 90474.

>>> from rules.examples import charge, facts, line, show
>>> grown = charge(line("90460"), line("90715"))
>>> show(counselled_vaccine_of_adult(facts(grown)))
lines[0].code
  Line 1: 90460 is for patients up to 18, and this one is 65.
  Use 90471.

>>> show(counselled_vaccine_of_adult(facts(charge(line("90471"), line("90715")))))
Nothing to say.

Authority: CPT, guidelines of immunization administration. The authority is to be checked again, so the rule only
warns. Prevents CARC 6.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.ages import age
from rules.engine import Facts, Problem, rule

COUNSELLED = {"90460": "90471", "90461": "90472"}
OLDEST = 18


@rule("IMM-005", Severity.WARN, codes=frozenset(COUNSELLED))
def counselled_vaccine_of_adult(facts: Facts) -> Iterator[Problem]:
    """90460 and 90461 are for patients up to 18."""
    for index, line in facts.billed:
        old = age(facts.charge, line.service_date) if line.code in COUNSELLED else None
        if old is not None and old > OLDEST:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: {line.code} is for patients up to {OLDEST}, and this one is {old}.",
                {"code": line.code, "age": str(old)},
                f"Use {COUNSELLED[line.code]}.",
                (Change(at=f"lines[{index}].code", op="set", value=COUNSELLED[line.code]),),
            )
