"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from charges.errors import Missing
from charges.users import sessions
from charges.web import oidc
from charges.web.security import SignedHere, cookie_name, give_cookie, signed_in
from charges.web.showing import page
from charges.web.site import Site, SiteHere

router = APIRouter()


def here(address: str) -> str:
    r"""A path of this site, whatever was asked for: nobody is led elsewhere by a link to the sign-in.

    >>> here("/files?state=sent"), here("https://example.org/"), here("//example.org"), here("/\\example.org")
    ('/files?state=sent', '/', '/', '/')
    """
    is_of_here = address.startswith("/") and address[1:2] not in ("/", "\\") and address.isprintable()
    return address if is_of_here else "/"


@router.get("/sign-in")
def form(request: Request, site: SiteHere, next: str = "/") -> Response:
    """The form, or the page wanted where somebody is signed in already."""
    if signed_in(request):
        return RedirectResponse(here(next), 303)
    return _form(request, site, here(next))


def _form(request: Request, site: Site, next: str, *, status: int = 200, refused: str = "", name: str = "") -> Response:
    has_provider = bool(site.settings.oidc_issuer)
    return page(
        request, "sign_in.html", status=status, next=next, refused=refused, name=name, has_provider=has_provider
    )


@router.post("/sign-in")
def sign_in(
    request: Request,
    site: SiteHere,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Start a session, and end the one there was in this browser."""
    before = signed_in(request)
    try:
        token = sessions.sign_in(site.database, name, password, code, clock=site.clock)
    except sessions.SignInRefused as refused:
        return _form(request, site, here(next), status=401, refused=str(refused), name=name)
    if before:
        sessions.sign_out(site.database, before, clock=site.clock)
    response = RedirectResponse(here(next), 303)
    give_cookie(response, site, token)
    return response


@router.get("/sign-in/oidc")
def to_provider(site: SiteHere, next: str = "/") -> Response:
    """Send the browser to the identity provider."""
    if not site.settings.oidc_issuer:
        raise Missing("No identity provider is set up here. Sign in with a password.")
    address, trip = oidc.begin(site.settings, here(next))
    response = RedirectResponse(address, 303)
    response.set_cookie(
        _trip_cookie(site),
        trip.sealed(site.database.keyring),
        max_age=oidc.MINUTES * 60,
        secure=site.is_secure,
        httponly=True,
        samesite="lax",
        path="/",
    )
    return response


@router.get(oidc.BACK)
def from_provider(request: Request, site: SiteHere, state: str = "", code: str = "") -> Response:
    """Start a session of whom the identity provider vouches for."""
    if not site.settings.oidc_issuer:
        raise Missing("No identity provider is set up here. Sign in with a password.")
    try:
        trip = oidc.Trip.opened(request.cookies.get(_trip_cookie(site), ""), site.database.keyring)
        subject = oidc.finish(site.settings, trip, state, code)
        token = sessions.sign_in_vouched(site.database, subject, clock=site.clock)
    except sessions.SignInRefused as refused:
        return _form(request, site, "/", status=401, refused=str(refused))
    response = RedirectResponse(trip.next, 303)
    response.delete_cookie(_trip_cookie(site), path="/", secure=site.is_secure, httponly=True, samesite="lax")
    give_cookie(response, site, token)
    return response


def _trip_cookie(site: Site) -> str:
    return "__Host-oidc" if site.is_secure else "oidc"


@router.post("/sign-out")
def sign_out(site: SiteHere, signed: SignedHere) -> Response:
    """End the session; the browser forgets what it has of it."""
    sessions.sign_out(site.database, signed, clock=site.clock)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(cookie_name(site), path="/", secure=site.is_secure, httponly=True, samesite="lax")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response
