"""A claim as one trading partner wants it said: its own payer ids and codes, ZIPs, dependents sent as subscribers.

The charge stays what it was; only what is written differs.
"""

from collections.abc import Mapping
from typing import Any

from charges.model import SELF, Address, Charge, Claim, Coverage, Facility, Provider, ServiceLine, Subscriber
from charges.practice.partner import TradingPartner
from charges.x12.segments import digits


def tailor(claim: Claim, partner: TradingPartner) -> Claim:
    """The claim with a partner's wishes in it; the same one where they change nothing."""
    charge = claim.charge
    changes = {**_addresses(charge, partner), **_codes(charge, partner.payer_ids)}
    coverages = tuple([_coverage(each, partner) for each in charge.coverages])
    if any(new is not old for new, old in zip(coverages, charge.coverages, strict=True)):
        changes["coverages"] = coverages
    return claim.model_copy(update={"charge": charge.model_copy(update=changes)}) if changes else claim


def _coverage(coverage: Coverage, partner: TradingPartner) -> Coverage:
    payer, subscriber = coverage.payer, coverage.subscriber
    payer_id, filing = payer.payer_id, payer.claim_filing_code
    is_relative = coverage.relationship != SELF and not {payer_id, filing}.isdisjoint(partner.dependent_as_subscriber)
    renamed = payer_id in partner.payer_ids or filing in partner.claim_filing_codes
    if not (is_relative or renamed or partner.zip_elsewhere == "five"):
        return coverage
    changes: dict[str, Any] = {
        "payer": payer.model_copy(
            update={
                "payer_id": partner.payer_ids.get(payer_id, payer_id),
                "claim_filing_code": partner.claim_filing_codes.get(filing, filing),
                "address": _short(payer.address, partner),
            }
        ),
        "subscriber": subscriber.model_copy(update={"address": _short(subscriber.address, partner)}),
    }
    if is_relative:
        number = coverage.patient_member_id or coverage.member_id
        changes |= {"relationship": SELF, "subscriber": Subscriber(), "member_id": number, "patient_member_id": ""}
    return coverage.model_copy(update=changes)


def _codes(charge: Charge, payer_ids: Mapping[str, str]) -> dict[str, Any]:
    """The lines with the partner's ids of the payers that decided on them or gave them numbers."""
    if not payer_ids or not any(line.adjudications or line.references.others for line in charge.lines):
        return {}
    return {"lines": tuple([_line(each, payer_ids) for each in charge.lines])}


def _line(line: ServiceLine, payer_ids: Mapping[str, str]) -> ServiceLine:
    def renamed(records: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            [each.model_copy(update={"payer_id": payer_ids.get(each.payer_id, each.payer_id)}) for each in records]
        )

    references = line.references.model_copy(update={"others": renamed(line.references.others)})
    return line.model_copy(update={"adjudications": renamed(line.adjudications), "references": references})


def _addresses(charge: Charge, partner: TradingPartner) -> dict[str, Any]:
    if partner.zip_elsewhere == "as_given" and not partner.zip_extension:
        return {}
    patient = charge.patient
    return {
        "patient": patient.model_copy(update={"address": _short(patient.address, partner)}),
        "billing_provider": _long(charge.billing_provider, partner),
        "facility": _long(charge.facility, partner),
    }


def _short(address: Address, partner: TradingPartner) -> Address:
    if partner.zip_elsewhere == "as_given" or not _is_american(address):
        return address
    return address.model_copy(update={"postal_code": digits(address.postal_code)[:5]})


def _long(party: Provider | Facility | None, partner: TradingPartner) -> Provider | Facility | None:
    if party is None or not partner.zip_extension or not _is_american(party.address):
        return party
    known = digits(party.address.postal_code)
    if len(known) != 5:
        return party
    address = party.address.model_copy(update={"postal_code": known + partner.zip_extension})
    return party.model_copy(update={"address": address})


def _is_american(address: Address) -> bool:
    return address.country in ("", "US")
