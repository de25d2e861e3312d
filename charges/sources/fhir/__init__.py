"""Charges from a tenant's FHIR R4 interface: one for each encounter, put together from the resources around it.

A change of an encounter or of one of its charge items is found by ``_lastUpdated``; where the tenant has no such search, the
encounters of the last weeks are read again, or everything is exported once a day (``bulk``), and intake keeps what differs.
What is fetched for an encounter is stored together as one Bundle, from which the charge is told by ``mapping`` without
asking anybody.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from charges.drift.census import Shape, Surveyor
from charges.errors import NotOffered, Refused
from charges.model import Charge
from charges.practice.connections import Fhir
from charges.sources import Page, Probe, RawRecord
from charges.sources.allowance import Allowance, Unlimited
from charges.sources.fhir import bulk
from charges.sources.fhir.client import GONE, FhirClient, Query
from charges.sources.fhir.mapping import name_of, read_bundle, to_charge
from charges.sources.seen import probe_of

__all__ = ["FhirSource", "read_bundle"]

Resource = dict[str, Any]
_BEGINNING = "1900-01-01"
_ENCOUNTERS_IN_A_PAGE = 20
_A_DAY = timedelta(days=1)
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
_LONGEST_EXPORT = timedelta(hours=24)
"""After so long an export that is not ready is asked for anew."""


class _Resources(Protocol):
    """Where resources are found: at the tenant, or among what it exported."""

    def read(self, name: str) -> Resource | None:
        """A resource by ``Type/id``."""

    def search(self, kind: str, query: Query) -> Iterator[Resource]:
        """All resources of a kind that a search finds."""


@dataclass(frozen=True)
class _Exporting:
    """How far an export was read: where its progress is told, when it was asked for, and the last encounter given."""

    place: str = ""
    asked: str = ""
    after: tuple[str, str] = ("", "")

    @classmethod
    def of(cls, cursor: str | None) -> "_Exporting":
        """From a cursor; one of another way of finding changes is none."""
        if not cursor or not cursor.startswith("{"):
            return cls()
        known = json.loads(cursor)
        return cls(known["place"], known["asked"], tuple(known["after"]))

    def cursor(self) -> str:
        return json.dumps(self.__dict__, separators=(",", ":"))


def _now() -> datetime:
    return datetime.now(UTC)


class FhirSource:
    """A tenant's FHIR interface as a source of charges, which can also be asked for days where it has searches."""

    kind = "fhir"
    codes = _CODES

    def __init__(self, settings: Fhir, allowance: Allowance | None = None, now: Callable[[], datetime] = _now) -> None:
        self._settings, self._allowance, self._now = settings, allowance or Unlimited(), now

    def changed_since(self, cursor: str | None) -> Iterator[Page]:
        """Every charge whose encounter or charge items changed since the cursor less the overlap; see ``ChargeSource``."""
        if self._settings.changes == "export":
            yield from self._exported(cursor, self._settings.start or date.min, date.max)
            return
        with self._client() as client:
            moments = self._changed(client, cursor if cursor and not cursor.startswith("{") else None)
            ordered = sorted(moments, key=lambda each: (moments[each], each))
            known: dict[str, Resource | None] = {}
            newest = cursor
            for start in range(0, len(ordered), _ENCOUNTERS_IN_A_PAGE):
                names = ordered[start : start + _ENCOUNTERS_IN_A_PAGE]
                newest = max(filter(None, (newest, moments[names[-1]])))
                yield Page(_records(client, names, known), cursor=newest)

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
        with self._client() as client:
            rest: Resource = next(iter(client.capabilities().get("rest") or ()), {})
            kinds = tuple(sorted(str(each.get("type")) for each in rest.get("resource") or ()))
            if self._settings.changes == "export":  # what it gives is known when an export is there
                return Probe(("changes", *kinds))
            since = (self._now() - timedelta(days=self._settings.trailing_days)).date()
            found = [
                (_start_of(each), f"Encounter/{each['id']}")
                for each in client.search("Encounter", {"date": f"ge{since}"})
            ]
            newest = sorted(found, reverse=True)[:_ENCOUNTERS_IN_A_PAGE]
            records = _records(client, [name for _, name in newest], {})
            return probe_of(self, ("changes", "days", "numbers", *kinds), newest[0][0] if newest else "", records)

    def of_days(self, first: date, last: date, cursor: str | None) -> Iterator[Page]:
        """The charges of encounters that began on these days, by searches or, for a long span, by an export.

        See ``Revisitable``.
        """
        self._demand_days()
        if self._settings.export is not None and (last - first).days > self._settings.trailing_days + 1:
            yield from self._exported(cursor, first, last)
            return
        day = max(first, date.fromisoformat(cursor)) if cursor and not cursor.startswith("{") else first
        with self._client() as client:
            known: dict[str, Resource | None] = {}
            while day <= last:
                following = day + timedelta(days=self._settings.slice_days)
                names = [
                    f"Encounter/{each}" for each in self._numbers(client, day, min(following, last + _A_DAY) - _A_DAY)
                ]
                for start in range(0, len(names), _ENCOUNTERS_IN_A_PAGE):
                    yield Page(_records(client, names[start : start + _ENCOUNTERS_IN_A_PAGE], known))
                day = following
                yield Page((), cursor=day.isoformat())

    def numbers_of_days(self, first: date, last: date) -> frozenset[str]:
        """The ids of all encounters that began on these days; see ``Revisitable``."""
        self._demand_days()
        with self._client() as client:
            return frozenset(self._numbers(client, first, last))

    def one(self, key: str) -> RawRecord | None:
        """The charge of an encounter as it is now; see ``Revisitable``."""
        with self._client() as client:
            encounter = client.read(f"Encounter/{key}", absent=GONE)
            return None if encounter is None else _record(client, encounter, {})

    def withdrawn(self, record: RawRecord) -> RawRecord:
        """The record with an encounter that was entered in error; see ``Revisitable``."""
        bundle = json.loads(record.body)
        for entry in bundle["entry"]:
            if entry["resource"].get("resourceType") == "Encounter":
                entry["resource"]["status"] = "entered-in-error"
        return RawRecord(record.key, _written(bundle))

    def _client(self, *more_scopes: str) -> AbstractContextManager[FhirClient]:
        scopes = (*self._settings.scopes, *more_scopes)
        return FhirClient(self._settings, self._allowance, scopes)

    def _demand_days(self) -> None:
        if self._settings.changes == "export":
            raise NotOffered(
                "This practice's charges come by exports of everything, so days of service are not asked for by themselves."
            )

    def _numbers(self, client: FhirClient, first: date, last: date) -> list[str]:
        """The ids of the encounters that began on these days, in order."""
        found = client.search("Encounter", {"date": [f"ge{first}", f"le{last}"]})
        # A search by date finds whatever overlaps these days.
        return sorted({str(each["id"]) for each in found if _began(each, first, last)})

    def _exported(self, cursor: str | None, first: date, last: date) -> Iterator[Page]:
        """The charges of an export whose encounters began on these days, oldest change first.

        Asks for one when the last is old enough, remembers that it did, and goes on from there in the next run if need be.
        """
        export = self._settings.export
        assert export is not None
        at, now = _Exporting.of(cursor), self._now()
        age = now - datetime.fromisoformat(at.asked) if at.asked else timedelta.max
        if not at.place and age < timedelta(hours=export.hours):
            return
        with self._client(*export.scopes) as client:
            shelf = bulk.resources(client, at.place) if at.place and age < _LONGEST_EXPORT else None
            if shelf is None:
                at = _Exporting(bulk.ask_for(client, export.group, self._settings.scopes), now.isoformat())
                yield Page((), cursor=at.cursor())
                shelf = bulk.resources(client, at.place)
                if shelf is None:
                    raise Refused(f"{client.host} has no export where it said that it makes one. Tell the vendor.")
            moments = {f"Encounter/{each['id']}": _changed_last(each) for each in shelf.search("Encounter", {})
                       if _began(each, first, last)}  # fmt: skip
            for item in shelf.search("ChargeItem", {}):
                name = name_of(item.get("context"))
                if name in moments:
                    moments[name] = max(moments[name], _changed_last(item))
            ordered = sorted((moment, name) for name, moment in moments.items() if (moment, name) > at.after)
            known: dict[str, Resource | None] = {}
            for start in range(0, len(ordered), _ENCOUNTERS_IN_A_PAGE):
                page = ordered[start : start + _ENCOUNTERS_IN_A_PAGE]
                at = replace(at, after=page[-1])
                yield Page(_records(shelf, [name for _, name in page], known), cursor=at.cursor())
            yield Page((), cursor=_Exporting(asked=at.asked).cursor())
            bulk.forget(client, at.place)

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


def _records(where: _Resources, names: Iterable[str], known: dict[str, Resource | None]) -> tuple[RawRecord, ...]:
    """The records of encounters; what they refer to is looked for once, and remembered in ``known``."""
    encounters = filter(None, map(where.read, names))
    return tuple(_record(where, each, known) for each in encounters)


def _record(where: _Resources, encounter: Resource, known: dict[str, Resource | None]) -> RawRecord:
    """An encounter with all that its charge is told from."""
    name = f"Encounter/{encounter['id']}"
    found = [encounter]
    for kind, element in (("ChargeItem", "context"), ("Condition", "encounter")):
        found += sorted(where.search(kind, {element: name}), key=lambda each: str(each.get("id")))
    patient = name_of(encounter.get("subject"))
    if patient.startswith("Patient/"):
        found += sorted(where.search("Coverage", {"patient": patient}), key=lambda each: str(each.get("id")))
    have = {f"{each['resourceType']}/{each['id']}" for each in found}
    wanted = [each for each in _references(found) if each not in have]
    while wanted:
        target = wanted.pop(0)
        if target in have or target.partition("/")[0] not in _FOLLOWED:
            continue
        have.add(target)
        if target not in known:
            known[target] = where.read(target)
        resource = known[target]
        if resource is None:
            continue
        found.append(resource)
        if resource["resourceType"] == "PractitionerRole":
            wanted += _references([resource])
        if resource["resourceType"] == "Practitioner":
            roles = list(where.search("PractitionerRole", {"practitioner": target}))
            found += [each for each in roles if f"PractitionerRole/{each['id']}" not in have]
            have |= {f"PractitionerRole/{each['id']}" for each in roles}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in found]}
    return RawRecord(str(encounter["id"]), _written(bundle))


def _written(bundle: Resource) -> bytes:
    return json.dumps(bundle, separators=(",", ":"), sort_keys=True).encode()


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


def _began(encounter: Resource, first: date, last: date) -> bool:
    """Whether an encounter began on one of these days; one that tells no day did."""
    day = _start_of(encounter)[:10]
    return not day or first.isoformat() <= day <= last.isoformat()


def _changed_last(resource: Resource) -> str:
    """When a resource changed last, for the order of what was exported; else when it began, or ``""``."""
    try:
        return _moment(resource)
    except Refused:
        return _start_of(resource)


def _moment(resource: Resource) -> str:
    """The server's own moment of the last change, in UTC; raises Refused where it tells none."""
    said = (resource.get("meta") or {}).get("lastUpdated")
    try:
        return datetime.fromisoformat(str(said)).astimezone(UTC).isoformat()
    except ValueError:
        raise Refused(
            "The tenant tells no moment of the last change (meta.lastUpdated). Set changes: date in the practice's profile."
        ) from None
