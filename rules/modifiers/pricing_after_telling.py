"""A modifier that changes the price stands behind one that only tells.

Payers read the first modifier for the price. 26, TC, 62, 66 and those of assistants belong in front; behind 59 or LT
they are overlooked, and the line is paid as if they were not there.

>>> from rules.examples import charge, facts, line, show
>>> show(pricing_after_telling(facts(charge(line("93306", "59", "26")))))
lines[0].modifiers
  Line 1: 26 on 93306 changes the price and stands behind 59.
  Put 26 first.

>>> show(pricing_after_telling(facts(charge(line("93306", "26", "59")))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 23, on the order of modifiers. The section is to be checked
again, so the rule only warns. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule

PRICING = frozenset({"26", "TC", "62", "66", "80", "81", "82", "AS"})


@rule("MOD-021", Severity.WARN, modifiers=PRICING)
def pricing_after_telling(facts: Facts) -> Iterator[Problem]:
    """Modifiers that change the price stand first."""
    for index, line in facts.billed:
        if not line.modifiers or line.modifiers[0] in PRICING or PRICING.isdisjoint(line.modifiers):
            continue
        place = next(place for place, each in enumerate(line.modifiers) if each in PRICING)
        first, modifier = line.modifiers[0], line.modifiers[place]
        yield Problem(
            f"lines[{index}].modifiers",
            f"Line {index + 1}: {modifier} on {line.code} changes the price and stands behind {first}.",
            {"code": line.code, "modifier": modifier, "first": first},
            f"Put {modifier} first.",
            (Change(at=f"lines[{index}].modifiers[0]", op="swap", value=f"lines[{index}].modifiers[{place}]"),),
        )
