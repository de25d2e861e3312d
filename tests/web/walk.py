"""Every route of the site with what its parameters stand for, and a practice next door that has one thing of each kind.

A route whose parameters are not in ``PARAMETERS``, or that changes something and is not in ``BODIES``, cannot be walked,
and the tests fail with its name: whoever adds a route says here what its parameters are.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy import func, select

from charges.desk import sharing as desk
from charges.pipeline import Applied
from charges.practice.profile import parse_profile
from charges.tables import (
    ChargeRow,
    ClaimFileRow,
    CorrectionRow,
    EventRow,
    ResponseRow,
    ReviewItemRow,
    Role,
    UserRow,
    ViewRow,
)
from charges.telling import endpoints
from charges.users import tokens
from charges.users.permissions import PERMISSIONS, Permission
from charges.web import api, pages
from charges.web.security import Demanded
from rules.examples import COVERAGE, PATIENT, PAYER, charge, line
from tests.practice import PROFILE, StillSource
from tests.replies import accepted
from tests.web.conftest import Browser, Hall

OPEN = {"/sign-in", "/sign-in/oidc", "/sign-in/oidc/back", "/healthz"}
"""What anybody may ask for."""
ONES_OWN = {
    "/", "/sign-out", "/account/password", "/account/recovery-codes", "/account/telling", "/account/telling/stop",
}  # fmt: skip
"""What everybody who signed in may do."""

PARAMETERS: Mapping[str, str] = {
    "/charges {number}": "charge",
    "/charges {act}": "act",
    "/files {number}": "file",
    "/files/replies {number}": "reply",
    "/replies {number}": "reply",
    "/rules {rule}": "rule",
    "/rules/payer {code}": "practice",
    "/rules/payer {name}": "rules_file",
    "/sources {code}": "practice",
    "/roll-out {code}": "practice",
    "/telling {code}": "practice",
    "/telling {name}": "endpoint",
    "/users {name}": "user",
}
"""What a parameter is the name or number of, by the path before the first parameter (without ``/api``) and the parameter."""

BODIES: Mapping[str, Mapping[str, Any]] = {
    "POST /sign-in": {},
    "POST /sign-out": {},
    "POST /account/password": {},
    "POST /account/recovery-codes": {},
    "POST /account/telling": {"address": "me@lakeside.example", "topic": "breaker.open"},
    "POST /account/telling/stop": {},
    "POST /telling/{code}/{name}/test": {},
    "POST /queue/search": {"text": "{record}"},
    "POST /queue/views": {"name": "mine", "address": "practice={practice}"},
    "POST /queue/views/forget": {"name": "{view}"},
    "POST /queue/bulk": {"act": "relook", "reason": "?", "charge": "{charge}"},
    "POST /queue/bulk/do": {"act": "relook", "reason": "?", "chosen": "{charge}~{seen}"},
    "POST /charges/{number}/{act}": {"item": "{item}", "text": "?", "reason": "?", "until": "2026-12-01", "patient": "none"},
    "POST /files/{number}/resend": {"reason": "?"},
    "POST /files/{number}/settle": {"reason": "?", "received": "true"},
    "POST /rules/payer/{code}/{name}": {"text": "rules: []", "digest": ""},
    "POST /rules/payer/{code}/{name}/try": {"text": "rules: []"},
    "POST /rules/payer/{code}/{name}/shadow": {"text": "rules: []"},
    "POST /sources/{code}/accept": {"reason": "?", "stream": "eclinicalworks"},
    "POST /sources/{code}/probe": {},
    "POST /roll-out/{code}/advance": {"reason": "?"},
    "POST /roll-out/{code}/retreat": {"reason": "?", "to": "observe"},
    "POST /users": {"name": "new", "role": "lead", "practice": "{practice}"},
    "POST /users/{name}/change": {"role": "lead", "practice": "lakeside"},
    "POST /users/{name}/disable": {"reason": "?"},
    "POST /users/{name}/enable": {"reason": "?"},
    "POST /users/{name}/reset": {"reason": "?"},
    "POST /users/{name}/emergency": {"practice": "lakeside", "hours": "1", "reason": "?"},
    "POST /users/{name}/tokens": {"label": "another", "scope": "files:read"},
    "POST /users/{name}/tokens/revoke": {"label": "nightly"},
    "POST /api/queue/search": {"text": "{record}"},
    "POST /api/queue/views": {"name": "mine", "address": "practice={practice}"},
    "DELETE /api/queue/views": {},
    "POST /api/queue/bulk/preview": {"act": "relook", "reason": "?"},
    "POST /api/queue/bulk": {"act": "relook", "reason": "?", "chosen": [{"charge": "{charge}", "seen": "{seen}"}]},
    "POST /api/charges/{number}/{act}": {
        "item": "{item}", "text": "?", "reason": "?", "until": "2026-12-01", "patient": "none",
    },
    "POST /api/files/{number}/resend": {"reason": "?"},
    "POST /api/files/{number}/settle": {"reason": "?", "received": True},
    "POST /api/rules/try": {"text": "rules: []"},
    "POST /api/sources/{code}/accept": {"reason": "?", "stream": "eclinicalworks"},
    "POST /api/roll-out/{code}/advance": {"reason": "?"},
    "POST /api/roll-out/{code}/retreat": {"reason": "?", "to": "observe"},
}  # fmt: skip
"""What is sent to a route, in the form it wants, so that nothing but the viewer's rights can refuse it."""

ASKED: Mapping[str, str] = {
    "GET /charges/{number}/here": "seen={seen}",
    "DELETE /api/queue/views": "name={view}",
    "GET /overview/behind": "measure=held",
    "GET /api/overview/behind": "measure=held",
}
"""The question without which a page cannot be asked for."""

QUERIES: Mapping[str, str] = {
    "practice": "{practice}",
    "payer": "{payer}",
    "provider": "{provider}",
    "rule": "{rule}",
    "assignee": "{user}",
    "patient": "{patient_key}",
}
"""Questions that any page may be asked; each that knows one of them must answer as if the thing asked for were not there."""


@dataclass(frozen=True)
class Route:
    """One method of one path, with what it demands."""

    method: str
    path: str
    permissions: tuple[Permission, ...]

    @property
    def name(self) -> str:
        """As ``BODIES`` and the messages of tests call it."""
        return f"{self.method} {self.path}"

    @property
    def is_of_programs(self) -> bool:
        """Whether it is asked with a token."""
        return self.path.startswith(("/api", "/metrics"))

    @property
    def changes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"

    @property
    def unknown(self) -> list[str]:
        """What must be said of it here before it can be walked."""
        unsaid = [each for each in self.parameters if each not in PARAMETERS]
        return unsaid + ([f"the body of {self.name}"] if self.changes and self.name not in BODIES else [])

    @property
    def parameters(self) -> list[str]:
        """Its parameters, as ``PARAMETERS`` calls them."""
        before = self.path.removeprefix("/api").partition("/{")[0]
        return [f"{before} {each}" for each in re.findall(r"{\w+}", self.path)]

    def is_about(self, kind: str) -> bool:
        """Whether a parameter of it names a thing of this kind."""
        return kind in {PARAMETERS[each] for each in self.parameters}

    def address(self, things: Mapping[str, Any]) -> str:
        """Its path about these things."""
        found = self.path
        for each in self.parameters:
            found = found.replace(each.partition(" ")[2], str(things[PARAMETERS[each]]))
        return found

    def ask(self, browser: Browser, things: Mapping[str, Any], csrf: str = "", query: str = "") -> "Answer":
        """What it answers to a browser or program that asks about these things."""
        body = _filled(BODIES.get(self.name, {}), things)
        how: dict[str, Any] = {}
        if self.changes and self.is_of_programs:
            how = {"json": body}
        elif self.changes:
            how = {"data": {"csrf": csrf, **body}, "headers": {"Sec-Fetch-Site": "same-origin"}}
        asked = query or ASKED.get(self.name, "").format(**things)
        answer = browser.request(self.method, f"{self.address(things)}?{asked}", **how)
        shown = answer.text
        if answer.status_code == 303 and self.changes:  # an act's sentence stands on the next page
            shown += browser.get("/account/password").text
        return Answer(answer.status_code, shown, answer.headers.get("location", ""))


def _filled(template: Any, things: Mapping[str, Any]) -> Any:
    if isinstance(template, Mapping):
        return {name: _filled(each, things) for name, each in template.items()}
    if isinstance(template, list):
        return [_filled(each, things) for each in template]
    if isinstance(template, str) and (whole := re.fullmatch(r"{(\w+)}", template)):
        return things[whole[1]]
    return template.format(**things) if isinstance(template, str) else template


@dataclass(frozen=True)
class Answer:
    """What came back, with the sentence that the next page shows after an act."""

    status: int
    text: str
    location: str

    def as_about(self, things: Mapping[str, Any]) -> "Answer":
        """An answer about nothing, put as it would be about these things: what the question held is repeated in it."""
        text, location = self.text, self.location
        for kind, value in NOTHING.items():
            if kind == "act":
                continue
            text = text.replace(str(value), str(things[kind]))
            location = location.replace(str(value), str(things[kind]))
        return Answer(self.status, text, location)


def routes() -> Iterator[Route]:
    """All that the site answers to, but the contract of the API and static files."""
    for router in cast("tuple[APIRouter, ...]", (*pages.ROUTERS, *api.ROUTERS)):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for method in sorted(route.methods or ()):
                yield Route(method, route.path, tuple(demanded(route.dependant)))


def demanded(dependant: Dependant) -> Iterator[Permission]:
    for each in dependant.dependencies:
        if isinstance(each.call, Demanded):
            yield each.call.permission
        yield from demanded(each)


ROUTES = tuple(routes())

NOTHING: Mapping[str, Any] = {
    "charge": 987654, "act": "relook", "item": 987653, "seen": 987650, "file": 987652, "reply": 987651, "rule": "NIL-001",
    "practice": "nowhere", "rules_file": "nothing.yaml", "user": "nobody-at-all", "record": "R-nothing",
    "endpoint": "no-such-endpoint", "view": "no-such-view",
    "payer": "NIL01", "provider": "1999999984", "patient_key": "0" * 64,
}  # fmt: skip
"""Things that are not there."""

RULES = """rules:
  - id: HIL-001
    title: Hollow Creek wants a prior authorization.
    reason: Hollow Creek denied three.
    life:
      - {stage: draft, date: 2026-11-02, by: Hilda Hollow}
    payers: [HCM01]
    codes: [99202-99215]
    when: {line.place: ["02"]}
    then: {severity: hold, message: "{line.code} has none."}
    cases:
      fires:
        video: {charge: {lines: [{code: "99213", place_of_service: "02"}]}}
      passes:
        office: {charge: {lines: ["99213"]}}
"""
_OTHER = {
    "code: lakeside": "code: hillside",
    "Lakeside Family": "Hillside Orthopedic",
    "LAKESIDE FAMILY": "HILLSIDE ORTHOPEDIC",
    "code: prairie-rcm": "code: hill-rcm",
    "PRAIRIE RCM": "HOLLOW RCM",
    "sender_id: LAKE01": "sender_id: HILL01",
    "id: LAKE01": "id: HILL01",
    "IMOGEN VALE": "HILDA HOLLOW",
    "Imogen Vale": "Hilda Hollow",
    "Prairie Mutual Health": "Hollow Creek Mutual",
    "PRM01": "HCM01",
    "1993999998": "1245319599",
    "inbound: inbound": "inbound: hill-in",
    "outbound: outbound": "outbound: hill-out",
}


@dataclass
class NextDoor:
    """Hillside, of which lakeside's people must learn nothing: a charge held and corrected, a file with its reply, users."""

    hall: Hall
    things: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        folder = self.hall.workplace.folder
        applied = self._applied(folder)
        patient = PATIENT.model_copy(update={"last_name": "Umbrage", "first_name": "Wystan", "record_number": "R-hill"})
        other = patient.model_copy(update={"record_number": "R-fine", "last_name": "Quillfeather"})
        payer = PAYER.model_copy(update={"name": "Hollow Creek Mutual", "payer_id": "HCM01"})
        coverages = (COVERAGE.model_copy(update={"payer": payer}),)
        held = charge(line("99213", diagnoses=()), key="hill-held", patient=patient, coverages=coverages)
        fine = charge(key="hill-fine", patient=other, coverages=coverages)
        pipeline = self.hall.workplace.pipeline
        pipeline.pull(applied, source=StillSource(held, fine))
        pipeline.judge(applied)
        pipeline.generate(applied)
        pipeline.deliver(applied)
        (folder / "hill-in").mkdir(exist_ok=True)
        (folder / "hill-in" / "hollow-answer.999").write_bytes(accepted(1, to="HILL01"))
        pipeline.queue(applied)
        self._people()
        self._endpoint()
        self._number(applied)

    def _applied(self, folder: Path) -> Applied:
        text = PROFILE
        for was, becomes in _OTHER.items():
            text = text.replace(was, becomes)
        (folder / "hill-rules").mkdir()
        (folder / "hill-rules" / "hollow.yaml").write_text(RULES)
        practice = parse_profile(text)
        transport = practice.trading_partner.transport.model_copy(
            update={"outbound": folder / "hill-out", "inbound": folder / "hill-in"}
        )
        partner = practice.trading_partner.model_copy(update={"transport": transport})
        pipeline = self.hall.workplace.pipeline
        pipeline.apply(
            practice.model_copy(update={"trading_partner": partner, "payer_rules": folder / "hill-rules"}),
            by="engineer",
        )
        for _ in range(3):
            pipeline.advance("hillside", by="lead", reason="invented people only")
        return pipeline.practice("hillside")

    def _people(self) -> None:
        self.hall.employ("hilda-hollow", Role.LEAD, "hillside")
        tokens.make(
            self.hall.database, "hilda-hollow", "nightly", ["files:read"], days=9, by="engineer", clock=self.hall.clock
        )
        desk.save_view(
            self.hall.database,
            "hollow-mornings",
            "practice=hillside",
            by="hilda-hollow",
            shared=True,
            clock=self.hall.clock,
        )

    def _endpoint(self) -> None:
        url, clock = "https://hooks.hollow.example/charges", self.hall.clock
        endpoints.add(self.hall.database, "hillside", "hollow-pager", url, (), networks=(), by="engineer", clock=clock)

    def _number(self, applied: Applied) -> None:
        with self.hall.database.transaction() as session:
            held = session.scalars(select(ChargeRow).where(ChargeRow.key == "hill-held")).one()
            item = session.scalars(select(ReviewItemRow).where(ReviewItemRow.charge_id == held.id)).first()
            file = session.scalars(select(ClaimFileRow).where(ClaimFileRow.practice_id == applied.id)).one()
            reply = session.scalars(select(ResponseRow).where(ResponseRow.practice_id == applied.id)).one()
            assert item is not None
            self.things = dict(NOTHING) | {
                "charge": held.id, "item": item.id, "seen": held.event_count, "file": file.id, "reply": reply.id,
                "rule": "HIL-001", "practice": "hillside", "rules_file": "hollow.yaml", "user": "hilda-hollow",
                "record": "R-hill", "view": "hollow-mornings", "endpoint": "hollow-pager",
                "payer": held.payer_id, "provider": held.provider_npi,
                "patient_key": held.patient_key,
            }  # fmt: skip
            self.file_name = file.name

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """Words that stand in what is of this practice and nowhere else."""
        return (
            "hillside", "hill-rcm", "Hillside", "HILLSIDE", "Umbrage", "Wystan", "Quillfeather", "R-hill", "R-fine",
            "hill-held", "hill-fine", "Hollow", "HCM01", "hollow", "HIL-001", self.file_name,
        )  # fmt: skip

    def state(self) -> object:
        """All that an act on something of this practice would change."""
        with self.hall.database.transaction() as session:
            theirs = select(ChargeRow.id, ChargeRow.status, ChargeRow.event_count, ChargeRow.assignee).where(
                ChargeRow.key.like("hill-%")
            )
            files = select(ClaimFileRow.id, ClaimFileRow.status, ClaimFileRow.event_count, ClaimFileRow.tries)
            hilda = select(UserRow.status, UserRow.role, UserRow.event_count, UserRow.password).where(
                UserRow.name == "hilda-hollow"
            )
            views = select(ViewRow.name).where(ViewRow.owner == "hilda-hollow")
            events = select(func.count()).select_from(EventRow).where(EventRow.subject != "user")
            return (
                [tuple(each) for query in (theirs, files, hilda, views) for each in session.execute(query)],
                session.scalar(select(func.count()).select_from(CorrectionRow)),
                session.scalar(events),
                sorted(path.name for path in self.hall.workplace.folder.glob("hill-*/*")),
            )


def may(role: Role, route: Route) -> bool:
    """Whether the table of roles lets a role ask for a route at all."""
    return all(each in PERMISSIONS[role] for each in route.permissions)
