"""A drug was discarded, and none of it was given.

The line with JW says how much of a vial was thrown away; what the patient got stands on a line of its own without JW.
Waste alone is denied.

>>> from rules.examples import charge, facts, line, show
>>> show(waste_without_use(facts(charge(line("J9035", "JW")))))
lines[0]
  Line 1: J9035 was discarded (JW), and no line says what was given.
  Add the line for what was given.

>>> show(waste_without_use(facts(charge(line("J9035"), line("J9035", "JW")))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 17, section 40. The rest may stand on another claim, so the rule
only warns. Prevents CARC 16.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule


@rule("DRG-004", Severity.WARN, modifiers=frozenset({"JW"}))
def waste_without_use(facts: Facts) -> Iterator[Problem]:
    """A line with JW stands beside what was given."""
    lines = facts.billed
    given = {(line.code, line.service_date) for _, line in lines if "JW" not in line.modifiers}
    for index, line in lines:
        if "JW" in line.modifiers and (line.code, line.service_date) not in given:
            yield Problem(
                f"lines[{index}]",
                f"Line {index + 1}: {line.code} was discarded (JW), and no line says what was given.",
                {"code": line.code},
                "Add the line for what was given.",
            )
