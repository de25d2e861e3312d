"""Who asks, and what they may: sessions of browsers, tokens of programs, and what no request gets past.

Every path but the few that are open takes its ``Viewer`` from here. A browser shows its session by a cookie that no script
can read, and its forms bring along what only a page of that session knows. A program shows a token. ``Guard`` stands before
all of it: hosts, sizes and foreign pages are refused, and every answer carries the headers that bind the browser.
"""

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

import structlog
from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from charges.errors import ChargerouterError, Refused
from charges.log import place
from charges.users import secrets, sessions, tokens
from charges.users.permissions import Permission, Viewer
from charges.users.sessions import Signed
from charges.web.site import Site

log = structlog.get_logger()

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_BODY = 1_000_000
"""Bytes of a request; the largest that a person sends is a file of payer rules."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""On every answer. Nothing is kept by a browser or proxy but what lies in ``/static``, which says so itself."""


class SignInNeeded(ChargerouterError):
    """Nobody is signed in here, or no more."""


class MustChangePassword(ChargerouterError):
    """A one-time password was used, and nothing else is done before a password of one's own is chosen."""


def cookie_name(site: Site) -> str:
    """The session's cookie; the prefix makes browsers refuse it over anything but TLS."""
    return "__Host-session" if site.is_secure else "session"


def give_cookie(response: Response, site: Site, token: str) -> None:
    """Let the browser bring its session along."""
    response.set_cookie(
        cookie_name(site),
        token,
        max_age=int(sessions.LONGEST.total_seconds()),
        secure=site.is_secure,
        httponly=True,
        samesite="lax",
        path="/",
    )


async def _viewer(request: Request) -> Viewer:
    """Who asks; raises SignInNeeded, MustChangePassword, or Refused for a form that did not come from the session's page."""
    site: Site = request.app.state.site
    if is_api(request.url.path):
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = None
        if scheme.lower() == "bearer" and token:
            found = await run_in_threadpool(tokens.look_up, site.database, token.strip(), clock=site.clock)
        if found is None:
            raise SignInNeeded(
                "Send a token that stands: `Authorization: Bearer ...`. `charges users token` makes one."
            )
        return found
    signed = await run_in_threadpool(signed_in, request)
    if signed is None:
        raise SignInNeeded("Sign in first.")
    request.state.signed = signed
    if request.method not in SAFE:
        given = request.headers.get("x-csrf-token") or (await request.form()).get("csrf")
        if not isinstance(given, str) or not secrets.same(given, signed.csrf):
            raise ForgedForm
    if signed.must_change and not request.url.path.startswith(("/account", "/sign-out")):
        raise MustChangePassword("Choose a password of your own first.")
    return signed.viewer


class ForgedForm(Refused):
    """A form did not bring along what the session's own pages put into it."""

    def __init__(self) -> None:
        super().__init__("This form is not of your present session. Go back, load the page anew and send it again.")


def signed_in(request: Request) -> Signed | None:
    """The session of a request's browser, None where there is none that stands."""
    site: Site = request.app.state.site
    token = request.cookies.get(cookie_name(site), "")
    idle = timedelta(minutes=site.settings.web_idle_minutes)
    return sessions.look_up(site.database, token, idle=idle, clock=site.clock) if token else None


ViewerHere = Annotated[Viewer, Depends(_viewer)]
"""A parameter of a page or route: who asks."""


def _signed(request: Request, viewer: ViewerHere) -> Signed:  # noqa: ARG001 - nobody has a session before they are a viewer
    signed: Signed = request.state.signed
    return signed


SignedHere = Annotated[Signed, Depends(_signed)]
"""A parameter of a page: the session itself, for what is about one's own account."""


class Demanded:
    """A dependency that lets nobody pass whose role or token does not include a permission."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def __call__(self, viewer: ViewerHere) -> None:
        """Raise Forbidden unless the viewer may."""
        viewer.demand(self.permission)


def needs(permission: Permission) -> Any:  # noqa: ANN401 - FastAPI's own type of Depends
    """What a path demands, for its ``dependencies``."""
    return Depends(Demanded(permission))


def is_api(path: str) -> bool:
    """Whether a path is for programs: they show tokens, and read errors as JSON."""
    return path.startswith("/api/") or path == "/metrics"


class Guard:
    """What stands before all paths, and what every answer is given on its way out."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app, self.site = app, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                self._put_headers(MutableHeaders(scope=message), scope["path"])
            await send(message)

        refused = self._refused(scope)
        if refused is not None:
            await refused(scope, receive, send_with_headers)
            return
        try:
            await self.app(scope, _bounded(receive), send_with_headers)
        except Exception as error:  # noqa: BLE001 - a bug of ours; its text may hold patient data
            log.error("page failed", kind=type(error).__name__, stage=place(error))
            if not is_started:
                said = "Chargerouter made a mistake. Nothing that was stored is lost. The log says where."
                await _said(scope, said, 500)(scope, receive, send_with_headers)

    def _refused(self, scope: Scope) -> Response | None:
        """Why a request goes no further, for what its head alone tells."""
        headers = Headers(scope=scope)
        if scope["path"] not in ("/healthz", "/metrics") and headers.get("host", "").lower() != self.site.host.lower():
            return _said(scope, f"This page is {self.site.settings.web_url}; ask for it by that name.", 421)
        if int(length if (length := headers.get("content-length", "0")).isdecimal() else 0) > LARGEST_BODY:
            return _said(scope, "What was sent is too large.", 413)
        if scope["method"] not in SAFE and not is_api(scope["path"]) and not self._is_of_here(headers):
            return _said(scope, "This was sent by a page of another site, so nothing was done.", 403)
        return None

    def _is_of_here(self, headers: Headers) -> bool:
        """Whether what changes something was sent by a page of ours, by what browsers say and pages cannot change."""
        fetched = headers.get("sec-fetch-site")
        if fetched is not None and fetched != "same-origin":
            return False
        origin = urlsplit(headers.get("origin", ""))
        return origin.netloc.lower() == self.site.host.lower() if origin.netloc else fetched is not None

    def _put_headers(self, headers: MutableHeaders, path: str) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if not path.startswith("/static/"):
            headers.setdefault("Cache-Control", "no-store")
        if self.site.is_secure:
            headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")


def _said(scope: Scope, sentence: str, status: int) -> Response:
    """A refusal before any page or route is asked: in the form in which programs read every other."""
    if is_api(scope["path"]):
        return JSONResponse({"detail": sentence}, status)
    return PlainTextResponse(sentence, status)


def _bounded(receive: Receive) -> Receive:
    """The same request, refused when its body goes on and on."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST_BODY:
            raise HTTPException(413)
        return message

    return bounded
