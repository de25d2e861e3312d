"""An injection is billed, and no drug.

What was injected is paid beside the injection, unless the patient or the state brought it. Forgotten, it is often the
dearer of the two. This is a reminder and no more.

>>> from rules.examples import charge, facts, line, show
>>> show(giving_without_drug(facts(charge(line("96372")))))
lines[0]
  Line 1: 96372 is billed, and the drug that was given is not.
  Add the drug unless the patient brought it.

>>> show(giving_without_drug(facts(charge(line("96372"), line("J1885")))))
Nothing to say.

Authority: CPT 96372; a reminder of the practice's own.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import VACCINES
from rules.engine import Facts, Problem, rule

INJECTION = frozenset({"96372", "96374", "96365", "96401", "96413"})
DRUG_LETTERS = ("J", "Q", "S", "C", "P")


@rule("DRG-006", Severity.INFO, codes=INJECTION)
def giving_without_drug(facts: Facts) -> Iterator[Problem]:
    """An injection or infusion names its drug."""
    lines = facts.billed
    drugs = {
        line.service_date
        for _, line in lines
        if line.code.startswith(DRUG_LETTERS) or "90281" <= line.code <= "90399" or line.code in VACCINES
    }
    for index, line in lines:
        if line.code in INJECTION and line.service_date not in drugs:
            yield Problem(
                f"lines[{index}]",
                f"Line {index + 1}: {line.code} is billed, and the drug that was given is not.",
                {"code": line.code},
                "Add the drug unless the patient brought it.",
            )
