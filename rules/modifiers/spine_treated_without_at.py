"""A chiropractic treatment does not say that it was active.

Medicare pays for moving the spine while it helps, and not to keep a state. AT says that the treatment was active; a
line without it is taken for maintenance and denied.

>>> from rules.examples import MEDICARE, charge, facts, line, show
>>> show(spine_treated_without_at(facts(charge(line("98941"), coverages=(MEDICARE,)))))
lines[0].modifiers
  Line 1: 98941 has no AT, and Medicare takes it for maintenance.
  Add AT if the treatment was active, or GA if the patient signed that Medicare may not pay.

>>> show(spine_treated_without_at(facts(charge(line("98941", "AT"), coverages=(MEDICARE,)))))
Nothing to say.

Authority: Medicare Benefit Policy Manual, chapter 15, section 240.1.3; HCPCS modifier AT. Maintenance may be billed
for a denial, so the rule only warns. Prevents CARC 50 and 96.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import numbers
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first

SPINE = numbers(98940, 98942)
SAID = frozenset({"AT", "GA", "GY", "GZ"})


@rule("MOD-015", Severity.WARN, codes=SPINE)
def spine_treated_without_at(facts: Facts) -> Iterator[Problem]:
    """Chiropractic treatment for Medicare carries AT while it is active."""
    if not medicare_first(facts.charge):
        return
    for index, line in facts.billed:
        if line.code in SPINE and SAID.isdisjoint(line.modifiers):
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} has no AT, and Medicare takes it for maintenance.",
                {"code": line.code},
                "Add AT if the treatment was active, or GA if the patient signed that Medicare may not pay.",
            )
