"""A transport does not name the places where it began and ended.

The price of a transport depends on the ZIP code where the patient was fetched, and the claim gives both addresses.

>>> from charges.model import Address, Ambulance
>>> from rules.examples import charge, facts, line, show
>>> there = Address(line1="12 Willow Lane", city="Springfield", state="IL", postal_code="62704")
>>> show(ends_of_ride_missing(facts(charge(line("A0429", "RH")))))
ambulance.pick_up
  Line 1: the address where transport A0429 began is missing.
  Enter the address with its ZIP code.
ambulance.drop_off
  Line 1: the address where transport A0429 ended is missing.
  Enter the address with its ZIP code.

>>> show(ends_of_ride_missing(facts(charge(line("A0429", "RH"), ambulance=Ambulance(pick_up=there, drop_off=there)))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loops 2310E and 2310F; Medicare Claims Processing Manual, chapter 15, section
20.1.5, on the ZIP code. The rule only warns until a payer's return has shown its weight. Prevents CARC 16.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import GROUND_AND_AIR
from rules.engine import Facts, Problem, rule


@rule("AMB-004", Severity.WARN, codes=GROUND_AND_AIR)
def ends_of_ride_missing(facts: Facts) -> Iterator[Problem]:
    """A transport names where it began and ended."""
    for index, line in facts.billed:
        if line.code not in GROUND_AND_AIR:
            continue
        ride = line.ambulance or facts.charge.ambulance
        ends = (("pick_up", "began", ride and ride.pick_up), ("drop_off", "ended", ride and ride.drop_off))
        for name, said, place in ends:
            if not place or not place.postal_code:
                yield Problem(
                    f"lines[{index}].ambulance.{name}" if line.ambulance else f"ambulance.{name}",
                    f"Line {index + 1}: the address where transport {line.code} {said} is missing.",
                    {"code": line.code},
                    "Enter the address with its ZIP code.",
                )
