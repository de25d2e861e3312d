"""A service to an inpatient lacks the day of admission.

Services in a hospital bed (place 21), a psychiatric hospital (51) or an inpatient rehabilitation facility (61) belong
to a stay, and the payer matches them with the facility's own claim by the date of admission.

>>> from datetime import date
>>> from charges.model import ClaimDates
>>> from rules.examples import charge, facts, line, show
>>> ward = line("99223", place_of_service="21")
>>> show(inpatient_without_admission_date(facts(charge(ward))))
dates.admission
  Line 1: 99223 was given to an inpatient (place 21), and the date of admission is missing.
  Enter the date of admission.

>>> show(inpatient_without_admission_date(facts(charge(ward, dates=ClaimDates(admission=date(2026, 11, 15))))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2300, DTP*435. Prevents CARC 16 with RARC MA40.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, place_of, rule

INPATIENT = frozenset({"21", "51", "61"})


@rule("STR-015", Severity.HOLD, places=INPATIENT)
def inpatient_without_admission_date(facts: Facts) -> Iterator[Problem]:
    """A service to an inpatient has the date of admission."""
    if facts.charge.dates.admission:
        return
    for index, line in facts.billed:
        place = place_of(facts.charge, line)
        if place in INPATIENT:
            yield Problem(
                "dates.admission",
                f"Line {index + 1}: {line.code} was given to an inpatient (place {place}), "
                "and the date of admission is missing.",
                {"code": line.code, "place_of_service": place},
                "Enter the date of admission.",
            )
            return  # one date is missing, however many lines ask for it
