"""An accident is named, but not when or where it happened.

A claim that says an accident caused the visit must say on which day; for an automobile accident also in which state,
because the state's law decides who pays first. Work-related illness has no accident date, so employment alone asks
for none.

>>> from datetime import date
>>> from charges.model import ClaimDates, RelatedCauses
>>> from rules.examples import charge, facts, show
>>> crash = RelatedCauses(auto_accident=True, state="IL")
>>> show(accident_without_date(facts(charge(related_causes=crash))))
dates.accident
  The visit is related to an auto accident, and the date of the accident is missing.
  Enter the date of the accident.

>>> show(accident_without_date(facts(charge(related_causes=crash, dates=ClaimDates(accident=date(2026, 11, 14))))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2300, CLM11 and DTP*439. Prevents CARC 16.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule


@rule("STR-011", Severity.HOLD, fields=("related_causes",), professional_only=True)
def accident_without_date(facts: Facts) -> Iterator[Problem]:
    """An accident has its date, and an auto accident its state."""
    causes, happened = facts.charge.related_causes, facts.charge.dates.accident
    if not (causes.auto_accident or causes.other_accident):
        return
    kind = "an auto accident" if causes.auto_accident else "an accident"
    served = facts.service_date
    if happened is None:
        yield Problem(
            "dates.accident",
            f"The visit is related to {kind}, and the date of the accident is missing.",
            {"cause": kind},
            "Enter the date of the accident.",
        )
    elif served and happened > served:
        yield Problem(
            "dates.accident",
            f"The accident is dated {happened}, after the service of {served}.",
            {"accident": str(happened), "service_date": str(served)},
            "Correct the date of the accident.",
        )
    # A country instead of a state is how an accident abroad is told.
    if causes.auto_accident and not causes.state.strip() and causes.country.upper() in ("", "US", "USA"):
        yield Problem(
            "related_causes.state",
            f"The visit is related to {kind}, and the state it happened in is missing.",
            {"cause": kind},
            "Enter the state of the accident.",
        )
