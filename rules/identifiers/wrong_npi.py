"""An NPI is missing or mistyped.

The last digit of a National Provider Identifier is computed from the others, so a slip of one digit shows. The
billing provider always needs an NPI, and so does who rendered each service, unless the billing provider is that
person.

>>> from rules.examples import RENDERING_PROVIDER, charge, facts, show
>>> show(wrong_npi(facts(charge(rendering_provider=RENDERING_PROVIDER.model_copy(update={"npi": "1234567890"})))))
rendering_provider.npi
  The rendering provider's NPI fails its check digit: 1234567890.
  Correct the NPI; npiregistry.cms.hhs.gov lists it.

>>> show(wrong_npi(facts()))
Nothing to say.

Authority: 45 CFR 162.406; ASC X12N 005010X222A1, NM109 of each provider loop. Prevents CARC 16 and 206 to 208.
"""

from collections.abc import Iterator
from typing import TypeGuard

from charges.identifiers import npi_is_valid
from charges.model import Facility, Provider, Severity
from rules.engine import Facts, Problem, rule

OTHERS = (
    *("referring_provider", "supervising_provider", "facility", "lines.rendering_provider", "lines.ordering_provider"),
    *("lines.referring_provider", "lines.supervising_provider", "lines.facility"),
)


@rule("IDN-001", Severity.HOLD, providers_only=True, fields=OTHERS)
def wrong_npi(facts: Facts) -> Iterator[Problem]:
    """Every NPI passes its check digit, and billing and rendering provider have one."""
    yield from _missing(facts)
    for at, whose, npi in _wrong(facts):
        yield Problem(
            f"{at}.npi",
            f"{whose} NPI fails its check digit: {npi}.",
            {"npi": npi},
            "Correct the NPI; npiregistry.cms.hhs.gov lists it.",
        )


def _missing(facts: Facts) -> Iterator[Problem]:
    charge = facts.charge
    billing = charge.billing_provider
    fix = "Enter the NPI in the practice's set-up."
    if billing is None or not billing.npi:
        yield Problem("billing_provider.npi", "The billing provider's NPI is missing.", fix=fix)
    if charge.rendering_provider:
        if not charge.rendering_provider.npi:
            yield Problem("rendering_provider.npi", "The rendering provider's NPI is missing.", fix=fix)
        return
    if billing and billing.npi and not billing.is_organization:
        return  # who bills alone renders what is billed
    for index, line in facts.billed:
        if line.rendering_provider is None or not line.rendering_provider.npi:
            message = f"Line {index + 1}: the NPI of who rendered {line.code} is missing."
            yield Problem(f"lines[{index}].rendering_provider.npi", message, {"code": line.code}, fix)


def _is_wrong(named: Provider | Facility | None) -> TypeGuard[Provider | Facility]:
    return named is not None and named.npi != "" and not npi_is_valid(named.npi)


def _wrong(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Every NPI on the charge that fails: its place, whose it is, the number."""
    charge = facts.charge
    if _is_wrong(charge.billing_provider):
        yield "billing_provider", "The billing provider's", charge.billing_provider.npi
    for role, provider in (
        ("rendering", charge.rendering_provider),
        ("referring", charge.referring_provider),
        ("supervising", charge.supervising_provider),
    ):
        if _is_wrong(provider):
            yield f"{role}_provider", f"The {role} provider's", provider.npi
    if _is_wrong(charge.facility):
        yield "facility", "The service facility's", charge.facility.npi
    for index, line in facts.billed:
        if not (
            line.rendering_provider
            or line.ordering_provider
            or line.referring_provider
            or line.supervising_provider
            or line.facility
        ):
            continue
        for role, provider in (
            ("rendering", line.rendering_provider),
            ("ordering", line.ordering_provider),
            ("referring", line.referring_provider),
            ("supervising", line.supervising_provider),
        ):
            if _is_wrong(provider):
                yield f"lines[{index}].{role}_provider", f"Line {index + 1}: the {role} provider's", provider.npi
        if _is_wrong(line.facility):
            yield f"lines[{index}].facility", f"Line {index + 1}: the service facility's", line.facility.npi
