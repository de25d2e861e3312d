"""A taxonomy code is missing or cannot exist.

The taxonomy code tells the payer under which specialty the practice is enrolled; payers with several enrolments for
one NPI choose by it. It has nine letters or digits and ends in X.

>>> from rules.examples import BILLING_PROVIDER, charge, facts, show
>>> wrong = BILLING_PROVIDER.model_copy(update={"taxonomy": "207Q00000Y"})
>>> show(misshapen_taxonomy(facts(charge(billing_provider=wrong))))
billing_provider.taxonomy
  The billing provider's taxonomy code cannot exist: 207Q00000Y.
  Enter the code under which the payer enrolled the provider.

>>> show(misshapen_taxonomy(facts()))
Nothing to say.

Authority: NUCC Health Care Provider Taxonomy; ASC X12N 005010X222A1, loops 2000A, 2310B and 2420A, PRV03.
Prevents CARC 8 and 16.
"""

from collections.abc import Iterator

from charges.identifiers import TAXONOMY
from charges.model import Provider, Severity
from rules.engine import Facts, Problem, rule

FIX = "Enter the code under which the payer enrolled the provider."


@rule("IDN-006", Severity.HOLD, providers_only=True, fields=("lines.rendering_provider",))
def misshapen_taxonomy(facts: Facts) -> Iterator[Problem]:
    """The billing provider has a taxonomy code, and every code given has its shape."""
    billing = facts.charge.billing_provider
    if billing is None or not billing.taxonomy:
        message = "The billing provider's taxonomy code is missing."
        yield Problem("billing_provider.taxonomy", message, fix=FIX)
    for at, whose, provider in _providers(facts):
        if provider.taxonomy and not TAXONOMY.fullmatch(provider.taxonomy):
            yield Problem(
                f"{at}.taxonomy",
                f"{whose} taxonomy code cannot exist: {provider.taxonomy}.",
                {"taxonomy": provider.taxonomy},
                FIX,
            )


def _providers(facts: Facts) -> Iterator[tuple[str, str, Provider]]:
    if provider := facts.charge.billing_provider:
        yield "billing_provider", "The billing provider's", provider
    if provider := facts.charge.rendering_provider:
        yield "rendering_provider", "The rendering provider's", provider
    for index, line in facts.billed:
        if provider := line.rendering_provider:
            yield f"lines[{index}].rendering_provider", f"Line {index + 1}: the rendering provider's", provider
