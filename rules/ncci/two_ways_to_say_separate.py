"""A line says twice that the service was separate.

XE, XP, XS and XU are the exact ways to say what 59 says in general. A line has one of the five, and the exact one
where it fits; payers return lines with two.

>>> from rules.examples import charge, facts, line, show
>>> show(two_ways_to_say_separate(facts(charge(line("45380", "59", "XS")))))
lines[0].modifiers
  Line 1: 45380 is said to be separate by 59 and XS.
  Keep the one that says best why it was separate.

>>> show(two_ways_to_say_separate(facts(charge(line("45380", "XS")))))
Nothing to say.

Authority: CMS, Proper Use of Modifiers 59 and X{EPSU} (MLN1783722). That two are returned is payers' own practice, so
the rule only warns. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.ncci.pairs import SEPARATE


@rule("NCC-004", Severity.WARN, modifiers=SEPARATE, line_by_line=True)
def two_ways_to_say_separate(facts: Facts) -> Iterator[Problem]:
    """A line carries one of 59, XE, XP, XS and XU."""
    for index, line in facts.billed:
        said = [each for each in line.modifiers if each in SEPARATE]
        exact = [each for each in said if each != "59"]
        if len(set(said)) > 1:
            seen = " and ".join(dict.fromkeys(said))
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} is said to be separate by {seen}.",
                {"code": line.code, "modifiers": seen},
                "Keep the one that says best why it was separate.",
                (Change(at=f"lines[{index}].modifiers[{line.modifiers.index('59')}]", op="remove"),)
                if len(said) == 2 and len(exact) == 1
                else (),
            )
