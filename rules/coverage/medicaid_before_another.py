"""Medicaid is asked before another insurer.

Medicaid pays last: whoever else is liable is asked first, and Medicaid denies a claim when it knows of another
policy.

>>> from rules.examples import COVERAGE, MEDICAID, charge, facts, show
>>> show(medicaid_before_another(facts(charge(coverages=(MEDICAID, COVERAGE)))))
coverages[0]
  Coverage 1: Medicaid is asked before coverage 2, and it pays last.
  Put Medicaid last.

>>> show(medicaid_before_another(facts(charge(coverages=(COVERAGE, MEDICAID)))))
Nothing to say.

Authority: Social Security Act, section 1902(a)(25); 42 CFR 433.139. Some services are paid first and recovered later,
so the rule only warns. Prevents CARC 22.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.payers import MEDICAID, medicaid_first, of_several_payers


@rule("PAY-009", Severity.WARN, where=of_several_payers)
def medicaid_before_another(facts: Facts) -> Iterator[Problem]:
    """Medicaid is asked last."""
    coverages = facts.charge.coverages
    if not medicaid_first(facts.charge) or len(coverages) == 1:
        return
    other = next((n for n, each in enumerate(coverages) if each.payer.claim_filing_code not in ("", MEDICAID)), None)
    if other is not None:
        yield Problem(
            "coverages[0]",
            f"Coverage 1: Medicaid is asked before coverage {other + 1}, and it pays last.",
            {"other": str(other + 1)},
            "Put Medicaid last.",
            (Change(at="coverages[0]", op="swap", value=f"coverages[{other}]"),),
        )
