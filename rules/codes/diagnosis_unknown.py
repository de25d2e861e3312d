"""A diagnosis is no code of ICD-10-CM on the day of service.

The code set changes on 1 October and on 1 April: codes are added, and a code that got more characters becomes a
heading. What counts is the day of service and not today. Codes of the wrong shape, injuries without their seventh
character or with one that they cannot have, and the ninth revision have rules of their own.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> unknown = (Diagnosis(code="E11.7"),)
>>> show(diagnosis_unknown(facts(charge(diagnoses=unknown))))
diagnoses[0]
  Diagnosis 1: E11.7 is no code of ICD-10-CM on 2026-11-16.
  Choose the code that was in force on the day of service.

>>> show(diagnosis_unknown(facts(charge(diagnoses=(Diagnosis(code="E11.9"),)))))
Nothing to say.

Authority: 45 CFR 162.1002(c); ICD-10-CM of the date of service. Prevents CARC 146.
"""

import re
from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.icd.listed import in_question, listed
from rules.icd.seven import SEVEN, needs_seven, seventh_not_allowed

SHAPE = re.compile(r"(?:[A-Z][0-9][0-9A-Z]|QA0)[0-9A-Z]{0,4}")


@rule("COD-001", Severity.HOLD, where=in_question)
def diagnosis_unknown(facts: Facts) -> Iterator[Problem]:
    """Every diagnosis is a code of the day of service."""
    for index, shown, code, day in facts.once(listed):
        if facts.tables.icd(code, day) or not SHAPE.fullmatch(code) or (needs_seven(code) and len(code) < SEVEN):
            continue
        if not seventh_not_allowed(facts.tables, code, day):
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {shown} is no code of ICD-10-CM on {day}.",
                {"diagnosis": shown, "service_date": str(day)},
                "Choose the code that was in force on the day of service.",
            )
