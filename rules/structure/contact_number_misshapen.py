"""A telephone number of the practice has not ten digits.

The payer calls, or does not call, the number on the claim, and the guide wants it as area code and number without
anything between. A shorter one is rejected by receivers that check it.

>>> from rules.examples import BILLING_PROVIDER, charge, facts, show
>>> wrong = BILLING_PROVIDER.model_copy(update={"phone": "555-0100"})
>>> show(contact_number_misshapen(facts(charge(billing_provider=wrong))))
billing_provider.phone
  The billing provider's telephone number has not ten digits: 555-0100.
  Enter area code and number in the practice's set-up.

>>> show(contact_number_misshapen(facts()))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2010AA, PER04. Not every receiver checks it, so the rule only warns.
"""

import re
from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule

PHONE = re.compile(r"1?[2-9][0-9]{9}")
BETWEEN = re.compile(r"[\s().+-]")


@rule("STR-025", Severity.WARN, providers_only=True)
def contact_number_misshapen(facts: Facts) -> Iterator[Problem]:
    """The billing provider's telephone and fax numbers have ten digits."""
    billing = facts.charge.billing_provider
    for name, what in (("phone", "telephone number"), ("fax", "fax number")):
        seen = getattr(billing, name) if billing else ""
        if seen and not PHONE.fullmatch(BETWEEN.sub("", seen)):
            yield Problem(
                f"billing_provider.{name}",
                f"The billing provider's {what} has not ten digits: {seen}.",
                {"number": seen},
                "Enter area code and number in the practice's set-up.",
            )
