"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from charges.users import sessions
from charges.web.security import SignedHere, cookie_name, give_cookie, signed_in
from charges.web.showing import page
from charges.web.site import SiteHere

router = APIRouter()


def here(address: str) -> str:
    r"""A path of this site, whatever was asked for: nobody is led elsewhere by a link to the sign-in.

    >>> here("/files?state=sent"), here("https://example.org/"), here("//example.org"), here("/\\example.org")
    ('/files?state=sent', '/', '/', '/')
    """
    is_of_here = address.startswith("/") and address[1:2] not in ("/", "\\") and address.isprintable()
    return address if is_of_here else "/"


@router.get("/sign-in")
def form(request: Request, next: str = "/") -> Response:
    """The form, or the page wanted where somebody is signed in already."""
    if signed_in(request):
        return RedirectResponse(here(next), 303)
    return page(request, "sign_in.html", next=here(next), refused="", name="")


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
        return page(request, "sign_in.html", status=401, next=here(next), refused=str(refused), name=name)
    if before:
        sessions.sign_out(site.database, before, clock=site.clock)
    response = RedirectResponse(here(next), 303)
    give_cookie(response, site, token)
    return response


@router.post("/sign-out")
def sign_out(site: SiteHere, signed: SignedHere) -> Response:
    """End the session; the browser forgets what it has of it."""
    sessions.sign_out(site.database, signed, clock=site.clock)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(cookie_name(site), path="/", secure=site.is_secure, httponly=True, samesite="lax")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response
