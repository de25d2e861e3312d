"""What another payer decided about a line does not add up.

When a payer has decided, what it paid and what it took off must come to the charge, line by line. A payer that split a line
tells several decisions about it, which come to the charge together; several payers each for itself. The next payer works out
its own share from these numbers and rejects a claim in which they do not balance.

>>> from decimal import Decimal
>>> from charges.model import Adjustment, LineAdjudication
>>> from rules.examples import charge, facts, line, show
>>> def decided(adjusted):
...     taken = Adjustment(group="CO", reason="45", amount=Decimal(adjusted))
...     told = LineAdjudication(payer_id="00952", paid=Decimal("60.00"), adjustments=(taken,))
...     return facts(charge(line("99213", charge=Decimal("100.00"), adjudications=(told,))))
>>> show(other_payer_out_of_balance(decided("30.00")))
lines[0].adjudications[0]
  Line 1: 99213 is charged 100.00, but payer 00952 paid 60.00 and adjusted 30.00.
  Enter every adjustment of the payer's remittance.

>>> show(other_payer_out_of_balance(decided("40.00")))
Nothing to say.

Authority: ASC X12N 005010X222A1, section 1.4.4.2 and loop 2430, SVD02 and CAS (balancing, SNIP type 3). Prevents CARC 16.
"""

from collections.abc import Iterator
from decimal import Decimal

from charges.model import LineAdjudication, Severity
from rules.engine import Facts, Problem, rule


@rule("STR-014", Severity.HOLD, fields=("lines.adjudications",))
def other_payer_out_of_balance(facts: Facts) -> Iterator[Problem]:
    """What another payer paid and adjusted on a line is the line's charge."""
    for index, line in facts.billed:
        by_payer: dict[str, list[tuple[int, LineAdjudication]]] = {}
        for number, decided in enumerate(line.adjudications):
            by_payer.setdefault(decided.payer_id, []).append((number, decided))
        for payer, told in by_payer.items():
            amounts = [decided.paid for _, decided in told if decided.paid is not None]
            if line.charge is None or len(amounts) < len(told):
                continue
            paid = sum(amounts, Decimal(0))
            adjusted = sum((each.amount for _, decided in told for each in decided.adjustments), Decimal(0))
            if paid + adjusted != line.charge:
                parts = f" in {len(told)} parts" if len(told) > 1 else ""
                yield Problem(
                    f"lines[{index}].adjudications[{told[0][0]}]",
                    f"Line {index + 1}: {line.code} is charged {line.charge}, but payer {payer or 'unnamed'} paid {paid} "
                    f"and adjusted {adjusted}{parts}.",
                    {"charge": str(line.charge), "paid": str(paid), "adjusted": str(adjusted)},
                    "Enter every adjustment of the payer's remittance.",
                )
