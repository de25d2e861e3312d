"""A visit is called unusual work.

22 asks for more money because a procedure was far harder than usual, with a report to show it. A visit has levels and
prolonged services for that; payers ignore or deny 22 on it.

>>> from rules.examples import charge, facts, line, show
>>> show(unusual_work_on_visit(facts(charge(line("99213", "22")))))
lines[0].modifiers
  Line 1: 22 is for procedures, and 99213 is a visit.
  Remove 22 and choose the level by the work or the time.

>>> show(unusual_work_on_visit(facts(charge(line("47562", "22")))))
Nothing to say.

Authority: CPT, appendix A, modifier 22; Medicare Claims Processing Manual, chapter 12, section 40.2. Payers' edits
differ, so the rule only warns. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.codes.groups import VISITS
from rules.engine import Facts, Problem, rule


@rule("MOD-018", Severity.WARN, codes=VISITS, modifiers=frozenset({"22"}))
def unusual_work_on_visit(facts: Facts) -> Iterator[Problem]:
    """22 stands on procedures."""
    for index, line in facts.billed:
        if "22" in line.modifiers and line.code in VISITS:
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: 22 is for procedures, and {line.code} is a visit.",
                {"code": line.code},
                "Remove 22 and choose the level by the work or the time.",
                (Change(at=f"lines[{index}].modifiers[{line.modifiers.index('22')}]", op="remove"),),
            )
