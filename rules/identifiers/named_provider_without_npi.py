"""Somebody who referred, ordered or supervised is named without an NPI.

Everybody who may order or refer has an NPI, and payers look the person up by it; the name alone is not enough. Where the
payer demands the person, another rule holds the charge.

>>> from rules.examples import REFERRING_PROVIDER, charge, facts, show
>>> nameless = REFERRING_PROVIDER.model_copy(update={"npi": ""})
>>> show(named_provider_without_npi(facts(charge(referring_provider=nameless))))
referring_provider.npi
  The referring provider, Ashdown, has no NPI.
  Enter the NPI; npiregistry.cms.hhs.gov lists it.

>>> show(named_provider_without_npi(facts(charge(referring_provider=REFERRING_PROVIDER))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loops 2310A, 2310D and 2420E, NM109. Some payers take the name, so the rule only warns.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.identifiers.roles import OTHERS, others_named


@rule("IDN-012", Severity.WARN, fields=OTHERS)
def named_provider_without_npi(facts: Facts) -> Iterator[Problem]:
    """Who refers, orders and supervises has an NPI."""
    for at, role, provider in others_named(facts):
        if not provider.npi.strip():
            name = provider.last_name or "somebody"
            yield Problem(
                f"{at}.npi",
                f"The {role} provider, {name}, has no NPI.",
                {"provider": name},
                "Enter the NPI; npiregistry.cms.hhs.gov lists it.",
            )
