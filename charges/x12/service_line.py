"""A service line: 2400, its drug (2410), its own providers (2420), both ways. ``line_decisions`` has 2430 and 2440."""

from collections.abc import Container
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from charges.model import Drug, Provider, ServiceLine, undotted
from charges.x12 import parties
from charges.x12.claim import write_dates
from charges.x12.line_decisions import loop_2430_adjudications, loop_2440_forms
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
from charges.x12.parties import write_address, write_contact, write_identifiers
from charges.x12.procedure import procedure_of, read_procedure
from charges.x12.reading import Fields, Table, add, dated, put, put_amount, put_text, reads, span
from charges.x12.scanner import Delimiters, Segment
from charges.x12.segments import Text, amount, amount_or_blank, code, day, digits, segment, to_amount

DATES = {
    "prescription": "471",
    "certification_revision": "607",
    "begin_therapy": "463",
    "last_certification": "461",
    "last_seen": "304",
    "hemoglobin_test": "738",
    "creatinine_test": "739",
    "shipped": "011",
    "last_xray": "455",
    "initial_treatment": "454",
}
CONDITIONS = ("07", "70", "09")
_NOTHING = Decimal(0)

# What a line says is known from the fields that were set, so that most lines are spared the questions about rare ones.
_FLAGS = frozenset(("emergency", "epsdt", "family_planning", "copay_exempt"))
_NUMBERS = frozenset(("prior_authorization", "referral_number", "clia"))
_PROVIDERS = frozenset(
    (
        "rendering_provider",
        "facility",
        "supervising_provider",
        "ordering_provider",
        "referring_provider",
        "primary_care_provider",
    )
)
_PLAIN = (
    _FLAGS
    | _NUMBERS
    | _PROVIDERS
    | {"source_id", "code", "code_qualifier", "modifiers", "description", "charge", "units", "unit", "place_of_service"}
    | {"service_date", "service_date_to", "diagnoses", "drug", "patient_share", "control_number"}
    | {"adjudications", "forms"}
)
_HUNG_ON = frozenset(("adjudications", "forms"))

# Written


@dataclass(frozen=True, slots=True)
class OfClaim:
    """What a line needs of its claim: number, place of service, codes of the diagnoses in order, rendering provider."""

    number: str
    place: str
    diagnoses: tuple[str, ...]
    rendering_provider: Provider | None


def loop_2400_service_line(
    out: list[str], claim: OfClaim, number: int, line: ServiceLine, text: Text, options: Options
) -> None:
    """A service line with all that belongs to it; ``number`` counts from 1."""
    said = line.model_fields_set
    place = line.place_of_service
    service = _service(
        line.code_qualifier,
        line.code,
        line.modifiers,
        line.description,
        line.charge,
        line.unit,
        line.units,
        "" if place == claim.place else place,
        line.diagnoses,
        claim.diagnoses,
        text,
    )
    if not _FLAGS.isdisjoint(said):
        service += (
            f"**{'Y' if line.emergency else ''}**{'Y' if line.epsdt else ''}*{'Y' if line.family_planning else ''}"
            f"***{'0' if line.copay_exempt else ''}"
        )
    out += (f"LX*{number}", service.rstrip("*"))
    is_plain = said <= _PLAIN
    if not is_plain:
        _equipment(out, line, text)
    service_dates(out, line, said)
    if not is_plain:
        _quantities(out, line, text)
    own_number = text(line.control_number, 50) if line.control_number else ""
    control_number = own_number or options.line_number(claim.number, number)[:50]
    if is_plain and _NUMBERS.isdisjoint(said):
        if control_number:
            out.append(f"REF*6R*{control_number}")
    else:
        _references(out, line, control_number, text)
    if not is_plain:
        _amounts_and_notes(out, line, text)
    if line.drug is not None:
        loop_2410_drug(out, line.drug, text)
    if not is_plain or not _PROVIDERS.isdisjoint(said):
        _loops_2420_providers(out, claim.rendering_provider, line, text, options)
    if not _HUNG_ON.isdisjoint(said):
        loop_2430_adjudications(out, line.adjudications, text)
        loop_2440_forms(out, line.forms, text)


@lru_cache(maxsize=65_536)
def _service(
    qualifier: str,
    procedure: str,
    modifiers: tuple[str, ...],
    description: str,
    charge: Decimal | None,
    unit: str,
    units: Decimal | None,
    place: str,
    diagnoses: tuple[str, ...],
    on_claim: tuple[str, ...],
    text: Text,
) -> str:
    """SV1 up to its pointers: a practice bills the same few services day after day."""
    composite = procedure_of(qualifier, procedure, modifiers, description, text)
    return (
        f"SV1*{composite}*{amount(charge or _NOTHING)}*{code(unit)}*{amount(units or _NOTHING)}*{code(place)}"
        f"**{_pointed(diagnoses, on_claim)}"
    )


def _pointed(diagnoses: tuple[str, ...], on_claim: tuple[str, ...]) -> str:
    """SV107: up to four positions of the line's diagnoses among the claim's."""
    found = dict.fromkeys(on_claim.index(each) + 1 for each in map(undotted, diagnoses) if each in on_claim)
    return ":".join(map(str, list(found)[:4]))


def _equipment(out: list[str], line: ServiceLine, text: Text) -> None:
    """SV5, PWK, CR1, CR3, CRC."""
    rented = line.equipment
    if rented is not None:
        out.append(
            segment(
                "SV5",
                f"HC:{code(rented.code)}",
                "DA",
                amount_or_blank(rented.days),
                amount_or_blank(rented.rental_price),
                amount_or_blank(rented.purchase_price),
                code(rented.frequency),
            )
        )
    write_attachments(out, line.attachments, text)
    write_transport(out, line.ambulance, text)
    certified = line.equipment_certification
    if certified is not None:
        out.append(f"CR3*{code(certified.kind)}*MO*{amount_or_blank(certified.months)}".rstrip("*"))
    write_conditions(out, line.conditions, CONDITIONS)


def service_dates(out: list[str], line: ServiceLine, said: Container[str]) -> None:
    """DTP: the service date or span, then the others; ``said`` are the line's fields that were set."""
    start, end = line.service_date, line.service_date_to
    if start is not None:
        one_day = end is None or end == start
        out.append(f"DTP*472*D8*{day(start)}" if one_day else f"DTP*472*RD8*{day(start)}-{day(end or start)}")
    if "dates" in said:
        write_dates(out, line.dates, DATES)


def _amounts_and_notes(out: list[str], line: ServiceLine, text: Text) -> None:
    """AMT, K3, NTE, PS1, HCP."""
    if line.sales_tax is not None:
        out.append(f"AMT*T*{amount(line.sales_tax)}")
    if line.postage is not None:
        out.append(f"AMT*F4*{amount(line.postage)}")
    write_file_information(out, line.file_information, text)
    if line.note:
        out.append(f"NTE*{code(line.note_kind)}*{text(line.note, 80)}")
    if line.third_party_note:
        out.append(f"NTE*TPO*{text(line.third_party_note, 80)}")
    bought = line.purchased_service
    if bought is not None and (bought.provider_id or bought.charge is not None):
        out.append(f"PS1*{text(bought.provider_id, 50)}*{amount_or_blank(bought.charge)}".rstrip("*"))
    write_repricing(out, line.repricing, text)


def _quantities(out: list[str], line: ServiceLine, text: Text) -> None:
    """QTY, MEA and CN1."""
    if line.ambulance is not None and line.ambulance.patients is not None:
        out.append(f"QTY*PT*{amount(line.ambulance.patients)}")
    if line.obstetric_units is not None:
        out.append(f"QTY*FL*{amount(line.obstetric_units)}")
    out += [f"MEA*{code(each.reference)}*{code(each.qualifier)}*{amount(each.value)}" for each in line.measurements]
    write_contract(out, line.contract, text)


def _references(out: list[str], line: ServiceLine, control_number: str, text: Text) -> None:
    """REF in guide order."""
    rare = line.references
    for qualifier, value in (
        ("9B", rare.repriced_line_number),
        ("9D", rare.adjusted_repriced_line_number),
        ("G1", line.prior_authorization),
        ("6R", control_number),
        ("EW", rare.mammography_certificate),
        ("X4", line.clia),
        ("F4", rare.referring_clia),
        ("BT", rare.immunization_batch),
        ("9F", line.referral_number),
    ):
        if value:
            out.append(f"REF*{qualifier}*{text(value, 50)}")
        if rare.others and qualifier in ("G1", "9F"):
            write_identifiers(out, tuple(each for each in rare.others if each.qualifier == qualifier), text)


def loop_2410_drug(out: list[str], drug: Drug, text: Text) -> None:
    """LIN, CTP and the prescription's number."""
    out.append(f"LIN**{code(drug.qualifier)}*{digits(drug.ndc) if drug.qualifier == 'N4' else text(drug.ndc, 48)}")
    if drug.quantity is not None:
        out.append(f"CTP****{amount(drug.quantity)}*{code(drug.unit)}".rstrip("*"))
    if drug.prescription_number:
        out.append(f"REF*XZ*{text(drug.prescription_number, 50)}")
    elif drug.link_number:
        out.append(f"REF*VY*{text(drug.link_number, 50)}")


def _loops_2420_providers(
    out: list[str], of_claim: Provider | None, line: ServiceLine, text: Text, options: Options
) -> None:
    """2420A rendering, B purchased, C facility, D supervising, E ordering, F referring, G and H ambulance."""
    rendering = line.rendering_provider
    if rendering is not None and rendering is not of_claim and _is_another(rendering, of_claim):
        parties.write_provider(out, "82", rendering, text, taxonomy_as="PE" if options.taxonomies else "")
    bought = line.purchased_service
    if bought is not None and (bought.npi or bought.is_organization or bought.identifiers):
        npi = digits(bought.npi)
        out.append(f"NM1*QB*{2 if bought.is_organization else 1}******{'XX' if npi else ''}*{npi}".rstrip("*"))
        write_identifiers(out, bought.identifiers, text)
    if line.facility is not None:
        parties.write_facility(out, line.facility, text)
    if line.supervising_provider is not None:
        parties.write_provider(out, "DQ", line.supervising_provider, text)
    ordering = line.ordering_provider
    if ordering is not None:
        parties.write_provider_name(out, "DK", ordering, text)
        if ordering.address.line1:
            write_address(out, ordering.address, text)
        write_identifiers(out, ordering.identifiers, text)
        write_contact(out, parties.contact_of(ordering), text)
    if line.referring_provider is not None:
        parties.write_provider(out, "DN", line.referring_provider, text)
    if line.primary_care_provider is not None:
        parties.write_provider(out, "P3", line.primary_care_provider, text)
    write_ambulance_places(out, line.ambulance, text)


def _is_another(rendering: Provider, of_claim: Provider | None) -> bool:
    """Whether the line's rendering provider differs from the claim's; one that cannot be told apart is not repeated."""
    if of_claim is None:
        return True
    if rendering.npi or of_claim.npi:
        return bool(rendering.npi) and digits(rendering.npi) != digits(of_claim.npi)
    return rendering != of_claim


# Read


@reads(1, 2, 3, 4, 5, 7, 9, 11, 12, 15)
def _professional_service(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    put_text(fields, unit=e[3], place_of_service=e[5])
    known = read_procedure(fields, e[1], delimiters) and put_amount(fields, "charge", e[2])
    known = put_amount(fields, "units", e[4]) and known
    pointers = [each for each in e[7].split(delimiters.component) if each]
    fields["pointers"] = pointers
    for name, value, meaning in (
        ("emergency", e[9], "Y"),
        ("epsdt", e[11], "Y"),
        ("family_planning", e[12], "Y"),
        ("copay_exempt", e[15], "0"),
    ):
        if value == meaning:
            fields[name] = True
        elif value not in ("", "N"):
            known = False
    return known and len(pointers) <= 4


@reads(1, 2, 3, 4, 5, 6)
def _durable_equipment(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    kind, _, procedure = e[1].partition(delimiters.component)
    found: Fields = {"code": procedure}
    put_text(found, frequency=e[6])
    amounts = (("days", e[3]), ("rental_price", e[4]), ("purchase_price", e[5]))
    wrong = [name for name, value in amounts if not put_amount(found, name, value)]
    return not wrong and kind == "HC" and e[2] == "DA" and put(fields, "equipment", found)


@reads(1, 2, 3)
def _certification(fields: Fields, e: Segment, _: Delimiters) -> bool:
    found: Fields = {"kind": e[1]}
    return e[2] == "MO" and put_amount(found, "months", e[3]) and put(fields, "equipment_certification", found)


_read_date = dated({qualifier: name for name, qualifier in DATES.items()})


@reads(1, 2, 3)
def _date(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    if e[1] != "472":
        return _read_date(fields, e, delimiters)
    found = span(e[2], e[3])
    if found is None or "service_date" in fields:
        return False
    fields["service_date"] = found[0]
    if found[1] is not None and found[1] != found[0]:
        fields["service_date_to"] = found[1]
    return True


@reads(1, 2)
def _quantity(fields: Fields, e: Segment, _: Delimiters) -> bool:
    if e[1] == "PT":
        return put_amount(fields.setdefault("ambulance", {}), "patients", e[2])
    return e[1] == "FL" and put_amount(fields, "obstetric_units", e[2])


@reads(1, 2, 3)
def _measurement(fields: Fields, e: Segment, _: Delimiters) -> bool:
    value = to_amount(e[3])
    found = {"reference": e[1], "qualifier": e[2], "value": value}
    return value is not None and add(fields, "measurements", found)


_REFERENCE_NAMES = {"6R": "control_number", "X4": "clia", "G1": "prior_authorization", "9F": "referral_number"}
_RARE_NAMES = {
    "9B": "repriced_line_number",
    "9D": "adjusted_repriced_line_number",
    "EW": "mammography_certificate",
    "F4": "referring_clia",
    "BT": "immunization_batch",
}


@reads(1, 2, 4)
def _reference(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    if e[1] in ("G1", "9F") and (e[4] or _REFERENCE_NAMES[e[1]] in fields):
        rare: Fields = {}
        is_read = parties.PROVIDER["REF"].read(rare, e, delimiters)
        return is_read and add(fields.setdefault("references", {}), "others", rare["identifiers"][0])
    if e[4]:
        return False
    if e[1] in _RARE_NAMES:
        return put(fields.setdefault("references", {}), _RARE_NAMES[e[1]], e[2])
    return e[1] in _REFERENCE_NAMES and put(fields, _REFERENCE_NAMES[e[1]], e[2])


@reads(1, 2)
def _amount(fields: Fields, e: Segment, _: Delimiters) -> bool:
    name = {"T": "sales_tax", "F4": "postage"}.get(e[1])
    return name is not None and bool(e[2]) and put_amount(fields, name, e[2])


@reads(1, 2)
def _note(fields: Fields, e: Segment, _: Delimiters) -> bool:
    if e[1] == "TPO":
        return put(fields, "third_party_note", e[2])
    return e[1] in ("ADD", "DCP") and put(fields, "note", e[2]) and put(fields, "note_kind", e[1])


@reads(1, 2)
def _purchased_service(fields: Fields, e: Segment, _: Delimiters) -> bool:
    found: Fields = fields.setdefault("purchased_service", {})
    put_text(found, provider_id=e[1])
    return put_amount(found, "charge", e[2])


@reads(2, 3)
def _drug(fields: Fields, e: Segment, _: Delimiters) -> bool:
    put_text(fields, qualifier=e[2], ndc=e[3])
    return bool(e[2] and e[3])


@reads(4, 5)
def _drug_quantity(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    put_text(fields, unit=e[5])
    return delimiters.component not in e[5] and put_amount(fields, "quantity", e[4])


@reads(1, 2)
def _prescription(fields: Fields, e: Segment, _: Delimiters) -> bool:
    name = {"XZ": "prescription_number", "VY": "link_number"}.get(e[1])
    return name is not None and put(fields, name, e[2])


@reads(1, 2, 8, 9)
def _seller(fields: Fields, e: Segment, _: Delimiters) -> bool:
    put_text(fields, npi=e[9] if e[8] == "XX" else "")
    if e[2] == "2":
        fields["is_organization"] = True
    return (e[2] == "2" or (e[2] == "1" and bool(e[9]))) and (e[8] == "XX" or not e[9])


@reads(1)
def _number(_: Fields, e: Segment, __: Delimiters) -> bool:
    return bool(e[1])


LOOP_2400: Table = PARTICULARS | {
    "LX": _number,
    "SV1": _professional_service,
    "SV5": _durable_equipment,
    "CR3": _certification,
    "DTP": _date,
    "QTY": _quantity,
    "MEA": _measurement,
    "REF": _reference,
    "AMT": _amount,
    "NTE": _note,
    "PS1": _purchased_service,
}
LOOP_2410: Table = {"LIN": _drug, "CTP": _drug_quantity, "REF": _prescription}
LOOP_2420B: Table = {"NM1": _seller, "REF": parties.PROVIDER["REF"]}
