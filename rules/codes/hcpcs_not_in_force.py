"""A code of HCPCS was not in force on the day of service.

HCPCS changes each quarter. The last usable day of a code stands in CMS's file, and a service after it is denied even
if the code was right a day before.

>>> from datetime import date
>>> from rules.examples import charge, facts, line, show, tables
>>> known = tables({"hcpcs": [{"code": "A4466", "until": date(2016, 12, 31)}]})
>>> show(hcpcs_not_in_force(facts(charge(line("A4466", service_date=date(2019, 3, 1))), tables=known)))
lines[0].code
  Line 1: A4466 was not in force on 2019-03-01.
  Choose the code that was in force on the day of service.

>>> show(hcpcs_not_in_force(facts(charge(line("A4466", service_date=date(2016, 6, 1))), tables=known)))
Nothing to say.

Authority: CMS's HCPCS file of the date of service; 45 CFR 162.1002(b). Prevents CARC 181.
"""

import re
from collections.abc import Iterator

from charges.model import ServiceLine, Severity
from rules.engine import Facts, Problem, rule

OF_HCPCS = re.compile(r"[A-CE-V][0-9]{4}")
"""Level II without the dental codes, which are another's."""


def is_of_hcpcs(_: Facts, line: ServiceLine) -> bool:
    """Whether the code of a line is one of HCPCS."""
    return OF_HCPCS.fullmatch(line.code) is not None


@rule("COD-004", Severity.HOLD, line_where=is_of_hcpcs, line_by_line=True)
def hcpcs_not_in_force(facts: Facts) -> Iterator[Problem]:
    """A code of HCPCS is in force on its day."""
    for index, line in facts.billed:
        if line.service_date is None or not OF_HCPCS.fullmatch(line.code):
            continue
        if facts.tables.hcpcs(line.code, line.service_date) is None:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: {line.code} was not in force on {line.service_date}.",
                {"code": line.code, "service_date": str(line.service_date)},
                "Choose the code that was in force on the day of service.",
            )
