"""An anesthesia line says two physical states of the patient.

P1 to P6 tell how ill the patient was, and some payers pay more for P3 and above. A patient is in one of the six.

>>> from rules.examples import charge, facts, line, show
>>> show(two_physical_states(facts(charge(line("00100", "AA", "P1", "P3")))))
lines[0].modifiers
  Line 1: 00100 has the physical states P1 and P3.
  Keep the one on the anesthesia record.

>>> show(two_physical_states(facts(charge(line("00100", "AA", "P3")))))
Nothing to say.

Authority: CPT, guidelines of anesthesia, physical status modifiers. Payers' edits differ, so the rule only warns.
Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule

STATES = frozenset({"P1", "P2", "P3", "P4", "P5", "P6"})


@rule("ANE-003", Severity.WARN, modifiers=STATES)
def two_physical_states(facts: Facts) -> Iterator[Problem]:
    """A line says one physical state."""
    for index, line in facts.billed:
        said = sorted(STATES.intersection(line.modifiers))
        if len(said) > 1:
            seen = " and ".join(said)
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} has the physical states {seen}.",
                {"code": line.code, "states": seen},
                "Keep the one on the anesthesia record.",
            )
