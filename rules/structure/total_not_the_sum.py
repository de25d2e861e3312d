"""The total that the source states is not the sum of the lines.

A claim's total must equal the charges of its lines to the cent; otherwise the receiver rejects the whole claim before
a payer reads it. When the source states another sum, a line was lost, added or altered on the way.

>>> from decimal import Decimal
>>> from rules.examples import charge, facts, show
>>> show(total_not_the_sum(facts(charge(stated_total=Decimal("210.00")))))
stated_total
  The source states a total of 210.00, and the lines come to 150.00.
  Find the line that is missing or wrong, or correct the total.

>>> show(total_not_the_sum(facts(charge(stated_total=Decimal("150.00")))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2300, CLM02 (balancing, SNIP type 3). Prevents a rejection by the receiver.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule


@rule("STR-006", Severity.HOLD, fields=("stated_total",))
def total_not_the_sum(facts: Facts) -> Iterator[Problem]:
    """The stated total is the sum of the lines."""
    stated = facts.charge.stated_total
    if stated is not None and stated != (total := facts.charge.total):
        yield Problem(
            "stated_total",
            f"The source states a total of {stated}, and the lines come to {total}.",
            {"stated": str(stated), "lines": str(total)},
            "Find the line that is missing or wrong, or correct the total.",
        )
