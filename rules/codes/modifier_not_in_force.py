"""A modifier of HCPCS was not in force on the day of service.

Modifiers come and go as codes do; JG, for a drug bought at a discount, ended with 2024. One that ended makes the
payer return the line. Those of CPT (two digits, P1 to P6) and the pairs of letters of ambulances are left alone.

>>> from datetime import date
>>> from rules.examples import charge, facts, line, show, tables
>>> known = tables({"hcpcs": [{"code": "JG", "until": date(2024, 12, 31)}]})
>>> show(modifier_not_in_force(facts(charge(line("J3301", "JG", service_date=date(2025, 1, 10))), tables=known)))
lines[0].modifiers[0]
  Line 1: modifier JG of J3301 was not in force on 2025-01-10.
  Remove it, or choose the one that was in force.

>>> show(modifier_not_in_force(facts(charge(line("J3301", "JG", service_date=date(2024, 12, 10))), tables=known)))
Nothing to say.

Authority: CMS's HCPCS file of the date of service. Prevents CARC 182.
"""

import re
from collections.abc import Iterator

from charges.model import Change, ServiceLine, Severity
from rules.codes.groups import GROUND_AND_AIR, MILEAGE
from rules.engine import Facts, Problem, rule

RIDES = GROUND_AND_AIR | MILEAGE
OF_CPT = re.compile(r"[0-9]{2}|P[1-6]|[0-9][A-Z]|[0-9A-Z]?")


def has_modifiers_of_hcpcs(_: Facts, line: ServiceLine) -> bool:
    """Whether a line has a modifier that is not CPT's."""
    return any(OF_CPT.fullmatch(each) is None for each in line.modifiers)


@rule("COD-005", Severity.HOLD, line_where=has_modifiers_of_hcpcs, line_by_line=True)
def modifier_not_in_force(facts: Facts) -> Iterator[Problem]:
    """A modifier of HCPCS is in force on its day."""
    for index, line in facts.billed:
        if not line.modifiers or line.service_date is None or line.code in RIDES:
            continue
        for place, modifier in enumerate(line.modifiers):
            if OF_CPT.fullmatch(modifier) or facts.tables.hcpcs(modifier, line.service_date):
                continue
            yield Problem(
                f"lines[{index}].modifiers[{place}]",
                f"Line {index + 1}: modifier {modifier} of {line.code} was not in force on {line.service_date}.",
                {"code": line.code, "modifier": modifier, "service_date": str(line.service_date)},
                "Remove it, or choose the one that was in force.",
                (Change(at=f"lines[{index}].modifiers[{place}]", op="remove"),),
            )
