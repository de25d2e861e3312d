"""The simulated tenant over HTTP, speaking the contract, with the faults of real life when they are asked for.

Beside the contract it has ``/truth`` (what is wrong with which charge), ``/clock`` (let time pass) and ``/faults``.
"""

import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Form, Header, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from charges.errors import Unavailable
from charges.simulator.practice import SimulatedPractice, Version
from charges.sources.eclinicalworks.contract import (
    CHARGE_PATH,
    CHARGES_PATH,
    DAYS_PATH,
    MOST_NUMBERS,
    NUMBERS_PATH,
    TOKEN_PATH,
    UNKNOWN,
    ChargePage,
    ChargeRecord,
    Mishap,
    NumberPage,
    Token,
)

CLIENT_ID = "chargerouter"
CLIENT_SECRET = "only-the-simulator-takes-this"  # noqa: S105 - it opens nothing else
TOKEN_SECONDS = 300


class Faults(BaseModel):
    """What goes wrong with the next requests for charges; each counts down to nothing."""

    expired_tokens: int = Field(default=0, ge=0, description="Answer 401 although the token is good.")
    too_many_requests: int = Field(default=0, ge=0, description="Answer 429 with Retry-After: 1.")
    server_errors: int = Field(default=0, ge=0, description="Answer 500.")
    truncated_answers: int = Field(default=0, ge=0, description="Break off in the middle of the JSON.")
    slow_answers: int = Field(default=0, ge=0, description="Answer after slow_seconds.")
    repeated_pages: int = Field(default=0, ge=0, description="Give the page before once more.")
    slow_seconds: float = Field(default=1.0, ge=0, le=120)


class Moved(BaseModel):
    """The clock after it was moved."""

    now: str
    changed: int = Field(description="How many charges changed or came.")


class Tenant:
    """The state behind the paths: the practice, the tokens given out, the faults to come."""

    def __init__(self, practice: SimulatedPractice) -> None:
        self.practice, self.faults = practice, Faults()
        self.tokens: dict[str, float] = {}
        self.last_page = b""

    def token(self) -> Token:
        """A new token."""
        token = secrets.token_urlsafe(24)
        self.tokens[token] = time.monotonic() + TOKEN_SECONDS
        return Token(access_token=token, token_type="bearer", expires_in=TOKEN_SECONDS)  # noqa: S106

    def knows(self, authorization: str) -> bool:
        """Whether a bearer token was given out and has not ended."""
        return self.tokens.get(authorization.removeprefix("Bearer "), 0.0) > time.monotonic()

    def due(self, fault: str) -> bool:
        """Whether a fault is to happen now; it is then used up."""
        left: int = getattr(self.faults, fault)
        if left:
            self.faults = self.faults.model_copy(update={fault: left - 1})
        return left > 0

    def page(self, since: str, number: int, size: int) -> bytes:
        """A page of charges by their change, as JSON."""
        chosen = [version for version in self.practice.visible if version.modified_on >= since]
        start = (number - 1) * size
        return _charge_page(chosen[start : start + size], has_more=len(chosen) > start + size)

    def of_days(self, first: str, last: str, after: str) -> list[Version]:
        """The charges of days of service after a number, in the order of numbers."""
        chosen = [version for version in self.practice.visible if first <= version.service_date <= last]
        return sorted((each for each in chosen if int(each.key) > int(after or 0)), key=lambda each: int(each.key))

    def refusal(self, authorization: str) -> Response | None:
        """What goes wrong with a request now, if anything does."""
        if not self.knows(authorization) or self.due("expired_tokens"):
            return _mishap(401, "invalid_token")
        if self.due("too_many_requests"):
            return _mishap(429, "too many requests", {"Retry-After": "1"})
        if self.due("server_errors"):
            return _mishap(500, "server error")
        if self.due("slow_answers"):
            time.sleep(self.faults.slow_seconds)
        return None

    def answer(self, content: bytes) -> Response:
        """JSON, whole or broken off."""
        if self.due("truncated_answers"):
            content = content[: len(content) // 2]
        return Response(content, media_type="application/json")


def _charge_page(versions: Sequence[Version], *, has_more: bool) -> bytes:
    more = b"true" if has_more else b"false"
    return b'{"hasMore":' + more + b',"charges":[' + b",".join(version.body for version in versions) + b"]}"


def simulator_app(practice: SimulatedPractice) -> FastAPI:
    """The web application of a simulated tenant."""
    tenant = Tenant(practice)
    app = FastAPI(
        title="Chargerouter's contract with an eClinicalWorks tenant",
        version="1",
        description="The vendor publishes no specification of its proprietary interface. This is our own contract, named "
        "after the columns that public programs read, and the simulator that speaks it.",
    )
    _speak_the_contract(app, tenant)
    _take_orders(app, tenant)
    return app


def _speak_the_contract(app: FastAPI, tenant: Tenant) -> None:
    refusals: dict[int | str, dict[str, Any]] = {status: {"model": Mishap} for status in (401, 429, 500)}

    @app.post(TOKEN_PATH, responses={401: {"model": Mishap}}, tags=["contract"])
    def token(
        grant_type: Annotated[str, Form()], client_id: Annotated[str, Form()], client_secret: Annotated[str, Form()]
    ) -> Token:
        """Give a token for a client's id and secret (OAuth 2.0 client credentials)."""
        if (grant_type, client_id, client_secret) != ("client_credentials", CLIENT_ID, CLIENT_SECRET):
            return _mishap(401, "invalid_client")  # type: ignore[return-value]
        return tenant.token()

    @app.get(CHARGES_PATH, response_model=ChargePage, responses=refusals, tags=["contract"])
    def charges(
        code: str,  # noqa: ARG001 - there is one practice, whatever it is called
        modified_since: Annotated[str, Query(alias="modifiedSince", description="YYYY-MM-DD HH:MM:SS, inclusive.")],
        page: Annotated[int, Query(ge=1)] = 1,
        page_size: Annotated[int, Query(alias="pageSize", ge=1, le=1000)] = 200,
        authorization: Annotated[str, Header()] = "",
    ) -> Response:
        """Give the charges changed at or after a moment, oldest change first, equal moments by number."""
        refused = tenant.refusal(authorization)
        if refused is not None:
            return refused
        if tenant.due("repeated_pages") and tenant.last_page:
            content = tenant.last_page
        else:
            content = tenant.last_page = tenant.page(modified_since, page, page_size)
        return tenant.answer(content)

    @app.get(CHARGE_PATH, response_model=ChargeRecord, responses=refusals | {404: {"model": Mishap}}, tags=["contract"])
    def charge(code: str, number: str, authorization: Annotated[str, Header()] = "") -> Response:  # noqa: ARG001
        """Give one charge as it is now; 404 with the error `unknown charge` where there is none."""
        refused = tenant.refusal(authorization)
        if refused is not None:
            return refused
        found = next((version for version in tenant.practice.visible if version.key == number), None)
        return tenant.answer(found.body) if found else _mishap(404, UNKNOWN)

    @app.get(DAYS_PATH, response_model=ChargePage, responses=refusals, tags=["contract"])
    def charges_of_days(
        code: str,  # noqa: ARG001
        first_day: Annotated[str, Query(alias="firstDay", description="The first date of service, YYYY-MM-DD.")],
        last_day: Annotated[str, Query(alias="lastDay", description="The last date of service, inclusive.")],
        after: Annotated[str, Query(description="The last number of the page before; empty for the first.")] = "",
        page_size: Annotated[int, Query(alias="pageSize", ge=1, le=1000)] = 200,
        authorization: Annotated[str, Header()] = "",
    ) -> Response:
        """Give the charges of days of service as they are now, deleted ones too, in the order of their numbers."""
        refused = tenant.refusal(authorization)
        if refused is not None:
            return refused
        chosen = tenant.of_days(first_day, last_day, after)
        return tenant.answer(_charge_page(chosen[:page_size], has_more=len(chosen) > page_size))

    @app.get(NUMBERS_PATH, response_model=NumberPage, responses=refusals, tags=["contract"])
    def numbers_of_days(
        code: str,  # noqa: ARG001
        first_day: Annotated[str, Query(alias="firstDay", description="The first date of service, YYYY-MM-DD.")],
        last_day: Annotated[str, Query(alias="lastDay", description="The last date of service, inclusive.")],
        after: Annotated[str, Query(description="The last number of the page before; empty for the first.")] = "",
        page_size: Annotated[int, Query(alias="pageSize", ge=1, le=MOST_NUMBERS)] = MOST_NUMBERS,
        authorization: Annotated[str, Header()] = "",
    ) -> Response:
        """Give the numbers alone of all charges of days of service, in their order."""
        refused = tenant.refusal(authorization)
        if refused is not None:
            return refused
        numbers = [version.key for version in tenant.of_days(first_day, last_day, after)]
        page = {"hasMore": len(numbers) > page_size, "numbers": numbers[:page_size]}
        return tenant.answer(json.dumps(page).encode())


def _take_orders(app: FastAPI, tenant: Tenant) -> None:
    @app.get("/truth", tags=["simulator"])
    def truth() -> Response:
        """Tell what is wrong with each charge: the rules that must hold it and those that must warn."""
        return JSONResponse({"charges": tenant.practice.truth()})

    @app.post("/clock", tags=["simulator"])
    def clock(hours: Annotated[float, Query(gt=0, le=24 * 365)]) -> Moved:
        """Let time pass: charges are edited and voided late, and new ones come."""
        changed = tenant.practice.advance(hours)
        return Moved(now=tenant.practice.now.isoformat(), changed=changed)

    @app.post("/faults", tags=["simulator"])
    def faults(wanted: Faults) -> Faults:
        """Plan what goes wrong with the next requests."""
        tenant.faults = wanted
        return wanted


def _mishap(status: int, error: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": error}, status_code=status, headers=headers)


def openapi_json() -> str:
    """The contract as OpenAPI, for the documentation."""
    from datetime import datetime

    document = simulator_app(SimulatedPractice([], datetime.min)).openapi()  # noqa: DTZ901 - no charge, no time
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _tcp() -> socket.socket:
    """A socket that says that it is TCP: asyncio else leaves answers waiting 40 ms for an acknowledgement."""
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """The application on a free port of this machine, in a thread; yields its base URL."""
    with _tcp() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            _wait_until(server)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)


def _wait_until(server: uvicorn.Server) -> None:
    for _ in range(1000):
        if server.started:
            return
        time.sleep(0.01)
    raise Unavailable("The simulated vendor did not start within 10 seconds.")


def serve(app: FastAPI, port: int) -> None:
    """The application on a port of this machine until it is stopped; raises Unavailable when the port is taken."""
    with _tcp() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError as error:
            raise Unavailable(f"Port {port} cannot be used ({error.strerror}). Choose another with --port.") from None
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")).run([listening])
