"""A procedure code of CPT is unknown on the day of service.

CPT changes each January. A deleted code is denied, and what replaced it is often paid otherwise. Judged by Medicare's
fee schedule of the day, which names nearly every code of CPT, paid or not.

>>> from rules.examples import charge, facts, line, show
>>> show(procedure_in_no_schedule(facts(charge(line("99241")))))
lines[0].code
  Line 1: 99241 is in no fee schedule of 2026-11-16.
  Check that the code was in force on the day of service.

>>> show(procedure_in_no_schedule(facts(charge(line("99213")))))
Nothing to say.

Authority: CMS's physician fee schedule of the date of service; 45 CFR 162.1002. The schedule leaves out a few codes
in force, laboratory panels of makers among them, so the rule only warns. Prevents CARC 181.
"""

import re
from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import ANESTHESIA, numbers
from rules.engine import Facts, Problem, rule
from rules.ordinary_line import unusual_fee

OF_CPT = re.compile(r"[0-9]{5}|[0-9]{4}T")
TOLD_ELSEWHERE = numbers(99441, 99443) | ANESTHESIA
"""Telephone visits, of which a rule of telehealth speaks; and anesthesia, which has a schedule of its own."""


@rule("COD-003", Severity.WARN, line_where=unusual_fee, line_by_line=True)
def procedure_in_no_schedule(facts: Facts) -> Iterator[Problem]:
    """A procedure of CPT is in the fee schedule of its day."""
    for index, line in facts.billed:
        if line.service_date is None or line.code in TOLD_ELSEWHERE or not OF_CPT.fullmatch(line.code):
            continue
        if facts.tables.fee(line.code, line.service_date) is None:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: {line.code} is in no fee schedule of {line.service_date}.",
                {"code": line.code, "service_date": str(line.service_date)},
                "Check that the code was in force on the day of service.",
            )
