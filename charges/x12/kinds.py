"""The kinds of 837: which loops a claim is written in and read by, and the guides each kind is known under.

A file holds claims of one kind.
"""

from collections.abc import Callable
from dataclasses import dataclass

from charges.model import Charge, Claim, Provider
from charges.x12 import institutional, professional
from charges.x12.claim_reading import ClaimReading
from charges.x12.institutional_reading import InstitutionalReading
from charges.x12.options import Options


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of claim. ``version`` is the guide (GS08, ST03) it is written by, ``read_as`` those it is read by."""

    name: str
    version: str
    read_as: tuple[str, ...]
    billing_provider_loops: Callable[[list[str], Provider, Options], None]
    claim_loops: Callable[[list[str], Claim, int, int, Options], int]
    reading: type[ClaimReading]


PROFESSIONAL = Kind(
    name="837P",
    version=professional.VERSION,
    read_as=("005010X222", "005010X222A1", "005010X222A2"),
    billing_provider_loops=professional.billing_provider_loops,
    claim_loops=professional.claim_loops,
    reading=ClaimReading,
)
INSTITUTIONAL = Kind(
    name="837I",
    version=institutional.VERSION,
    read_as=("005010X223", "005010X223A1", "005010X223A2", "005010X223A3"),
    billing_provider_loops=institutional.billing_provider_loops,
    claim_loops=institutional.claim_loops,
    reading=InstitutionalReading,
)
KINDS = {version: kind for kind in (PROFESSIONAL, INSTITUTIONAL) for version in kind.read_as}
"""The kinds by the guides they are read by."""


def kind_of(charge: Charge) -> Kind:
    """The kind of claim that a charge becomes."""
    return PROFESSIONAL if charge.institutional is None else INSTITUTIONAL
