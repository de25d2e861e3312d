"""A transport does not say why the patient was brought where.

A claim for an ambulance tells the reason of the transport (nearest facility, nearest that could treat, and so on) and
the miles. Without them the payer asks back, which takes weeks.

>>> from decimal import Decimal
>>> from charges.model import Ambulance
>>> from rules.examples import charge, facts, line, show
>>> show(reason_of_ride_missing(facts(charge(line("A0429", "RH")))))
ambulance
  Line 1: the reason of transport A0429 is missing.
  Enter the reason of the transport and the miles.

>>> show(reason_of_ride_missing(facts(charge(line("A0429", "RH"), ambulance=Ambulance(reason="A", miles=Decimal(12))))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loops 2300 and 2400, CR1. Whether a payer asks for it differs, so the rule only
warns. Prevents CARC 16.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import GROUND_AND_AIR
from rules.engine import Facts, Problem, rule


@rule("AMB-003", Severity.WARN, codes=GROUND_AND_AIR)
def reason_of_ride_missing(facts: Facts) -> Iterator[Problem]:
    """A transport says its reason and its miles."""
    for index, line in facts.billed:
        ride = line.ambulance or facts.charge.ambulance
        if line.code in GROUND_AND_AIR and not (ride and ride.reason and ride.miles is not None):
            missing = "miles" if ride and ride.reason else "reason"
            yield Problem(
                f"lines[{index}].ambulance" if line.ambulance else "ambulance",
                f"Line {index + 1}: the {missing} of transport {line.code} is missing.",
                {"code": line.code, "missing": missing},
                "Enter the reason of the transport and the miles.",
            )
