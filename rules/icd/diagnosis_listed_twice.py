"""The same diagnosis stands twice.

Each diagnosis is reported once per claim. A repeated code takes one of twelve places and makes payers reject the
claim; when both sides or several sites are meant, ICD-10-CM has a code for each or one for both.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> show(diagnosis_listed_twice(facts(charge(diagnoses=(Diagnosis(code="I10"), Diagnosis(code="I10"))))))
diagnoses[1]
  Diagnosis 2: I10 already stands as diagnosis 1.
  Remove the second one.

>>> show(diagnosis_listed_twice(facts()))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.B.12.
"""

from collections.abc import Iterator

from charges.model import Change, Severity, undotted
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual


@rule("ICD-010", Severity.HOLD, where=unusual)
def diagnosis_listed_twice(facts: Facts) -> Iterator[Problem]:
    """No diagnosis is listed twice."""
    seen: dict[str, int] = {}
    for index, diagnosis in enumerate(facts.charge.diagnoses):
        earlier = seen.setdefault(undotted(diagnosis.code), index)
        if earlier != index and diagnosis.code.strip():
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {diagnosis.code} already stands as diagnosis {earlier + 1}.",
                {"diagnosis": diagnosis.code},
                "Remove the second one.",
                (Change(at=f"diagnoses[{index}]", op="remove"),),
            )
