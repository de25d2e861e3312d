"""A service given elsewhere does not say where.

A service in a hospital, surgical centre or nursing facility was not given at the billing address, so the claim must
name the facility. Payers price by it and match the claim with the facility's own.

>>> from charges.model import Facility
>>> from rules.examples import charge, facts, line, show
>>> show(service_away_without_facility(facts(charge(line("99232", place_of_service="21")))))
facility
  Line 1: 99232 was given at place 21, and the facility is missing.
  Enter the facility where the patient was seen.

>>> ward = Facility(name="Sangamon Valley Hospital", npi="1245319599")
>>> show(service_away_without_facility(facts(charge(line("99232", place_of_service="21"), facility=ward))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2310C. Payers differ in what they do without it, so the rule only warns.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, place_of, rule

AWAY = frozenset({"19", "21", "22", "23", "24", "31", "32", "34", "51", "52", "61"})
"""Places that are a facility of somebody else's."""


@rule("STR-016", Severity.WARN, places=AWAY)
def service_away_without_facility(facts: Facts) -> Iterator[Problem]:
    """A service in a facility names the facility."""
    if facts.charge.facility:
        return
    for index, line in facts.billed:
        place = place_of(facts.charge, line)
        if place in AWAY and line.facility is None:
            yield Problem(
                "facility",
                f"Line {index + 1}: {line.code} was given at place {place}, and the facility is missing.",
                {"code": line.code, "place_of_service": place},
                "Enter the facility where the patient was seen.",
            )
            return  # one facility is missing, however many lines ask for it
