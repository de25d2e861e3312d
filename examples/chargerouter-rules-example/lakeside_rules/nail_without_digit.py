"""A nail procedure does not say which finger or toe.

Our auditor counts nail procedures by digit, and without the modifier the second nail of a day looks like the first
entered twice.

>>> from rules.examples import charge, facts, line, show
>>> show(nail_without_digit(facts(charge(line("11730")))))
lines[0].modifiers
  Line 1: 11730 names no finger or toe.
  Add FA to F9 for a finger, or TA to T9 for a toe.

>>> show(nail_without_digit(facts(charge(line("11730", "T5")))))
Nothing to say.

Authority: the practice's own audit plan. NCCI Policy Manual, chapter III, speaks of the modifiers.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule

NAILS = frozenset({"11730", "11740", "11750", "11765"})
DIGITS = frozenset({"FA", "TA"} | {f"{limb}{number}" for limb in "FT" for number in range(1, 10)})


@rule("LAK-001", Severity.WARN, codes=NAILS)
def nail_without_digit(facts: Facts) -> Iterator[Problem]:
    """A nail procedure names the finger or toe."""
    for index, line in facts.billed:
        if line.code in NAILS and DIGITS.isdisjoint(line.modifiers):
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} names no finger or toe.",
                {"code": line.code},
                "Add FA to F9 for a finger, or TA to T9 for a toe.",
            )
