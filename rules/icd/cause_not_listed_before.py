"""A diagnosis asks for its cause to be listed before it, and none is.

Where ICD-10-CM says "code first", two codes are needed and in that order: the kidney disease, then the anemia it
makes. Alone the second says too little to be paid.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> show(cause_not_listed_before(facts(charge(diagnoses=(Diagnosis(code="D63.1"),)))))
diagnoses[0]
  Diagnosis 1: D63.1 wants its cause before it, and none is listed.
  List the cause first, as the note at the code names it.

>>> show(cause_not_listed_before(facts(charge(diagnoses=(Diagnosis(code="N18.30"), Diagnosis(code="D63.1"))))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.A.13; the tabular list of the date of service. Notes that say "if
known", or name no code, are not judged. Payers' edits differ, so the rule only warns.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.icd.effects import causes_of
from rules.icd.listed import in_question, listed


@rule("ICD-007", Severity.WARN, where=in_question)
def cause_not_listed_before(facts: Facts) -> Iterator[Problem]:
    """What is to be coded first stands before."""
    all_listed = facts.once(listed)
    for index, shown, code, day in all_listed:
        notes = causes_of(facts.tables, code, day)
        causes = [each for each in all_listed if any(note.names(each.code) for note in notes)] if notes else []
        if not notes or any(cause.place < index for cause in causes):
            continue
        behind = next((cause for cause in causes if cause.place > index), None)
        if behind:
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {shown} wants its cause before it, and {behind.shown} stands behind.",
                {"diagnosis": shown, "cause": behind.shown},
                f"List {behind.shown} before it.",
                (Change(at=f"diagnoses[{index}]", op="swap", value=f"diagnoses[{behind.place}]"),),
            )
        else:
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: {shown} wants its cause before it, and none is listed.",
                {"diagnosis": shown},
                "List the cause first, as the note at the code names it.",
            )
