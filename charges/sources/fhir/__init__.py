"""Charges from a tenant's FHIR R4 interface: one for each encounter, put together from the resources around it.

A change of an encounter or of one of its charge items is found by ``_lastUpdated``; where the tenant has no such search, the
encounters of the last weeks are read again and intake keeps what differs. What is fetched for an encounter is stored
together as one Bundle, from which the charge is told by ``mapping`` without asking anybody.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from charges.census import Shape, Surveyor
from charges.connections import Fhir
from charges.errors import Refused
from charges.model import Charge
from charges.sources import Page, Probe, RawRecord
from charges.sources.fhir.client import FhirClient
from charges.sources.fhir.mapping import name_of, read_bundle, to_charge
from charges.sources.seen import probe_of

__all__ = ["FhirSource", "read_bundle"]

Resource = dict[str, Any]
_BEGINNING = "1900-01-01"
_ENCOUNTERS_IN_A_PAGE = 20
_CODES: Mapping[str, frozenset[str]] = {
    "ChargeItem.status": frozenset(
        {"planned", "billable", "not-billable", "aborted", "billed", "entered-in-error", "unknown"}
    ),
    "Coverage.status": frozenset({"active", "cancelled", "draft", "entered-in-error"}),
    "Encounter.status": frozenset(
        {
            "planned",
            "arrived",
            "triaged",
            "in-progress",
            "onleave",
            "finished",
            "cancelled",
            "entered-in-error",
            "unknown",
        }
    ),
    "Patient.gender": frozenset({"male", "female", "other", "unknown"}),
}
"""The elements whose values may be counted, with the values to which R4 binds them."""
_SURVEYOR = Surveyor(_CODES)
_FOLLOWED = frozenset(
    {"Patient", "Practitioner", "PractitionerRole", "Location", "Organization", "Condition", "RelatedPerson"}
)


class FhirSource:
    """A tenant's FHIR interface as a source of charges."""

    kind = "fhir"
    codes = _CODES

    def __init__(self, settings: Fhir) -> None:
        self._settings = settings

    def changed_since(self, cursor: str | None) -> Iterator[Page]:
        """Every charge whose encounter or charge items changed since the cursor less the overlap; see ``ChargeSource``."""
        with FhirClient(self._settings) as client:
            moments = self._changed(client, cursor)
            ordered = sorted(moments, key=lambda each: (moments[each], each))
            known: dict[str, Resource | None] = {}
            newest = cursor
            for start in range(0, len(ordered), _ENCOUNTERS_IN_A_PAGE):
                names = ordered[start : start + _ENCOUNTERS_IN_A_PAGE]
                records = tuple(filter(None, (_record(client, each, known) for each in names)))
                newest = max(filter(None, (newest, moments[names[-1]])))
                yield Page(records, cursor=newest)

    def to_charge(self, record: RawRecord) -> Charge:
        """The facts of one record; see ``ChargeSource``."""
        return to_charge(record.body)

    def shape(self, record: RawRecord) -> Shape | None:
        """Which elements each kind of resource has, for the watch over drift."""
        try:
            entries = json.loads(record.body)["entry"]
            return _SURVEYOR.shapes((str(each["resource"]["resourceType"]), each["resource"]) for each in entries)
        except (ValueError, KeyError, TypeError):
            return None

    def probe(self) -> Probe:
        """The kinds of resource that the tenant declares, and what the charges of its newest encounters hold.

        Encounters are looked for in the last weeks alone; see ``ChargeSource``.
        """
        with FhirClient(self._settings) as client:
            rest: Resource = next(iter(client.capabilities().get("rest") or ()), {})
            kinds = tuple(sorted(str(each.get("type")) for each in rest.get("resource") or ()))
            since = (datetime.now(UTC) - timedelta(days=self._settings.trailing_days)).date()
            found = [
                (_start_of(each), f"Encounter/{each['id']}")
                for each in client.search("Encounter", {"date": f"ge{since}"})
            ]
            newest = sorted(found, reverse=True)[:_ENCOUNTERS_IN_A_PAGE]
            known: dict[str, Resource | None] = {}
            records = filter(None, (_record(client, name, known) for _, name in newest))
            return probe_of(self, ("changes", *kinds), newest[0][0] if newest else "", records)

    def _changed(self, client: FhirClient, cursor: str | None) -> Mapping[str, str]:
        """The encounters to read, each with the newest moment, or in a search by date the day, that calls for it."""
        moments: dict[str, str] = {}
        if self._settings.changes == "date":
            for each in client.search("Encounter", {"date": f"ge{self._first_day(cursor)}"}):
                moments[f"Encounter/{each['id']}"] = _start_of(each)[:10] or _BEGINNING
            return moments
        since = {"_lastUpdated": f"ge{self._first_moment(cursor)}"}
        for each in client.search("Encounter", since):
            moments[f"Encounter/{each['id']}"] = _moment(each)
        for each in client.search("ChargeItem", since):
            name = name_of(each.get("context"))
            if name.startswith("Encounter/"):
                moments[name] = max(moments.get(name, ""), _moment(each))
        return moments

    def _first_day(self, cursor: str | None) -> str:
        if cursor is None:
            return (self._settings.start or date(1900, 1, 1)).isoformat()
        return (date.fromisoformat(cursor[:10]) - timedelta(days=self._settings.trailing_days)).isoformat()

    def _first_moment(self, cursor: str | None) -> str:
        if cursor is None:
            return self._settings.start.isoformat() if self._settings.start else _BEGINNING
        overlap = timedelta(minutes=self._settings.overlap_minutes)
        return (datetime.fromisoformat(cursor) - overlap).strftime("%Y-%m-%dT%H:%M:%SZ")


def _record(client: FhirClient, name: str, known: dict[str, Resource | None]) -> RawRecord | None:
    """An encounter with all that its charge is told from; what is referred to is asked for once a run."""
    encounter = client.read(name)
    if encounter is None:
        return None
    found = [encounter]
    for kind, element in (("ChargeItem", "context"), ("Condition", "encounter")):
        found += sorted(client.search(kind, {element: name}), key=lambda each: str(each.get("id")))
    patient = name_of(encounter.get("subject"))
    if patient.startswith("Patient/"):
        found += sorted(client.search("Coverage", {"patient": patient}), key=lambda each: str(each.get("id")))
    have = {f"{each['resourceType']}/{each['id']}" for each in found}
    wanted = [each for each in _references(found) if each not in have]
    while wanted:
        target = wanted.pop(0)
        if target in have or target.partition("/")[0] not in _FOLLOWED:
            continue
        have.add(target)
        if target not in known:
            known[target] = client.read(target)
        resource = known[target]
        if resource is None:
            continue
        found.append(resource)
        if resource["resourceType"] == "PractitionerRole":
            wanted += _references([resource])
        if resource["resourceType"] == "Practitioner":
            roles = list(client.search("PractitionerRole", {"practitioner": target}))
            found += [each for each in roles if f"PractitionerRole/{each['id']}" not in have]
            have |= {f"PractitionerRole/{each['id']}" for each in roles}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in found]}
    return RawRecord(str(encounter["id"]), json.dumps(bundle, separators=(",", ":"), sort_keys=True).encode())


def _references(resources: list[Resource]) -> list[str]:
    """What resources refer to, in order, each once."""
    found: dict[str, None] = {}

    def look(value: object) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("reference"), str):
                found[name_of(value)] = None
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    look(resources)
    return [each for each in found if each]


def _start_of(encounter: Resource) -> str:
    return str((encounter.get("period") or {}).get("start", ""))


def _moment(resource: Resource) -> str:
    """The server's own moment of the last change, in UTC; raises Refused where it tells none."""
    said = (resource.get("meta") or {}).get("lastUpdated")
    try:
        return datetime.fromisoformat(str(said)).astimezone(UTC).isoformat()
    except ValueError:
        raise Refused(
            "The tenant tells no moment of the last change (meta.lastUpdated). Set changes: date in the practice's profile."
        ) from None
