"""Diabetes stands with a complication and without any.

E11.9 (and E08.9, E09.9, E10.9, E13.9) says that the diabetes has no complication. Beside a code of the same kind that
names one it contradicts it, and the lesser code lowers what the visit and the risk score say.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> both = (Diagnosis(code="E11.9"), Diagnosis(code="E11.22"))
>>> show(diabetes_with_and_without_complication(facts(charge(diagnoses=both))))
diagnoses[0]
  Diagnosis 1: E11.9 is diabetes without complication, and E11.22 names one.
  Remove the code without complication.

>>> both = (Diagnosis(code="E11.65"), Diagnosis(code="E11.22"))
>>> show(diabetes_with_and_without_complication(facts(charge(diagnoses=both))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.C.4.a: as many codes of E08 to E13 as needed to tell the
complications. Payers seldom deny for it, so the rule only warns.
"""

import re
from collections.abc import Iterator

from charges.model import Severity, undotted
from rules.engine import Facts, Problem, rule

WITHOUT = re.compile(r"E(?:08|09|10|11|13)9")


@rule("ICD-024", Severity.WARN, diagnoses=WITHOUT, diagnoses_only=True)
def diabetes_with_and_without_complication(facts: Facts) -> Iterator[Problem]:
    """Diabetes without complication does not stand with one."""
    diagnoses = facts.charge.diagnoses
    for index, diagnosis in enumerate(diagnoses):
        code = undotted(diagnosis.code)
        if not WITHOUT.fullmatch(code):
            continue
        other = next(
            (e.code for e in diagnoses if undotted(e.code).startswith(code[:3]) and undotted(e.code) != code), ""
        )
        if other:
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {diagnosis.code} is diabetes without complication, and {other} names one.",
                {"diagnosis": diagnosis.code, "complication": other},
                "Remove the code without complication.",
            )
