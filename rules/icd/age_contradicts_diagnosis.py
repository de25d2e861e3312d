"""A diagnosis does not go with the patient's age.

A liveborn infant is not 45 years old, and the routine examination of a child is not a grown person's. Most often the
code of the neighbouring age group was chosen.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> show(age_contradicts_diagnosis(facts(charge(diagnoses=(Diagnosis(code="Z00.129"),)))))
diagnoses[0]
  Diagnosis 1: Z00.129 is for children up to 17, and the patient is 65.
  Choose the code for the patient's age, or correct the date of birth.

>>> show(age_contradicts_diagnosis(facts(charge(diagnoses=(Diagnosis(code="Z00.00"),)))))
Nothing to say.

Authority: Medicare Code Editor 41.1, age conflicts: newborn 0, children 0 to 17, maternity 9 to 64, adults 15 to 124
years. Prevents CARC 6 and 9.
"""

import re
from collections.abc import Iterator

from charges.model import Severity, undotted
from rules.ages import age
from rules.engine import Facts, Problem, rule

AGES = (
    (re.compile(r"Z38|Z05|Z0011"), 0, 0, "newborns"),
    (re.compile(r"Z0012"), 0, 17, "children up to 17"),
    (re.compile(r"Z000"), 15, 124, "patients from 15 on"),
    (re.compile(r"O0[0-4]|O0[7-9]|O[1-7]|O8[0257-9]|Z3[34]|Z3A"), 9, 64, "patients from 9 to 64"),
)
"""Codes by their first characters, with the least and greatest age."""
OF_SOME_AGE = re.compile("|".join(shape.pattern for shape, *_ in AGES))


@rule("ICD-009", Severity.HOLD, diagnoses=OF_SOME_AGE)
def age_contradicts_diagnosis(facts: Facts) -> Iterator[Problem]:
    """Every diagnosis goes with the patient's age."""
    for index, diagnosis in enumerate(facts.charge.diagnoses):
        code = undotted(diagnosis.code)
        if not OF_SOME_AGE.match(code) or (old := age(facts.charge)) is None:
            continue
        for shape, least, most, whose in AGES:
            if shape.match(code) and not least <= old <= most and not diagnosis.icd9:
                yield Problem(
                    f"diagnoses[{index}]",
                    f"Diagnosis {index + 1}: {diagnosis.code} is for {whose}, and the patient is {old}.",
                    {"diagnosis": diagnosis.code, "age": str(old)},
                    "Choose the code for the patient's age, or correct the date of birth.",
                )
