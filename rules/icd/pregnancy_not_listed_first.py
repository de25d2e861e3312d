"""Another diagnosis stands before the pregnancy.

The codes of chapter 15 come before all others when a pregnant patient is treated, for whatever is treated then
concerns the pregnancy unless the record says otherwise.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> both = (Diagnosis(code="I10"), Diagnosis(code="O13.3"), Diagnosis(code="Z3A.32"))
>>> show(pregnancy_not_listed_first(facts(charge(diagnoses=both))))
diagnoses[1]
  Diagnosis 2: O13.3 is of the pregnancy and stands behind I10.
  List the pregnancy first, unless the record calls it incidental.

>>> both = (Diagnosis(code="O13.3"), Diagnosis(code="Z3A.32"))
>>> show(pregnancy_not_listed_first(facts(charge(diagnoses=both))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.C.15.a.1. The record may say that the pregnancy is incidental, so
the rule only warns.
"""

import re
from collections.abc import Iterator

from charges.model import Change, Severity, undotted
from rules.engine import Facts, Problem, rule


@rule("ICD-020", Severity.WARN, diagnoses=re.compile("O"), diagnoses_only=True)
def pregnancy_not_listed_first(facts: Facts) -> Iterator[Problem]:
    """A code of chapter 15 stands before the others."""
    diagnoses = facts.charge.diagnoses
    if not diagnoses or undotted(diagnoses[0].code).startswith("O"):
        return
    for index, diagnosis in enumerate(diagnoses[1:], 1):
        if undotted(diagnosis.code).startswith("O"):
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {diagnosis.code} is of the pregnancy and stands behind {diagnoses[0].code}.",
                {"diagnosis": diagnosis.code, "first": diagnoses[0].code},
                "List the pregnancy first, unless the record calls it incidental.",
                (Change(at="diagnoses[0]", op="swap", value=f"diagnoses[{index}]"),),
            )
            return
