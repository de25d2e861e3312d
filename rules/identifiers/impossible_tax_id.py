"""The practice's tax number cannot have been issued.

Payers pay to, and report to the tax office, the number on the claim. It has nine digits, and the first two of an
employer's number name the office that issued it, so some beginnings never occur.

>>> from rules.examples import BILLING_PROVIDER, charge, facts, show
>>> wrong = BILLING_PROVIDER.model_copy(update={"tax_id": "00-1234567"})
>>> show(impossible_tax_id(facts(charge(billing_provider=wrong))))
billing_provider.tax_id
  The billing provider's EIN begins with 00, which the IRS does not issue: 00-1234567.
  Correct the tax number in the practice's set-up.

>>> show(impossible_tax_id(facts()))
Nothing to say.

Authority: the IRS's list of valid EIN prefixes; ASC X12N 005010X222A1, loop 2010AA, REF*EI and REF*SY.
"""

import re
from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule

SHAPE = re.compile(r"[0-9]{2}-?[0-9]{7}|[0-9]{3}-[0-9]{2}-[0-9]{4}")
NEVER_ISSUED = frozenset({"00", "07", "08", "09", "17", "18", "19", "28", "29", "49", "69", "70", "78", "79", "89"})
NEVER_ISSUED |= {"96", "97"}


@rule("IDN-004", Severity.HOLD, providers_only=True)
def impossible_tax_id(facts: Facts) -> Iterator[Problem]:
    """The billing provider's tax number has nine digits, and an EIN a prefix in use."""
    provider = facts.charge.billing_provider
    seen = provider.tax_id.strip() if provider else ""
    if provider and seen and provider.tax_id_kind == "SY":
        # A person's social security number is not repeated in a message.
        message = "" if SHAPE.fullmatch(seen) else "The billing provider's social security number is not nine digits."
        evidence = {}
    else:
        message, evidence = _fault(seen), {"tax_id": seen} if seen else {}
    if message:
        yield Problem("billing_provider.tax_id", message, evidence, "Correct the tax number in the practice's set-up.")


def _fault(ein: str) -> str:
    if not ein:
        return "The billing provider's tax number is missing."
    if not SHAPE.fullmatch(ein):
        return f"The billing provider's EIN is not nine digits: {ein}."
    if ein[:2] in NEVER_ISSUED:
        return f"The billing provider's EIN begins with {ein[:2]}, which the IRS does not issue: {ein}."
    return ""
