"""A line says "both sides" and names a side as well.

Modifier 50 means the procedure was done on both sides. RT or LT beside it takes that back, and the payer cannot tell
whether to pay one side or two.

>>> from rules.examples import charge, facts, line, show
>>> show(both_sides_said_twice(facts(charge(line("20610", "50", "RT")))))
lines[0].modifiers
  Line 1: 20610 has modifier 50 for both sides and RT for one.
  Keep 50 for both sides, or the side that was treated.

>>> show(both_sides_said_twice(facts(charge(line("20610", "50")))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 12, section 40.7. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule

SIDES = frozenset({"LT", "RT"})


@rule("MOD-004", Severity.HOLD, modifiers=frozenset({"50"}), line_by_line=True)
def both_sides_said_twice(facts: Facts) -> Iterator[Problem]:
    """Modifier 50 stands without RT and LT."""
    for index, line in facts.billed:
        if "50" not in line.modifiers:
            continue
        sides = " and ".join(side for side in ("LT", "RT") if side in line.modifiers)
        if sides:
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} has modifier 50 for both sides and {sides} for one.",
                {"code": line.code, "sides": sides},
                "Keep 50 for both sides, or the side that was treated.",
                tuple(
                    Change(at=f"lines[{index}].modifiers[{place}]", op="remove")
                    for place in reversed(range(len(line.modifiers)))
                    if line.modifiers[place] in SIDES
                )
                if SIDES.issubset(line.modifiers)
                else (),
            )
