"""Anesthesia is counted in units and not in minutes.

The payer makes units of the minutes itself and adds the base units of the code. Units in the place of minutes are
read as minutes, and seven quarters of an hour become seven minutes.

>>> from decimal import Decimal
>>> from rules.examples import charge, facts, line, show
>>> show(counted_in_units(facts(charge(line("00100", "AA")))))
lines[0].unit
  Line 1: 00100 is counted in UN and not in minutes (MJ).
  Enter the minutes from the record, and MJ.

>>> show(counted_in_units(facts(charge(line("00100", "AA", unit="MJ", units=Decimal(95))))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2400, SV103; Medicare Claims Processing Manual, chapter 12, section 50.G. Some
codes have no time, so the rule only warns.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import ANESTHESIA
from rules.engine import Facts, Problem, rule

NO_TIME = frozenset({"01996", "01953"})
MINUTES = "MJ"


@rule("ANE-002", Severity.WARN, codes=ANESTHESIA, line_by_line=True)
def counted_in_units(facts: Facts) -> Iterator[Problem]:
    """Anesthesia is counted in minutes."""
    for index, line in facts.billed:
        if line.code in ANESTHESIA - NO_TIME and line.unit and line.unit != MINUTES:
            yield Problem(
                f"lines[{index}].unit",
                f"Line {index + 1}: {line.code} is counted in {line.unit} and not in minutes ({MINUTES}).",
                {"code": line.code, "unit": line.unit},
                "Enter the minutes from the record, and MJ.",
            )
