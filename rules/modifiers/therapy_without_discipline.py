"""A therapy line does not say which therapy it was.

Medicare counts physical and speech therapy against one yearly amount and occupational therapy against another. GP, GN
and GO tell them apart; codes that are always therapy are returned without one.

>>> from rules.examples import MEDICARE, charge, facts, line, show
>>> show(therapy_without_discipline(facts(charge(line("97110"), coverages=(MEDICARE,)))))
lines[0].modifiers
  Line 1: 97110 does not say which therapy it was.
  Add GP for physical, GO for occupational or GN for speech therapy.

>>> show(therapy_without_discipline(facts(charge(line("97110", "GP"), coverages=(MEDICARE,)))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 5, section 20.1. The list of codes is to be checked again, so
the rule only warns. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import listed
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first

DISCIPLINES = frozenset({"GP", "GO", "GN"})
ALWAYS_THERAPY = listed("""
    92507 92508 92526 97012 97016 97018 97022 97024 97026 97028 97032 97033 97034 97035 97036 97110 97112 97113 97116
    97124 97140 97150 97161 97162 97163 97164 97165 97166 97167 97168 97530 97533 97535 97537 97542 97750 97755 97760
    97761 97763 G0283
""")


@rule("MOD-016", Severity.WARN, codes=ALWAYS_THERAPY)
def therapy_without_discipline(facts: Facts) -> Iterator[Problem]:
    """A therapy line for Medicare carries GP, GO or GN."""
    if not medicare_first(facts.charge):
        return
    for index, line in facts.billed:
        if line.code in ALWAYS_THERAPY and DISCIPLINES.isdisjoint(line.modifiers):
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} does not say which therapy it was.",
                {"code": line.code},
                "Add GP for physical, GO for occupational or GN for speech therapy.",
            )
