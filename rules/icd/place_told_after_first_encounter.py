"""Where and at what an injury happened is told again at a later visit.

The place of occurrence (Y92), the activity (Y93) and the status (Y99) are told once, when the injury is first
treated. On a visit in healing they are superfluous, and a code that repeats says that the injury is new.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> later = (Diagnosis(code="S52.501D"), Diagnosis(code="Y92.009"))
>>> show(place_told_after_first_encounter(facts(charge(diagnoses=later))))
diagnoses[1]
  Diagnosis 2: Y92.009 is told at the first visit, and this is a later one.
  Remove it.

>>> first = (Diagnosis(code="S52.501A"), Diagnosis(code="Y92.009"))
>>> show(place_told_after_first_encounter(facts(charge(diagnoses=first))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, sections I.C.20.b, I.C.20.c and I.C.20.k. Payers seldom deny for it, so the
rule only warns.
"""

import re
from collections.abc import Iterator

from charges.model import Change, Severity, undotted
from rules.engine import Facts, Problem, rule

TOLD_ONCE = ("Y92", "Y93", "Y99")
INJURY = re.compile(r"[ST][0-9A-Z]{5}([A-Z])")
ACTIVE = frozenset("ABC")
"""Seventh characters of active treatment."""


@rule("ICD-023", Severity.WARN, diagnoses=re.compile("Y9[239]"), diagnoses_only=True)
def place_told_after_first_encounter(facts: Facts) -> Iterator[Problem]:
    """Place, activity and status of an injury stand on its first visit only."""
    diagnoses = facts.charge.diagnoses
    ends = {found[1] for each in diagnoses if (found := INJURY.fullmatch(undotted(each.code)))}
    if not ends or ends & ACTIVE:
        return
    for index, diagnosis in enumerate(diagnoses):
        if undotted(diagnosis.code).startswith(TOLD_ONCE):
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {diagnosis.code} is told at the first visit, and this is a later one.",
                {"diagnosis": diagnosis.code},
                "Remove it.",
                (Change(at=f"diagnoses[{index}]", op="remove"),),
            )
