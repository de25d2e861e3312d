"""One's own account: password and recovery codes."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from charges.users import sessions
from charges.web.security import SignedHere
from charges.web.showing import page, went_well
from charges.web.site import SiteHere

router = APIRouter(prefix="/account")


@router.get("/password")
def password_form(request: Request, signed: SignedHere) -> Response:
    """The form to choose a password."""
    return page(request, "account.html", is_new=signed.must_change, codes=())


@router.post("/password")
def change_password(
    request: Request,
    site: SiteHere,
    signed: SignedHere,
    old: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
) -> Response:
    """Choose a password of one's own."""
    sessions.change_password(site.database, signed, old, new, clock=site.clock)
    return went_well(request, "/", "Your password is changed. Other browsers are signed out.")


@router.post("/recovery-codes")
def renew_recovery_codes(request: Request, site: SiteHere, signed: SignedHere) -> Response:
    """New recovery codes, shown once."""
    codes = sessions.renew_recovery_codes(site.database, signed, clock=site.clock)
    return page(request, "account.html", is_new=signed.must_change, codes=codes)
