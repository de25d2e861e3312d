"""Two diagnoses exclude each other.

Under many codes ICD-10-CM says which others are never coded with them (Excludes1): the two are one condition, or
cannot both be. The note holds for every code below the heading it stands at. Two unrelated conditions may be coded
all the same, and then the record must say so.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> both = (Diagnosis(code="E11.9"), Diagnosis(code="E10.9"))
>>> show(excluded_by_a_note(facts(charge(diagnoses=both))))
diagnoses[1]
  Diagnosis 2: E10.9 is not coded with E11.9 (Excludes1).
  Keep the one that tells the whole, unless the record shows two unrelated conditions.

>>> show(excluded_by_a_note(facts(charge(diagnoses=(Diagnosis(code="E11.9"), Diagnosis(code="I10"))))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.A.12.a; the tabular list of the date of service. Unrelated
conditions may stand together, so the rule only warns. Prevents CARC 11 and 236.
"""

from collections.abc import Iterator
from itertools import combinations

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.icd.listed import in_question, listed


@rule("ICD-004", Severity.WARN, where=in_question)
def excluded_by_a_note(facts: Facts) -> Iterator[Problem]:
    """No two diagnoses exclude each other."""
    for (_, first, code, day), (index, shown, other, _) in combinations(facts.once(listed), 2):
        if code != other and facts.tables.excludes1(code, other, day):
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {shown} is not coded with {first} (Excludes1).",
                {"diagnosis": shown, "excluded_by": first},
                "Keep the one that tells the whole, unless the record shows two unrelated conditions.",
            )
