"""Coordination of benefits: what payers decided, put into the charge as the next payer is to read it.

The next payer stands first then, those that decided after it, each with the place it has in the order (SBR01). What was
decided is told by line where the remittance tells lines (2430), else of the claim as a whole (2320). It must balance, for
the next payer works out its share from it (005010X222A1, 1.4.4.2): each line's charge is what was paid and adjusted of
it, and the claim's total is the payment and all adjustments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from charges.errors import Refused
from charges.model import Adjudication, Adjustment, Charge, Coverage, Identifier, LineAdjudication, ServiceLine
from charges.x12.hierarchy import RESPONSIBILITY
from charges.x12.remittance import PATIENT_RESPONSIBILITY, ClaimPayment, LinePayment

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Decided:
    """What the payer at place ``rank`` of the order decided, and the numbers (REF*6R) that our billed lines had."""

    rank: int
    payment: ClaimPayment
    paid_on: date | None
    line_numbers: tuple[str, ...]


def charge_for_next(charge: Charge, decided: Sequence[Decided]) -> Charge:
    """The charge for the payer after those that decided; raises Refused with a sentence when it cannot be balanced."""
    rank = len(decided) + 1
    payers = [each.payer.payer_id for each in charge.coverages]
    if len(set(payers)) != len(payers) or not all(payers):
        raise Refused(
            "Two policies of the charge have the same payer id or one has none, so what was decided cannot be told apart."
        )
    covers = [
        coverage.model_copy(update={"responsibility": coverage.responsibility or RESPONSIBILITY[place]})
        for place, coverage in enumerate(charge.coverages)
    ]
    lines = list(charge.lines)
    billed = [place for place, line in enumerate(lines) if not line.patient_share]
    first = covers[0]
    for each in decided:
        payer = covers[each.rank - 1].payer.payer_id
        by_line = _by_line(charge, each)
        _demand_balance(charge, each, by_line)
        for number, place in enumerate(billed):
            told = _adjudications(each, payer, by_line.get(number, ()), by_line)
            lines[place] = lines[place].model_copy(update={"adjudications": (*lines[place].adjudications, *told)})
        covers[each.rank - 1] = covers[each.rank - 1].model_copy(update={"adjudication": _adjudication(each)})
    # Authorizations stand with the payer that gave them.
    first = covers[0].model_copy(
        update={
            "prior_authorization": covers[0].prior_authorization or charge.references.prior_authorization,
            "referral_number": covers[0].referral_number or charge.references.referral_number,
        }
    )
    covers[0] = first
    asked: Coverage = covers[rank - 1]
    references = charge.references.model_copy(
        update={
            "prior_authorization": asked.prior_authorization,
            "referral_number": asked.referral_number,
            "payer_claim_number": "",
        }
    )
    others = [each for place, each in enumerate(covers) if place != rank - 1]
    asked = asked.model_copy(update={"prior_authorization": "", "referral_number": ""})
    return charge.model_copy(
        update={
            "coverages": (asked, *others),
            "references": references,
            "lines": tuple(_of_first_payer(line, payers[0]) for line in lines),
        }
    )


def _of_first_payer(line: ServiceLine, payer: str) -> ServiceLine:
    """The line whose numbers, given by the first payer, say so."""
    given = [("G1", line.prior_authorization), ("9F", line.referral_number)]
    others = tuple(Identifier(qualifier=kind, value=value, payer_id=payer) for kind, value in given if value)
    if not others:
        return line
    references = line.references.model_copy(update={"others": (*line.references.others, *others)})
    return line.model_copy(update={"prior_authorization": "", "referral_number": "", "references": references})


def _by_line(charge: Charge, decided: Decided) -> Mapping[int, Sequence[LinePayment]]:
    """The lines of a remittance by the number of our billed line, counted from 0."""
    ours = charge.billed_lines
    found: dict[int, list[LinePayment]] = {}
    for each in decided.payment.lines:
        number = next(
            (n for n, known in enumerate(decided.line_numbers) if known and known == each.control_number), None
        )
        if number is None:
            sent = each.original_code or each.code
            fits = [
                n
                for n, line in enumerate(ours)
                if (line.code or line.revenue_code) == (sent or each.revenue_code)
                and n not in found
                and (each.service_from is None or line.service_date in (None, each.service_from))
            ]
            exact = [n for n in fits if ours[n].charge == each.charged]
            number = next(iter(exact or fits), None)
        if number is None:
            raise Refused(
                f"The remittance decides about {each.code or each.revenue_code}, which is no line of the claim."
            )
        found.setdefault(number, []).append(each)
    return found


def _demand_balance(charge: Charge, decided: Decided, by_line: Mapping[int, Sequence[LinePayment]]) -> None:
    payment = decided.payment
    own = _sum(payment.adjustments)
    taken = own + sum((_sum(each.adjustments) for each in payment.lines), _NOTHING)
    if payment.paid + taken != charge.total:
        raise Refused(
            f"The claim is {charge.total:.2f}, but the payer paid {payment.paid:.2f} and adjusted {taken:.2f} of it."
        )
    for number, line in enumerate(charge.billed_lines) if payment.lines else ():
        told = by_line.get(number, ())
        paid, adjusted = (
            sum((each.paid for each in told), _NOTHING),
            sum((_sum(each.adjustments) for each in told), _NOTHING),
        )
        if paid + adjusted != (line.charge or _NOTHING):
            raise Refused(
                f"Line {number + 1}: {line.code or line.revenue_code} is charged {line.charge or _NOTHING:.2f}, but the "
                f"payer paid {paid:.2f} and adjusted {adjusted:.2f} of it."
            )


def _adjudication(decided: Decided) -> Adjudication:
    payment = decided.payment
    has_lines = bool(payment.lines)
    return Adjudication(
        paid=payment.paid,
        # Date and liability are told by line or of the claim, never twice.
        paid_on=None if has_lines else decided.paid_on,
        patient_responsibility=None if has_lines else payment.patient_responsibility,
        payer_claim_number=payment.payer_claim_number,
        adjustments=payment.adjustments,
        outpatient=payment.outpatient,
        inpatient=payment.inpatient,
    )


def _adjudications(
    decided: Decided, payer: str, told: Sequence[LinePayment], everything: Mapping[int, Sequence[LinePayment]]
) -> list[LineAdjudication]:
    return [
        LineAdjudication(
            payer_id=payer,
            paid=each.paid,
            paid_units=each.units,
            paid_on=decided.paid_on,
            code_qualifier=each.code_qualifier if each.code else "HC",
            code=each.code if each.code_qualifier != "NU" else "",
            modifiers=each.modifiers,
            revenue_code=each.revenue_code,
            bundled_line=_bundled_into(each, everything),
            adjustments=each.adjustments,
            patient_responsibility=sum(
                (one.amount for one in each.adjustments if one.group == PATIENT_RESPONSIBILITY), _NOTHING
            ),
        )
        for each in told
    ]


def _bundled_into(line: LinePayment, everything: Mapping[int, Sequence[LinePayment]]) -> str:
    """The number of the line that is paid for this one, where the payer bundled it."""
    if line.paid or not line.original_code or line.original_code == line.code:
        return ""
    into = [n for n, told in everything.items() if any(each.code == line.code and each.paid for each in told)]
    return str(into[0] + 1) if len(into) == 1 else ""


def _sum(adjustments: Sequence[Adjustment]) -> Decimal:
    return sum((each.amount for each in adjustments), _NOTHING)
