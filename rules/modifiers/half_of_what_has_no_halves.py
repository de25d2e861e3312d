"""A line bills half of a service that has no halves.

26 is the reading of a test and TC its making. Only some services are made of the two; a visit, a tracing alone or a
reading alone is not, and the payer denies the line.

>>> from rules.examples import charge, facts, line, show, tables
>>> known = tables({"fees": [{"code": "93010", "pc_tc": "2"}, {"code": "71046", "pc_tc": "1"}]})
>>> show(half_of_what_has_no_halves(facts(charge(line("93010", "26")), tables=known)))
lines[0].modifiers
  Line 1: 93010 cannot carry 26 (PC/TC indicator 2).
  Remove the modifier, or choose the code of the half.

>>> show(half_of_what_has_no_halves(facts(charge(line("71046", "26")), tables=known)))
Nothing to say.

Authority: PC/TC indicator of CMS's physician fee schedule on the date of service (1: both halves; 6: the reading
only). Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.fees import fee_of

HALVES = frozenset({"26", "TC"})
ALLOWED = {"1": HALVES, "6": frozenset({"26"})}


@rule("MOD-001", Severity.HOLD, modifiers=HALVES, line_by_line=True)
def half_of_what_has_no_halves(facts: Facts) -> Iterator[Problem]:
    """26 and TC stand on services that are made of two halves."""
    for index, line in facts.billed:
        said = HALVES.intersection(line.modifiers)
        fee = fee_of(facts, line) if said else None
        if fee and fee.pc_tc and (wrong := said - ALLOWED.get(fee.pc_tc, frozenset())):
            modifier = min(wrong)
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} cannot carry {modifier} (PC/TC indicator {fee.pc_tc}).",
                {"code": line.code, "modifier": modifier, "pc_tc": fee.pc_tc},
                "Remove the modifier, or choose the code of the half.",
                tuple(
                    Change(at=f"lines[{index}].modifiers[{place}]", op="remove")
                    for place in reversed(range(len(line.modifiers)))
                    if line.modifiers[place] in wrong
                ),
            )
