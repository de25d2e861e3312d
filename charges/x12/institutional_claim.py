"""The claim of an institutional bill: 2300 and the providers of 2310, both ways; ``institutional_codes`` has its HI."""

from datetime import time

from charges.model import Charge, Claim, Institutional
from charges.x12 import parties
from charges.x12.claim import is_billing_address, is_same_provider, write_dates
from charges.x12.institutional_codes import read_codes, write_codes
from charges.x12.options import Options
from charges.x12.particulars import (
    PARTICULARS,
    write_attachments,
    write_conditions,
    write_contract,
    write_file_information,
    write_repricing,
)
from charges.x12.reading import Fields, Table, add, components, put, put_amount, put_day, put_text, reads, span
from charges.x12.scanner import Delimiters, Segment
from charges.x12.segments import Text, amount, code, day, segment, to_amount

REFERENCES = {
    "service_authorization_exception": "4N",
    "referral_number": "9F",
    "prior_authorization": "G1",
    "payer_claim_number": "F8",
    "repriced_claim_number": "9A",
    "adjusted_repriced_claim_number": "9C",
    "investigational_device": "LX",
    "clearinghouse_number": "D9",
}
LATER_REFERENCES = {"medical_record_number": "EA", "demonstration_project": "P4"}

# Written


def loop_2300_claim(out: list[str], claim: Claim, charge: Charge, bill: Institutional, text: Text) -> None:
    """The claim: amounts, type of bill, days, admission, numbers, notes, codes. ``charge`` is the claim's, as it fits."""
    total = charge.stated_total if charge.stated_total is not None else charge.total
    frequency = claim.frequency if claim.frequency != "1" else code(bill.frequency)
    out.append(
        f"CLM*{text(claim.number, 38)}*{amount(total)}***{code(bill.facility_type)}:A:{frequency}"
        f"**{code(charge.assignment)}*{code(charge.benefits_assigned)}*{code(charge.release_of_information)}"
        f"***********{code(charge.delay_reason)}".rstrip("*")
    )
    _dates(out, charge, bill)
    out.append(segment("CL1", code(bill.admission_type), code(bill.admission_source), code(bill.patient_status)))
    write_attachments(out, charge.attachments, text)
    write_contract(out, charge.contract, text)
    if bill.estimated_due is not None:
        out.append(f"AMT*F3*{amount(bill.estimated_due)}")
    _references(out, charge, bill, text)
    write_file_information(out, charge.file_information, text)
    out += [f"NTE*{code(each.kind)}*{text(each.text, 80)}" for each in bill.notes]
    if charge.note:
        out.append(f"NTE*ADD*{text(charge.note, 80)}")
    write_conditions(out, charge.conditions, ("ZZ",))
    write_codes(out, charge, bill)
    write_repricing(out, charge.repricing, text)


def _dates(out: list[str], charge: Charge, bill: Institutional) -> None:
    """DTP: discharge hour, the days billed, admission."""
    if bill.discharge_time is not None:
        out.append(f"DTP*096*TM*{_clock(bill.discharge_time)}")
    start, end = bill.statement_from or bill.statement_to, bill.statement_to or bill.statement_from
    if start is not None and end is not None:
        out.append(f"DTP*434*RD8*{day(start)}-{day(end)}")
    admitted = charge.dates.admission
    if admitted is not None:
        hour = bill.admission_time
        out.append(f"DTP*435*D8*{day(admitted)}" if hour is None else f"DTP*435*DT*{day(admitted)}{_clock(hour)}")
    write_dates(out, charge.dates, {"repricer_received": "050"})


def _clock(value: time) -> str:
    """HHMM."""
    return f"{value.hour:02d}{value.minute:02d}"


def _references(out: list[str], charge: Charge, bill: Institutional, text: Text) -> None:
    """REF in guide order."""
    numbers = charge.references.model_fields_set
    for name, qualifier in REFERENCES.items():
        if name in numbers and (value := getattr(charge.references, name)):
            out.append(f"REF*{qualifier}*{text(value, 50)}")
        if qualifier == "LX":
            out += [f"REF*LX*{text(each, 50)}" for each in bill.further_devices]
    causes = charge.related_causes
    if causes.auto_accident and causes.state:
        out.append(f"REF*LU*{code(causes.state)}")
    for name, qualifier in LATER_REFERENCES.items():
        if name in numbers and (value := getattr(charge.references, name)):
            out.append(f"REF*{qualifier}*{text(value, 50)}")
    if bill.peer_review_number:
        out.append(f"REF*G4*{text(bill.peer_review_number, 50)}")


def loop_2310_providers(out: list[str], charge: Charge, bill: Institutional, options: Options) -> None:
    """2310A attending, B operating, C other operating, D rendering, E service facility, F referring.

    A rendering provider who is the attending one and a facility that is the billing provider are left out, as the guide
    wants it, unless the partner wants them repeated.
    """
    text = options.text
    if bill.attending_provider is not None:
        taxonomy_as = "AT" if options.taxonomies else ""
        parties.write_provider(out, "71", bill.attending_provider, text, taxonomy_as=taxonomy_as)
    for role, provider in (("72", bill.operating_provider), ("ZZ", bill.other_operating_provider)):
        if provider is not None:
            parties.write_provider(out, role, provider, text)
    rendering = charge.rendering_provider
    if rendering is not None and (
        options.repeats_rendering or not is_same_provider(rendering, bill.attending_provider)
    ):
        parties.write_provider(out, "82", rendering, text)
    facility = charge.facility
    if facility is not None and (
        options.repeats_facility or not is_billing_address(facility, charge.billing_provider, text)
    ):
        parties.write_facility(out, facility, text)
    if charge.referring_provider is not None:
        parties.write_provider(out, "DN", charge.referring_provider, text)


# Read


@reads(1, 2, 5, 6, 7, 8, 9, 20)
def _claim(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    """CLM. A signature (CLM06) says nothing: the guide's first examples have one, its addenda no place for it."""
    put_text(
        fields,
        number=e[1],
        assignment=e[7],
        benefits_assigned=e[8],
        release_of_information=e[9],
        delay_reason=e[20],
    )
    bill, total = components(e[5], delimiters, 3), to_amount(e[2])
    if bill is not None:
        put_text(fields, facility_type=bill[0], frequency=bill[2])
    if total is not None:
        fields["stated_total"] = total
    return total is not None and bill is not None and bill[1] == "A" and e[6] in ("", "Y")


@reads(1, 2, 3)
def _date(fields: Fields, e: Segment, _: Delimiters) -> bool:
    kind, value = e[2], e[3]
    dates = fields.setdefault("dates", {})
    if e[1] == "434":
        both = span(kind, value)
        return (
            both is not None
            and put(fields, "statement_from", both[0])
            and put(fields, "statement_to", both[1] or both[0])
        )
    if e[1] == "096":
        return kind == "TM" and _put_clock(fields, "discharge_time", value)
    if e[1] == "435" and kind == "DT":
        return put_day(dates, "admission", "D8", value[:8]) and _put_clock(fields, "admission_time", value[8:])
    name = {"435": "admission", "050": "repricer_received"}.get(e[1])
    return name is not None and put_day(dates, name, kind, value)


def _put_clock(fields: Fields, name: str, value: str) -> bool:
    """Put an hour and minute of HHMM."""
    if len(value) != 4 or not value.isdecimal() or value[:2] > "23" or value[2:] > "59":
        return False
    return put(fields, name, time(int(value[:2]), int(value[2:])))


@reads(1, 2, 3)
def _admission(fields: Fields, e: Segment, _: Delimiters) -> bool:
    put_text(fields, admission_type=e[1], admission_source=e[2], patient_status=e[3])
    return True


@reads(1, 2)
def _amount(fields: Fields, e: Segment, _: Delimiters) -> bool:
    return e[1] == "F3" and bool(e[2]) and put_amount(fields, "estimated_due", e[2])


_REFERENCE_NAMES = {qualifier: name for name, qualifier in (REFERENCES | LATER_REFERENCES).items()}


@reads(1, 2)
def _reference(fields: Fields, e: Segment, _: Delimiters) -> bool:
    kind, value = e[1], e[2]
    references = fields.setdefault("references", {})
    if kind == "LX" and "investigational_device" in references:
        return add(fields, "further_devices", value, 4)
    if kind == "LU":
        return put(fields, "related_causes", {"auto_accident": True, "state": value})
    if kind == "G4":
        return put(fields, "peer_review_number", value)
    return kind in _REFERENCE_NAMES and put(references, _REFERENCE_NAMES[kind], value)


@reads(1, 2)
def _note(fields: Fields, e: Segment, _: Delimiters) -> bool:
    if e[1] == "ADD":
        return put(fields, "note", e[2])
    return bool(e[1] and e[2]) and add(fields, "notes", {"kind": e[1], "text": e[2]}, 10)


@reads(1, 2, 3, 4, 5)
def _condition(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    return e[1] == "ZZ" and PARTICULARS["CRC"].read(fields, e, delimiters)


LOOP_2300: Table = {name: PARTICULARS[name] for name in ("PWK", "CN1", "K3", "HCP")} | {
    "CLM": _claim,
    "DTP": _date,
    "CL1": _admission,
    "AMT": _amount,
    "REF": _reference,
    "NTE": _note,
    "CRC": _condition,
    "HI": read_codes,
}


def close_claim(charge: Fields) -> None:
    """Put what a facility's bill alone says where a charge has it; the frequency goes with the claim where it can."""
    bill = {name: charge.pop(name) for name in Institutional.model_fields if name != "frequency" and name in charge}
    frequency = charge.get("frequency", "")
    if frequency not in ("1", "7", "8") and len(frequency) == 1:
        bill["frequency"] = frequency
        charge["frequency"] = "1"
    charge["institutional"] = bill
