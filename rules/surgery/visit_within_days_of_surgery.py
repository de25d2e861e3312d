"""A visit falls into the days that a surgery includes, and nothing says that it had another reason.

The price of a surgery holds the visits after it for 10 or 90 days. A visit of the surgeon in that time is paid when
it had nothing to do with the surgery, and modifier 24 says so.

>>> from datetime import date
>>> from rules.examples import charge, earlier, facts, line, show, tables
>>> known = tables({"fees": [{"code": "12032", "global_days": "010"}]})
>>> stitched = [earlier("12032", date(2026, 11, 11))]
>>> show(visit_within_days_of_surgery(facts(charge(line("99213")), history=stitched, tables=known)))
lines[0].modifiers
  Line 1: visit 99213 is within 10 days of 12032 on 2026-11-11 and has no 24.
  Add 24 if the visit had another reason, or record it as 99024 without charge.

>>> show(visit_within_days_of_surgery(facts(charge(line("99213", "24")), history=stitched, tables=known)))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 12, section 40.1; global days of CMS's physician fee schedule on
the date of the surgery. Prevents CARC 97.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import EYE_EXAMS, HOSPITAL_VISITS, OFFICE_VISITS
from rules.engine import Facts, Problem, rendering_npi, rule, seen_before
from rules.surgery.periods import reaching
from rules.visits.beside import marked

INCLUDED = OFFICE_VISITS | HOSPITAL_VISITS | EYE_EXAMS


@rule("GLB-001", Severity.HOLD, codes=INCLUDED, where=seen_before)
def visit_within_days_of_surgery(facts: Facts) -> Iterator[Problem]:
    """A visit within the days of a surgery by the same provider carries 24."""
    for index, line in facts.billed if facts.history else ():
        if line.code not in INCLUDED or line.service_date is None or "24" in line.modifiers:
            continue
        for surgery, days in reaching(facts, rendering_npi(facts.charge, line), line.service_date):
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: visit {line.code} is within {days} days of {surgery.code} on {surgery.service_date} "
                "and has no 24.",
                {"code": line.code, "surgery": surgery.code, "surgery_date": str(surgery.service_date)},
                "Add 24 if the visit had another reason, or record it as 99024 without charge.",
                marked(index, line, "24"),
            )
            break
