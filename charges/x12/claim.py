"""The claim itself: 2300 and the providers of 2310, both ways."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache

from charges.model import Charge, Claim, ClaimDates, Facility, LineDates, Provider, ServiceLine, undotted
from charges.x12 import parties
from charges.x12.options import Options
from charges.x12.particulars import (
    PARTICULARS,
    write_ambulance_places,
    write_attachments,
    write_conditions,
    write_contract,
    write_file_information,
    write_repricing,
    write_transport,
)
from charges.x12.reading import Fields, Table, add, components, dated, put, put_amount, put_text, reads, span
from charges.x12.scanner import Delimiters, Segment
from charges.x12.segments import Text, amount, code, composite, day, digits, segment, to_amount

DATES = {
    "onset_of_illness": "431",
    "initial_treatment": "454",
    "last_seen": "304",
    "acute_manifestation": "453",
    "accident": "439",
    "last_menstrual_period": "484",
    "last_xray": "455",
    "vision_prescription": "471",
}
LATER_DATES = {
    "last_worked": "297",
    "return_to_work": "296",
    "admission": "435",
    "discharge": "096",
    "assumed_care": "090",
    "relinquished_care": "091",
    "first_contact": "444",
    "repricer_received": "050",
}
REFERENCES = {
    "service_authorization_exception": "4N",
    "medicare_section_4081": "F5",
    "mammography_certificate": "EW",
    "referral_number": "9F",
    "prior_authorization": "G1",
    "payer_claim_number": "F8",
    "clia": "X4",
    "repriced_claim_number": "9A",
    "adjusted_repriced_claim_number": "9C",
    "investigational_device": "LX",
    "clearinghouse_number": "D9",
    "medical_record_number": "EA",
    "demonstration_project": "P4",
    "care_plan_oversight": "1J",
}
CONDITIONS = ("07", "E1", "E2", "E3", "75", "ZZ")
_NOTHING = Decimal(0)
_CIRCUMSTANCES = frozenset(("related_causes", "special_program", "delay_reason"))
_RARE = frozenset(("attachments", "contract", "file_information", "ambulance", "spinal_manipulation", "conditions"))

# Written


def loop_2300_claim(out: list[str], claim: Claim, lines: Sequence[ServiceLine], place: str, text: Text) -> None:
    """The claim: amounts, place of service, signatures, dates, numbers, notes, diagnoses."""
    charge = claim.charge
    total = charge.stated_total
    if total is None:
        total = sum([line.charge for line in lines if line.charge is not None], _NOTHING)
    said = charge.model_fields_set
    opening = f"CLM*{text(claim.number, 38)}*{amount(total)}***{code(place)}:B:{claim.frequency}*" + _signatures(
        charge.provider_signature,
        charge.assignment,
        charge.benefits_assigned,
        charge.release_of_information,
        charge.patient_signature_source,
    )
    if not _CIRCUMSTANCES.isdisjoint(said):
        opening += f"*{_related_causes(charge)}*{code(charge.special_program)}********{code(charge.delay_reason)}"
    out.append(opening.rstrip("*"))
    if charge.dates.model_fields_set:
        write_dates(out, charge.dates, DATES)
        _disability(out, charge.dates)
        write_dates(out, charge.dates, LATER_DATES)
    # What a charge says is known from the fields that were set, so that most are spared the questions about rare ones.
    says_more = not _RARE.isdisjoint(said)
    if says_more:
        write_attachments(out, charge.attachments, text)
        write_contract(out, charge.contract, text)
    if charge.patient_paid:
        out.append(f"AMT*F5*{amount(charge.patient_paid)}")
    references = charge.references
    numbers = references.model_fields_set
    if numbers:
        for name, qualifier in REFERENCES.items():
            if name in numbers and (value := getattr(references, name)):
                out.append(f"REF*{qualifier}*{text(value, 50)}")
    if says_more:
        write_file_information(out, charge.file_information, text)
    if charge.note:
        out.append(f"NTE*{code(charge.note_kind)}*{text(charge.note, 80)}")
    if says_more:
        _conditions(out, charge, text)
    _health_care_codes(out, charge)
    write_repricing(out, charge.repricing, text)


@lru_cache(maxsize=1024)
def _signatures(*codes: str) -> str:
    """CLM06 to CLM10."""
    return "*".join(map(code, codes))


def _conditions(out: list[str], charge: Charge, text: Text) -> None:
    """CR1, CR2, CRC."""
    write_transport(out, charge.ambulance, text)
    spinal = charge.spinal_manipulation
    if spinal is not None:
        further = (text(spinal.description, 80), text(spinal.further_description, 80))
        out.append(segment("CR2", "", "", "", "", "", "", "", code(spinal.nature), "", *further))
    write_conditions(out, charge.conditions, CONDITIONS)


def write_dates(out: list[str], dates: ClaimDates | LineDates, qualifiers: Mapping[str, str]) -> None:
    """DTP of those dates that are there."""
    said = dates.model_fields_set
    for name, qualifier in qualifiers.items():
        value: date | None = getattr(dates, name) if name in said else None
        if value is not None:
            out.append(f"DTP*{qualifier}*D8*{day(value)}")


def _disability(out: list[str], dates: ClaimDates) -> None:
    start, end = dates.disability_from, dates.disability_to
    if start is not None and end is not None:
        out.append(f"DTP*314*RD8*{day(start)}-{day(end)}")
    elif start is not None:
        out.append(f"DTP*360*D8*{day(start)}")
    elif end is not None:
        out.append(f"DTP*361*D8*{day(end)}")


def _related_causes(charge: Charge) -> str:
    causes = charge.related_causes
    if not causes.model_fields_set:
        return ""
    codes = (*causes.codes, "", "", "")[:3]
    if not codes[0]:
        return ""
    return composite(*codes, code(causes.state) if causes.auto_accident else "", code(causes.country))


def _health_care_codes(out: list[str], charge: Charge) -> None:
    """HI: the diagnoses in order, anesthesia related procedures, condition codes."""
    diagnoses = charge.diagnoses
    if diagnoses:
        kinds = ("BK", "BF") if diagnoses[0].icd9 else ("ABK", "ABF")
        others = [f"*{'BF' if each.icd9 else 'ABF'}:{code(undotted(each.code))}" for each in diagnoses[1:12]]
        out.append(f"HI*{kinds[0]}:{code(undotted(diagnoses[0].code))}{''.join(others)}")
    if charge.anesthesia_procedures:
        numbers = charge.anesthesia_procedures[:2]
        out.append(segment("HI", *(f"{kind}:{code(each)}" for kind, each in zip(("BP", "BO"), numbers, strict=False))))
    if charge.condition_codes:
        codes = [f"BG:{code(each)}" for each in charge.condition_codes]
        out += [segment("HI", *codes[start : start + 12]) for start in range(0, len(codes), 12)]


def place_of(charge: Charge, lines: Sequence[ServiceLine]) -> str:
    """CLM05-1: the encounter's place, else that of the first of its billed lines."""
    if charge.encounter.place_of_service:
        return charge.encounter.place_of_service
    return lines[0].place_of_service if lines else ""


def loop_2310_providers(out: list[str], charge: Charge, text: Text, options: Options) -> None:
    """2310A referring, B rendering, C service facility, D supervising, E and F ambulance.

    A rendering provider or facility that is the billing provider is left out, as the guide wants it, unless the partner
    wants it repeated.
    """
    billing = charge.billing_provider
    if charge.referring_provider is not None:
        parties.write_provider(out, "DN", charge.referring_provider, text)
    if charge.primary_care_provider is not None:
        parties.write_provider(out, "P3", charge.primary_care_provider, text)
    rendering = charge.rendering_provider
    if rendering is not None and (options.repeats_rendering or not is_same_provider(rendering, billing)):
        parties.write_provider(out, "82", rendering, text, taxonomy_as="PE" if options.taxonomies else "")
    facility = charge.facility
    if facility is not None and (options.repeats_facility or not is_billing_address(facility, billing, text)):
        parties.write_facility(out, facility, text, has_contact=True)
    if charge.supervising_provider is not None:
        parties.write_provider(out, "DQ", charge.supervising_provider, text)
    write_ambulance_places(out, charge.ambulance, text)


def is_same_provider(rendering: Provider, other: Provider | None) -> bool:
    """Whether both have the one NPI."""
    return other is not None and bool(rendering.npi) and digits(rendering.npi) == digits(other.npi)


def is_billing_address(facility: Facility, billing: Provider | None, text: Text) -> bool:
    """A facility that is the billing provider is left out: some payers refuse a claim that says it twice."""
    if billing is None:
        return False
    if facility.npi and digits(facility.npi) == digits(billing.npi):
        return True
    same_street = text(facility.address.line1, 55) == text(billing.address.line1, 55)
    return same_street and digits(facility.address.postal_code)[:5] == digits(billing.address.postal_code)[:5]


# Read


@reads(1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 20)
def _claim(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    put_text(
        fields,
        provider_signature=e[6],
        assignment=e[7],
        benefits_assigned=e[8],
        release_of_information=e[9],
        patient_signature_source=e[10],
        special_program=e[12],
        delay_reason=e[20],
    )
    place = components(e[5], delimiters, 3)
    causes = _read_causes(fields, e[11], delimiters)
    if place is None:
        return False
    put_text(fields, number=e[1], frequency=place[2])
    if place[0]:
        fields["encounter"] = {"place_of_service": place[0]}
    total = to_amount(e[2])
    if total is not None:
        fields["stated_total"] = total
    return causes and total is not None and place[1] == "B"


def _read_causes(fields: Fields, element: str, delimiters: Delimiters) -> bool:
    if not element:
        return True
    names = {"AA": "auto_accident", "OA": "other_accident", "EM": "employment"}
    parts = components(element, delimiters, 5)
    if parts is None:
        return False
    causes: Fields = {names[each]: True for each in parts[:3] if each in names}
    put_text(causes, state=parts[3], country=parts[4])
    fields["related_causes"] = causes
    return all(not each or each in names for each in parts[:3])


_DATE_NAMES = {qualifier: name for name, qualifier in (DATES | LATER_DATES).items()}
_read_date = dated(_DATE_NAMES | {"360": "disability_from", "361": "disability_to"})


@reads(1, 2, 3)
def _date(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    if e[1] != "314":
        return _read_date(fields, e, delimiters)
    both = span(e[2], e[3])
    dates = fields.setdefault("dates", {})
    return (
        both is not None
        and both[1] is not None
        and put(dates, "disability_from", both[0])
        and put(dates, "disability_to", both[1])
    )


@reads(1, 2)
def _amount(fields: Fields, e: Segment, _: Delimiters) -> bool:
    return e[1] == "F5" and bool(e[2]) and put_amount(fields, "patient_paid", e[2])


_REFERENCE_NAMES = {qualifier: name for name, qualifier in REFERENCES.items()}


@reads(1, 2)
def _reference(fields: Fields, e: Segment, _: Delimiters) -> bool:
    name = _REFERENCE_NAMES.get(e[1])
    return name is not None and put(fields.setdefault("references", {}), name, e[2])


@reads(1, 2)
def _note(fields: Fields, e: Segment, _: Delimiters) -> bool:
    if not put(fields, "note", e[2]):
        return False
    put_text(fields, note_kind=e[1])
    return bool(e[1])


@reads(8, 10, 11)
def _spinal(fields: Fields, e: Segment, _: Delimiters) -> bool:
    found = {"nature": e[8]}
    put_text(found, description=e[10], further_description=e[11])
    return put(fields, "spinal_manipulation", found)


@reads(*range(1, 13))
def _codes(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    all_read = True
    if e[1].startswith(("ABK", "BK")) and "diagnoses" in fields:
        return False
    for place in range(1, 13):
        if not e[place]:
            continue
        kind, _, value = e[place].partition(delimiters.component)
        value = value.rstrip(delimiters.component)
        if delimiters.component in value or not value:
            all_read = False
        elif kind in ("ABK", "ABF", "BK", "BF") and (place == 1) is kind.endswith("BK"):
            diagnosis: Fields = {"code": value}
            if len(kind) == 2:
                diagnosis["icd9"] = True
            all_read &= add(fields, "diagnoses", diagnosis, 12)
        elif kind in ("BP", "BO"):
            all_read &= add(fields, "anesthesia_procedures", value, 2)
        elif kind == "BG":
            all_read &= add(fields, "condition_codes", value, 24)
        else:
            all_read = False
    return all_read


LOOP_2300: Table = PARTICULARS | {
    "CLM": _claim,
    "DTP": _date,
    "AMT": _amount,
    "REF": _reference,
    "NTE": _note,
    "CR2": _spinal,
    "HI": _codes,
}
