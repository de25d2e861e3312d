"""From the resources of one encounter to one charge, each field with the element it was read from.

Pure: the record is a Bundle of what was fetched for the encounter, so an old record can be read again. R4 has no modifiers
on a ChargeItem, so they are read from an extension whose name says modifier.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from charges.errors import Unreadable
from charges.model import (
    Address,
    Charge,
    Coverage,
    Diagnosis,
    Encounter,
    Facility,
    Patient,
    Payer,
    Provider,
    ServiceLine,
    Subscriber,
)

Resource = dict[str, Any]
NPI = "http://hl7.org/fhir/sid/us-npi"
CLIA = "urn:oid:2.16.840.1.113883.4.7"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
TAXONOMY = "http://nucc.org/provider-taxonomy"
PLACE_OF_SERVICE = "https://www.cms.gov/Medicare/Coding/place-of-service-codes"
NOT_BILLED = frozenset({"entered-in-error", "aborted", "not-billable"})
CANCELLED = frozenset({"entered-in-error", "cancelled"})
RELATIONSHIPS = {"self": "18", "spouse": "01", "child": "19", "other": "G8"}
_SEXES = {"male": "M", "female": "F", "unknown": "U", "other": "U"}


def read_bundle(body: bytes) -> list[Charge]:
    """The charges of a Bundle, one for each Encounter in it; raises Unreadable with what is wrong with it."""
    resources = _resources(body)
    return [
        _Assembly(each, resources).charge() for each in resources.values() if each.get("resourceType") == "Encounter"
    ]


def to_charge(body: bytes) -> Charge:
    """The charge of a Bundle that holds one Encounter; raises Unreadable as ``read_bundle`` does."""
    charges = read_bundle(body)
    if len(charges) != 1:
        raise Unreadable(f"The bundle has {len(charges)} encounters; the record of a charge has one.")
    return charges[0]


def read_person(resources: list[Resource], day: date | None) -> Charge:
    """The Patient among some resources and the policies in force on a day, as a charge that says nothing else.

    Raises Unreadable when an element cannot be read.
    """
    text = json.dumps({"resourceType": "Bundle", "entry": [{"resource": each} for each in resources]})
    found = _resources(text.encode())
    patient = next((name for name in found if name.startswith("Patient/")), "")
    visit = {"subject": {"reference": patient}, "period": {"start": day.isoformat() if day else ""}}
    assembly = _Assembly(visit, found)
    assembly.origins.clear()
    person = assembly.patient(found.get(patient, {}))
    coverages = tuple(assembly.coverages(found.get(patient, {})))
    return Charge(patient=person, coverages=coverages, origins=assembly.origins | {"coverages": "Coverage"})


def name_of(reference: object) -> str:
    """A reference, relative or absolute, as ``Type/id``; ``""`` when it is none."""
    text = reference.get("reference") if isinstance(reference, dict) else reference
    if not isinstance(text, str):
        return ""
    if text.startswith(("#", "urn:")):
        return text
    found = re.search(r"([A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64})(/_history/[^/]+)?$", text)
    return found[1] if found else ""


def _resources(body: bytes) -> dict[str, Resource]:
    try:
        bundle = json.loads(body, parse_float=Decimal)
    except ValueError:
        raise Unreadable("The record is not JSON.") from None
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise Unreadable("The record is not a FHIR Bundle.")
    found: dict[str, Resource] = {}
    for entry in _dicts(bundle.get("entry")):
        resource = entry.get("resource")
        if isinstance(resource, dict):
            name = f"{resource.get('resourceType')}/{resource.get('id')}"
            found[name] = resource
            if str(entry.get("fullUrl", "")).startswith("urn:"):
                found.setdefault(str(entry["fullUrl"]), {"_same_as": name})
    return found


class _Assembly:
    """One charge being put together; ``origins`` grows as fields are read."""

    def __init__(self, encounter: Resource, resources: Mapping[str, Resource]) -> None:
        self.encounter, self.resources = encounter, resources
        self.name = f"Encounter/{encounter.get('id')}"
        self.origins: dict[str, str] = {
            "encounter": "Encounter",
            "encounter.record_number": "Encounter.identifier, Encounter.id",
            "encounter.start_date": "Encounter.period",
            "patient": "Patient",
            "lines": "ChargeItem",
        }

    def charge(self) -> Charge:
        """The whole charge."""
        visit = self.encounter
        key = visit.get("id")
        if not isinstance(key, str) or not key:
            raise Unreadable("Encounter.id is missing.")
        patient = self._follow(visit.get("subject"), visit)
        items = list(self._of("ChargeItem", "context"))
        billed = [each for each in items if each.get("status") not in NOT_BILLED]
        status = _text(visit.get("status"))
        site = next((each for each in map(self._site, _dicts(visit.get("location"))) if each), None)
        charge = Charge(
            key=key,
            encounter=self._visit(visit, status, key),
            patient=self.patient(patient),
            coverages=tuple(self.coverages(patient)),
            voided=status in CANCELLED or bool(items and not billed),
            facility=site,
            diagnoses=tuple(Diagnosis(code=code) for code in self._diagnoses()),
            lines=tuple(self._line(n, each) for n, each in enumerate(billed)),
            rendering_provider=self._participant(("PPRF", "ATND")),
            referring_provider=self._participant(("REF",)),
        )
        for name, origin in (
            ("coverages", "Coverage"),
            ("diagnoses", "Condition.code by Encounter.diagnosis.rank"),
            ("facility", "Encounter.location"),
            ("rendering_provider", "Encounter.participant"),
            ("referring_provider", "Encounter.participant"),
            ("voided", "Encounter.status, ChargeItem.status"),
        ):
            if getattr(charge, name):
                self.origins[name] = origin
        return charge.model_copy(update={"origins": self.origins})

    def _follow(self, reference: object, holder: Resource) -> Resource:
        """What a reference points to; nothing where it was not given, for a rule then finds what is missing."""
        name = name_of(reference)
        if name.startswith("#"):
            return next((each for each in _dicts(holder.get("contained")) if each.get("id") == name[1:]), {})
        found = self.resources.get(name, {})
        return self.resources.get(found["_same_as"], {}) if "_same_as" in found else found

    def _of(self, kind: str, element: str) -> Iterator[Resource]:
        """The resources of a kind that name this encounter, those with a sequence in its order."""
        for name, each in self.resources.items():
            if name.startswith(f"{kind}/") and self._follow(each.get(element), each) is self.encounter:
                yield each

    def _visit(self, visit: Resource, status: str, key: str) -> Encounter:
        self.origins |= {"encounter.status": "Encounter.status", "encounter.checked_out": "Encounter.status"}
        period = _dict(visit.get("period"))
        numbers = [_text(each.get("value")) for each in _dicts(visit.get("identifier"))]
        return Encounter(
            record_number=next(filter(None, numbers), key),
            status=status,
            checked_out=status == "finished" if status else None,
            start_date=_date(period.get("start"), "Encounter.period.start"),
            end_date=_date(period.get("end"), "Encounter.period.end"),
        )

    def patient(self, given: Resource) -> Patient:
        """A person as a patient."""
        numbers = _dicts(given.get("identifier"))
        medical = [each for each in numbers if "MR" in _codes(each.get("type"))]
        number = next((_text(each.get("value")) for each in medical or numbers if each.get("value")), "")
        patient = Patient(
            **_person(given, "Patient"),
            record_number=number or _text(given.get("id")),
            death_date=_date(given.get("deceasedDateTime"), "Patient.deceasedDateTime"),
        )
        origins = {
            "record_number": "identifier",
            "last_name": "name.family",
            "first_name": "name.given",
            "birth_date": "birthDate",
            "sex": "gender",
            "phone": "telecom",
            "death_date": "deceasedDateTime",
        }
        for name, element in origins.items():
            if getattr(patient, name):
                self.origins[f"patient.{name}"] = f"Patient.{element}"
        if patient.address != Address():
            self.origins["patient.address"] = "Patient.address"
        return patient

    def coverages(self, patient: Resource) -> Iterator[Coverage]:
        """The policies of a patient that are in force on the day of the encounter, in order."""
        day = _text(_dict(self.encounter.get("period")).get("start"))[:10]
        mine = [
            each
            for name, each in self.resources.items()
            if name.startswith("Coverage/")
            and each.get("status") not in ("cancelled", "entered-in-error", "draft")
            and self._follow(each.get("beneficiary"), each) is patient
            and _is_in_force(each, day)
        ]
        for given in sorted(mine, key=lambda each: _rank(each.get("order"))):
            payer = self._follow(next(iter(_dicts(given.get("payor"))), None), given)
            relation = next(iter(_codes(given.get("relationship"))), "")
            holder = self._follow(given.get("subscriber"), given)
            groups = [each for each in _dicts(given.get("class")) if "group" in _codes(each.get("type"))]
            yield Coverage(
                payer=Payer(source_id=_text(payer.get("id")), name=_text(payer.get("name")), address=_address(payer)),
                member_id=_text(given.get("subscriberId")),
                relationship=RELATIONSHIPS.get(relation, relation),
                subscriber=Subscriber(**_person(holder, "Coverage.subscriber"))
                if holder and holder is not patient
                else Subscriber(),
                group_number=_text(groups[0].get("value")) if groups else "",
                group_name=_text(groups[0].get("name")) if groups else "",
            )

    def _diagnoses(self) -> Iterator[str]:
        ranked = sorted(_dicts(self.encounter.get("diagnosis")), key=lambda each: _rank(each.get("rank")))
        conditions = [self._follow(each.get("condition"), self.encounter) for each in ranked]
        for each in conditions or self._of("Condition", "encounter"):
            if "entered-in-error" not in _codes(each.get("verificationStatus")):
                yield from _codes(each.get("code"), ICD_10_CM)[:1]

    def _line(self, index: int, given: Resource) -> ServiceLine:
        where = f"ChargeItem[{index + 1}]"
        quantity = _dict(given.get("quantity"))
        period = _dict(given.get("occurrencePeriod"))
        start = (
            period.get("start") or given.get("occurrenceDateTime") or _dict(self.encounter.get("period")).get("start")
        )
        line = ServiceLine(
            source_id=_text(given.get("id")),
            code=next(iter(_codes(given.get("code"))), ""),
            modifiers=tuple(_modifiers(given)),
            charge=_dollars(given.get("priceOverride"), where),
            units=_decimal(quantity.get("value"), f"{where}.quantity"),
            service_date=_date(start, f"{where}.occurrence"),
            service_date_to=_date(period.get("end"), f"{where}.occurrencePeriod.end"),
            diagnoses=tuple(code for each in _dicts(given.get("reason")) for code in _codes(each, ICD_10_CM)[:1]),
        )
        origins = {
            "code": "code",
            "modifiers": "extension (modifier)",
            "charge": "priceOverride",
            "units": "quantity",
            "service_date": "occurrence",
            "diagnoses": "reason",
        }
        for name, element in origins.items():
            if getattr(line, name) not in ("", None, ()):
                self.origins[f"lines[{index}].{name}"] = f"ChargeItem.{element}"
        return line

    def _participant(self, codes: tuple[str, ...]) -> Provider | None:
        for each in _dicts(self.encounter.get("participant")):
            if any(code in codes for kind in _dicts(each.get("type")) for code in _codes(kind)):
                return self._provider(self._follow(each.get("individual"), self.encounter))
        return None

    def _provider(self, given: Resource) -> Provider | None:
        if not given:
            return None
        roles = [
            each
            for name, each in self.resources.items()
            if name.startswith("PractitionerRole/") and self._follow(each.get("practitioner"), each) is given
        ]
        if given.get("resourceType") == "PractitionerRole":
            roles, given = [given], self._follow(given.get("practitioner"), given)
        taxonomies = [
            code for role in roles for kind in _dicts(role.get("specialty")) for code in _codes(kind, TAXONOMY)
        ]
        person = _person({"name": given.get("name")}, "Practitioner")
        return Provider(
            source_id=_text(given.get("id")),
            npi=_identifier(given, NPI),
            taxonomy=next(iter(taxonomies), ""),
            **{name: person[name] for name in ("last_name", "first_name", "middle_name", "suffix")},
        )

    def _site(self, stay: Resource) -> Facility | None:
        given = self._follow(stay.get("location"), self.encounter)
        if not given:
            return None
        places = [code for kind in _dicts(given.get("type")) for code in _codes(kind, PLACE_OF_SERVICE)]
        return Facility(
            source_id=_text(given.get("id")),
            name=_text(given.get("name")),
            npi=_identifier(given, NPI),
            clia=_identifier(given, CLIA),
            place_of_service=next(iter(places), ""),
            address=_address(given),
        )


def _person(given: Resource, where: str) -> dict[str, Any]:
    names = _dicts(given.get("name"))
    name = next((each for each in names if each.get("use") == "official"), names[0] if names else {})
    first, *middle = [*filter(None, map(_text, _list(name.get("given")))), ""]
    phones = [_text(each.get("value")) for each in _dicts(given.get("telecom")) if each.get("system") == "phone"]
    gender = _text(given.get("gender"))
    return {
        "last_name": _text(name.get("family")),
        "first_name": first,
        "middle_name": " ".join(filter(None, middle)),
        "suffix": " ".join(map(_text, _list(name.get("suffix")))),
        "birth_date": _date(given.get("birthDate"), f"{where}.birthDate"),
        "sex": _SEXES.get(gender, gender[:1].upper()),
        "address": _address(given),
        "phone": next(iter(phones), ""),
    }


def _address(given: Resource) -> Address:
    found = given.get("address")
    address = found if isinstance(found, dict) else next(iter(_dicts(found)), {})
    lines = [*map(_text, _list(address.get("line"))), "", ""]
    return Address(
        line1=lines[0],
        line2=lines[1],
        city=_text(address.get("city")),
        state=_text(address.get("state")).upper(),
        postal_code=_text(address.get("postalCode")),
    )


def _is_in_force(coverage: Resource, day: str) -> bool:
    """Whether a policy is in force on a day, as far as both say; of a period only the part of a date that is told counts."""
    period = _dict(coverage.get("period"))
    first, last = _text(period.get("start"))[:10], _text(period.get("end"))[:10]
    return not day or (first <= day and (not last or day[: len(last)] <= last))


def _modifiers(given: Resource) -> Iterator[str]:
    for each in _dicts(given.get("extension")):
        if "modifier" in _text(each.get("url")).rpartition("/")[2].lower():
            plain = (_dict(each.get("valueCoding")).get("code"), each.get("valueCode"), each.get("valueString"))
            found: list[Any] = [*_codes(each.get("valueCodeableConcept"))] or [*filter(None, plain)][:1]
            yield from filter(None, map(_text, found))


def _dollars(given: object, where: str) -> Decimal | None:
    money = _dict(given)
    if money.get("value") is not None and money.get("currency", "USD") != "USD":
        raise Unreadable(f"{where}.priceOverride is not in US dollars; only dollars can be claimed.")
    return _decimal(money.get("value"), f"{where}.priceOverride")


def _decimal(given: Any, where: str) -> Decimal | None:  # noqa: ANN401 - whatever JSON holds
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | Decimal) or abs(Decimal(given)) >= 10**12:
        raise Unreadable(f"{where} is not a number that a charge can have.")
    return Decimal(given)


def _date(given: object, where: str) -> date | None:
    """The day as the source's own clock wrote it; part of a date is none."""
    text = _text(given)
    if not text:
        return None
    if re.fullmatch(r"\d{4}(-\d\d)?", text):
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise Unreadable(f"{where} is not a date.") from None


def _codes(concept: object, system: str = "") -> list[str]:
    codings = _dicts(_dict(concept).get("coding"))
    return [_text(each["code"]) for each in codings if each.get("code") and system in ("", each.get("system"))]


def _identifier(given: Resource, system: str) -> str:
    numbers = _dicts(given.get("identifier"))
    return next((_text(each.get("value")) for each in numbers if each.get("system") == system), "")


def _rank(given: Any) -> int:  # noqa: ANN401 - whatever JSON holds
    return given if isinstance(given, int) and not isinstance(given, bool) else 10**9


def _text(given: object) -> str:
    return given.strip() if isinstance(given, str) else ""


def _list(given: object) -> list[Any]:
    return given if isinstance(given, list) else []


def _dict(given: object) -> Resource:
    return given if isinstance(given, dict) else {}


def _dicts(given: object) -> list[Resource]:
    return [each for each in _list(given) if isinstance(each, dict)]
