"""A diagnosis is of the wrong revision of the code set, or two revisions stand on one claim.

ICD-9-CM ended and ICD-10-CM began with services of 1 October 2015. A claim is of one revision; services on both sides
of that day go on two claims.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> show(wrong_revision(facts(charge(diagnoses=(Diagnosis(code="401.9", icd9=True),)))))
diagnoses[0]
  Diagnosis 1: 401.9 is of ICD-9-CM, and services of 2026-11-16 need ICD-10-CM.
  Choose the code of ICD-10-CM.

>>> show(wrong_revision(facts(charge(diagnoses=(Diagnosis(code="I10"),)))))
Nothing to say.

Authority: 45 CFR 162.1002(c); ASC X12N 005010X222A1, loop 2300, HI (qualifiers BK and ABK). Prevents CARC 146.
"""

from collections.abc import Iterator
from datetime import date

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual

CHANGE = date(2015, 10, 1)


@rule("ICD-019", Severity.HOLD, where=unusual)
def wrong_revision(facts: Facts) -> Iterator[Problem]:
    """Every diagnosis is of the revision in force on the day of service."""
    served = facts.service_date
    if served is None:
        return
    for index, diagnosis in enumerate(facts.charge.diagnoses):
        if diagnosis.icd9 != (served < CHANGE):
            said, wanted = ("ICD-9-CM", "ICD-10-CM") if diagnosis.icd9 else ("ICD-10-CM", "ICD-9-CM")
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {diagnosis.code} is of {said}, and services of {served} need {wanted}.",
                {"diagnosis": diagnosis.code, "service_date": str(served)},
                f"Choose the code of {wanted}.",
            )
