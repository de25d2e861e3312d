"""A person and an organisation share one NPI.

An NPI belongs to one entity. When the group bills and a person renders, each has a number of its own; the group's number
on the person, or the other way round, makes the payer look in the wrong enrolment.

>>> from rules.examples import BILLING_PROVIDER, RENDERING_PROVIDER, charge, facts, show
>>> copied = RENDERING_PROVIDER.model_copy(update={"npi": BILLING_PROVIDER.npi})
>>> show(shared_npi(facts(charge(rendering_provider=copied))))
rendering_provider.npi
  The rendering provider has the same NPI as the organisation that bills: 1993999998.
  Enter the rendering provider's own NPI.

>>> show(shared_npi(facts()))
Nothing to say.

Authority: 45 CFR 162.408 on entity types. Sole proprietors billing under a trade name exist, so the rule only warns.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule


@rule("IDN-014", Severity.WARN, providers_only=True)
def shared_npi(facts: Facts) -> Iterator[Problem]:
    """Who renders and the organisation that bills have different NPIs."""
    billing, rendering = facts.charge.billing_provider, facts.charge.rendering_provider
    if not (billing and rendering and billing.npi and billing.is_organization and not rendering.is_organization):
        return
    if billing.npi == rendering.npi:
        yield Problem(
            "rendering_provider.npi",
            f"The rendering provider has the same NPI as the organisation that bills: {billing.npi}.",
            {"npi": billing.npi},
            "Enter the rendering provider's own NPI.",
        )
