"""An address would be refused: a ZIP code of the wrong length, a PO box, a state that is none.

Payers file the practice and its sites by street and nine-digit ZIP code, so the billing provider and the service
facility need all nine digits and the billing provider a street, not a PO box (that one belongs in the pay-to
address). Patients and payers may have five digits. Addresses outside the United States are left alone.

>>> from rules.examples import BILLING_PROVIDER, charge, facts, show
>>> box = BILLING_PROVIDER.address.model_copy(update={"line1": "PO Box 12"})
>>> show(unfit_address(facts(charge(billing_provider=BILLING_PROVIDER.model_copy(update={"address": box})))))
billing_provider.address.line1
  The billing provider's street is a PO box: PO Box 12.
  Enter the street address in the practice's set-up.

>>> show(unfit_address(facts()))
Nothing to say.

Authority: ASC X12N 005010X222A1, loops 2010AA, 2010BA, 2010CA and 2310C, N3 and N4. Prevents CARC 16.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from charges.model import Address, Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual

ZIP = re.compile(r"[0-9]{5}(-?[0-9]{4})?")
FULL_ZIP = re.compile(r"[0-9]{5}-?[0-9]{4}")
STATE = re.compile(r"[A-Za-z]{2}")
PO_BOX = re.compile(r"\b(P\.? ?O\.? ?BOX|POST OFFICE BOX|LOCK ?BOX)\b", re.IGNORECASE)
UNITED_STATES = frozenset({"", "US", "USA"})


class Place(NamedTuple):
    """An address of the claim, and what is asked of it."""

    at: str
    whose: str
    address: Address
    is_site: bool
    """Whether services are billed from or given there, so that it must be whole, with nine digits of ZIP code."""


@rule("STR-010", Severity.HOLD, where=unusual)
def unfit_address(facts: Facts) -> Iterator[Problem]:
    """Addresses have a ZIP code and state as X12 wants them, and the billing provider a street."""
    for place in _places(facts):
        if place.address.country.upper() in UNITED_STATES:
            yield from _judge(place)
    billing = facts.charge.billing_provider
    if billing and _is_po_box(billing.address.line1):
        yield Problem(
            "billing_provider.address.line1",
            f"The billing provider's street is a PO box: {billing.address.line1}.",
            {"street": billing.address.line1},
            "Enter the street address in the practice's set-up.",
        )


def _is_fit(address: Address) -> bool:
    """Whether there is nothing to judge."""
    return _are_fit(address.state, address.postal_code, is_site=False)


def _is_fit_site(address: Address) -> bool:
    """The same of a place where services are billed from or given."""
    is_whole = address.line1.strip() and address.city.strip()
    return bool(is_whole) and _are_fit(address.state, address.postal_code, is_site=True)


@lru_cache(maxsize=16_384)  # patients and sites of a practice share a few towns
def _are_fit(state: str, postal_code: str, *, is_site: bool) -> bool:
    wanted = FULL_ZIP if is_site else ZIP
    return all(
        shape.fullmatch(text) is not None or not (is_site or text)
        for shape, text in ((STATE, state), (wanted, postal_code))
    )


@lru_cache(maxsize=1024)
def _is_po_box(street: str) -> bool:
    return PO_BOX.search(street) is not None


def _judge(place: Place) -> Iterator[Problem]:
    at, whose, address, is_site = place
    if is_site and not address.line1.strip():
        yield Problem(f"{at}.line1", f"{whose} street is missing.", fix="Enter the street.")
    if is_site and not address.city.strip():
        yield Problem(f"{at}.city", f"{whose} city is missing.", fix="Enter the city.")
    if (is_site or address.state) and not STATE.fullmatch(address.state):
        seen = address.state or "missing"
        yield Problem(
            f"{at}.state", f"{whose} state is not two letters: {seen}.", {"state": seen}, "Enter the two-letter state."
        )
    wanted, digits = (FULL_ZIP, "9") if is_site else (ZIP, "5 or 9")
    if (is_site or address.postal_code) and not wanted.fullmatch(address.postal_code):
        seen = address.postal_code or "missing"
        yield Problem(
            f"{at}.postal_code",
            f"{whose} ZIP code is not {digits} digits: {seen}.",
            {"postal_code": seen},
            f"Enter the ZIP code with {digits} digits.",
        )


def _places(facts: Facts) -> Iterator[Place]:
    """The addresses that are not fit."""
    charge = facts.charge
    if not _is_fit(charge.patient.address):
        yield Place("patient.address", "The patient's", charge.patient.address, is_site=False)
    for index, coverage in enumerate(charge.coverages):
        holder, payer = coverage.subscriber.address, coverage.payer.address
        if (holder.state or holder.postal_code) and not _is_fit(holder):
            yield Place(f"coverages[{index}].subscriber.address", f"Subscriber {index + 1}'s", holder, is_site=False)
        if (payer.state or payer.postal_code) and not _is_fit(payer):
            yield Place(f"coverages[{index}].payer.address", f"Payer {index + 1}'s", payer, is_site=False)
    if charge.billing_provider and not _is_fit_site(charge.billing_provider.address):
        address = charge.billing_provider.address
        yield Place("billing_provider.address", "The billing provider's", address, is_site=True)
    if charge.facility and not _is_fit_site(charge.facility.address):
        yield Place("facility.address", "The service facility's", charge.facility.address, is_site=True)
    for index, line in facts.billed:
        if line.facility and not _is_fit_site(line.facility.address):
            whose = f"Line {index + 1}: the service facility's"
            yield Place(f"lines[{index}].facility.address", whose, line.facility.address, is_site=True)
