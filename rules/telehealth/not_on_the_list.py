"""Medicare is asked for a service by telehealth that is not on its list.

CMS publishes each year which services it pays by video or telephone. A service that is not on the list of that year
is not paid at place 02 or 10, whatever the modifier.

>>> from rules.examples import MEDICARE, charge, facts, line, show
>>> show(not_on_the_list(facts(charge(line("20610", place_of_service="10"), coverages=(MEDICARE,)))))
lines[0].place_of_service
  Line 1: 20610 at place 10 is not on Medicare's list of telehealth services.
  Correct the place, or choose a service that is on the list.

>>> show(not_on_the_list(facts(charge(line("99213", "95", place_of_service="10"), coverages=(MEDICARE,)))))
Nothing to say.

Authority: 42 CFR 410.78; CMS's list of telehealth services for the date of service. Prevents CARC 96 and 5.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, place_of, rule
from rules.payers import medicare_first
from rules.telehealth.places import REMOTE_BY_DEFINITION, TELEHEALTH_PLACES


@rule("TEL-001", Severity.HOLD, places=TELEHEALTH_PLACES, line_by_line=True)
def not_on_the_list(facts: Facts) -> Iterator[Problem]:
    """A service by telehealth to Medicare is on CMS's list."""
    for index, line in facts.billed if medicare_first(facts.charge) else ():
        place = place_of(facts.charge, line)
        if place not in TELEHEALTH_PLACES or line.service_date is None or line.code in REMOTE_BY_DEFINITION:
            continue
        if facts.tables.telehealth(line.code, line.service_date) is None:
            yield Problem(
                f"lines[{index}].place_of_service",
                f"Line {index + 1}: {line.code} at place {place} is not on Medicare's list of telehealth services.",
                {"code": line.code, "place_of_service": place},
                "Correct the place, or choose a service that is on the list.",
            )
