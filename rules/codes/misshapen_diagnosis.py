"""A diagnosis code cannot exist in ICD-10-CM.

A code begins with a letter and a digit, then a digit or A or B, then up to four more characters after the dot. The
letter U is used for U07 and U09 only, and QA0 alone has a letter in the second place. The dot may be left out, but
when it stands it stands after the third character.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> show(misshapen_diagnosis(facts(charge(diagnoses=(Diagnosis(code="I10"), Diagnosis(code="250.00"))))))
diagnoses[1]
  Diagnosis 2: 250.00 cannot be an ICD-10-CM code.
  Choose the ICD-10-CM code of the condition.

>>> show(misshapen_diagnosis(facts(charge(diagnoses=(Diagnosis(code="E11.9"), Diagnosis(code="S52501A"))))))
Nothing to say.

Authority: 45 CFR 162.1002(c); ICD-10-CM Official Guidelines, section I.A.2. Prevents CARC 146.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary import DIAGNOSIS, unusual


@rule("COD-014", Severity.HOLD, where=unusual)
def misshapen_diagnosis(facts: Facts) -> Iterator[Problem]:
    """Every diagnosis has the shape of an ICD-10-CM code."""
    for index, diagnosis in enumerate(facts.charge.diagnoses):
        code = diagnosis.code.strip()
        if not DIAGNOSIS.fullmatch(code):
            said = f"{code} cannot be an ICD-10-CM code" if code else "the code is missing"
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {said}.",
                {"diagnosis": code},
                "Choose the ICD-10-CM code of the condition.",
            )
