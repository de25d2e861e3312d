"""A visit or laboratory test names a finger, toe, eyelid or artery.

These modifiers say where a procedure was done. A visit or a blood test has no such place, and the payer takes the
line for a mistake.

>>> from rules.examples import charge, facts, line, show
>>> show(body_part_of_visit_or_test(facts(charge(line("99213", "F1")))))
lines[0].modifiers
  Line 1: F1 names a part of the body, and 99213 has none.
  Remove the modifier, or move it to the procedure's line.

>>> show(body_part_of_visit_or_test(facts(charge(line("11730", "TA")))))
Nothing to say.

Authority: HCPCS modifiers E1 to E4, FA to F9, TA to T9, LC, LD, LM, RC and RI. Payers' edits differ, so the rule only
warns. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.codes.groups import LABORATORY, VISITS
from rules.engine import Facts, Problem, rule
from rules.ncci.pairs import SITES

PARTS = SITES - {"LT", "RT"}
NO_PLACE = VISITS | LABORATORY


@rule("MOD-019", Severity.WARN, codes=NO_PLACE, modifiers=PARTS)
def body_part_of_visit_or_test(facts: Facts) -> Iterator[Problem]:
    """A part of the body is named on procedures only."""
    for index, line in facts.billed:
        said = PARTS.intersection(line.modifiers)
        if said and line.code in NO_PLACE:
            modifier = min(said)
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {modifier} names a part of the body, and {line.code} has none.",
                {"code": line.code, "modifier": modifier},
                "Remove the modifier, or move it to the procedure's line.",
                (Change(at=f"lines[{index}].modifiers[{line.modifiers.index(modifier)}]", op="remove"),),
            )
