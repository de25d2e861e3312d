"""Miles of an ambulance are billed without the ride.

A transport is two lines, the base rate and the miles with the patient on board. Miles alone are denied.

>>> from rules.examples import charge, facts, line, show
>>> show(miles_without_ride(facts(charge(line("A0425", "RH")))))
lines[0].code
  Line 1: A0425 bills miles, and no ride of the day stands beside them.
  Add the base rate of the transport.

>>> show(miles_without_ride(facts(charge(line("A0429", "RH"), line("A0425", "RH")))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 15, section 30. The ride may stand on another claim, so the rule
only warns. Prevents CARC 107.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import GROUND_AND_AIR, MILEAGE
from rules.engine import Facts, Problem, rule


@rule("AMB-002", Severity.WARN, codes=MILEAGE)
def miles_without_ride(facts: Facts) -> Iterator[Problem]:
    """Miles stand beside a ride of the day."""
    rides = {line.service_date for _, line in facts.billed if line.code in GROUND_AND_AIR}
    rides |= {each.service_date for each in facts.history if each.code in GROUND_AND_AIR}
    for index, line in facts.billed:
        if line.code in MILEAGE and line.service_date not in rides:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: {line.code} bills miles, and no ride of the day stands beside them.",
                {"code": line.code},
                "Add the base rate of the transport.",
            )
