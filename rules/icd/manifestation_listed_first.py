"""A disease's effect stands before the disease.

Codes such as dementia in diseases classified elsewhere name what another disease does. The disease is listed first;
the claim with the effect first is rejected.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> both = (Diagnosis(code="F02.80"), Diagnosis(code="G30.9"))
>>> show(manifestation_listed_first(facts(charge(diagnoses=both))))
diagnoses[0]
  Diagnosis 1: F02.80 is the effect of another disease and cannot stand first.
  List the disease before its effect.

>>> show(manifestation_listed_first(facts(charge(diagnoses=both[::-1]))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.A.13, by which no code "in diseases classified elsewhere" is listed
first; Medicare Code Editor, manifestation code as principal diagnosis. Prevents CARC 146.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.icd.effects import is_effect
from rules.icd.listed import in_question, listed


@rule("ICD-005", Severity.HOLD, where=in_question)
def manifestation_listed_first(facts: Facts) -> Iterator[Problem]:
    """The first diagnosis is not the effect of another disease."""
    for index, shown, code, day in facts.once(listed)[:1]:
        if index == 0 and is_effect(facts.tables, code, day):
            yield Problem(
                "diagnoses[0]",
                f"Diagnosis 1: {shown} is the effect of another disease and cannot stand first.",
                {"diagnosis": shown},
                "List the disease before its effect.",
            )
