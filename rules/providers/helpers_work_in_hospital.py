"""Work of the practice's helpers is billed from a hospital.

An injection by the nurse, and all that is done incident to the physician, is paid at the office. In a hospital the
helpers are the hospital's, and the physician may not bill for them.

>>> from rules.examples import charge, facts, line, show, tables
>>> known = tables({"fees": [{"code": "96372", "pc_tc": "5"}]})
>>> show(helpers_work_in_hospital(facts(charge(line("96372", place_of_service="22")), tables=known)))
lines[0].place_of_service
  Line 1: 96372 is a helper's work, and in place 22 the helpers are the hospital's.
  Correct the place, or remove the line.

>>> show(helpers_work_in_hospital(facts(charge(line("96372", place_of_service="11")), tables=known)))
Nothing to say.

Authority: PC/TC indicator 5 of CMS's physician fee schedule on the date of service; 42 CFR 410.26(b)(1). Prevents
CARC 58.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import HOSPITALS
from rules.engine import Facts, Problem, place_of, rule
from rules.fees import fee_of


@rule("PRV-006", Severity.HOLD, places=HOSPITALS, line_by_line=True)
def helpers_work_in_hospital(facts: Facts) -> Iterator[Problem]:
    """Services incident to a physician are not billed from a hospital."""
    for index, line in facts.billed:
        place = place_of(facts.charge, line)
        fee = fee_of(facts, line) if place in HOSPITALS else None
        if fee and fee.pc_tc == "5":
            yield Problem(
                f"lines[{index}].place_of_service",
                f"Line {index + 1}: {line.code} is a helper's work, and in place {place} the helpers are the hospital's.",
                {"code": line.code, "place_of_service": place},
                "Correct the place, or remove the line.",
            )
