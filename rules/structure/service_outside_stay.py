"""The stay in hospital ends before it begins, or the service lies outside it.

A service to an inpatient (places 21, 51 and 61) lies between admission and discharge. The payer compares the claim with
the facility's and denies what does not fit the stay.

>>> from datetime import date
>>> from charges.model import ClaimDates
>>> from rules.examples import charge, facts, line, show
>>> ward = line("99232", place_of_service="21")
>>> show(service_outside_stay(facts(charge(ward, dates=ClaimDates(admission=date(2026, 11, 18))))))
lines[0].service_date
  Line 1: 99232 to an inpatient is dated 2026-11-16, before the admission of 2026-11-18.
  Correct the dates of the stay, or the place of service.

>>> show(service_outside_stay(facts(charge(ward, dates=ClaimDates(admission=date(2026, 11, 15))))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2300, DTP*435 and DTP*096. Prevents CARC 16 with RARC MA40.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, place_of, rule

INPATIENT = frozenset({"21", "51", "61"})


@rule("STR-019", Severity.HOLD, fields=("dates",))
def service_outside_stay(facts: Facts) -> Iterator[Problem]:
    """Discharge follows admission, and inpatient services lie between them."""
    admitted, discharged = facts.charge.dates.admission, facts.charge.dates.discharge
    if admitted and discharged and discharged < admitted:
        yield Problem(
            "dates.discharge",
            f"The patient was discharged on {discharged}, before the admission of {admitted}.",
            {"discharge": str(discharged), "admission": str(admitted)},
            "Correct the dates of the stay.",
        )
        return
    for index, line in facts.billed:
        day = line.service_date
        if day is None or place_of(facts.charge, line) not in INPATIENT:
            continue
        if admitted and day < admitted:
            said = f"before the admission of {admitted}"
        elif discharged and day > discharged:
            said = f"after the discharge of {discharged}"
        else:
            continue
        yield Problem(
            f"lines[{index}].service_date",
            f"Line {index + 1}: {line.code} to an inpatient is dated {day}, {said}.",
            {"code": line.code, "service_date": str(day)},
            "Correct the dates of the stay, or the place of service.",
        )
