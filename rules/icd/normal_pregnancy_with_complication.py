"""A pregnancy is called normal and has a complication.

Z34 is the supervision of a pregnancy without anything amiss. As soon as a code of chapter 15 stands beside it, the
supervision belongs to that code or to O09, and the two exclude each other.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> both = (Diagnosis(code="Z34.01"), Diagnosis(code="O13.1"))
>>> show(normal_pregnancy_with_complication(facts(charge(diagnoses=both))))
diagnoses[0]
  Diagnosis 1: Z34.01 is a pregnancy without complication, and O13.1 is one.
  Remove Z34, or the complication that is not there.

>>> show(normal_pregnancy_with_complication(facts(charge(diagnoses=both[1:]))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.C.15.b.1. Prevents CARC 11; payers' edits differ, so the rule only
warns.
"""

import re
from collections.abc import Iterator

from charges.model import Change, Severity, undotted
from rules.engine import Facts, Problem, rule


@rule("ICD-021", Severity.WARN, diagnoses=re.compile("Z34"), diagnoses_only=True)
def normal_pregnancy_with_complication(facts: Facts) -> Iterator[Problem]:
    """Z34 does not stand with a code of chapter 15."""
    diagnoses = facts.charge.diagnoses
    other = next((each.code for each in diagnoses if undotted(each.code).startswith("O")), None)
    for index, diagnosis in enumerate(diagnoses):
        if other and undotted(diagnosis.code).startswith("Z34"):
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {diagnosis.code} is a pregnancy without complication, and {other} is one.",
                {"diagnosis": diagnosis.code, "complication": other},
                "Remove Z34, or the complication that is not there.",
                (Change(at=f"diagnoses[{index}]", op="remove"),),
            )
