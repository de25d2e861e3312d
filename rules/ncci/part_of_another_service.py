"""A line is part of another of the same day, and no modifier may part the two.

NCCI names pairs of codes of which one holds the other: a colonoscopy with removal holds the one that only looks. With
indicator 0 the lesser code is never paid beside the greater one, whatever the modifier, and it may not be billed to
the patient instead.

>>> from rules.examples import charge, facts, line, show
>>> show(part_of_another_service(facts(charge(line("43239"), line("43235")))))
lines[1]
  Line 2: 43235 is part of 43239 of the same day, and no modifier parts them.
  Remove the line.

>>> show(part_of_another_service(facts(charge(line("80053"), line("85025")))))
Nothing to say.

Authority: NCCI procedure-to-procedure edits in force on the date of service, indicator 0; NCCI Policy Manual, chapter
I. Medicaid's own tables differ in some pairs. Prevents CARC 97 and 236.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.ncci.pairs import pairs


@rule("NCC-001", Severity.HOLD, where=pairs)
def part_of_another_service(facts: Facts) -> Iterator[Problem]:
    """No line is part of another of the same day and provider."""
    for (_, paid), (index, line), edit in facts.once(pairs):
        if edit.modifier_indicator == "0":
            yield Problem(
                f"lines[{index}]",
                f"Line {index + 1}: {line.code} is part of {paid.code} of the same day, and no modifier parts them.",
                {"code": line.code, "part_of": paid.code},
                "Remove the line.",
                (Change(at=f"lines[{index}]", op="remove"),),
            )
