"""A vaccine does not point to the diagnosis of vaccination.

Z23, the encounter for immunization, explains every vaccine given to prevent a disease. Rabies vaccine after a bite
(90675, 90676) is given for the exposure and is left alone.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, line, show
>>> show(vaccine_without_z23(facts(charge(line("90662", diagnoses=("I10",))))))
lines[0].diagnoses
  Line 1: vaccine 90662 points to I10 and not to Z23.
  Add Z23 to the visit and link the vaccine to it.

>>> z23 = (Diagnosis(code="I10"), Diagnosis(code="Z23"))
>>> show(vaccine_without_z23(facts(charge(line("90662", diagnoses=("Z23",)), diagnoses=z23))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.C.21.c.2. Prevents CARC 11.
"""

from collections.abc import Iterator

from charges.model import Change, Charge, ServiceLine, Severity, undotted
from rules.codes.groups import VACCINES
from rules.engine import Facts, Problem, rule

PREVENTIVE_VACCINES = VACCINES - {"90675", "90676"}
VACCINATION = "Z23"
MOST_OF_A_CLAIM, MOST_OF_A_LINE = 12, 4


@rule("IMM-004", Severity.WARN, codes=PREVENTIVE_VACCINES)
def vaccine_without_z23(facts: Facts) -> Iterator[Problem]:
    """A vaccine line points to Z23."""
    for index, line in facts.billed:
        if line.code in PREVENTIVE_VACCINES and VACCINATION not in map(undotted, line.diagnoses):
            named = " ".join(line.diagnoses) or "no diagnosis"
            yield Problem(
                f"lines[{index}].diagnoses",
                f"Line {index + 1}: vaccine {line.code} points to {named} and not to {VACCINATION}.",
                {"code": line.code, "diagnoses": named},
                f"Add {VACCINATION} to the visit and link the vaccine to it.",
                _linked(facts.charge, index, line),
            )


def _linked(charge: Charge, index: int, line: ServiceLine) -> tuple[Change, ...]:
    """Z23 on the visit, unless it is there, and on the line; nothing where either has no room for it."""
    listed = VACCINATION in (undotted(each.code) for each in charge.diagnoses)
    if len(line.diagnoses) >= MOST_OF_A_LINE or (not listed and len(charge.diagnoses) >= MOST_OF_A_CLAIM):
        return ()
    on_the_line = Change(at=f"lines[{index}].diagnoses", op="add", value=VACCINATION)
    return (on_the_line,) if listed else (Change(at="diagnoses", op="add", value={"code": VACCINATION}), on_the_line)
