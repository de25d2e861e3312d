"""Medicare is second, and the claim does not say why.

Medicare pays second to an employer's plan of a working patient, to a liability insurer and others, and the claim says
which of them it is. Without the code Medicare cannot tell how much it owes and returns the claim.

>>> from rules.examples import COVERAGE, MEDICARE, charge, facts, show
>>> reason = MEDICARE.model_copy(update={"insurance_type": "12"})
>>> show(medicare_second_without_reason(facts(charge(coverages=(COVERAGE, MEDICARE)))))
coverages[1].insurance_type
  Coverage 2: Medicare is not asked first, and the reason is missing.
  Choose the reason: 12 working aged, 13 kidney disease, 43 disability, 47 liability and so on.

>>> show(medicare_second_without_reason(facts(charge(coverages=(COVERAGE, reason)))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loops 2000B and 2320, SBR05; 42 CFR 411. Sources seldom know the code, so the rule
only warns. Prevents CARC 22.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.payers import MEDICARE_PART_B, of_several_payers


@rule("PAY-008", Severity.WARN, where=of_several_payers)
def medicare_second_without_reason(facts: Facts) -> Iterator[Problem]:
    """Medicare as second payer says why it is second."""
    coverages = facts.charge.coverages
    for index, coverage in enumerate(coverages):
        if index and coverage.payer.claim_filing_code == MEDICARE_PART_B and not coverage.insurance_type:
            yield Problem(
                f"coverages[{index}].insurance_type",
                f"Coverage {index + 1}: Medicare is not asked first, and the reason is missing.",
                {},
                "Choose the reason: 12 working aged, 13 kidney disease, 43 disability, 47 liability and so on.",
            )
