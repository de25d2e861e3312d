"""The simulated tenant over HTTP, speaking the contract, with the faults of real life when they are asked for.

Beside the contract it has ``/truth`` (what is wrong with which charge), ``/clock`` (let time pass) and ``/faults``.
"""

import json
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Form, Header, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from charges.errors import Unavailable
from charges.simulator.faults import Fault, Rate
from charges.simulator.practice import SimulatedPractice
from charges.simulator.tenant import Tenant
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


class Plan(BaseModel):
    """What goes wrong with the requests to come; the catalogue of faults stands in ``charges.simulator.faults``."""

    planned: dict[Fault, int] = Field(default_factory=dict, description="So many of the next requests, by fault.")
    rates: dict[Fault, Rate] = Field(default_factory=dict, description="This share of today's requests, by fault.")
    slow_seconds: float = Field(default=1.0, ge=0, le=120, description="How long a slow answer takes.")


class Moved(BaseModel):
    """The clock after it was moved."""

    now: str
    changed: int = Field(description="How many charges changed, came or are gone.")


def simulator_app(practice: SimulatedPractice | Tenant) -> FastAPI:
    """The web application of a simulated tenant; of a practice alone it is one where nothing goes wrong."""
    tenant = practice if isinstance(practice, Tenant) else Tenant(practice)
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

    @app.post(TOKEN_PATH, response_model=Token, responses={401: {"model": Mishap}}, tags=["contract"])
    def token(
        grant_type: Annotated[str, Form()], client_id: Annotated[str, Form()], client_secret: Annotated[str, Form()]
    ) -> Response:
        """Give a token for a client's id and secret (OAuth 2.0 client credentials)."""
        if (grant_type, client_id, client_secret) != ("client_credentials", CLIENT_ID, CLIENT_SECRET):
            return tenant.mishap(401, "invalid_client")
        return tenant.refusal() or tenant.answer(tenant.token())

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
        return refused or tenant.answer(tenant.page(authorization, modified_since, page, page_size))

    @app.get(CHARGE_PATH, response_model=ChargeRecord, responses=refusals | {404: {"model": Mishap}}, tags=["contract"])
    def charge(code: str, number: str, authorization: Annotated[str, Header()] = "") -> Response:  # noqa: ARG001
        """Give one charge as it is now; 404 with the error `unknown charge` where there is none."""
        refused = tenant.refusal(authorization)
        if refused is not None:
            return refused
        found = next((version for version in tenant.practice.visible if version.key == number), None)
        return tenant.answer(tenant.practice.wire(found)) if found else tenant.mishap(404, UNKNOWN)

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
        return tenant.answer(tenant.charge_page(chosen[:page_size], has_more=len(chosen) > page_size))

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
    def truth(
        records: Annotated[bool, Query(description="With each charge whole.")] = False,  # noqa: FBT002 - a query
    ) -> Response:
        """Tell what is wrong with each charge, what happened beside the plan, and how often each fault happened."""
        return JSONResponse(tenant.truth(with_records=records))

    @app.post("/clock", tags=["simulator"])
    def clock(hours: Annotated[float, Query(gt=0, le=24 * 365)]) -> Moved:
        """Let time pass: charges are edited and voided late, new ones come, and each day has its faults."""
        with tenant.lock:
            changed = tenant.life.advance(hours)
            return Moved(now=tenant.practice.now.isoformat(), changed=changed)

    @app.post("/faults", tags=["simulator"])
    def faults(plan: Plan) -> Plan:
        """Plan what goes wrong with the requests of today."""
        with tenant.lock:
            tenant.fate.planned, tenant.fate.rates = Counter(plan.planned), plan.rates
            tenant.slow_seconds = plan.slow_seconds
        return plan


def openapi_json() -> str:
    """The contract as OpenAPI, for the documentation."""
    from datetime import datetime

    document = simulator_app(SimulatedPractice([], datetime(2026, 1, 1))).openapi()  # noqa: DTZ001 - no charge, any time
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _tcp() -> socket.socket:
    """A socket that says that it is TCP: asyncio else leaves answers waiting 40 ms for an acknowledgement."""
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """The application on a free port of this machine, in a thread; yields its base URL."""
    with _tcp() as listening:
        listening.bind(("127.0.0.1", 0))
        server = _server(app)
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
        _server(app).run([listening])


def _server(app: FastAPI) -> uvicorn.Server:
    """A server that leaves the date to the tenant and does not complain of answers that end in the middle."""
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", date_header=False)
    logging.getLogger("uvicorn.error").addFilter(_is_no_dropped_answer)
    return uvicorn.Server(config)


def _is_no_dropped_answer(record: logging.LogRecord) -> bool:
    return "without completing response" not in record.getMessage()
