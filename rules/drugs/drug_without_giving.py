"""A drug is billed, and nobody billed giving it.

An injected drug was injected or infused by somebody, and that is paid beside it. The patient may have had it given
elsewhere, so this is a reminder and no more. Inhaled and swallowed drugs (J7 and J8) are left alone.

>>> from rules.examples import charge, facts, line, show
>>> show(drug_without_giving(facts(charge(line("99213"), line("J3301")))))
lines[1]
  Line 2: drug J3301 is billed, and giving it is not.
  Add the injection or infusion if it was given here.

>>> show(drug_without_giving(facts(charge(line("20610"), line("J3301")))))
Nothing to say.

Authority: CPT 96360 to 96549 and the injections of surgery; a reminder of the practice's own.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import HANDS_ON, level_two, numbers
from rules.engine import Facts, Problem, rule

INJECTED = level_two("J") - {code for code in level_two("J") if code.startswith(("J7", "J8"))}
GIVING = HANDS_ON | numbers(96360, 96549) | numbers(90460, 90480) | numbers(99151, 99157) | numbers(92920, 93998)


@rule("DRG-005", Severity.INFO, codes=frozenset(INJECTED))
def drug_without_giving(facts: Facts) -> Iterator[Problem]:
    """An injected drug was given."""
    lines = facts.billed
    given = {line.service_date for _, line in lines if line.code in GIVING or line.code.startswith(("C", "G", "Q"))}
    for index, line in lines:
        if line.code in INJECTED and line.service_date not in given and "JW" not in line.modifiers:
            yield Problem(
                f"lines[{index}]",
                f"Line {index + 1}: drug {line.code} is billed, and giving it is not.",
                {"code": line.code},
                "Add the injection or infusion if it was given here.",
            )
