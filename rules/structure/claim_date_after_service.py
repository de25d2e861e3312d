"""Something that went before the visit is dated after it.

Onset of the illness, first treatment, last menstrual period, last visit or last X-ray lie before the service they
explain, or on its day. A later date is a slip, and payers that compare the dates return the claim.

>>> from datetime import date
>>> from charges.model import ClaimDates
>>> from rules.examples import charge, facts, show
>>> late = ClaimDates(onset_of_illness=date(2026, 11, 20))
>>> show(claim_date_after_service(facts(charge(dates=late))))
dates.onset_of_illness
  The onset of the illness is dated 2026-11-20, after the service of 2026-11-16.
  Correct the date.

>>> show(claim_date_after_service(facts(charge(dates=ClaimDates(onset_of_illness=date(2026, 11, 10))))))
Nothing to say.

Authority: the meaning of the dates in ASC X12N 005010X222A1, loop 2300, DTP. The guide does not compare them, so the rule
only warns.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule

BEFORE = {
    "onset_of_illness": "onset of the illness",
    "initial_treatment": "first treatment",
    "last_seen": "last visit",
    "acute_manifestation": "acute manifestation",
    "last_menstrual_period": "last menstrual period",
    "last_xray": "last X-ray",
    "first_contact": "first contact",
}
"""Dates of the claim that cannot lie after its last service."""


@rule("STR-018", Severity.WARN, fields=("dates",))
def claim_date_after_service(facts: Facts) -> Iterator[Problem]:
    """What led to the visit is not dated after it."""
    if not facts.charge.dates.model_fields_set:
        return
    served = max((line.service_date for line in facts.charge.lines if line.service_date), default=None)
    if served is None:
        return
    for name, what in BEFORE.items():
        day = getattr(facts.charge.dates, name)
        if day and day > served:
            yield Problem(
                f"dates.{name}",
                f"The {what} is dated {day}, after the service of {served}.",
                {"date": str(day), "service_date": str(served)},
                "Correct the date.",
            )
