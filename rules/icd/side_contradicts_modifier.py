"""A line treats one side, and its diagnosis is of the other.

RT and LT say which side was treated, and many diagnoses say which side is ill. A right knee injected for the
arthrosis of the left is denied, or treated as a mistake in the record.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, line, show
>>> right = (Diagnosis(code="M17.11"),)
>>> show(side_contradicts_modifier(facts(charge(line("20610", "LT", diagnoses=("M17.11",)), diagnoses=right))))
lines[0].modifiers
  Line 1: 20610 has LT, and M17.11 is of the right side.
  Correct the side or the diagnosis.

>>> show(side_contradicts_modifier(facts(charge(line("20610", "RT", diagnoses=("M17.11",)), diagnoses=right))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.B.13; titles of ICD-10-CM on the date of service. What is treated
may differ from what is ill, so the rule only warns. Prevents CARC 4 and 11.
"""

from collections.abc import Iterator

from charges.model import Severity, undotted
from rules.engine import Facts, Problem, rule
from rules.icd.sides import LEFT, RIGHT, side_of
from rules.icd.wrong_revision import CHANGE

SIDES = frozenset({"LT", "RT"})
OTHER = {"LT": RIGHT, "RT": LEFT}


@rule("ICD-011", Severity.WARN, modifiers=SIDES)
def side_contradicts_modifier(facts: Facts) -> Iterator[Problem]:
    """The side of a line is the side of one of its diagnoses."""
    for index, line in facts.billed:
        said = SIDES.intersection(line.modifiers)
        if len(said) != 1 or line.service_date is None or line.service_date < CHANGE:
            continue
        modifier = min(said)
        sides = {each: facts.tables.once(side_of, undotted(each), line.service_date, "icd") for each in line.diagnoses}
        contradicting = [each for each, side in sides.items() if side == OTHER[modifier]]
        if contradicting and set(sides.values()) <= {OTHER[modifier], ""}:
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} has {modifier}, and {contradicting[0]} is of the {OTHER[modifier]} side.",
                {"code": line.code, "modifier": modifier, "diagnosis": contradicting[0]},
                "Correct the side or the diagnosis.",
            )
