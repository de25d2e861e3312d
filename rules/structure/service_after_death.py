"""The service is dated after the patient's death.

Either the date of death or the date of service is wrong, or the line belongs to another patient. Payers deny any service
after the day on their file.

>>> from datetime import date
>>> from rules.examples import PATIENT, charge, facts, show
>>> died = PATIENT.model_copy(update={"death_date": date(2026, 11, 10)})
>>> show(service_after_death(facts(charge(patient=died))))
lines[0].service_date
  Line 1: 99213 is dated 2026-11-16, after the patient's death on 2026-11-10.
  Correct the date of service or of death, or move the line to the right patient.

>>> show(service_after_death(facts(charge(patient=PATIENT.model_copy(update={"death_date": date(2026, 11, 16)})))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loops 2000B and 2000C, PAT06; the text of CARC 13. Prevents CARC 13.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual


@rule("STR-020", Severity.HOLD, where=unusual)
def service_after_death(facts: Facts) -> Iterator[Problem]:
    """No service is dated after the patient's death."""
    died = facts.charge.patient.death_date
    if died is None:
        return
    for index, line in facts.billed:
        if line.service_date and line.service_date > died:
            yield Problem(
                f"lines[{index}].service_date",
                f"Line {index + 1}: {line.code} is dated {line.service_date}, after the patient's death on {died}.",
                {"service_date": str(line.service_date), "death_date": str(died)},
                "Correct the date of service or of death, or move the line to the right patient.",
            )
