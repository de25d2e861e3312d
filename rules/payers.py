"""What kind of payer a policy is with, by its claim filing code (SBR09)."""

from charges.model import Charge
from rules.engine import Facts

MEDICARE_PART_B = "MB"
MEDICAID = "MC"


def medicaid_first(charge: Charge) -> bool:
    """Whether Medicaid is asked first."""
    return bool(charge.coverages) and charge.coverages[0].payer.claim_filing_code == MEDICAID


def medicare_first(charge: Charge) -> bool:
    """Whether Medicare Part B is asked first, so that its own rules count."""
    return bool(charge.coverages) and charge.coverages[0].payer.claim_filing_code == MEDICARE_PART_B


def of_medicare(facts: Facts) -> bool:
    """Whether one of the policies is Medicare Part B."""
    for each in facts.charge.coverages:  # noqa: SIM110 - every charge is asked this, and a generator costs more
        if each.payer.claim_filing_code == MEDICARE_PART_B:
            return True
    return False


def of_several_payers(facts: Facts) -> bool:
    """Whether there is more than one policy."""
    return len(facts.charge.coverages) > 1
