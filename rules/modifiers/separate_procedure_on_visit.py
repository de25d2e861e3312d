"""A visit is called a separate procedure.

59 and the X modifiers part procedures from each other. A visit is parted from a procedure with 25; with 59 on it the
payer sees no reason to pay both.

>>> from rules.examples import charge, facts, line, show
>>> show(separate_procedure_on_visit(facts(charge(line("99213", "59"), line("20610")))))
lines[0].modifiers
  Line 1: modifier 59 is for procedures, and 99213 is a visit.
  Use 25 if the visit was separate, or remove the modifier.

>>> show(separate_procedure_on_visit(facts(charge(line("99213", "25"), line("20610")))))
Nothing to say.

Authority: CMS, Proper Use of Modifiers 59 and X{EPSU} (MLN1783722): for services other than evaluation and
management; NCCI Policy Manual, chapter I. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.codes.groups import VISITS
from rules.engine import Facts, Problem, rule
from rules.ncci.pairs import SEPARATE


@rule("MOD-008", Severity.HOLD, codes=VISITS, modifiers=SEPARATE, line_by_line=True)
def separate_procedure_on_visit(facts: Facts) -> Iterator[Problem]:
    """59, XE, XP, XS and XU stand on procedures."""
    for index, line in facts.billed:
        if line.code in VISITS and not SEPARATE.isdisjoint(line.modifiers):
            modifier = next(each for each in line.modifiers if each in SEPARATE)
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: modifier {modifier} is for procedures, and {line.code} is a visit.",
                {"code": line.code, "modifier": modifier},
                "Use 25 if the visit was separate, or remove the modifier.",
                (Change(at=f"lines[{index}].modifiers[{line.modifiers.index(modifier)}]", op="set", value="25"),),
            )
