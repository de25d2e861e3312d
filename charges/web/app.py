"""The page and the API put together."""

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from charges.db import Database
from charges.errors import ChargerouterError, Forbidden, Missing, Stale, Unavailable
from charges.settings import Settings
from charges.web import api, pages
from charges.web.security import SAFE, ForgedForm, Guard, MustChangePassword, SignInNeeded, is_api
from charges.web.showing import page
from charges.web.site import Site


def create_app(database: Database, settings: Settings, clock: Callable[[], datetime]) -> FastAPI:
    """The whole site on a database; nothing is asked of it before the first request."""
    site = Site(database, settings, clock)
    app = FastAPI(
        title="Chargerouter",
        version=version("chargerouter"),
        description="Charges, what holds them, claim files, rules and sources. Programs show a token "
        "(`charges users token`); it may do what its user may, within its scopes, for the practices of its user.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.site = site
    app.state.navigation = pages.NAVIGATION
    for router in pages.ROUTERS:
        app.include_router(router, include_in_schema=False)
    for router in api.ROUTERS:  # the scheme of tokens and the errors are for the contract
        app.include_router(router, dependencies=[Security(HTTPBearer(auto_error=False))], responses=_ERRORS)
    app.mount("/static", _Static(directory=str(files("charges.web").joinpath("static"))), name="static")
    app.add_exception_handler(ChargerouterError, _refused)
    app.add_exception_handler(HTTPException, _not_here)
    app.add_exception_handler(RequestValidationError, _misshapen)
    app.add_middleware(Guard, site=site)
    return app


class Problem(BaseModel):
    """Why a request was not answered, in a sentence."""

    detail: str


_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": says}
    for status, says in (
        (400, "Refused, and the sentence says why."),
        (401, "No token that stands."),
        (403, "Not within the token's scopes."),
        (404, "Nothing there, or not of your practices."),
        (409, "Somebody was faster: read again."),
        (413, "Too large."),
        (422, "Not in the form wanted."),
        (503, "The database is away."),
    )
}


class _Static(StaticFiles):
    """Files whose address changes with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


_STATUS: tuple[tuple[type[ChargerouterError], int], ...] = (
    (SignInNeeded, 401),
    (ForgedForm, 403),
    (Forbidden, 403),
    (Missing, 404),
    (Stale, 409),
    (Unavailable, 503),
    (ChargerouterError, 400),
)


_NOT_HERE = "There is nothing here by that name or number."
"""One sentence, so that nobody learns from its words whether something is there that they may not see."""


def _refused(request: Request, error: Exception) -> Response:
    """What was raised on purpose, as a page or as JSON."""
    assert isinstance(error, ChargerouterError)
    if not is_api(request.url.path):
        if isinstance(error, SignInNeeded):
            return _elsewhere(request, f"/sign-in?next={quote(_back(request))}")
        if isinstance(error, MustChangePassword):
            return _elsewhere(request, "/account/password")
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    return _told(request, status, _NOT_HERE if isinstance(error, Missing) else str(error))


def _elsewhere(request: Request, to: str) -> Response:
    """Another page, also where a part of a page was asked for: the whole page goes there."""
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": to})
    return RedirectResponse(to, 303)


def _back(request: Request) -> str:
    """Where somebody goes on after signing in: what they asked for, unless that was an act."""
    if request.method not in SAFE or "hx-request" in request.headers:
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _not_here(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = {
        404: _NOT_HERE,
        405: "This cannot be done here.",
        413: "What was sent is too large.",
    }
    return _told(request, error.status_code, said.get(error.status_code, "This request cannot be answered."))


def _misshapen(request: Request, error: Exception) -> Response:
    """What was sent has not the shape wanted; it is named and never repeated, as it may hold a patient's data."""
    assert isinstance(error, RequestValidationError)
    wrong = sorted({".".join(map(str, each["loc"][1:])) or str(each["loc"][0]) for each in error.errors()})
    if "number" in wrong and request.method in SAFE and not is_api(request.url.path):
        return _told(request, 404, _NOT_HERE)
    return _told(request, 422, f"Not in the form that is wanted: {', '.join(wrong)}.")


def _told(request: Request, status: int, sentence: str) -> Response:
    if is_api(request.url.path):
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        return JSONResponse({"detail": sentence}, status, headers)
    return page(request, "error.html", status=status, sentence=sentence)
