"""A line says telehealth and a place where the patient was present.

Modifiers 95, 93, GT and FQ say the patient was elsewhere; then the place is 02 (elsewhere) or 10 (at home). Some
payers still want the place where the visit would have been, so this only warns.

>>> from rules.examples import charge, facts, line, show
>>> show(telehealth_modifier_at_office(facts(charge(line("99213", "95", place_of_service="11")))))
lines[0].place_of_service
  Line 1: modifier 95 on 99213 says telehealth, and place 11 says the patient was there.
  Set the place to 10 or 02, or remove the modifier.

>>> show(telehealth_modifier_at_office(facts(charge(line("99213", place_of_service="11")))))
Nothing to say.

Authority: CPT, appendix A; CMS Place of Service Code Set. Prevents CARC 5.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, place_of, rule
from rules.telehealth.places import TELEHEALTH_MODIFIERS, TELEHEALTH_PLACES


@rule("TEL-003", Severity.WARN, modifiers=TELEHEALTH_MODIFIERS, line_by_line=True)
def telehealth_modifier_at_office(facts: Facts) -> Iterator[Problem]:
    """A telehealth modifier goes with place 02 or 10."""
    for index, line in facts.billed:
        if TELEHEALTH_MODIFIERS.isdisjoint(line.modifiers):
            continue
        place = place_of(facts.charge, line)
        if place and place not in TELEHEALTH_PLACES:
            modifier = next(each for each in line.modifiers if each in TELEHEALTH_MODIFIERS)
            yield Problem(
                f"lines[{index}].place_of_service",
                f"Line {index + 1}: modifier {modifier} on {line.code} says telehealth, "
                f"and place {place} says the patient was there.",
                {"modifier": modifier, "place_of_service": place},
                "Set the place to 10 or 02, or remove the modifier.",
            )
