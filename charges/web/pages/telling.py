"""Which other systems are told what happens, and whether they answer: for whoever runs the installation."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from charges.errors import ChargerouterError, Missing
from charges.telling import delivering, endpoints
from charges.telling.endpoints import Endpoint
from charges.users.permissions import Permission, Viewer
from charges.web.security import ViewerHere, needs
from charges.web.showing import page, went_well
from charges.web.site import Site, SiteHere

router = APIRouter(prefix="/telling", dependencies=[needs(Permission.MANAGE_TELLING)])


def seen(site: Site, viewer: Viewer, code: str, name: str) -> Endpoint:
    """An endpoint of a practice of the viewer's; raises Missing."""
    viewer.demand_practice(code)
    found = next((each for each in endpoints.listed(site.database, [code]) if each.name == name), None)
    if found is None:
        raise Missing("There is nothing here by that name or number.")
    return found


@router.get("")
def all_endpoints(request: Request, site: SiteHere, viewer: ViewerHere) -> Response:
    """The endpoints of all practices that the viewer may see."""
    return page(request, "telling.html", endpoints=endpoints.listed(site.database, list(viewer.practices)))


@router.get("/{code}/{name}")
def one_endpoint(request: Request, site: SiteHere, viewer: ViewerHere, code: str, name: str) -> Response:
    """An endpoint with the last messages to it."""
    found = seen(site, viewer, code, name)
    return page(request, "endpoint.html", endpoint=found, messages=endpoints.sent(site.database, code, name))


@router.post("/{code}/{name}/test")
def send_test(request: Request, site: SiteHere, viewer: ViewerHere, code: str, name: str) -> Response:
    """Send a test message now, and say what came of it."""
    seen(site, viewer, code, name)
    try:
        delivering.send_test(site.database, site.settings, code, name, site.clock)
    except ChargerouterError as error:
        return went_well(request, f"/telling/{code}/{name}", f"The test message was not taken. {error}")
    return went_well(request, f"/telling/{code}/{name}", "The test message was taken.")
