"""The seventh character stands too far to the left.

Where a code of an injury or external cause is shorter than six characters, X fills the gap, so that the last
character stands in the seventh place: W19.XXXA, not W19.A. Without the X the code does not exist.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> show(placeholder_missing(facts(charge(diagnoses=(Diagnosis(code="W19A"),)))))
diagnoses[0]
  Diagnosis 1: W19A has A in place 4 and not in place 7.
  Fill the gap with X if that is meant: W19.XXXA.

>>> show(placeholder_missing(facts(charge(diagnoses=(Diagnosis(code="I10"), Diagnosis(code="W19.XXXA"))))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, sections I.A.4 and I.A.5. Prevents CARC 146.
"""

from collections.abc import Iterator

from charges.model import Change, Severity, undotted
from rules.engine import Facts, Problem, rule
from rules.icd.seven import SEVEN, WHOLE_CATEGORIES, ends_like_seventh, needs_seven


@rule("ICD-002", Severity.HOLD, diagnoses=WHOLE_CATEGORIES, diagnoses_only=True)
def placeholder_missing(facts: Facts) -> Iterator[Problem]:
    """X fills a short code of injury or external cause up to its seventh character."""
    for index, diagnosis in enumerate(facts.charge.diagnoses):
        code = undotted(diagnosis.code)
        if not diagnosis.icd9 and needs_seven(code) and len(code) < SEVEN and ends_like_seventh(code):
            meant = f"{code[:3]}.{code[3:-1]:X<3}{code[-1]}"
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {diagnosis.code} has {code[-1]} in place {len(code)} and not in place {SEVEN}.",
                {"diagnosis": diagnosis.code, "character": code[-1]},
                f"Fill the gap with X if that is meant: {meant}.",
                (Change(at=f"diagnoses[{index}].code", op="set", value=meant),),
            )
