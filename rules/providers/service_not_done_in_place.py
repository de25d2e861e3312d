"""A service is billed from a place where Medicare does not have it done.

For each code the fee schedule says whether it is done at an office and whether in a facility. A knee is not replaced
at an office; a wellness visit is not given in a hospital bed. Mostly the place is wrong.

>>> from rules.examples import charge, facts, line, show, tables
>>> known = tables({"fees": [{"code": "27447", "office_not_applicable": True}]})
>>> show(service_not_done_in_place(facts(charge(line("27447", "RT", place_of_service="11")), tables=known)))
lines[0].place_of_service
  Line 1: 27447 is not done at an office, and the place is 11.
  Correct the place or the code.

>>> show(service_not_done_in_place(facts(charge(line("27447", "RT", place_of_service="21")), tables=known)))
Nothing to say.

Authority: Not-applicable indicators of CMS's physician fee schedule and the facility places of its Place of Service
Code Set, on the date of service. Such a line may be paid at the other rate, so the rule only warns. Prevents CARC 5
and 58.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, place_of, rule
from rules.fees import fee_of
from rules.ordinary_line import unusual_fee


@rule("PRV-005", Severity.WARN, line_where=unusual_fee, line_by_line=True)
def service_not_done_in_place(facts: Facts) -> Iterator[Problem]:
    """A service is done in a place where it is priced."""
    for index, line in facts.billed:
        fee = fee_of(facts, line)
        if not fee or line.service_date is None or fee.office_not_applicable == fee.facility_not_applicable:
            continue
        code = place_of(facts.charge, line)
        place = facts.tables.pos(code, line.service_date) if code else None
        if place and (fee.facility_not_applicable if place.facility else fee.office_not_applicable):
            where = "in a facility" if place.facility else "at an office"
            yield Problem(
                f"lines[{index}].place_of_service",
                f"Line {index + 1}: {line.code} is not done {where}, and the place is {code}.",
                {"code": line.code, "place_of_service": code},
                "Correct the place or the code.",
            )
