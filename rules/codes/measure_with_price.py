"""A code that only reports is charged.

Category II codes and quality measures tell what was done and are paid nothing. A price on them raises the total, and
what is never paid stays open until somebody writes it off. A cent is allowed, for systems that cannot bill zero.

>>> from decimal import Decimal
>>> from rules.examples import charge, facts, line, show
>>> show(measure_with_price(facts(charge(line("1036F", charge=Decimal("50.00"))))))
lines[0].charge
  Line 1: 1036F only reports and is charged 50.00.
  Set the charge to 0.00.

>>> show(measure_with_price(facts(charge(line("1036F", charge=Decimal("0.00"))))))
Nothing to say.

Authority: Status M of CMS's physician fee schedule. Prevents CARC 246.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary_line import unusual_line

REPORTS = re.compile(r"[0-9]{4}F")
MOST = Decimal("0.01")


@rule("COD-012", Severity.WARN, line_where=unusual_line, line_by_line=True)
def measure_with_price(facts: Facts) -> Iterator[Problem]:
    """A code that only reports is priced at zero or a cent."""
    for index, line in facts.billed:
        if line.code.endswith("F") and line.charge is not None and line.charge > MOST and REPORTS.fullmatch(line.code):
            yield Problem(
                f"lines[{index}].charge",
                f"Line {index + 1}: {line.code} only reports and is charged {line.charge}.",
                {"code": line.code, "charge": str(line.charge)},
                "Set the charge to 0.00.",
                (Change(at=f"lines[{index}].charge", op="set", value="0.00"),),
            )
