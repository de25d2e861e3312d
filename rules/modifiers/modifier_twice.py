"""The same modifier stands twice on a line.

A line has room for four modifiers; a repeated one takes a place, says nothing new, and some payers reject the line.

>>> from rules.examples import charge, facts, line, show
>>> show(modifier_twice(facts(charge(line("99213", "25", "25")))))
lines[0].modifiers
  Line 1: 99213 has modifier 25 more than once.
  Remove the repeated modifier.

>>> show(modifier_twice(facts(charge(line("93306", "26", "59")))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 23. The section is to be checked again, so the rule only warns.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary_line import unusual_line


@rule("MOD-010", Severity.WARN, line_where=unusual_line, line_by_line=True)
def modifier_twice(facts: Facts) -> Iterator[Problem]:
    """No modifier stands twice on a line."""
    for index, line in facts.billed:
        if len(set(line.modifiers)) == len(line.modifiers):
            continue
        for modifier in sorted({each for each in line.modifiers if line.modifiers.count(each) > 1}):
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} has modifier {modifier or '(blank)'} more than once.",
                {"code": line.code, "modifier": modifier},
                "Remove the repeated modifier.",
                tuple(
                    Change(at=f"lines[{index}].modifiers[{place}]", op="remove")
                    for place in range(len(line.modifiers) - 1, line.modifiers.index(modifier), -1)
                    if line.modifiers[place] == modifier
                ),
            )
