"""An institutional claim as the loops of 005010X223A2 in guide order, written.

The levels above the claim and the other subscribers are those of a professional claim without what this guide has no place
for; the claim and its lines have modules of their own, both ways. ``institutional_reading`` reads.

::

    2000A billing provider ── 2010AA name, AB pay-to address, AC pay-to plan         hierarchy
      2000B subscriber ── 2010BA name, 2010BB payer
        2000C patient ── 2010CA name                       (when not the subscriber)
          2300 claim ── 2310A attending, B operating, C other operating,             institutional_claim
                        D rendering, E facility, F referring
            2320 other subscriber ── 2330A name, B payer, C to I providers           other_subscribers
            2400 service line ── 2410 drug, 2420A to D providers                     institutional_line
              2430 adjudication                                                      line_decisions
"""

from typing import Any

from charges.model import Charge, Claim, Coverage, Institutional, Provider
from charges.x12 import hierarchy, professional
from charges.x12.institutional_claim import loop_2300_claim, loop_2310_providers
from charges.x12.institutional_line import loop_2400_service_line
from charges.x12.options import Options
from charges.x12.other_subscribers import INSTITUTIONAL_ROLES, loop_2320_other_subscribers

__all__ = ["VERSION", "billing_provider_loops", "claim_loops"]

VERSION = "005010X223A2"

_OF_PATIENT = frozenset(("death_date", "weight_pounds", "pregnant"))
_OF_POLICY = frozenset(("insurance_type", "contact", "patient_signature_source"))


def billing_provider_loops(out: list[str], provider: Provider, options: Options) -> None:
    """2000A without its HL, 2010AA to AC."""
    known = {"identifiers": (), "tax_id_kind": "EI"}
    professional.billing_provider_loops(out, provider.model_copy(update=known), options)


def claim_loops(out: list[str], claim: Claim, level: int, billing_level: int, options: Options) -> int:
    """2000B to 2430 of a claim; ``level`` is the HL before it. Returns the last HL used."""
    charge, text = _with_a_place(claim.charge), options.text
    bill = charge.institutional or Institutional()
    level = hierarchy.subscriber_and_patient(out, charge, level, billing_level, text)
    lines = charge.billed_lines
    loop_2300_claim(out, claim, charge, bill, text)
    loop_2310_providers(out, charge, bill, options)
    if len(charge.coverages) > 1:
        loop_2320_other_subscribers(out, charge, text, INSTITUTIONAL_ROLES)
    number_of_claim = text(claim.number, 38)
    for number, line in enumerate(lines, 1):
        loop_2400_service_line(out, number_of_claim, number, line, options)
    return level


def _with_a_place(charge: Charge) -> Charge:
    """The charge without what is said of a patient and a policy in professional claims alone."""
    changes: dict[str, Any] = {}
    if not _OF_PATIENT.isdisjoint(charge.patient.model_fields_set):
        changes["patient"] = charge.patient.model_copy(update=dict.fromkeys(_OF_PATIENT))
    if any(not _OF_POLICY.isdisjoint(each.model_fields_set) for each in charge.coverages):
        changes["coverages"] = tuple(map(_policy, charge.coverages))
    if charge.patient_signature_source:
        changes["patient_signature_source"] = ""
    return charge.model_copy(update=changes) if changes else charge


def _policy(coverage: Coverage) -> Coverage:
    return coverage.model_copy(update={"insurance_type": "", "contact": None, "patient_signature_source": ""})
