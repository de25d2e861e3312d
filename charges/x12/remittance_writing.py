"""A remittance (835, 005010X221A1) written: what ``remittance_reading`` reads, back into segments.

A claim of another guide than professional or institutional, corrected priorities and supplemental amounts are not written.
What is written is read back as it was given, except that adjustments of one group stand together.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from charges.model import Adjustment
from charges.x12.particulars import write_adjustments
from charges.x12.procedure import procedure_of
from charges.x12.remittance import ClaimPayment, LinePayment, Party, Remittance
from charges.x12.reply import Group
from charges.x12.segments import amount, composite, day, digits, segment, text

VERSION = "005010X221A1"


@dataclass(frozen=True, slots=True)
class Office:
    """Where a payer is and whom one calls; a remittance that is read keeps nothing of it, but the guide demands it."""

    street: str
    city: str
    state: str
    postal_code: str
    telephone: str


def functional_group(remittances: Iterable[Remittance], office: Office) -> Group:
    """A group with one transaction set for each payment."""
    return Group("HP", "835", VERSION, tuple(list(_transaction(each, office)) for each in remittances))


def _transaction(remittance: Remittance, office: Office) -> Iterator[str]:
    r = remittance
    flow = "D" if r.is_debit else "C"
    paid_on = _day(r.paid_on)
    yield segment("BPR", r.handling, amount(r.paid), flow, r.method, *[""] * 11, paid_on)
    yield segment("TRN", "1", r.trace, r.payer_number)
    if r.produced_on is not None:
        yield f"DTM*405*{day(r.produced_on)}"
    yield segment("N1", "PR", text(r.payer.name, 60), r.payer.qualifier, r.payer.identifier)
    yield segment("N3", text(office.street, 55))
    yield segment("N4", text(office.city, 30), office.state, digits(office.postal_code))
    yield segment("PER", "BL", "", "TE", digits(office.telephone))
    yield segment("N1", "PE", text(r.payee.name, 60), r.payee.qualifier, r.payee.identifier)
    if r.payee_tax_number:
        yield segment("REF", "TJ", digits(r.payee_tax_number))
    if r.claims:
        yield "LX*1"
    for claim in r.claims:
        yield from _claim(claim)
    for each in r.provider_adjustments:
        reason = composite(each.reason, text(each.reference, 50))
        yield segment("PLB", each.provider, _day(each.fiscal_period_end), reason, amount(each.amount))


_PARTIES = (("QC", "patient"), ("IL", "subscriber"), ("74", "corrected_patient"))
_DATES = (("232", "statement_from"), ("233", "statement_to"), ("050", "received_on"))


def _claim(claim: ClaimPayment) -> Iterator[str]:
    yield segment(
        "CLP",
        claim.number,
        claim.status,
        amount(claim.charged),
        amount(claim.paid),
        amount(claim.patient_responsibility) if claim.patient_responsibility else "",
        claim.filing_code,
        claim.payer_claim_number,
        claim.facility_type,
        claim.frequency,
    )
    yield from _adjustments(claim.adjustments)
    for role, name in _PARTIES:
        party: Party | None = getattr(claim, name)
        if party is not None:
            names = (text(party.name, 60), text(party.first_name, 35), text(party.middle_name, 25))
            yield segment("NM1", role, "1", *names, "", "", party.qualifier, party.identifier)
    if claim.next_payer is not None:
        payer = claim.next_payer
        yield segment("NM1", "TT", "2", text(payer.name, 60), "", "", "", "", payer.qualifier, payer.identifier)
    if claim.remarks:
        yield segment("MOA", "", "", *claim.remarks[:5])
    for qualifier, name in _DATES:
        if (found := getattr(claim, name)) is not None:
            yield f"DTM*{qualifier}*{day(found)}"
    for line in claim.lines:
        yield from _line(line)


def _line(line: LinePayment) -> Iterator[str]:
    def procedure(code: str, modifiers: tuple[str, ...] = ()) -> str:
        return procedure_of(line.code_qualifier, code, modifiers, "", text) if code else ""

    yield segment(
        "SVC",
        procedure(line.code, line.modifiers),
        amount(line.charged),
        amount(line.paid),
        line.revenue_code,
        amount(line.units),
        procedure(line.original_code),
        "" if line.original_units is None else amount(line.original_units),
    )
    first, last = line.service_from, line.service_to
    if first is not None and first == last:
        yield f"DTM*472*{day(first)}"
    else:
        yield from (f"DTM*{kind}*{day(each)}" for kind, each in (("150", first), ("151", last)) if each is not None)
    yield from _adjustments(line.adjustments)
    if line.control_number:
        yield segment("REF", "6R", line.control_number)
    if line.allowed is not None:
        yield segment("AMT", "B6", amount(line.allowed))
    yield from (segment("LQ", "HE", remark) for remark in line.remarks)


def _adjustments(adjustments: Sequence[Adjustment]) -> Iterator[str]:
    out: list[str] = []
    write_adjustments(out, adjustments)
    yield from out


def _day(value: date | None) -> str:
    return "" if value is None else day(value)
