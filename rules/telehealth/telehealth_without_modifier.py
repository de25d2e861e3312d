"""A telehealth line lacks the modifier the payer asks for.

Many payers know a video visit by its modifier, not by its place of service: 95 or GT for video, 93 or FQ for sound
alone. The practice profile names those each payer takes. Codes that exist for video, telephone or portal only need
none.

>>> from rules.examples import charge, facts, line, show
>>> show(telehealth_without_modifier(facts(charge(line("99213", place_of_service="10")))))
lines[0].modifiers
  Line 1: 99213 was given by telehealth (place 10) and has none of the modifiers 95, 93, GT or FQ.
  Add 95 for video or 93 for sound alone, as the payer asks.

>>> show(telehealth_without_modifier(facts(charge(line("99213", "95", place_of_service="10")))))
Nothing to say.

Authority: the payer's telehealth policy, as the practice profile states it; CPT, appendix A. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, place_of, rule
from rules.telehealth.places import REMOTE_BY_DEFINITION, TELEHEALTH_PLACES


@rule("TEL-002", Severity.HOLD, places=TELEHEALTH_PLACES, line_by_line=True)
def telehealth_without_modifier(facts: Facts) -> Iterator[Problem]:
    """A telehealth line carries a modifier its payer takes."""
    taken = facts.policy.telehealth_modifiers
    if not taken:
        return
    for index, line in facts.billed:
        place = place_of(facts.charge, line)
        if place not in TELEHEALTH_PLACES or line.code in REMOTE_BY_DEFINITION:
            continue
        if not any(modifier in taken for modifier in line.modifiers):
            wanted = f"none of the modifiers {', '.join(taken[:-1])} or {taken[-1]}" if taken[1:] else f"no {taken[0]}"
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} was given by telehealth (place {place}) and has {wanted}.",
                {"code": line.code, "place_of_service": place},
                "Add 95 for video or 93 for sound alone, as the payer asks.",
                (Change(at=f"lines[{index}].modifiers", op="add", value=taken[0]),) if len(taken) == 1 else (),
            )
