"""An organisation stands where a claim can name only a person.

Who referred, ordered or supervised is a human being; in these places the guide knows no organisation. A clinic's or
laboratory's name there is rejected by the receiver.

>>> from charges.model import Provider
>>> from rules.examples import REFERRING_PROVIDER, charge, facts, show
>>> clinic = Provider(organization_name="Harbor Clinic", npi="1993999998")
>>> show(organisation_in_a_persons_role(facts(charge(referring_provider=clinic))))
referring_provider
  The referring provider is an organisation, Harbor Clinic, and must be a person.
  Enter the person, with their own NPI.

>>> show(organisation_in_a_persons_role(facts(charge(referring_provider=REFERRING_PROVIDER))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loops 2310A, 2310D, 2420D, 2420E and 2420F, NM102. Prevents CARC 16.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.identifiers.roles import OTHERS, others_named


@rule("IDN-002", Severity.HOLD, fields=OTHERS)
def organisation_in_a_persons_role(facts: Facts) -> Iterator[Problem]:
    """Who refers, orders and supervises is a person."""
    for at, role, provider in others_named(facts):
        if provider.is_organization:
            name = provider.organization_name
            yield Problem(
                at,
                f"The {role} provider is an organisation, {name}, and must be a person.",
                {"provider": name},
                "Enter the person, with their own NPI.",
            )
