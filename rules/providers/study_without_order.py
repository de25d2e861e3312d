"""A laboratory test or image does not say who ordered it.

Medicare, and payers that follow it, pay for diagnostic tests only when a physician or other practitioner ordered
them, and the claim names that person with an NPI: on the line as ordering provider, or as referring provider of the
line or the claim. Screening mammography (77063, 77067) needs no order.

>>> from rules.examples import COVERAGE, PAYER, REFERRING_PROVIDER, charge, facts, line, show
>>> medicare = (COVERAGE.model_copy(update={"payer": PAYER.model_copy(update={"claim_filing_code": "MB"})}),)
>>> show(study_without_order(facts(charge(line("80053"), coverages=medicare))))
lines[0].ordering_provider
  Line 1: 80053 names nobody who ordered it.
  Enter the ordering or referring provider with NPI.

>>> ordered = charge(line("80053"), coverages=medicare, referring_provider=REFERRING_PROVIDER)
>>> show(study_without_order(facts(ordered)))
Nothing to say.

Authority: 42 CFR 410.32(a) and 424.507; ASC X12N 005010X222A1, loops 2310A, 2420E and 2420F.
Prevents CARC 16 with RARC N264.
"""

from collections.abc import Iterator

from charges.model import Charge, Provider, ServiceLine, Severity
from rules.codes.groups import numbers
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first

STUDIES = (numbers(70010, 79999) | numbers(80047, 89398)) - {"77063", "77067"}
"""Imaging and laboratory, without what a patient may ask for herself."""


def is_order_wanted(facts: Facts) -> bool:
    """Whether the payer asks who ordered a test."""
    return facts.policy.requires_referring_provider or medicare_first(facts.charge)


@rule("PRV-001", Severity.HOLD, codes=STUDIES, where=is_order_wanted)
def study_without_order(facts: Facts) -> Iterator[Problem]:
    """A laboratory or imaging line names who ordered it, where the payer asks."""
    if not facts.once(is_order_wanted):
        return
    for index, line in facts.billed:
        if line.code in STUDIES and not any(each and each.npi for each in _orderers(facts.charge, line)):
            yield Problem(
                f"lines[{index}].ordering_provider",
                f"Line {index + 1}: {line.code} names nobody who ordered it.",
                {"code": line.code},
                "Enter the ordering or referring provider with NPI.",
            )


def _orderers(charge: Charge, line: ServiceLine) -> tuple[Provider | None, ...]:
    return (line.ordering_provider, line.referring_provider, charge.referring_provider)
