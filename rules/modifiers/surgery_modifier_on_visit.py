"""A modifier for a further surgery stands on a visit.

58, 78 and 79 say that a procedure was done within the days that an earlier one includes: planned, as a return for a
complication, or unrelated. A visit in those days says the same with 24.

>>> from rules.examples import charge, facts, line, show
>>> show(surgery_modifier_on_visit(facts(charge(line("99213", "78")))))
lines[0].modifiers
  Line 1: modifier 78 is for a surgery, and 99213 is a visit.
  Use 24 if the visit had nothing to do with the surgery, or remove the modifier.

>>> show(surgery_modifier_on_visit(facts(charge(line("12032", "79")))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 12, section 40; CPT, appendix A. Payers' edits differ, so the
rule only warns. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import VISITS
from rules.engine import Facts, Problem, rule

FURTHER_SURGERY = frozenset({"58", "78", "79"})


@rule("MOD-007", Severity.WARN, codes=VISITS, modifiers=FURTHER_SURGERY)
def surgery_modifier_on_visit(facts: Facts) -> Iterator[Problem]:
    """58, 78 and 79 stand on procedures."""
    for index, line in facts.billed:
        said = FURTHER_SURGERY.intersection(line.modifiers)
        if said and line.code in VISITS:
            modifier = min(said)
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: modifier {modifier} is for a surgery, and {line.code} is a visit.",
                {"code": line.code, "modifier": modifier},
                "Use 24 if the visit had nothing to do with the surgery, or remove the modifier.",
            )
