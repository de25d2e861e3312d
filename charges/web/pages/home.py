"""Where somebody arrives who signed in."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from charges.web.security import ViewerHere
from charges.web.showing import page

router = APIRouter()


@router.get("/")
def home(request: Request, viewer: ViewerHere) -> Response:
    """What the viewer may see."""
    return page(request, "home.html", practices=sorted(viewer.practices))
