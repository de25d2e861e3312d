"""A professional claim as the loops of 005010X222A1 in guide order, written and read.

Each loop is a function that adds segments, without their terminators, and a table that reads them. What a claim cannot say
in X12 is told by ``cannot_be_written`` before anything is written.

::

    2000A billing provider ── 2010AA name, AB pay-to address, AC pay-to plan         hierarchy
      2000B subscriber ── 2010BA name, 2010BB payer
        2000C patient ── 2010CA name                       (when not the subscriber)
          2300 claim ── 2310A referring, B rendering, C facility, D supervising,     claim
                        E and F ambulance
            2320 other subscriber ── 2330A name, B payer, C to G providers           other_subscribers
            2400 service line ── 2410 drug, 2420A to H providers                     service_line
              2430 adjudication, 2440 form                                           line_decisions
"""

from charges.model import Claim, Provider, undotted
from charges.x12 import hierarchy
from charges.x12.claim import loop_2300_claim, loop_2310_providers, place_of
from charges.x12.options import Options
from charges.x12.other_subscribers import loop_2320_other_subscribers
from charges.x12.service_line import OfClaim, loop_2400_service_line
from charges.x12.writable import cannot_be_written

__all__ = ["VERSION", "billing_provider_loops", "cannot_be_written", "claim_loops"]

VERSION = "005010X222A1"


def billing_provider_loops(out: list[str], provider: Provider, options: Options) -> None:
    """2000A without its HL, 2010AA to AC."""
    hierarchy.loop_2000a_billing_provider(out, provider, options)
    hierarchy.loop_2010aa_billing_provider(out, provider, options.text)
    hierarchy.loop_2010ab_pay_to_address(out, provider, options.text)
    hierarchy.loop_2010ac_pay_to_plan(out, provider.pay_to_plan, options.text)


def claim_loops(out: list[str], claim: Claim, level: int, billing_level: int, options: Options) -> int:
    """2000B to 2440 of a claim; ``level`` is the HL before it. Returns the last HL used."""
    charge, text = claim.charge, options.text
    level = hierarchy.subscriber_and_patient(out, charge, level, billing_level, text)
    lines = [line for line in charge.lines if not line.patient_share]
    place = place_of(charge, lines)
    loop_2300_claim(out, claim, lines, place, text)
    loop_2310_providers(out, charge, text, options)
    if len(charge.coverages) > 1:
        loop_2320_other_subscribers(out, charge, text)
    codes = tuple([undotted(each.code) for each in charge.diagnoses[:12]])
    of_claim = OfClaim(text(claim.number, 38), place, codes, charge.rendering_provider)
    for number, line in enumerate(lines, 1):
        loop_2400_service_line(out, of_claim, number, line, text, options)
    return level
