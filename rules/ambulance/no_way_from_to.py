"""A transport does not say from where to where.

Each line of an ambulance carries two letters as one modifier: where the patient was fetched and where brought, RH
from home to hospital. Payers judge by them whether the ride is covered.

>>> from rules.examples import charge, facts, line, show
>>> show(no_way_from_to(facts(charge(line("A0429")))))
lines[0].modifiers
  Line 1: A0429 does not say from where to where.
  Add the two letters, for example RH from home to hospital.

>>> show(no_way_from_to(facts(charge(line("A0429", "RH")))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 15, section 30.A. Prevents CARC 4 and 16.
"""

import re
from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import GROUND_AND_AIR, MILEAGE
from rules.engine import Facts, Problem, rule

RIDES = GROUND_AND_AIR | MILEAGE
WAY = re.compile(r"[DEGHIJNPRSX][DEGHIJNPRSX]")


@rule("AMB-001", Severity.HOLD, codes=RIDES, line_by_line=True)
def no_way_from_to(facts: Facts) -> Iterator[Problem]:
    """An ambulance line says from where to where."""
    for index, line in facts.billed:
        if line.code in RIDES and not any(map(WAY.fullmatch, line.modifiers)):
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} does not say from where to where.",
                {"code": line.code},
                "Add the two letters, for example RH from home to hospital.",
            )
