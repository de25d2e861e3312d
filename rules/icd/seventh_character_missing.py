"""An injury or external cause lacks its seventh character.

Codes of injury, poisoning and external cause end in a seventh character that tells the encounter: A while it is
treated, D in healing, S for what it left behind, and for fractures more. Without it the code is a heading, not a
diagnosis.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> show(seventh_character_missing(facts(charge(diagnoses=(Diagnosis(code="S52.501"),)))))
diagnoses[0]
  Diagnosis 1: S52.501 needs a seventh character.
  Choose the full code: A for active treatment, D for healing, S for what was left behind.

>>> show(seventh_character_missing(facts(charge(diagnoses=(Diagnosis(code="S52.501A"),)))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.A.5; every billable code of these categories has seven characters
in CMS's order file of April 2026. Prevents CARC 146.
"""

from collections.abc import Iterator

from charges.model import Severity, undotted
from rules.engine import Facts, Problem, rule
from rules.icd.seven import SEVEN, WHOLE_CATEGORIES, ends_like_seventh, needs_seven


@rule("ICD-001", Severity.HOLD, diagnoses=WHOLE_CATEGORIES, diagnoses_only=True)
def seventh_character_missing(facts: Facts) -> Iterator[Problem]:
    """A code of injury or external cause has its seventh character."""
    for index, diagnosis in enumerate(facts.charge.diagnoses):
        code = undotted(diagnosis.code)
        if not diagnosis.icd9 and needs_seven(code) and len(code) < SEVEN and not ends_like_seventh(code):
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {diagnosis.code} needs a seventh character.",
                {"diagnosis": diagnosis.code},
                "Choose the full code: A for active treatment, D for healing, S for what was left behind.",
            )
