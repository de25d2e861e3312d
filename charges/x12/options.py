"""A trading partner's wishes as the loops need them."""

from collections.abc import Callable
from dataclasses import dataclass

from charges.model import SELF, Claim
from charges.practice.partner import TradingPartner
from charges.x12.segments import Text, speller, text
from charges.x12.tailoring import tailor


def numbered(claim: str, line: int) -> str:
    """REF*6R as we make it: the claim's number and the line's, so it is unique among all claims."""
    return f"{claim}-{line}"


def unnumbered(_: str, __: int) -> str:
    """No REF*6R for a line that brings no number of its own."""
    return ""


@dataclass(frozen=True, slots=True)
class Options:
    """What the loops ask; the first ones are what the guide recommends. ``tailor`` is applied to a claim beforehand."""

    text: Text = text
    line_number: Callable[[str, int], str] = numbered
    repeats_rendering: bool = False
    repeats_facility: bool = False
    taxonomies: bool = True
    tailor: Callable[[Claim], Claim] | None = None


def options_of(partner: TradingPartner) -> Options:
    """What a partner's profile asks of the loops."""
    marks = partner.delimiters
    return Options(
        text=speller(
            extended=partner.character_set == "extended",
            keeps_case=partner.letter_case == "as_given",
            reserved=marks.element + marks.component + marks.repetition + marks.segment,
        ),
        line_number=_line_number(partner.line_number),
        repeats_rendering=not partner.omit_rendering_equal_to_billing,
        repeats_facility=not partner.omit_facility_equal_to_billing,
        taxonomies=partner.taxonomies,
        tailor=_tailor(partner),
    )


def _line_number(template: str) -> Callable[[str, int], str]:
    if template == "{claim}-{line}":
        return numbered
    if not template:
        return unnumbered
    return lambda claim, line: template.format(claim=claim, line=line)


def _tailor(partner: TradingPartner) -> Callable[[Claim], Claim] | None:
    if partner.payer_ids or partner.claim_filing_codes or partner.zip_extension or partner.zip_elsewhere != "as_given":
        return lambda claim: tailor(claim, partner)
    if not partner.dependent_as_subscriber:
        return None

    wanted = partner.dependent_as_subscriber

    def tailored(claim: Claim) -> Claim:
        for each in claim.charge.coverages:
            payer = each.payer
            if each.relationship != SELF and (payer.payer_id in wanted or payer.claim_filing_code in wanted):
                return tailor(claim, partner)
        return claim

    return tailored
