"""A telephone visit is billed with a code that no longer exists.

CPT deleted 99441, 99442 and 99443 at the end of 2024. Since then a visit by sound alone is a code of 98008 to 98015,
a short check-in 98016, or for Medicare the office visit with modifier 93.

>>> from datetime import date
>>> from rules.examples import charge, facts, line, show
>>> show(retired_telephone_visit(facts(charge(line("99442", service_date=date(2025, 2, 1))))))
lines[0].code
  Line 1: 99442 was deleted at the end of 2024, and the service is of 2025-02-01.
  Use 98008 to 98016, or for Medicare the office visit with 93.

>>> show(retired_telephone_visit(facts(charge(line("98016", service_date=date(2025, 2, 1))))))
Nothing to say.

Authority: CPT 2025; Medicare Physician Fee Schedule 2025. Prevents CARC 181.
"""

from collections.abc import Iterator
from datetime import date

from charges.model import Severity
from rules.codes.groups import numbers
from rules.engine import Facts, Problem, rule

DELETED = date(2025, 1, 1)
TELEPHONE_VISITS = numbers(99441, 99443)


@rule("TEL-007", Severity.HOLD, since=DELETED, codes=TELEPHONE_VISITS)
def retired_telephone_visit(facts: Facts) -> Iterator[Problem]:
    """99441 to 99443 are not billed for services after 2024."""
    for index, line in facts.billed:
        if line.code in TELEPHONE_VISITS and line.service_date and line.service_date >= DELETED:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: {line.code} was deleted at the end of 2024, "
                f"and the service is of {line.service_date}.",
                {"code": line.code, "service_date": str(line.service_date)},
                "Use 98008 to 98016, or for Medicare the office visit with 93.",
            )
