"""A remittance (835): one payment of a payer, the claims it is about, and what else it settles with the provider.

The values that a transaction set is read into, whichever guide it names (005010X221A1, 005010X221, 004010X091A1). Signs
are the guide's: an adjustment (CAS) is taken from the charge, so a negative one adds; an adjustment of the provider's
account (PLB) is taken from the payment, so a negative one adds; a reversal has every amount of the payment it takes back
with the other sign. Names and numbers of people are in no ``repr``.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from charges.model import Adjustment, InpatientAdjudication, OutpatientAdjudication
from charges.x12.answers import Addressee

PATIENT_RESPONSIBILITY = "PR"
"""The group of adjustments that the patient owes."""

_PROCESSED = frozenset(("1", "2", "3", "19", "20", "21"))
_DENIED, _REVERSAL = "4", "22"

_SETTLED = frozenset(("23", "24", "42", "44", "45", "59", "94", "100", "104", "131", "144", "237", "253", "A2"))
"""Reasons of the contract, another payer or the law: with these nothing was denied, even where nothing is paid."""

_NOTHING = Decimal(0)


class Decision(StrEnum):
    """What a payer decided about a claim."""

    PAID = "paid"
    """Settled: paid, or rightly paid nothing because the contract, another payer or the patient's share leaves nothing."""
    PARTLY_DENIED = "partly denied"
    """Settled, and one or more service lines denied."""
    DENIED = "denied"
    REVERSED = "reversed"
    """An earlier decision is taken back; the new one follows, mostly in the same remittance."""
    UNDECIDED = "undecided"
    """Forwarded to another payer, waiting, or priced in advance."""


@dataclass(frozen=True, slots=True)
class Party:
    """A person or organization as NM1 or N1 names it; ``name`` is the last name of a person."""

    name: str = field(default="", repr=False)
    first_name: str = field(default="", repr=False)
    middle_name: str = field(default="", repr=False)
    qualifier: str = ""
    identifier: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LinePayment:
    """A service line as decided (2110).

    ``code`` is what the payer decided upon, ``original_code`` what was sent where that differs (SVC06). ``units`` are those
    paid, 1 where none are given. ``control_number`` is the line's REF*6R of the claim. ``remarks`` are RARC.
    """

    code_qualifier: str
    code: str
    charged: Decimal
    paid: Decimal
    modifiers: tuple[str, ...] = ()
    revenue_code: str = ""
    units: Decimal = Decimal(1)
    original_code: str = ""
    original_units: Decimal | None = None
    service_from: date | None = None
    service_to: date | None = None
    adjustments: tuple[Adjustment, ...] = ()
    remarks: tuple[str, ...] = ()
    control_number: str = ""
    allowed: Decimal | None = None

    @property
    def is_denied(self) -> bool:
        """Whether nothing is paid of a charge, for a reason that is neither contract nor the patient's share."""
        return self.paid == 0 < self.charged and any(map(denies, self.adjustments))


@dataclass(frozen=True, slots=True)
class ClaimPayment:
    """A claim as decided (2100). ``number`` is CLM01 of the claim, ``payer_claim_number`` the payer's own (CLP07).

    ``corrected_patient`` is what the payer has on file (NM1*74), ``next_payer`` to whom it sent the claim on (NM1*TT).
    """

    number: str
    status: str
    charged: Decimal
    paid: Decimal
    patient_responsibility: Decimal = _NOTHING
    filing_code: str = ""
    payer_claim_number: str = ""
    facility_type: str = ""
    frequency: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    inpatient: InpatientAdjudication | None = field(default=None, repr=False)
    outpatient: OutpatientAdjudication | None = field(default=None, repr=False)
    patient: Party | None = field(default=None, repr=False)
    subscriber: Party | None = field(default=None, repr=False)
    corrected_patient: Party | None = field(default=None, repr=False)
    next_payer: Party | None = field(default=None, repr=False)
    statement_from: date | None = None
    statement_to: date | None = None
    received_on: date | None = None
    lines: tuple[LinePayment, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """The remark codes of the claim as a whole (MIA, MOA)."""
        of_inpatient = self.inpatient.remark_codes if self.inpatient else ()
        return of_inpatient + (self.outpatient.remark_codes if self.outpatient else ())

    @property
    def decision(self) -> Decision:
        """What was decided. Many payers never write status 4, so the lines and reasons speak too."""
        if self.status == _REVERSAL:
            return Decision.REVERSED
        if self.status not in _PROCESSED and self.status != _DENIED:
            return Decision.UNDECIDED
        denied = [line.is_denied for line in self.lines if line.charged > 0]
        if self.paid == 0 and (
            self.status == _DENIED or any(map(denies, self.adjustments)) or (denied and all(denied))
        ):
            return Decision.DENIED
        return Decision.PARTLY_DENIED if any(denied) else Decision.PAID

    @property
    def denied(self) -> Decimal:
        """What was taken off by reasons that deny; of a reversal, what it gives back, as a negative amount."""
        given = [*self.adjustments, *(each for line in self.lines for each in line.adjustments)]
        return sum((each.amount for each in given if denies(each, is_reversal=self.status == _REVERSAL)), _NOTHING)

    @property
    def written_off(self) -> Decimal:
        """What neither the payer nor the patient pays."""
        return self.charged - self.paid - self.patient_responsibility


@dataclass(frozen=True, slots=True)
class ProviderAdjustment:
    """One amount of a PLB: taken from the payment when positive, added to it when negative.

    ``reference`` is the payer's own, of an overpayment mostly the claim number in it, so it is in no ``repr``.
    """

    provider: str
    fiscal_period_end: date | None
    reason: str
    reference: str = field(repr=False)
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Remittance:
    """One payment: a transaction set of an 835.

    ``trace`` (TRN02) is the number of the check or transfer, unique with ``payer_number`` (TRN03). ``handling`` is BPR01,
    ``method`` BPR04: ACH, CHK, NON for a payment of nothing. ``is_debit`` (BPR03) says that the payer takes the amount
    from the provider's account.
    """

    to: Addressee
    transaction: str
    version: str
    handling: str
    paid: Decimal
    is_debit: bool
    method: str
    paid_on: date | None
    trace: str
    payer_number: str
    produced_on: date | None = None
    payer: Party = Party()
    payee: Party = Party()
    payee_tax_number: str = field(default="", repr=False)
    claims: tuple[ClaimPayment, ...] = ()
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()


def denies(adjustment: Adjustment, *, is_reversal: bool = False) -> bool:
    """Whether an adjustment denies: neither the patient's share nor contract, another payer or the law."""
    amount = -adjustment.amount if is_reversal else adjustment.amount
    return adjustment.group != PATIENT_RESPONSIBILITY and amount > 0 and adjustment.reason not in _SETTLED
