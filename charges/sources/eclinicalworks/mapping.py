"""A charge record of the tenant as a charge: pure, and each field with the column it came from.

What the record does not say stays absent. What it says in a way that cannot be understood (a date that is none, an amount
with letters) makes the record unreadable, with the column's name and never its value.
"""

import json
import re
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from charges.errors import Unreadable
from charges.model import (
    Address,
    Charge,
    ClaimDates,
    Coverage,
    Diagnosis,
    Drug,
    Encounter,
    Facility,
    Patient,
    Payer,
    Provider,
    References,
    RelatedCauses,
    ServiceLine,
    Subscriber,
)
from charges.sources.eclinicalworks.contract import (
    ChargeRecord,
    ClaimInformation,
    EncounterRecord,
    FacilityRecord,
    Human,
    InsuranceRecord,
    LineRecord,
    PatientRecord,
    Postal,
    ProviderRecord,
)
from charges.sources.eclinicalworks.fieldmap import FieldMap
from charges.sources.eclinicalworks.places import places_of
from charges.sources.seen import Places

RELATIONSHIPS = {"1": "18", "2": "01", "3": "19", "4": "G8"}
"""The tenant's relation of the patient to the subscriber as individual relationship code (X12 element 1069)."""

_NO_DATE = re.compile(r"(0000-00-00|00/00/0000|1900-01-01|01/01/1900)?")
_AMERICAN_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_SELF_PAY_CODE = re.compile(r"^[xX]")
"""Codes that a practice invents for what no payer is asked for begin with x."""

_CONTRACT = FieldMap()
_NO_ADDRESS, _NO_SUBSCRIBER = Address(), Subscriber()
_NO_CAUSES, _NO_DATES, _NO_REFERENCES = RelatedCauses(), ClaimDates(), References()
"""Most charges say nothing of these."""
_KEPT = 4096
"""So many providers, facilities and payers are kept as they were last said, for nearly all charges name the same few."""


def to_charge(body: bytes, fields: FieldMap = _CONTRACT) -> Charge:
    """The facts of one record's JSON in a tenant's words; raises Unreadable with the column that is wrong."""
    places = places_of(fields)
    if fields.is_empty:
        return _told(_parsed(body), places)
    try:
        return _told(_translated(body, fields), places)
    except Unreadable as fault:
        column, _, what = str(fault).partition(" ")
        here = fields.place(column)
        raise Unreadable(f"{here} ({column} of the contract) {what}" if here != column else str(fault)) from None


def _parsed(body: bytes) -> ChargeRecord:
    try:
        return ChargeRecord.model_validate_json(body)
    except ValidationError as error:
        raise Unreadable(_sentence(error)) from None


def _translated(body: bytes, fields: FieldMap) -> ChargeRecord:
    try:
        return ChargeRecord.model_validate(fields.read(json.loads(body)))
    except ValidationError as error:
        raise Unreadable(_sentence(error)) from None
    except ValueError:
        raise Unreadable("The record is not JSON.") from None


def _told(record: ChargeRecord, places: Places) -> Charge:
    diagnoses = [
        each
        for each in sorted(record.diagnoses, key=lambda each: _rank(each.order))
        if each.code.strip() and not _yes(each.deleted)
    ]
    lines = [line for line in sorted(record.lines, key=lambda each: _rank(each.order)) if not _yes(line.deleted)]
    codes = {each.order.strip(): each.code.strip() for each in diagnoses}
    charge = Charge(
        key=record.invoice_id,
        encounter=_encounter(record),
        patient=_patient(record),
        coverages=tuple(
            _coverage(each)
            for each in sorted(record.insurances, key=lambda each: _rank(each.sequence))
            if not _yes(each.deleted)
        ),
        self_pay=_yes(record.self_pay),
        voided=_yes(record.void_flag) or _yes(record.delete_flag),
        rendering_provider=_provider(record.rendering),
        referring_provider=_provider(record.referring),
        supervising_provider=_provider(record.supervising),
        facility=_facility(record.facility),
        diagnoses=tuple(Diagnosis(code=each.code.strip()) for each in diagnoses),
        lines=tuple(_line(each, number, record, codes) for number, each in enumerate(lines, 1)),
        provider_signature=record.claim.signature_on_file.strip().upper(),
        assignment=record.claim.assignment.strip().upper(),
        benefits_assigned=record.claim.benefits_assigned.strip().upper(),
        release_of_information=record.claim.release_of_information.strip().upper(),
        special_program=record.claim.special_program.strip(),
        delay_reason=record.claim.delay_reason.strip(),
        related_causes=_related_causes(record.claim),
        dates=_dates(record.claim),
        references=_references(record.claim),
        patient_paid=_number(record.copay, "copay") or None,
        note=record.claim.note.strip(),
        custom={each.name: each.value for each in record.custom},
    )
    return charge.model_copy(update={"origins": places.of(charge)})


def _encounter(record: ChargeRecord) -> Encounter:
    visit: EncounterRecord = record.encounter
    start = _date(visit.date, "encounter.date") or _date(record.service_date, "ServiceDt")
    return Encounter(
        record_number=record.encounter_id or visit.id,
        status=visit.status,
        visit_type=visit.visit_type,
        locked=_yes(visit.locked) if visit.locked else None,
        checked_out=visit.status == "CHK" if visit.status else None,
        start_date=start,
        end_date=_date(visit.end_date, "encounter.endDate"),
        place_of_service=record.place_of_service.strip(),
    )


def _patient(record: ChargeRecord) -> Patient:
    given: PatientRecord = record.patient
    return Patient(
        **_person(given, "patient"),
        record_number=record.patient_id.strip(),
        death_date=_date(given.death_date, "patient.deceasedDate"),
    )


def _person(given: Human, column: str) -> dict[str, Any]:
    return {
        "last_name": given.last_name.strip(),
        "first_name": given.first_name.strip(),
        "middle_name": given.middle_name.strip(),
        "suffix": given.suffix.strip(),
        "birth_date": _date(given.birth_date, f"{column}.dob"),
        "sex": given.sex.strip()[:1].upper(),
        "address": _address(given.address),
        "phone": given.phone.strip(),
        "ssn": given.ssn.strip(),
    }


def _address(given: Postal) -> Address:
    return _address_of(*_lines_of(given))


def _lines_of(given: Postal) -> tuple[str, str, str, str, str]:
    return given.line1, given.line2, given.city, given.state, given.zip


def _address_of(line1: str, line2: str, city: str, state: str, postal_code: str) -> Address:
    if not (line1 or line2 or city or state or postal_code):
        return _NO_ADDRESS
    return Address(
        line1=line1.strip(),
        line2=line2.strip(),
        city=city.strip(),
        state=state.strip().upper(),
        postal_code=postal_code.strip(),
    )


def _coverage(given: InsuranceRecord) -> Coverage:
    relation = given.relation.strip().upper()
    subscriber = given.subscriber
    return Coverage(
        payer=_payer(given.insurance_id, given.name, given.payer_id, given.filing_code, *_lines_of(given.address)),
        member_id=given.member_id.strip(),
        relationship=RELATIONSHIPS.get(relation, relation),
        subscriber=Subscriber(**_person(subscriber, "insurances.subscriber")) if subscriber else _NO_SUBSCRIBER,
        group_number=given.group_number.strip(),
        group_name=given.group_name.strip(),
        insurance_type=given.insurance_type.strip(),
    )


@lru_cache(_KEPT)
def _payer(source_id: str, name: str, payer_id: str, filing_code: str, *address: str) -> Payer:
    return Payer(
        source_id=source_id.strip(),
        name=name.strip(),
        payer_id=payer_id.strip(),
        claim_filing_code=filing_code.strip().upper(),
        address=_address_of(*address),
    )


def _provider(given: ProviderRecord | None) -> Provider | None:
    if given is None or not (given.id or given.npi or given.last_name):
        return None
    names = given.last_name, given.first_name, given.middle_name, given.suffix
    return _provider_of(given.id, given.npi, *names, given.taxonomy)


@lru_cache(_KEPT)
def _provider_of(
    source_id: str, npi: str, last_name: str, first_name: str, middle_name: str, suffix: str, taxonomy: str
) -> Provider:
    return Provider(
        source_id=source_id.strip(),
        npi=npi.strip(),
        last_name=last_name.strip(),
        first_name=first_name.strip(),
        middle_name=middle_name.strip(),
        suffix=suffix.strip(),
        taxonomy=taxonomy.strip().upper(),
    )


def _facility(given: FacilityRecord | None) -> Facility | None:
    if given is None or not (given.id or given.npi or given.name):
        return None
    about = given.id, given.name, given.npi, given.clia, given.place_of_service, given.phone
    return _facility_of(*about, *_lines_of(given.address))


@lru_cache(_KEPT)
def _facility_of(
    source_id: str, name: str, npi: str, clia: str, place_of_service: str, phone: str, *address: str
) -> Facility:
    return Facility(
        source_id=source_id.strip(),
        name=name.strip(),
        npi=npi.strip(),
        address=_address_of(*address),
        clia=clia.strip().upper(),
        place_of_service=place_of_service.strip(),
        phone=phone.strip(),
    )


def _line(given: LineRecord, number: int, record: ChargeRecord, codes: dict[str, str]) -> ServiceLine:
    column = f"cpt[{number}]"
    code = given.code.strip()
    modifiers = (given.modifier1, given.modifier2, given.modifier3, given.modifier4)
    pointers = (given.diagnosis1, given.diagnosis2, given.diagnosis3, given.diagnosis4)
    return ServiceLine(
        source_id=given.id.strip(),
        code=code,
        modifiers=tuple(each.strip() for each in modifiers if each.strip()),
        description=given.description.strip(),
        charge=_number(given.fee, f"{column}.BilledFee"),
        units=_number(given.units, f"{column}.Units"),
        unit=given.unit_kind.strip().upper() or "UN",
        place_of_service=given.place_of_service.strip(),
        service_date=_date(given.start, f"{column}.SDOS") or _date(record.service_date, "ServiceDt"),
        service_date_to=_date(given.end, f"{column}.EDOS"),
        diagnoses=tuple(_pointed(each.strip(), codes) for each in pointers if each.strip() not in ("", "0")),
        drug=_drug(given, column),
        note=given.note.strip(),
        rendering_provider=_provider(given.rendering),
        ordering_provider=_provider(given.ordering),
        referring_provider=_provider(given.referring),
        supervising_provider=_provider(given.supervising),
        facility=_facility(given.facility),
        emergency=_yes(given.emergency),
        epsdt=_yes(given.epsdt),
        family_planning=_yes(given.family_planning),
        prior_authorization=given.prior_authorization.strip(),
        referral_number=given.referral_number.strip(),
        clia=given.clia.strip().upper(),
        patient_share=_yes(given.bill_to_patient) or _SELF_PAY_CODE.match(code) is not None,
    )


def _pointed(pointer: str, codes: dict[str, str]) -> str:
    """The code at a place of the charge; a place where there is none stays visible as such and is found by a rule."""
    return codes.get(pointer, f"#{pointer}"[:20])


def _drug(given: LineRecord, column: str) -> Drug | None:
    if not (given.ndc.strip() or given.ndc_quantity.strip() or given.prescription_number.strip()):
        return None
    return Drug(
        ndc=given.ndc.strip(),
        quantity=_number(given.ndc_quantity, f"{column}.NDCQty"),
        unit=given.ndc_unit.strip().upper(),
        prescription_number=given.prescription_number.strip(),
    )


def _related_causes(given: ClaimInformation) -> RelatedCauses:
    auto, other, employment = map(_yes, (given.auto_accident, given.other_accident, given.employment_related))
    state = given.accident_state.strip().upper()
    if not (auto or other or employment or state):
        return _NO_CAUSES
    return RelatedCauses(auto_accident=auto, other_accident=other, employment=employment, state=state)


def _dates(given: ClaimInformation) -> ClaimDates:
    def day(value: str, name: str) -> date | None:
        return _date(value, f"claimInfo.{name}")

    dates = {
        "onset_of_illness": day(given.onset_date, "onsetDate"),
        "initial_treatment": day(given.initial_treatment_date, "initialTreatmentDate"),
        "last_seen": day(given.last_seen_date, "lastSeenDate"),
        "accident": day(given.accident_date, "accidentDate"),
        "last_menstrual_period": day(given.last_menstrual_period, "lastMenstrualPeriod"),
        "last_xray": day(given.last_xray_date, "lastXrayDate"),
        "disability_from": day(given.disability_from, "disabilityFrom"),
        "disability_to": day(given.disability_to, "disabilityTo"),
        "last_worked": day(given.last_worked, "lastWorked"),
        "return_to_work": day(given.return_to_work, "returnToWork"),
        "admission": day(given.admission_date, "admissionDate"),
        "discharge": day(given.discharge_date, "dischargeDate"),
    }
    return ClaimDates(**dates) if any(dates.values()) else _NO_DATES


def _references(given: ClaimInformation) -> References:
    numbers = {
        "prior_authorization": given.prior_authorization.strip(),
        "referral_number": given.referral_number.strip(),
        "clia": given.clia_number.strip().upper(),
        "mammography_certificate": given.mammography_certificate.strip(),
        "payer_claim_number": given.payer_claim_number.strip(),
        "investigational_device": given.investigational_device.strip(),
    }
    return References(**numbers) if any(numbers.values()) else _NO_REFERENCES


def _rank(order: str) -> tuple[int, str]:
    """Numbers by value, whatever else stands there behind them."""
    text = order.strip()
    return (int(text), "") if text.isascii() and text.isdigit() else (10**9, text)


def _yes(flag: str) -> bool:
    return flag.strip().lower() in ("1", "true", "yes", "y")


def _number(text: str, column: str) -> Decimal | None:
    plain = text.replace(",", "").replace("$", "").strip()
    if not plain:
        return None
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise Unreadable(f"{column} is not a number.") from None
    if not number.is_finite() or abs(number) >= 10**12:
        raise Unreadable(f"{column} is not a number that a charge can have.")
    return number


def _date(text: str, column: str) -> date | None:
    if not text:
        return None
    plain = text.strip().partition(" ")[0].partition("T")[0]
    if _NO_DATE.fullmatch(plain):
        return None
    american = _AMERICAN_DATE.fullmatch(plain)
    iso = f"{american[3]}-{american[1]:0>2}-{american[2]:0>2}" if american else plain
    try:
        if len(iso) == len("YYYY-MM-DD"):
            return date.fromisoformat(iso)
    except ValueError:
        pass
    raise Unreadable(f"{column} is not a date; it is expected as YYYY-MM-DD.")


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in first["loc"]).lstrip(".")
    if first["type"] == "json_invalid":
        return "The record is not JSON."
    if first["type"] == "missing":
        return f"{where} is missing."
    return f"{where or 'The record'} is not what is expected there: {first['msg'].removeprefix('Input ')}."
