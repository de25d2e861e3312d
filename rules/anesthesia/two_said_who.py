"""An anesthesia line says in two ways who gave it.

AA, QZ and the others exclude each other: each has a price of its own. The physician's half and the nurse's half of
one anesthesia are two lines.

>>> from rules.examples import charge, facts, line, show
>>> show(two_said_who(facts(charge(line("00100", "AA", "QZ")))))
lines[0].modifiers
  Line 1: 00100 was given by AA and QZ at once.
  Keep the one that is true, or bill a line for each person.

>>> show(two_said_who(facts(charge(line("00100", "AA", "QS")))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 12, section 50.K. The section is to be checked again, so the
rule only warns. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule

WHO = frozenset({"AA", "AD", "QK", "QX", "QY", "QZ"})


@rule("ANE-004", Severity.WARN, modifiers=WHO)
def two_said_who(facts: Facts) -> Iterator[Problem]:
    """A line says once who gave the anesthesia."""
    for index, line in facts.billed:
        said = sorted(WHO.intersection(line.modifiers))
        if len(said) > 1:
            seen = " and ".join(said)
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} was given by {seen} at once.",
                {"code": line.code, "modifiers": seen},
                "Keep the one that is true, or bill a line for each person.",
            )
