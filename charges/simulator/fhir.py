"""The simulated practice as a FHIR tenant: SMART Backend Services, searches in pages, exports in bulk, the same charges.

An encounter stands for a charge and bears its number. What a charge says of its patient and policies can differ from
another's, because of mistakes, so each charge has a Patient and Coverages of its own here; the record number is the same.
A void is a visit whose charge items are aborted, a deletion an encounter entered in error.
"""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import jwt
from fastapi import Depends, FastAPI, Form, Request
from fastapi.responses import Response

from charges.simulator.people import Json
from charges.simulator.practice import SimulatedPractice, Version
from charges.sources.fhir.auth import ASSERTION_TYPE
from charges.sources.fhir.mapping import CLIA, ICD_10_CM, NPI, PLACE_OF_SERVICE, TAXONOMY

FHIR_CLIENT = "chargerouter"
TOKEN_SECONDS = 300
GROUP = "all-patients"
"""The group whose patients can be exported."""
RECORD_NUMBERS = "urn:chargerouter:simulator:record-numbers"
TIME_ZONE = ZoneInfo("America/Chicago")
_RELATIONS = {"1": "self", "2": "spouse", "3": "child", "4": "other"}
_SEARCHED = {
    "ChargeItem": "context",
    "Condition": "encounter",
    "Coverage": "patient",
    "PractitionerRole": "practitioner",
}
_HELD_BY = {"Coverage": "beneficiary"}


@dataclass
class Exported:
    """The lines of each kind of resource, and how often its progress is asked for before they are there."""

    files: dict[str, list[str]]
    polls: int


class FhirTenant:
    """The state behind the paths. ``expired_tokens`` and ``too_many_requests`` count down; ``granted`` narrows scopes.

    ``denies`` refuses every token as some do, with status 500; ``undeclared`` kinds are left out of what it declares;
    ``requests`` counts what it was asked, ``scopes`` are those that tokens were asked for.
    An export is ready after ``export_polls``, its files at ``files_host``; ``export_faults`` names what it lacks, and
    ``export_lost`` leaves out the last line of each file that it says is there.
    """

    def __init__(self, practice: SimulatedPractice, public_key: str, algorithm: str = "RS384") -> None:
        self.practice, self.public_key, self.algorithm = practice, public_key, algorithm
        self.tokens: dict[str, float] = {}
        self.used: set[str] = set()
        self.expired_tokens = self.too_many_requests = 0
        self.granted: str | None = None
        self.denies = False
        self.undeclared: set[str] = set()
        self.requests = 0
        self.scopes: list[str] = []
        self.next_host = ""
        self.files_host = ""
        self.export_polls = 0
        self.export_faults: tuple[str, ...] = ()
        self.export_lost = False
        self.exports: dict[str, Exported] = {}
        self._cached: tuple[Sequence[Version], dict[str, Json]] | None = None
        self._held: dict[tuple[str, str], list[Json]] = {}

    def takes(self, assertion: str, endpoint: str) -> bool:
        """Whether an assertion is signed by the client, meant for us, short-lived and new."""
        try:
            said = jwt.decode(
                assertion,
                self.public_key,
                algorithms=[self.algorithm],
                audience=endpoint,
                issuer=FHIR_CLIENT,
                options={"require": ["exp", "jti", "sub", "aud"]},
            )
        except jwt.PyJWTError:
            return False
        if said["jti"] in self.used or said["exp"] > time.time() + 300 or said["sub"] != FHIR_CLIENT:
            return False
        self.used.add(said["jti"])
        return True

    def resources(self) -> dict[str, Json]:
        """All resources as they are now, by ``Type/id``."""
        if self._cached is None or self._cached[0] is not self.practice.visible:
            made: dict[str, Json] = {}
            for version in self.practice.visible:
                for each in resources_of(version):
                    made[f"{each['resourceType']}/{each['id']}"] = each
            self._cached = (self.practice.visible, made)
            self._held = {}
            for _, each in sorted(made.items()):
                kind = each["resourceType"]
                element = _HELD_BY.get(kind, _SEARCHED.get(kind, ""))
                self._held.setdefault((kind, each.get(element, {}).get("reference", "")), []).append(each)
        return self._cached[1]

    def found(self, kind: str, query: dict[str, str]) -> list[Json]:
        """What a search finds, by id."""
        resources = self.resources()
        parameter = _SEARCHED.get(kind, "")
        if parameter in query:
            return self._held.get((kind, query[parameter]), [])
        mine = [each for name, each in sorted(resources.items()) if name.startswith(f"{kind}/")]
        if kind == "Patient":
            mine = [each for each in mine if _is_of(each, query)]
        since = query.get("_lastUpdated", "").removeprefix("ge")
        if since:
            first = datetime.fromisoformat(since)
            first = first if first.tzinfo else first.replace(tzinfo=TIME_ZONE)
            mine = [each for each in mine if datetime.fromisoformat(each["meta"]["lastUpdated"]) >= first]
        days = {each[:2]: each[2:] for each in query.get("date", "").split(",")}
        if "ge" in days:
            mine = [each for each in mine if each["period"]["start"] >= days["ge"]]
        if "le" in days:
            mine = [each for each in mine if each["period"]["start"][:10] <= days["le"]]
        return mine

    def export(self, kinds: list[str]) -> str:
        """Begin an export of what there is now; returns its number."""
        files: dict[str, list[str]] = {}
        for _, each in sorted(self.resources().items()):
            if not kinds or each["resourceType"] in kinds:
                files.setdefault(each["resourceType"], []).append(json.dumps(each))
        number = secrets.token_hex(8)
        self.exports[number] = Exported(files, self.export_polls)
        return number


def fhir_app(tenant: FhirTenant) -> FastAPI:
    """The web application of a simulated FHIR tenant; its base is ``/fhir/r4/LAKEFM``."""

    async def count() -> None:
        tenant.requests += 1

    app = FastAPI(openapi_url=None, dependencies=[Depends(count)])
    base = "/fhir/r4/LAKEFM"

    @app.get(f"{base}/.well-known/smart-configuration")
    def smart(request: Request) -> dict[str, Any]:
        return {
            "token_endpoint": f"{str(request.base_url).rstrip('/')}/oauth2/token",
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "capabilities": ["client-confidential-asymmetric", "permission-v1"],
        }

    @app.post("/oauth2/token")
    def token(
        request: Request,
        grant_type: Annotated[str, Form()],
        scope: Annotated[str, Form()],
        client_assertion_type: Annotated[str, Form()],
        client_assertion: Annotated[str, Form()],
    ) -> Response:
        if tenant.denies:
            return _json({"error": "access_denied"}, 500)
        kinds = (grant_type, client_assertion_type)
        if kinds != ("client_credentials", ASSERTION_TYPE) or not tenant.takes(client_assertion, str(request.url)):
            return _json({"error": "invalid_client"}, 400)
        value = secrets.token_urlsafe(24)
        tenant.tokens[value] = time.monotonic() + TOKEN_SECONDS
        tenant.scopes.append(scope)
        granted = scope if tenant.granted is None else tenant.granted
        return _json({"access_token": value, "token_type": "bearer", "expires_in": TOKEN_SECONDS, "scope": granted})

    @app.get(f"{base}/metadata")
    def metadata() -> Response:
        kinds = sorted({name.partition("/")[0] for name in tenant.resources()} - tenant.undeclared)
        rest = [{"mode": "server", "resource": [{"type": each} for each in kinds]}]
        return _json({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "status": "active", "rest": rest})

    _add_exports(app, tenant, base)

    @app.get(base + "/{kind}")
    def search(kind: str, request: Request) -> Response:
        refused = _refused(tenant, request)
        if refused:
            return refused
        query = {name: ",".join(request.query_params.getlist(name)) for name in request.query_params}
        found = tenant.found(kind, query)
        size, start = int(query.pop("_count", "50")), int(query.pop("page", "0"))
        links = []
        if len(found) > start + size:
            host = tenant.next_host or str(request.base_url).rstrip("/")
            url = request.url.include_query_params(page=start + size)
            links.append({"relation": "next", "url": f"{host}{url.path}?{url.query}"})
        entries = [{"resource": each} for each in found[start : start + size]]
        return _json({"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries})

    @app.get(base + "/{kind}/{number}")
    def read(kind: str, number: str, request: Request) -> Response:
        refused = _refused(tenant, request)
        found = tenant.resources().get(f"{kind}/{number}")
        return refused or (_json(found) if found else _outcome(404, "not-found"))

    return app


def _is_of(patient: Json, query: dict[str, str]) -> bool:
    """Whether a patient has the identifier, birth date and family name that are searched for, of those that are."""
    system, _, number = query.get("identifier", "").rpartition("|")
    numbers = [each for each in patient["identifier"] if system in ("", each["system"]) and each["value"] == number]
    return (
        bool(numbers or not number)
        and query.get("birthdate", patient.get("birthDate", "")) == patient.get("birthDate", "")
        and any(name.get("family", "").lower().startswith(query.get("family", "").lower()) for name in patient["name"])
    )


def _add_exports(app: FastAPI, tenant: FhirTenant, base: str) -> None:  # noqa: C901 - five paths stand in it
    """The paths of exports in bulk."""

    @app.get(f"{base}/Group/{{group}}/$export")
    def export_group(group: str, request: Request) -> Response:
        return export(request) if group == GROUP else _outcome(401, "forbidden")

    @app.get(f"{base}/Patient/$export")
    def export(request: Request) -> Response:
        refused = _refused(tenant, request)
        if refused or request.headers.get("Prefer") != "respond-async":
            return refused or _outcome(400, "required")
        if any(each.polls for each in tenant.exports.values()):
            return _outcome(409, "conflict")
        number = tenant.export([each for each in request.query_params.get("_type", "").split(",") if each])
        place = f"{str(request.base_url).rstrip('/')}{base}/$export-poll-location?job_id={number}"
        return Response(status_code=202, headers={"Content-Location": place})

    @app.get(f"{base}/$export-poll-location")
    def progress(job_id: str, request: Request) -> Response:
        refused, job = _refused(tenant, request), tenant.exports.get(job_id)
        if refused or job is None:
            return refused or _outcome(404, "not-found")
        if job.polls:
            job.polls -= 1
            return Response(status_code=202, headers={"Retry-After": "120", "X-Progress": "30% of Ada Brightwater"})
        place = f"{tenant.files_host or str(request.base_url).rstrip('/')}{base}/$export-file/{job_id}"
        output = [
            {"type": kind, "url": f"{place}/{kind}.ndjson", "count": len(lines)} for kind, lines in job.files.items()
        ]
        error = [{"type": "OperationOutcome", "url": f"{place}/errors.ndjson"}] if tenant.export_faults else []
        return _json({"requiresAccessToken": True, "output": output, "error": error})

    @app.delete(f"{base}/$export-poll-location")
    def forget(job_id: str, request: Request) -> Response:
        refused = _refused(tenant, request)
        if refused is None:
            tenant.exports.pop(job_id, None)
        return refused or Response(status_code=202)

    @app.get(f"{base}/$export-file/{{job}}/{{kind}}.ndjson")
    def file(job: str, kind: str, request: Request) -> Response:
        refused = _refused(tenant, request)
        if refused or job not in tenant.exports:
            return refused or _outcome(404, "not-found")
        if kind == "errors":
            issues = [{"severity": "error", "code": code} for code in tenant.export_faults]
            lines = [json.dumps({"resourceType": "OperationOutcome", "issue": issues})]
        else:
            lines = tenant.exports[job].files.get(kind, [])
            lines = lines[:-1] if tenant.export_lost else lines
        return Response("".join(f"{each}\n" for each in lines), media_type="application/fhir+ndjson")


def _refused(tenant: FhirTenant, request: Request) -> Response | None:
    held = tenant.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "), 0.0)
    if tenant.expired_tokens or held <= time.monotonic():
        tenant.expired_tokens = max(0, tenant.expired_tokens - 1)
        return _outcome(401, "login")
    if tenant.too_many_requests:
        tenant.too_many_requests -= 1
        return _outcome(429, "throttled", {"Retry-After": "1"})
    return None


def _outcome(status: int, code: str, headers: dict[str, str] | None = None) -> Response:
    issue = {"severity": "error", "code": code, "diagnostics": "Ada Brightwater is not told"}
    return _json({"resourceType": "OperationOutcome", "issue": [issue]}, status, headers)


def _json(content: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(content), status, headers, media_type="application/fhir+json")


def resources_of(version: Version) -> list[Json]:
    """What a version of a charge is as FHIR resources, the encounter first; money keeps its digits."""
    record, key = json.loads(version.body), version.key
    made: list[Json] = []
    meta = {"lastUpdated": version.moment.replace(tzinfo=TIME_ZONE).isoformat()}

    def add(kind: str, number: str, **elements: Any) -> Json:  # noqa: ANN401 - any element
        filled = {name: value for name, value in elements.items() if value not in ("", None, [], {})}
        made.append({"resourceType": kind, "id": number, "meta": meta} | filled)
        return {"reference": f"{kind}/{number}"}

    encounter = {"reference": f"Encounter/{key}"}
    given = record["patient"]
    dead = given.get("deceasedDate", "")
    patient = add(
        "Patient",
        f"p{key}",
        **_human(given),
        identifier=[{"type": _coded("MR"), "system": RECORD_NUMBERS, "value": record["PatientId"]}],
        deceasedDateTime=dead,
    )
    codes = {each["icdOrder"]: each["Code"] for each in record["diagnoses"]}
    ranked = []
    for order, code in codes.items():
        condition = add(
            "Condition", f"{key}-{order}", code=_coded(code, ICD_10_CM), subject=patient, encounter=encounter
        )
        ranked.append({"condition": condition, "rank": int(order)})
    for each in record["insurances"]:
        if each.get("deleteFlag") != "1":
            _coverage(add, key, each, patient)
    participants = [
        {"type": [_coded(code)], "individual": _practitioner(add, key, record[name])}
        for code, name in (("PPRF", "RenProvider"), ("REF", "RefProvider"))
        if record.get(name)
    ]
    for each in record["cpt"]:
        off = record["VoidFlag"] == "1" or each.get("deleteFlag") == "1"
        reasons: list[str] = [codes.get(each.get(f"ICD{n}", ""), "") for n in range(1, 5)]
        modifiers = [each.get(f"Mod{n}", "") for n in range(1, 5)]
        add(
            "ChargeItem",
            each["Id"],
            status="aborted" if off else "billable",
            context=encounter,
            subject=patient,
            code=_coded(each["Code"]) if each["Code"] else None,
            extension=[
                {"url": "urn:chargerouter:simulator/modifier-code", "valueCodeableConcept": _coded(code)}
                for code in modifiers
                if code
            ],
            quantity=_amount(each.get("Units")),
            priceOverride=_amount(each.get("BilledFee"), "USD"),
            occurrencePeriod={"start": each.get("SDOS", ""), "end": each.get("EDOS", "")},
            reason=[_coded(code, ICD_10_CM) for code in reasons if code],
        )
    visit, site = record["encounter"], record["facility"]
    status = (
        "entered-in-error" if record["DeleteFlag"] == "1" else "finished" if visit["STATUS"] == "CHK" else "arrived"
    )
    place = add(
        "Location",
        f"{site['Id']}-{key}",
        name=site["Name"],
        identifier=_numbers(site.get("NPI"), site.get("CliaId")),
        type=[_coded(site["POS"], PLACE_OF_SERVICE)],
        address=_postal(site["address"]),
    )
    add(
        "Encounter",
        key,
        status=status,
        identifier=[{"value": record["EncounterId"]}],
        subject=patient,
        period={"start": visit["date"]},
        diagnosis=ranked,
        participant=participants,
        location=[{"location": place}],
    )
    return made


def _coverage(add: Any, key: str, given: Json, patient: Json) -> None:  # noqa: ANN401 - the maker's own function
    relation: str = _RELATIONS.get(given["relation"]) or given["relation"]
    payer = add("Organization", f"{given['InsId']}-{key}", name=given.get("insuranceName", ""))
    holder = given.get("subscriber")
    add(
        "Coverage",
        f"{key}-{given['SeqNo']}",
        status="active",
        order=int(given["SeqNo"]),
        beneficiary=patient,
        payor=[payer],
        subscriberId=given.get("subscriberNo", ""),
        relationship=_coded(relation),
        contained=[{"resourceType": "RelatedPerson", "id": "holder"} | _human(holder)] if holder else [],
        subscriber={"reference": "#holder"} if holder else patient,
        **{"class": [{"type": _coded("group"), "value": given["GroupNo"]}] if given.get("GroupNo") else []},
    )


def _practitioner(add: Any, key: str, given: Json) -> Json:  # noqa: ANN401 - the maker's own function
    name = {"family": given.get("ulname", ""), "given": [given.get("ufname", "")]}
    number = f"{given['Id']}-{key}"
    practitioner: Json = add("Practitioner", number, identifier=_numbers(given.get("NPI")), name=[name])
    if given.get("TaxonomyCode"):
        add("PractitionerRole", number, practitioner=practitioner, specialty=[_coded(given["TaxonomyCode"], TAXONOMY)])
    return practitioner


def _human(given: Json) -> Json:
    names = [name for name in (given.get("ufname", ""), given.get("uminitial", "")) if name]
    born = given.get("dob", "")
    made = {
        "name": [{"family": given.get("ulname", ""), "given": names}],
        "gender": given.get("sex", ""),
        "birthDate": "" if born.startswith("0000") else born,
        "address": [_postal(given["address"])],
        "telecom": [{"system": "phone", "value": given.get("upPhone", "")}],
    }
    return {name: value for name, value in made.items() if value}


def _postal(given: Json) -> Json:
    return {
        "line": [given.get("Addr1", ""), given.get("Addr2", "")],
        "city": given.get("City", ""),
        "state": given.get("State", ""),
        "postalCode": given.get("Zip", ""),
    }


def _coded(code: str, system: str = "") -> Json:
    return {"coding": [{"code": code} | ({"system": system} if system else {})]}


def _numbers(npi: str | None, clia: str | None = None) -> list[Json]:
    return [{"system": system, "value": value} for system, value in ((NPI, npi), (CLIA, clia)) if value]


def _amount(text: str | None, currency: str = "") -> Json | None:
    if not text:
        return None
    number = Decimal(text.replace(",", ""))
    return {"value": float(number)} | ({"currency": currency} if currency else {})
