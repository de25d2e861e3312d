"""A code ends in a seventh character that it cannot have.

Which characters may stand in the seventh place depends on the code: a fracture takes seven or more, most injuries A, D
and S, and an injury that the patient did not survive is never healing. With another character the code does not exist.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> show(seventh_character_not_allowed(facts(charge(diagnoses=(Diagnosis(code="S06.317D"),)))))
diagnoses[0]
  Diagnosis 1: S06.317D cannot end in D.
  Choose the character that tells the encounter and that the code takes.

>>> show(seventh_character_not_allowed(facts(charge(diagnoses=(Diagnosis(code="S06.317A"),)))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.A.5; ICD-10-CM of the date of service. Prevents CARC 146.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.icd.listed import in_question, listed
from rules.icd.seven import SEVEN, seventh_not_allowed


@rule("ICD-003", Severity.HOLD, where=in_question)
def seventh_character_not_allowed(facts: Facts) -> Iterator[Problem]:
    """The seventh character is one that the code takes."""
    for index, shown, code, day in facts.once(listed):
        if len(code) == SEVEN and seventh_not_allowed(facts.tables, code, day):
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {shown} cannot end in {code[-1]}.",
                {"diagnosis": shown, "character": code[-1]},
                "Choose the character that tells the encounter and that the code takes.",
            )
