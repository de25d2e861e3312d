"""Where a field of a charge stands in its 837P: loop, segment and element, as people who read claims name them."""

import re
from collections.abc import Callable

from charges.model import SELF, Charge

Place = tuple[str, str, str]
"""Loop, segment, element; empty from where on nothing is known."""

NOWHERE: Place = ("", "", "")
_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")
_NAME = re.compile(r"([A-Z][A-Z0-9]{1,2}?)(?:(\d\d(?:-\d+)?)|\*)")

_PERSON = {
    "last_name": ("NM1", "NM103"),
    "organization_name": ("NM1", "NM103"),
    "name": ("NM1", "NM103"),
    "first_name": ("NM1", "NM104"),
    "middle_name": ("NM1", "NM105"),
    "suffix": ("NM1", "NM107"),
    "npi": ("NM1", "NM109"),
    "payer_id": ("NM1", "NM109"),
    "taxonomy": ("PRV", "PRV03"),
    "birth_date": ("DMG", "DMG02"),
    "sex": ("DMG", "DMG03"),
    "tax_id": ("REF", "REF02"),
    "ssn": ("REF", "REF02"),
    "identifiers": ("REF", "REF02"),
    "phone": ("PER", "PER04"),
    "contact_name": ("PER", "PER02"),
    "address": ("N3", ""),
    "address.line1": ("N3", "N301"),
    "address.line2": ("N3", "N302"),
    "address.city": ("N4", "N401"),
    "address.state": ("N4", "N402"),
    "address.postal_code": ("N4", "N403"),
    "address.country": ("N4", "N404"),
}
_COVERAGE = {
    "relationship": ("SBR", "SBR02"),
    "group_number": ("SBR", "SBR03"),
    "group_name": ("SBR", "SBR04"),
    "insurance_type": ("SBR", "SBR05"),
    "responsibility": ("SBR", "SBR01"),
    "payer.claim_filing_code": ("SBR", "SBR09"),
}
_CLAIM = {
    "stated_total": ("CLM", "CLM02"),
    "encounter.place_of_service": ("CLM", "CLM05-1"),
    "provider_signature": ("CLM", "CLM06"),
    "assignment": ("CLM", "CLM07"),
    "benefits_assigned": ("CLM", "CLM08"),
    "release_of_information": ("CLM", "CLM09"),
    "patient_signature_source": ("CLM", "CLM10"),
    "related_causes": ("CLM", "CLM11"),
    "related_causes.state": ("CLM", "CLM11-4"),
    "special_program": ("CLM", "CLM12"),
    "delay_reason": ("CLM", "CLM20"),
    "attachments": ("PWK", ""),
    "contract": ("CN1", ""),
    "patient_paid": ("AMT", "AMT02"),
    "file_information": ("K3", "K301"),
    "note": ("NTE", "NTE02"),
    "ambulance": ("CR1", ""),
    "spinal_manipulation": ("CR2", ""),
    "conditions": ("CRC", ""),
    "condition_codes": ("HI", ""),
    "anesthesia_procedures": ("HI", ""),
    "repricing": ("HCP", ""),
}
_LINE = {
    "code_qualifier": ("SV1", "SV101-1"),
    "code": ("SV1", "SV101-2"),
    "description": ("SV1", "SV101-7"),
    "charge": ("SV1", "SV102"),
    "unit": ("SV1", "SV103"),
    "units": ("SV1", "SV104"),
    "place_of_service": ("SV1", "SV105"),
    "diagnoses": ("SV1", "SV107"),
    "emergency": ("SV1", "SV109"),
    "epsdt": ("SV1", "SV111"),
    "family_planning": ("SV1", "SV112"),
    "copay_exempt": ("SV1", "SV115"),
    "service_date": ("DTP", "DTP03"),
    "service_date_to": ("DTP", "DTP03"),
    "equipment": ("SV5", ""),
    "equipment_certification": ("CR3", ""),
    "measurements": ("MEA", "MEA03"),
    "obstetric_units": ("QTY", "QTY02"),
    "prior_authorization": ("REF", "REF02"),
    "referral_number": ("REF", "REF02"),
    "clia": ("REF", "REF02"),
    "control_number": ("REF", "REF02"),
    "sales_tax": ("AMT", "AMT02"),
    "postage": ("AMT", "AMT02"),
    "third_party_note": ("NTE", "NTE02"),
    "purchased_service": ("PS1", ""),
} | {name: _CLAIM[name] for name in ("attachments", "contract", "file_information", "note", "ambulance", "repricing")}
_DRUG = {
    "ndc": ("LIN", "LIN03"),
    "quantity": ("CTP", "CTP04"),
    "unit": ("CTP", "CTP05-1"),
    "prescription_number": ("REF", "REF02"),
}
_CLAIM_PROVIDERS = {
    "referring_provider": "2310A",
    "primary_care_provider": "2310A",
    "rendering_provider": "2310B",
    "facility": "2310C",
    "supervising_provider": "2310D",
}
_LINE_PROVIDERS = {
    "rendering_provider": "2420A",
    "purchased_service": "2420B",
    "facility": "2420C",
    "supervising_provider": "2420D",
    "ordering_provider": "2420E",
    "referring_provider": "2420F",
    "primary_care_provider": "2420F",
}


_BILL_PROVIDERS = {"rendering_provider": "2310D", "facility": "2310E", "referring_provider": "2310F"}
_BILL_LINE_PROVIDERS = {
    "operating_provider": "2420A",
    "other_operating_provider": "2420B",
    "rendering_provider": "2420C",
    "referring_provider": "2420D",
}
_BILL = {
    "facility_type": ("CLM", "CLM05-1"),
    "frequency": ("CLM", "CLM05-3"),
    "statement_from": ("DTP", "DTP03"),
    "statement_to": ("DTP", "DTP03"),
    "admission_time": ("DTP", "DTP03"),
    "discharge_time": ("DTP", "DTP03"),
    "admission_type": ("CL1", "CL101"),
    "admission_source": ("CL1", "CL102"),
    "patient_status": ("CL1", "CL103"),
    "estimated_due": ("AMT", "AMT02"),
    "further_devices": ("REF", "REF02"),
    "peer_review_number": ("REF", "REF02"),
    "notes": ("NTE", "NTE02"),
}
_PROVIDERS_OF_BILL = {
    "attending_provider": "2310A",
    "operating_provider": "2310B",
    "other_operating_provider": "2310C",
}
_LINE_OF_BILL = {
    "revenue_code": ("SV2", "SV201"),
    "code_qualifier": ("SV2", "SV202-1"),
    "code": ("SV2", "SV202-2"),
    "description": ("SV2", "SV202-7"),
    "charge": ("SV2", "SV203"),
    "unit": ("SV2", "SV204"),
    "units": ("SV2", "SV205"),
    "noncovered": ("SV2", "SV207"),
    "service_tax": ("AMT", "AMT02"),
    "facility_tax": ("AMT", "AMT02"),
} | {
    name: _LINE[name]
    for name in ("service_date", "service_date_to", "control_number", "attachments", "repricing", "third_party_note")
}
_A_SEGMENT = 12
"""The codes of an HI."""


def place(at: str, charge: Charge) -> Place:
    """The place of a field's path (``lines[0].modifiers[1]``) in the claim that would be written of a charge.

    The diagnoses and modifiers are counted: ``diagnoses[2]`` is HI03-2, ``lines[0].modifiers[1]`` SV101-4.
    """
    steps = [(found[1], int(found[2]) if found[2] else 0) for found in _STEP.finditer(at)]
    if not steps:
        return NOWHERE
    (name, index), rest = steps[0], steps[1:]
    field = ".".join(step for step, _ in rest)
    is_bill = charge.institutional is not None
    found: dict[str, Callable[[], Place]] = {
        "lines": lambda: _in_line_of_bill(rest) if is_bill else _in_line(rest, field),
        "institutional": lambda: _in_bill(rest),
        "patient": lambda: _in(_loop_of_patient(charge), _PERSON, field, "NM1"),
        "coverages": lambda: _in_coverage(index, field),
        "billing_provider": lambda: _in("2000A" if field == "taxonomy" else "2010AA", _PERSON, field, "NM1"),
        # The principal diagnosis of a facility's bill has a segment of its own.
        "diagnoses": lambda: _in_codes(index - 1 if is_bill and index else index, named=len(at) > len(name)),
        "dates": lambda: ("2300", "DTP", "DTP03"),
        "references": lambda: ("2300", "REF", "REF02"),
        "unread": lambda: _unread(charge.unread[index] if index < len(charge.unread) else ""),
    }
    if name in found:
        return found[name]()
    providers = _BILL_PROVIDERS if is_bill else _CLAIM_PROVIDERS
    if name in providers:
        return _in(providers[name], _PERSON, field, "NM1")
    return _in("2300", _CLAIM, ".".join(filter(None, (name, field))), "")


def _in_codes(index: int, *, named: bool = True) -> Place:
    """A code of HI, the segments of which hold twelve."""
    return ("2300", "HI", f"HI{index % _A_SEGMENT + 1:02d}-2" if named else "")


def _in_bill(rest: list[tuple[str, int]]) -> Place:
    if not rest:
        return NOWHERE
    name, index = rest[0]
    inner = ".".join(step for step, _ in rest[1:])
    if name in _PROVIDERS_OF_BILL:
        return _in(_PROVIDERS_OF_BILL[name], _PERSON, inner, "NM1")
    return ("2300", *_BILL[name]) if name in _BILL else _in_codes(index)


def _in_line_of_bill(rest: list[tuple[str, int]]) -> Place:
    if not rest:
        return ("2400", "SV2", "")
    name, index = rest[0]
    inner = ".".join(step for step, _ in rest[1:])
    if name in _BILL_LINE_PROVIDERS:
        return _in(_BILL_LINE_PROVIDERS[name], _PERSON, inner, "NM1")
    others: dict[str, Place] = {
        "modifiers": ("2400", "SV2", f"SV202-{index + 3}"),
        "references": ("2400", "REF", "REF02"),
        "adjudications": ("2430", "SVD", ""),
        "drug": _in("2410", _DRUG, inner, "LIN"),
    }
    return others[name] if name in others else _in("2400", _LINE_OF_BILL, name, "SV2")


def _loop_of_patient(charge: Charge) -> str:
    is_subscriber = not charge.coverages or charge.coverages[0].relationship == SELF
    return "2010BA" if is_subscriber else "2010CA"


def _unread(text: str) -> Place:
    """The segment that stands in ``unread`` as it was given, or the element that a sentence there begins with."""
    found = _NAME.match(text)
    if found is None:
        return NOWHERE
    segment = found[1]
    loop = {"CLM": "2300", "HI": "2300", "SV1": "2400", "SV2": "2400"}.get(segment, "")
    return (loop, segment, f"{segment}{found[2]}" if found[2] else "")


def _in(loop: str, table: dict[str, tuple[str, str]], field: str, otherwise: str) -> Place:
    """The place of a field in a loop's table, of the record it belongs to where it has none of its own."""
    while field not in table and "." in field:
        field = field.rpartition(".")[0]
    if field in table:
        return (loop, *table[field])
    return (loop, otherwise, "") if loop != "2300" or otherwise else NOWHERE


def _in_line(rest: list[tuple[str, int]], field: str) -> Place:
    if not rest:
        return ("2400", "SV1", "")
    name, index = rest[0]
    inner = ".".join(step for step, _ in rest[1:])
    found: dict[str, Place] = {
        "modifiers": ("2400", "SV1", f"SV101-{index + 3}"),
        "dates": ("2400", "DTP", "DTP03"),
        "references": ("2400", "REF", "REF02"),
        "adjudications": ("2430", "SVD", ""),
    }
    if name in found:
        return found[name]
    if name == "drug":
        return _in("2410", _DRUG, inner, "LIN")
    if name in _LINE_PROVIDERS and (inner or name != "purchased_service"):
        return _in(_LINE_PROVIDERS[name], _PERSON, inner, "NM1")
    return _in("2400", _LINE, field, "SV1")


def _in_coverage(index: int, field: str) -> Place:
    policy, subscriber, payer = ("2000B", "2010BA", "2010BB") if index == 0 else ("2320", "2330A", "2330B")
    if field in _COVERAGE or not field:
        return (policy, *_COVERAGE.get(field, ("SBR", "")))
    head, _, inner = field.partition(".")
    if head == "member_id":
        return (subscriber, "NM1", "NM109")
    if head == "subscriber":
        return _in(subscriber, _PERSON, inner, "NM1")
    if head == "payer":
        return _in(payer, _PERSON, inner, "NM1")
    if head == "adjudication":
        return ("2320", "CAS" if inner.startswith("adjustments") else "AMT", "")
    return (policy, "SBR", "")
