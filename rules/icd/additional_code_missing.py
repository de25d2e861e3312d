"""A diagnosis asks for a further code, and none is listed.

Under some codes ICD-10-CM says "use additional code" for the stage of the kidney disease, the type of the heart failure,
the site and severity of an ulcer. The first code tells half; risk adjustment and the review of tests look for the other.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> alone = (Diagnosis(code="I12.0"),)
>>> show(additional_code_missing(facts(charge(diagnoses=alone))))
diagnoses[0]
  Diagnosis 1: I12.0 asks for an additional code, and none of N18.5, N18.6 is listed.
  Add the code that tells the rest.

>>> show(additional_code_missing(facts(charge(diagnoses=(Diagnosis(code="I12.0"), Diagnosis(code="N18.6"))))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.A.17; the tabular list of the date of service. Only notes are judged
that ask for a stage, severity, site, type or outcome, without "if". Payers seldom deny for it, so the rule only warns.
"""

import re
from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.icd.listed import asks_for_more, in_question, listed

UNDOTTED = re.compile(r"([A-Z][0-9][0-9A-Z])([0-9A-Z]+)")


@rule("ICD-014", Severity.WARN, where=in_question)
def additional_code_missing(facts: Facts) -> Iterator[Problem]:
    """A diagnosis that asks for a further code has it beside it."""
    all_listed = facts.once(listed)
    for index, shown, code, day in all_listed:
        for note in facts.tables.icd_notes(code, day, "useadditionalcode"):
            if asks_for_more(note.text) and not any(
                note.names(each.code) for each in all_listed if each.place != index
            ):
                wanted = ", ".join(UNDOTTED.sub(r"\1.\2", each) for each in note.references.split())
                yield Problem(
                    f"diagnoses[{index}]",
                    f"Diagnosis {index + 1}: {shown} asks for an additional code, and none of {wanted} is listed.",
                    {"diagnosis": shown, "wanted": wanted},
                    "Add the code that tells the rest.",
                )
