"""A diagnosis belongs to the other sex.

Payers compare the chapter of pregnancy, and the organs that only one sex has, with the sex on their file. When both
are right, as after a change of the record, modifier KX on the line says that the service was meant, and the rule is
silent.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> show(sex_contradicts_diagnosis(facts(charge(diagnoses=(Diagnosis(code="N40.1"),)))))
diagnoses[0]
  Diagnosis 1: N40.1 is of a male patient, and the patient's sex is F.
  Correct the diagnosis or the sex; if both are right, add KX.

>>> show(sex_contradicts_diagnosis(facts(charge(diagnoses=(Diagnosis(code="N95.1"),)))))
Nothing to say.

Authority: Medicare Code Editor 41.1, sex conflicts (categories of which every code is listed); modifier KX by
Medicare Claims Processing Manual, chapter 32, section 240. Prevents CARC 7 and 10.
"""

import re
from collections.abc import Iterator

from charges.model import Severity, undotted
from rules.engine import Facts, Problem, rule

FEMALE = re.compile(
    r"A34|C5[1-8]|D06|D2[5-8]|F53|N7[0-7]|N8[0-46-9]|N9[0-8]"
    r"|O(?:0[0-4]|0[7-9]|1[0-6]|2[0-589]|3[0-6]|4[0-8]|6[0-9]|7[0-7]|8[025-9]|9[1248])|O9A|Q5[0-2]|R87|Z3[469A]"
)
MALE = re.compile(r"C6[0-3]|D29|D40|E29|N4[0-9]|N5[0-3]|Q5[345]|R86")
"""Categories that the code editor gives to one sex only."""
OF_ONE_SEX = re.compile(f"{FEMALE.pattern}|{MALE.pattern}")
OTHER = {"F": ("male", MALE), "M": ("female", FEMALE)}
DOCUMENTED = "KX"


@rule("ICD-008", Severity.HOLD, diagnoses=OF_ONE_SEX)
def sex_contradicts_diagnosis(facts: Facts) -> Iterator[Problem]:
    """No diagnosis belongs to the other sex."""
    sex = facts.charge.patient.sex
    if sex not in OTHER:
        return
    whose, categories = OTHER[sex]
    for index, diagnosis in enumerate(facts.charge.diagnoses):
        if diagnosis.icd9 or not categories.match(undotted(diagnosis.code)):
            continue
        if not any(DOCUMENTED in line.modifiers for line in facts.charge.lines):
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {diagnosis.code} is of a {whose} patient, and the patient's sex is {sex}.",
                {"diagnosis": diagnosis.code, "sex": sex},
                "Correct the diagnosis or the sex; if both are right, add KX.",
            )
