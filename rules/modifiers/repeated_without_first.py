"""A service is called repeated, and nothing shows the first.

76 and 77 say that the same service was given once more on that day, by the same or another person. Where neither this
charge nor an earlier one has the first, it was forgotten, or the modifier is wrong.

>>> from rules.examples import charge, facts, line, show
>>> show(repeated_without_first(facts(charge(line("71046", "76")))))
lines[0].modifiers
  Line 1: 71046 is repeated by modifier 76, and no first one is known.
  Add the first, or remove the modifier.

>>> show(repeated_without_first(facts(charge(line("71046"), line("71046", "76")))))
Nothing to say.

Authority: CPT, appendix A; the first may have been billed elsewhere, so the rule only warns. Prevents CARC 18.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule

REPEATED = frozenset({"76", "77"})


@rule("MOD-009", Severity.WARN, modifiers=REPEATED)
def repeated_without_first(facts: Facts) -> Iterator[Problem]:
    """A repeated service has a first of the same day."""
    for index, line in facts.billed:
        if REPEATED.isdisjoint(line.modifiers):
            continue
        here = any(
            place != index and each.code == line.code and each.service_date == line.service_date
            for place, each in facts.billed
        )
        if not here and not any(
            each.code == line.code and each.service_date == line.service_date for each in facts.history
        ):
            modifier = next(each for each in line.modifiers if each in REPEATED)
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} is repeated by modifier {modifier}, and no first one is known.",
                {"code": line.code, "modifier": modifier},
                "Add the first, or remove the modifier.",
            )
