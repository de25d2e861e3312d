"""Two modifiers on a line say opposite things.

26 is the reading of a test and TC its making: both together are the whole test, which has no modifier. JW says some of
the vial was discarded, JZ that none was. GA says the patient signed that Medicare may not pay, GZ that nobody did.
GT and 95 are two ways to say the same thing about telehealth.

>>> from rules.examples import charge, facts, line, show
>>> show(contradicting_modifiers(facts(charge(line("71046", "26", "TC")))))
lines[0].modifiers
  Line 1: modifiers 26 and TC on 71046 contradict each other.
  Keep the one that is true.

>>> show(contradicting_modifiers(facts(charge(line("71046", "26")))))
Nothing to say.

Authority: the definitions in CPT, appendix A, and CMS's HCPCS file; for JW and JZ the Medicare Claims Processing
Manual, chapter 17, section 40. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule

PAIRS = (("26", "TC"), ("GT", "95"), ("JW", "JZ"), ("GA", "GZ"))


@rule("MOD-011", Severity.HOLD, modifiers=frozenset(one for one, _ in PAIRS), line_by_line=True)
def contradicting_modifiers(facts: Facts) -> Iterator[Problem]:
    """No two modifiers of a line contradict each other."""
    for index, line in facts.billed:
        if len(line.modifiers) < 2:
            continue
        for one, other in PAIRS:
            if one in line.modifiers and other in line.modifiers:
                yield Problem(
                    f"lines[{index}].modifiers",
                    f"Line {index + 1}: modifiers {one} and {other} on {line.code} contradict each other.",
                    {"code": line.code, "modifiers": f"{one} and {other}"},
                    "Keep the one that is true.",
                )
