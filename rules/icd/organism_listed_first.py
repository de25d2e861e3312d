"""The organism stands before the infection.

B95, B96 and B97 name the germ of an infection that is coded elsewhere. They follow it and never stand first.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> both = (Diagnosis(code="B96.20"), Diagnosis(code="N39.0"))
>>> show(organism_listed_first(facts(charge(diagnoses=both))))
diagnoses[0]
  Diagnosis 1: B96.20 names the germ of an infection and cannot stand first.
  List the infection before its germ.

>>> show(organism_listed_first(facts(charge(diagnoses=both[::-1]))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.C.1.b, and the note at B95 to B97. Payers' edits differ, so the
rule only warns.
"""

import re
from collections.abc import Iterator

from charges.model import Change, Severity, undotted
from rules.engine import Facts, Problem, rule

ORGANISM = ("B95", "B96", "B97")


@rule("ICD-018", Severity.WARN, diagnoses=re.compile("B9[5-7]"), diagnoses_only=True)
def organism_listed_first(facts: Facts) -> Iterator[Problem]:
    """The first diagnosis is not the germ of an infection."""
    diagnoses = facts.charge.diagnoses
    if not diagnoses or not undotted(diagnoses[0].code).startswith(ORGANISM):
        return
    infection = next((n for n, each in enumerate(diagnoses) if not undotted(each.code).startswith(ORGANISM)), 0)
    yield Problem(
        "diagnoses[0]",
        f"Diagnosis 1: {diagnoses[0].code} names the germ of an infection and cannot stand first.",
        {"diagnosis": diagnoses[0].code},
        "List the infection before its germ.",
        (Change(at="diagnoses[0]", op="swap", value=f"diagnoses[{infection}]"),) if infection else (),
    )
