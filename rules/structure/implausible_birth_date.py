"""The patient was not born yet, or would be older than anybody.

A date of birth after the visit, or an age over 124, is a slip of the keyboard. The payer compares the date with its
own file and rejects the member as unknown.

>>> from datetime import date
>>> from rules.examples import PATIENT, charge, facts, show
>>> unborn = PATIENT.model_copy(update={"birth_date": date(2026, 12, 1)})
>>> show(implausible_birth_date(facts(charge(patient=unborn))))
patient.birth_date
  The patient was born on 2026-12-01, after the service of 2026-11-16.
  Correct the date of birth.

A patient of 65 years passes:

>>> show(implausible_birth_date(facts()))
Nothing to say.

Authority: ages run from 0 to 124 years in CMS's Medicare Code Editor; ASC X12N 005010X222A1, DMG02. Prevents CARC 16.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.ages import years
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual

OLDEST = 124


@rule("STR-002", Severity.HOLD, where=unusual)
def implausible_birth_date(facts: Facts) -> Iterator[Problem]:
    """The patient was born before the service and is no older than 124."""
    served = facts.service_date or facts.today
    births = [facts.charge.patient.birth_date, *[each.subscriber.birth_date for each in facts.charge.coverages]]
    if all(born is None or (born <= served and served.year - born.year <= OLDEST) for born in births):
        return
    people = [("patient", "The patient", facts.charge.patient.birth_date)]
    people += [
        (f"coverages[{index}].subscriber", f"The subscriber of coverage {index + 1}", coverage.subscriber.birth_date)
        for index, coverage in enumerate(facts.charge.coverages)
    ]
    for at, who, born in people:
        if born is None:
            continue
        if born > served:
            message = f"{who} was born on {born}, after the service of {served}."
        elif (age := years(born, served)) > OLDEST:
            message = f"{who}, born on {born}, would be {age} years old on {served}."
        else:
            continue
        evidence = {"birth_date": str(born), "service_date": str(served)}
        yield Problem(f"{at}.birth_date", message, evidence, "Correct the date of birth.")
