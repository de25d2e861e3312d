"""A diagnosis is a heading and not a complete code.

ICD-10-CM wants the code with all its characters; the shorter one above it only groups. Payers reject the claim before
anybody reads it.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> show(diagnosis_not_complete(facts(charge(diagnoses=(Diagnosis(code="M54.5"),)))))
diagnoses[0]
  Diagnosis 1: M54.5 is a heading of ICD-10-CM and needs more characters.
  Choose one of the codes that begin with M54.5.

>>> show(diagnosis_not_complete(facts(charge(diagnoses=(Diagnosis(code="M54.50"),)))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.B.2; ICD-10-CM of the date of service. Prevents CARC 146.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.icd.listed import in_question, listed
from rules.icd.seven import SEVEN, needs_seven


@rule("COD-002", Severity.HOLD, where=in_question)
def diagnosis_not_complete(facts: Facts) -> Iterator[Problem]:
    """Every diagnosis has all its characters."""
    for index, shown, code, day in facts.once(listed):
        known = facts.tables.icd(code, day)
        if known and not known.billable and not (needs_seven(code) and len(code) < SEVEN):
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {shown} is a heading of ICD-10-CM and needs more characters.",
                {"diagnosis": shown},
                f"Choose one of the codes that begin with {shown}.",
            )
