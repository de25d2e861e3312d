"""Blood was tested at the practice, and nobody billed the drawing of it.

Drawing blood from a vein is paid beside the tests and is among the services that are forgotten most. It may have been
drawn elsewhere or from a finger, so this is a reminder and no more.

>>> from rules.examples import charge, facts, line, show
>>> show(blood_test_without_draw(facts(charge(line("80053"), line("85025")))))
lines[0]
  Line 1: blood was tested (80053), and its drawing is not billed.
  Add 36415 if the blood was drawn here.

>>> show(blood_test_without_draw(facts(charge(line("80053"), line("36415")))))
Nothing to say.

Authority: CPT 36415, status X of CMS's physician fee schedule, paid by the laboratory schedule; a reminder of the
practice's own.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import listed, numbers
from rules.engine import Facts, Problem, rule

FROM_A_VEIN = numbers(80047, 80076) | listed("82306 82607 82728 82746 83540 84153 84402 84403 84439 84443 85025 85027")
DRAWN = ("3641", "3659", "G0471")
"""How the codes for drawing blood begin."""


@rule("LAB-007", Severity.INFO, codes=FROM_A_VEIN)
def blood_test_without_draw(facts: Facts) -> Iterator[Problem]:
    """Blood that was tested here was drawn."""
    lines = facts.billed
    if any(line.code.startswith(DRAWN) for _, line in lines):
        return
    drawn = {each.service_date for each in facts.history if each.code.startswith(DRAWN)}
    for index, line in lines:
        if line.code in FROM_A_VEIN and "90" not in line.modifiers and line.service_date not in drawn:
            yield Problem(
                f"lines[{index}]",
                f"Line {index + 1}: blood was tested ({line.code}), and its drawing is not billed.",
                {"code": line.code},
                "Add 36415 if the blood was drawn here.",
            )
            return
