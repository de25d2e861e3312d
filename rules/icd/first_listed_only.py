"""A reason for the visit that must stand first stands later.

Some codes of chapter 21 say why the patient came: a general examination, supervision of a pregnancy, chemotherapy.
They are listed first, and what was found follows. Payers take the first diagnosis for the reason of the visit and
judge benefits by it.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> later = (Diagnosis(code="E11.9"), Diagnosis(code="Z00.00"))
>>> show(first_listed_only(facts(charge(diagnoses=later))))
diagnoses[1]
  Diagnosis 2: Z00.00 says why the patient came and stands behind E11.9.
  List the reason for the visit first, if it was that.

>>> show(first_listed_only(facts(charge(diagnoses=later[::-1]))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.C.21.c.16. Several such visits of one day may share a claim, so
the rule only warns.
"""

import re
from collections.abc import Iterator

from charges.model import Change, Severity, undotted
from rules.engine import Facts, Problem, rule

FIRST = re.compile(r"Z00(?!6)|Z01|Z02|Z04|Z332|Z318[1-4]|Z34|Z39|Z38|Z40|Z42|Z510|Z511|Z52(?!9)|Z76[12]|Z9912")


@rule("ICD-013", Severity.WARN, diagnoses=FIRST, diagnoses_only=True)
def first_listed_only(facts: Facts) -> Iterator[Problem]:
    """A code that says why the patient came stands first."""
    diagnoses = facts.charge.diagnoses
    if not diagnoses or FIRST.match(undotted(diagnoses[0].code)):
        return
    for index, diagnosis in enumerate(diagnoses[1:], 1):
        if FIRST.match(undotted(diagnosis.code)):
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {diagnosis.code} says why the patient came and stands behind {diagnoses[0].code}.",
                {"diagnosis": diagnosis.code, "first": diagnoses[0].code},
                "List the reason for the visit first, if it was that.",
                (Change(at="diagnoses[0]", op="swap", value=f"diagnoses[{index}]"),),
            )
            return
