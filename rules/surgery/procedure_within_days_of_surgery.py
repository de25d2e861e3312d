"""A procedure falls into the days that an earlier surgery includes, and nothing says why.

In the 10 or 90 days after a surgery the payer takes each procedure of the surgeon for part of it. 58 says it was
planned or more was needed, 78 that a complication led back to the operating room, 79 that it was unrelated.

>>> from datetime import date
>>> from rules.examples import charge, earlier, facts, line, show, tables
>>> known = tables({"fees": [{"code": "27447", "global_days": "090"}, {"code": "12032", "global_days": "010"}]})
>>> replaced = [earlier("27447", date(2026, 10, 17))]
>>> show(procedure_within_days_of_surgery(facts(charge(line("12032")), history=replaced, tables=known)))
lines[0].modifiers
  Line 1: 12032 is within 90 days of 27447 on 2026-10-17 and does not say why.
  Add 79 if it was unrelated, 58 if planned, 78 for a return to the operating room.

>>> show(procedure_within_days_of_surgery(facts(charge(line("12032", "79")), history=replaced, tables=known)))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 12, section 40.1; global days of CMS's physician fee schedule.
Prevents CARC 97.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import HANDS_ON
from rules.engine import Facts, Problem, rendering_npi, rule, seen_before
from rules.fees import global_days
from rules.surgery.periods import reaching

SAID = frozenset({"58", "78", "79"})


@rule("GLB-004", Severity.HOLD, codes=HANDS_ON, where=seen_before)
def procedure_within_days_of_surgery(facts: Facts) -> Iterator[Problem]:
    """A procedure within the days of a surgery by the same provider carries 58, 78 or 79."""
    for index, line in facts.billed if facts.history else ():
        if line.code not in HANDS_ON or line.service_date is None or not SAID.isdisjoint(line.modifiers):
            continue
        for surgery, days in reaching(facts, rendering_npi(facts.charge, line), line.service_date):
            if global_days(facts, line.code, line.service_date) is None:
                break
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} is within {days} days of {surgery.code} on {surgery.service_date} and does "
                "not say why.",
                {"code": line.code, "surgery": surgery.code, "surgery_date": str(surgery.service_date)},
                "Add 79 if it was unrelated, 58 if planned, 78 for a return to the operating room.",
            )
            break
