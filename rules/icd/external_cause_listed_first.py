"""A code for how an injury happened stands first.

Codes V00 to Y99 tell the cause: the fall, the car, the dog. They add to a diagnosis and never are one, so the injury
itself must come first.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> fall, fracture = Diagnosis(code="W19.XXXA"), Diagnosis(code="S52.501A")
>>> show(external_cause_listed_first(facts(charge(diagnoses=(fall, fracture)))))
diagnoses[0]
  Diagnosis 1: W19.XXXA tells the cause of an injury and cannot stand first.
  List the injury before its cause.

>>> show(external_cause_listed_first(facts(charge(diagnoses=(fracture, fall)))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.C.20.a.6.
"""

import re
from collections.abc import Iterator

from charges.model import Change, Diagnosis, Severity, undotted
from rules.engine import Facts, Problem, rule

EXTERNAL = ("V", "W", "X", "Y")
"""How the codes of chapter 20 begin."""


@rule("ICD-006", Severity.HOLD, diagnoses=re.compile("[V-Y]"), diagnoses_only=True)
def external_cause_listed_first(facts: Facts) -> Iterator[Problem]:
    """The first diagnosis is not an external cause."""
    for first in facts.charge.diagnoses[:1]:
        if undotted(first.code).startswith(EXTERNAL):
            injury = next((n for n, each in enumerate(facts.charge.diagnoses) if _is_condition(each)), 0)
            yield Problem(
                "diagnoses[0]",
                f"Diagnosis 1: {first.code} tells the cause of an injury and cannot stand first.",
                {"diagnosis": first.code},
                "List the injury before its cause.",
                (Change(at="diagnoses[0]", op="swap", value=f"diagnoses[{injury}]"),) if injury else (),
            )


def _is_condition(diagnosis: Diagnosis) -> bool:
    return bool(diagnosis.code.strip()) and not undotted(diagnosis.code).startswith(EXTERNAL)
