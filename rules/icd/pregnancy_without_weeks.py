"""A pregnancy does not say its week.

With the codes of pregnancy goes one of Z3A, the completed weeks on the day of the visit. Payers judge by it whether a
test or a delivery was due. Pregnancies that ended early, and what comes after the birth, need none.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> show(pregnancy_without_weeks(facts(charge(diagnoses=(Diagnosis(code="O13.3"),)))))
diagnoses[0]
  Diagnosis 1: O13.3 is of a pregnancy, and its week (Z3A) is missing.
  Add the code of Z3A for the completed weeks.

>>> show(pregnancy_without_weeks(facts(charge(diagnoses=(Diagnosis(code="O13.3"), Diagnosis(code="Z3A.32"))))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.C.21.c.11, and the note at Z3A. Payers differ, so the rule only
warns.
"""

import re
from collections.abc import Iterator

from charges.model import Severity, undotted
from rules.engine import Facts, Problem, rule

PREGNANT = re.compile(r"O09|O[1-6][0-9]|O7[014-7]|O9[89A]")
"""Chapter 15 without abortive outcomes (O00 to O08), delivery's own codes (O80, O82) and the time after it."""
AFTER_BIRTH = re.compile(r"O10\d3|O1[1-46]\d?5|O152|O24\d3\d?|O253|O26[67]3|O9[89A]\d3|O99\d\d5|O99893")
"""Codes of these categories that speak of the puerperium."""


@rule("ICD-016", Severity.WARN, diagnoses=PREGNANT, diagnoses_only=True)
def pregnancy_without_weeks(facts: Facts) -> Iterator[Problem]:
    """A code of pregnancy has the week beside it."""
    codes = [undotted(each.code) for each in facts.charge.diagnoses]
    if any(code.startswith("Z3A") for code in codes):
        return
    for index, code in enumerate(codes):
        if PREGNANT.match(code) and not AFTER_BIRTH.fullmatch(code):
            shown = facts.charge.diagnoses[index].code
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {shown} is of a pregnancy, and its week (Z3A) is missing.",
                {"diagnosis": shown},
                "Add the code of Z3A for the completed weeks.",
            )
            return
