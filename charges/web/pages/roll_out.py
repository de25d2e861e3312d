"""The roll-out: how far each practice has come, what the next mode demands, and the acts that bring it on or back."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from charges import kept
from charges.rollout.acts import MEANING, ORDER, Moved
from charges.tables import Mode
from charges.users.permissions import Permission
from charges.web.security import ViewerHere, needs
from charges.web.showing import page, went_well
from charges.web.site import SiteHere

router = APIRouter(prefix="/roll-out")


@router.get("", dependencies=[needs(Permission.READ_ROLL_OUT)])
def practices(request: Request, site: SiteHere, viewer: ViewerHere) -> Response:
    """Each practice with its mode."""
    shown = [site.pipeline.roll_out(code, kept.OLD) for code in sorted(viewer.practices)]
    return page(request, "roll_outs.html", shown=shown)


@router.get("/{code}", dependencies=[needs(Permission.READ_ROLL_OUT)])
def roll_out(request: Request, site: SiteHere, viewer: ViewerHere, code: str) -> Response:
    """One practice: what it has shown, what the next mode demands, what was done."""
    viewer.demand_practice(code)
    shown = site.pipeline.roll_out(code, kept.OLD)
    earlier = ORDER[: ORDER.index(shown.standing.mode)]
    return page(request, "roll_out.html", shown=shown, meaning=MEANING, earlier=earlier[::-1])


@router.post("/{code}/advance", dependencies=[needs(Permission.MOVE_ROLL_OUT)])
def advance(
    request: Request, site: SiteHere, viewer: ViewerHere, code: str, reason: Annotated[str, Form()] = ""
) -> Response:
    """Bring a practice to its next mode."""
    viewer.demand_practice(code)
    return _told(request, code, site.pipeline.advance(code, by=viewer.name, reason=reason))


@router.post("/{code}/retreat", dependencies=[needs(Permission.MOVE_ROLL_OUT)])
def retreat(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    code: str,
    to: Annotated[Mode, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Bring a practice back at once; what was built and not sent yet is withdrawn."""
    viewer.demand_practice(code)
    return _told(request, code, site.pipeline.retreat(code, by=viewer.name, reason=reason, to=to))


def _told(request: Request, code: str, moved: Moved) -> Response:
    return went_well(request, f"/roll-out/{code}", " ".join(moved.sentences()))
