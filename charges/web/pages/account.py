"""One's own account: password, recovery codes, and what one is told by e-mail."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from charges.telling import subscriptions
from charges.telling.subscriptions import USUAL_HOUR, Wish
from charges.telling.topics import MEANINGS, NEEDED, URGENT, USUAL
from charges.users import sessions
from charges.web.security import SignedHere, ViewerHere
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


@router.get("/telling")
def telling_form(request: Request, site: SiteHere, viewer: ViewerHere) -> Response:
    """What one is told by e-mail, of what the role may see."""
    own = subscriptions.of(site.database, viewer.name)
    return page(
        request,
        "account_telling.html",
        own=own,
        topics=[(each, says, each in URGENT) for each, says in MEANINGS.items() if viewer.may(NEEDED[each])],
        chosen=own.topics if own else USUAL[viewer.role],
        hours=[(str(hour), f"{hour}:00") for hour in range(24)],
        usual=USUAL_HOUR,
        is_sent=bool(site.settings.smtp_host),
    )


@router.post("/telling")
def change_telling(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    address: Annotated[str, Form()] = "",
    topic: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI makes a list of its own for each request
    at_once: Annotated[bool, Form()] = False,  # noqa: FBT002 - a field of a form
    hour: Annotated[int, Form()] = USUAL_HOUR,
) -> Response:
    """Be told from now on, or otherwise than before."""
    wish = Wish(address, topic, at_once=at_once, hour=hour)
    subscriptions.subscribe(site.database, viewer.name, wish, by=viewer.name, clock=site.clock)
    return went_well(request, "/account/telling", "You are told so from now on.")


@router.post("/telling/stop")
def stop_telling(request: Request, site: SiteHere, viewer: ViewerHere) -> Response:
    """Be told nothing more."""
    subscriptions.unsubscribe(site.database, viewer.name, by=viewer.name, clock=site.clock)
    return went_well(request, "/account/telling", "You are told nothing more.")
