"""The visit after surgery that is already paid for has a price.

99024 records a follow-up visit that the price of the surgery includes. It tells that the visit took place and asks
for no money.

>>> from decimal import Decimal
>>> from rules.examples import charge, facts, line, show
>>> show(follow_up_visit_charged(facts(charge(line("99024", charge=Decimal("75.00"))))))
lines[0].charge
  Line 1: 99024 is charged 75.00, and the surgery's price includes it.
  Set the charge to 0.00, or use a visit code if the visit was unrelated.

>>> show(follow_up_visit_charged(facts(charge(line("99024", charge=Decimal("0.00"))))))
Nothing to say.

Authority: CPT 99024; status B of CMS's physician fee schedule. Prevents CARC 97.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule

FOLLOW_UP = "99024"


@rule("GLB-005", Severity.HOLD, codes=frozenset({FOLLOW_UP}), line_by_line=True)
def follow_up_visit_charged(facts: Facts) -> Iterator[Problem]:
    """99024 is charged at zero."""
    for index, line in facts.billed:
        if line.code == FOLLOW_UP and line.charge:
            yield Problem(
                f"lines[{index}].charge",
                f"Line {index + 1}: {FOLLOW_UP} is charged {line.charge}, and the surgery's price includes it.",
                {"charge": str(line.charge)},
                "Set the charge to 0.00, or use a visit code if the visit was unrelated.",
                (Change(at=f"lines[{index}].charge", op="set", value="0.00"),),
            )
