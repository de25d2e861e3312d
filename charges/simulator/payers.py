"""The payers behind the simulated clearinghouse: what they know of claims, and what they decide about them.

What is decided follows from the seed and the claim's number alone, so it is the same in whatever order claims come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from random import Random

from charges.model import Adjustment, Claim, ServiceLine
from charges.x12.answers import Addressee
from charges.x12.remittance import ClaimPayment, LinePayment, Party, Remittance
from charges.x12.remittance_writing import VERSION, Office

OFFICE = Office("1 Prairie Way", "Springfield", "IL", "62701", "2175550199")
_NOTHING = Decimal(0)
_CENT = Decimal("0.01")
_FILING_CODES = frozenset(
    ("12", "13", "14", "15", "16", "17", "AM", "CH", "DS", "HM", "LM", "MA", "MB", "MC", "OF", "TV")
)
"""Of CLP06, which has fewer than SBR09."""


@dataclass(frozen=True, slots=True)
class Decides:
    """How often payers decide what, as shares of all claims; the rest is paid in part, as contracts have it."""

    denied: float = 0.06
    partly_denied: float = 0.04
    reversed: float = 0.03
    """Paid, taken back later, and decided anew in the same remittance."""


@dataclass(slots=True)
class Known:
    """A claim as a payer has it, with its number there and everything decided about it, in order."""

    claim: Claim = field(repr=False)
    payer_claim_number: str
    is_withdrawn: bool = False
    """Replaced by another claim, or void."""
    decided: list[ClaimPayment] = field(default_factory=list)


class Payers:
    """All payers together; each claim stands with the first of its coverages."""

    def __init__(self, seed: int, decides: Decides) -> None:
        self.seed, self.decides = seed, decides
        self.known: dict[str, Known] = {}
        self.remittances = 0

    def refuses(self, claim: Claim) -> bool:
        """Whether a claim amends one that does not stand here."""
        return claim.frequency != "1" and self._amended(claim) is None

    def take(self, claim: Claim) -> Known | None:
        """Take a claim in; returns the claim that it replaces or voids."""
        amended = self._amended(claim) if claim.frequency != "1" else None
        if amended is not None:
            amended.is_withdrawn = True
        number = f"{self._payer_code(claim)}{Random(f'{self.seed} number {claim.number}').randrange(10**9):09d}"  # noqa: S311
        self.known[claim.number] = Known(claim, number)
        return amended

    def decide(self, number: str) -> ClaimPayment:
        """The first decision about a claim."""
        known = self.known[number]
        chance = self._chance("decision", number)
        payment = _decided(known, chance, self.decides)
        known.decided.append(payment)
        return payment

    def is_to_be_reversed(self, number: str) -> bool:
        """Whether what was paid is taken back some day."""
        known = self.known[number]
        share = 0.0 if known.is_withdrawn or not known.decided else self.decides.reversed
        return self._chance("reversal", number).random() < share

    def take_back(self, number: str, *, anew: bool) -> Sequence[ClaimPayment]:
        """The reversal of what was decided last, and where it is decided anew, the new decision: nothing is written off."""
        known = self.known[number]
        if not known.decided:
            return ()
        last = known.decided[-1]
        said = [_reversed(last)]
        if anew:
            said.append(_without_write_off(last))
        known.decided += said
        return said

    def remit(self, to: Addressee, payments: Sequence[ClaimPayment], on: date) -> Remittance:
        """One payment of one payer for its decisions."""
        self.remittances += 1
        claim = self.known[payments[0].number].claim
        payer, provider = claim.charge.coverages[0].payer, claim.charge.billing_provider
        assert provider is not None, "a claim is not read without its billing provider"
        paid = sum((each.paid for each in payments), _NOTHING)
        return Remittance(
            to=to,
            transaction="0001",
            version=VERSION,
            handling="I" if paid else "H",
            paid=abs(paid),
            is_debit=paid < 0,
            method="CHK" if paid else "NON",
            paid_on=on,
            trace=f"CHK{self.remittances:07d}",
            payer_number=f"1{Random(payer.payer_id).randrange(10**9):09d}",  # noqa: S311 - repeatable, and no secret
            produced_on=on,
            payer=Party(payer.name),
            payee=Party(provider.organization_name or provider.last_name, "", "", "XX", provider.npi),
            payee_tax_number=provider.tax_id,
            claims=tuple(payments),
        )

    def payer_of(self, number: str) -> str:
        """The payer of a claim by its id."""
        return self.known[number].claim.charge.coverages[0].payer.payer_id

    def _amended(self, claim: Claim) -> Known | None:
        original = claim.charge.references.payer_claim_number
        found = (each for each in self.known.values() if each.payer_claim_number == original and not each.is_withdrawn)
        return next(found, None)

    def _payer_code(self, claim: Claim) -> str:
        return claim.charge.coverages[0].payer.payer_id[:3].upper()

    def _chance(self, what: str, number: str) -> Random:
        return Random(f"{self.seed} {what} {number}")  # noqa: S311 - repeatable, and no secret


def _decided(known: Known, chance: Random, decides: Decides) -> ClaimPayment:
    lines = known.claim.charge.billed_lines
    dice = chance.random()
    if known.claim.charge.coverages[0].responsibility not in ("", "P"):
        return _payment(known, "2", [_rest(line) for line in lines])
    if dice < decides.denied:
        reason, remark = chance.choice((("50", "N115"), ("16", "N290"), ("197", "M62")))
        # Many payers never write status 4.
        return _payment(known, chance.choice("14"), [_denied(line, reason, remark) for line in lines])
    share, owed = (
        chance.choice((Decimal("0.55"), Decimal("0.7"), Decimal(1))),
        chance.choice((_NOTHING, Decimal("0.2"))),
    )
    paid = [_line(line, share, owed) for line in lines]
    if dice < decides.denied + decides.partly_denied and len(lines) > 1:
        paid[-1] = _denied(lines[-1], "97", "N19")
    return _payment(known, "1", paid)


def _payment(known: Known, status: str, lines: Sequence[LinePayment]) -> ClaimPayment:
    charge = known.claim.charge
    coverage = charge.coverages[0]
    insured = coverage.insured(charge.patient)
    code = coverage.payer.claim_filing_code
    owed = (each.amount for line in lines for each in line.adjustments if each.group == "PR")
    return ClaimPayment(
        number=known.claim.number,
        status=status,
        charged=charge.total,
        paid=sum((line.paid for line in lines), _NOTHING),
        patient_responsibility=sum(owed, _NOTHING),
        filing_code=code if code in _FILING_CODES else "12",
        payer_claim_number=known.payer_claim_number,
        facility_type=charge.encounter.place_of_service or "11",
        frequency=known.claim.frequency,
        patient=Party(insured.last_name, insured.first_name, "", "MI", coverage.member_id),
        lines=tuple(lines),
    )


def _line(line: ServiceLine, share: Decimal, owed: Decimal) -> LinePayment:
    """A share of the charge is allowed, and a share of that is the patient's."""
    charged = line.charge or _NOTHING
    allowed = (charged * share).quantize(_CENT)
    patient = (allowed * owed).quantize(_CENT)
    adjusted = [("CO", "45", charged - allowed), ("PR", "2", patient)]
    return _made(line, allowed - patient, adjusted, allowed=allowed)


def _denied(line: ServiceLine, reason: str, remark: str) -> LinePayment:
    return _made(line, _NOTHING, [("CO", reason, line.charge or _NOTHING)], remarks=(remark,))


def _rest(line: ServiceLine) -> LinePayment:
    """A later payer pays what the one before it left to the patient."""
    left = sum((each.patient_responsibility or _NOTHING for each in line.adjudications), _NOTHING)
    return _made(line, left, [("OA", "23", (line.charge or _NOTHING) - left)])


def _made(
    line: ServiceLine,
    paid: Decimal,
    adjusted: Sequence[tuple[str, str, Decimal]],
    remarks: tuple[str, ...] = (),
    allowed: Decimal | None = None,
) -> LinePayment:
    return LinePayment(
        code_qualifier=line.code_qualifier,
        code=line.code,
        charged=line.charge or _NOTHING,
        paid=paid,
        modifiers=line.modifiers,
        units=line.units or Decimal(1),
        service_from=line.service_date,
        service_to=line.service_date_to or line.service_date,
        adjustments=tuple(_adjustments(adjusted)),
        remarks=remarks,
        control_number=line.control_number,
        allowed=allowed,
    )


def _adjustments(adjusted: Sequence[tuple[str, str, Decimal]]) -> Iterator[Adjustment]:
    for group, reason, amount in adjusted:
        if amount:
            yield Adjustment(group=group, reason=reason, amount=amount)


def _reversed(payment: ClaimPayment) -> ClaimPayment:
    """Every amount with the other sign."""
    return _with(payment, "22", [_mirrored(line) for line in payment.lines])


def _without_write_off(payment: ClaimPayment) -> ClaimPayment:
    """The claim once more, with what the contract took off, or a denial, paid."""
    lines = []
    for line in payment.lines:
        kept = tuple(each for each in line.adjustments if each.group != "CO")
        paid = line.charged - sum((each.amount for each in kept), _NOTHING)
        lines.append(replace(line, paid=paid, adjustments=kept, remarks=(), allowed=line.charged))
    return _with(payment, "2" if payment.status == "2" else "1", lines)


def _mirrored(line: LinePayment) -> LinePayment:
    adjustments = tuple(each.model_copy(update={"amount": -each.amount}) for each in line.adjustments)
    return replace(line, charged=-line.charged, paid=-line.paid, adjustments=adjustments, remarks=(), allowed=None)


def _with(payment: ClaimPayment, status: str, lines: Sequence[LinePayment]) -> ClaimPayment:
    owed = (each.amount for line in lines for each in line.adjustments if each.group == "PR")
    return replace(
        payment,
        status=status,
        charged=sum((line.charged for line in lines), _NOTHING),
        paid=sum((line.paid for line in lines), _NOTHING),
        patient_responsibility=sum(owed, _NOTHING),
        lines=tuple(lines),
    )
