"""A line says which side was treated, and its diagnosis leaves the side open.

Codes of an unspecified side are for a side that nobody knows. Who treated it knows, and payers ask for the code of the
side.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, line, show
>>> open_ = (Diagnosis(code="M25.569"),)
>>> show(side_left_open(facts(charge(line("20610", "RT", diagnoses=("M25.569",)), diagnoses=open_))))
lines[0].diagnoses
  Line 1: 20610 has RT, and M25.569 leaves the side open.
  Choose the code of the side.

>>> show(side_left_open(facts(charge(line("20610", "RT", diagnoses=("M25.561",)), diagnoses=(Diagnosis(code="M25.561"),)))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.B.13; titles of ICD-10-CM on the date of service. Payers' edits
differ, so the rule only warns. Prevents CARC 11.
"""

from collections.abc import Iterator

from charges.model import Severity, undotted
from rules.engine import Facts, Problem, rule
from rules.icd.sides import OPEN, side_of
from rules.icd.wrong_revision import CHANGE

SIDES = frozenset({"LT", "RT"})


@rule("ICD-012", Severity.WARN, modifiers=SIDES)
def side_left_open(facts: Facts) -> Iterator[Problem]:
    """The diagnosis of a line with a side names the side."""
    for index, line in facts.billed:
        said = SIDES.intersection(line.modifiers)
        if not said or line.service_date is None or line.service_date < CHANGE:
            continue
        modifier = min(said)
        for shown in line.diagnoses:
            if facts.tables.once(side_of, undotted(shown), line.service_date, "icd") == OPEN:
                yield Problem(
                    f"lines[{index}].diagnoses",
                    f"Line {index + 1}: {line.code} has {modifier}, and {shown} leaves the side open.",
                    {"code": line.code, "modifier": modifier, "diagnosis": shown},
                    "Choose the code of the side.",
                )
