"""Two services of one day belong together unless a modifier says that they were apart.

NCCI pairs with indicator 1 may be billed side by side when they were done at another site, in another session or for
another reason, and a modifier on either line says so. Without one the column 2 line is denied. Visits beside minor
procedures, vaccinations, check-ups and other visits are left to the rules about those.

>>> from rules.examples import charge, facts, line, show
>>> show(not_said_to_be_separate(facts(charge(line("45385"), line("45380")))))
lines[1].modifiers
  Line 2: 45380 belongs to 45385 of the same day, and no modifier says it was separate.
  Add what is true: XS another site, XE another time, XP another person, XU or 59; or remove the line.

>>> show(not_said_to_be_separate(facts(charge(line("45385"), line("45380", "XS")))))
Nothing to say.

Authority: NCCI procedure-to-procedure edits in force on the date of service, indicator 1, and the modifiers of NCCI
Policy Manual, chapter I, section E. Prevents CARC 97 and 236.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import (
    EVALUATION_AND_MANAGEMENT,
    MINOR_PROCEDURES,
    OFFICE_VISITS,
    PREVENTIVE_VISITS,
    VACCINE_ADMINISTRATION,
    WELLNESS_VISITS,
)
from rules.engine import Facts, Problem, rule
from rules.ncci.pairs import pairs
from rules.visits.beside import marked

CHECK_UPS = PREVENTIVE_VISITS | WELLNESS_VISITS
TOLD_ELSEWHERE = (
    (OFFICE_VISITS, MINOR_PROCEDURES | CHECK_UPS | OFFICE_VISITS),
    (OFFICE_VISITS | PREVENTIVE_VISITS, VACCINE_ADMINISTRATION),
)
"""Visits, and what stands beside them by rules of their own."""


@rule("NCC-002", Severity.HOLD, where=pairs)
def not_said_to_be_separate(facts: Facts) -> Iterator[Problem]:
    """Lines that belong together carry a modifier that parts them, or one of them goes."""
    for (_, paid), (index, line), edit in facts.once(pairs):
        if edit.modifier_indicator != "1" or _told_elsewhere(paid.code, line.code):
            continue
        visit = line.code in EVALUATION_AND_MANAGEMENT
        yield Problem(
            f"lines[{index}].modifiers",
            f"Line {index + 1}: {line.code} belongs to {paid.code} of the same day, and no modifier says it was separate.",
            {"code": line.code, "belongs_to": paid.code},
            "Add 25 to the visit if it was separate, or remove it."
            if visit
            else "Add what is true: XS another site, XE another time, XP another person, XU or 59; or remove the line.",
            marked(index, line) if visit else (),
        )


def _told_elsewhere(one: str, other: str) -> bool:
    return any(
        (one in visits and other in beside) or (other in visits and one in beside) for visits, beside in TOLD_ELSEWHERE
    )
