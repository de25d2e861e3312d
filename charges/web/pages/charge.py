"""One charge on one page, the acts on it, and who else is there."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from charges.desk import casefile, queue
from charges.desk import sharing as desk
from charges.desk.views import Wanted
from charges.errors import Forbidden, Missing, Refused, Stale
from charges.model import Charge
from charges.patients.identity import WHOSE
from charges.remedy import PROTECTED
from charges.sources.seen import paths
from charges.users.permissions import Permission, Viewer
from charges.web.acts import ACTS, Given, charge_of, perform
from charges.web.pages.queue import reader_of
from charges.web.security import ViewerHere, needs
from charges.web.showing import page, went_well
from charges.web.site import Site, SiteHere

router = APIRouter(prefix="/charges")


@router.get("/{number}", dependencies=[needs(Permission.READ_CHARGES)])
def charge(request: Request, site: SiteHere, viewer: ViewerHere, number: int) -> Response:
    """The charge with all that is known about it, and its neighbours in the view that it was opened from."""
    charge_of(site, viewer, number)
    wanted = Wanted.read(request.query_params)
    reader = reader_of(site, viewer)
    file = casefile.read(site.pipeline, number)
    before, after = queue.following(site.database, wanted, number, reader)
    return page(
        request,
        "charge.html",
        file=file,
        number=number,
        others=desk.look(site.database, number, by=viewer.name, clock=site.clock),
        changed="",
        before=before,
        after=after,
        address=wanted.address(),
        undo=_undo(request),
        fields=_fields(file.case.charge),
        may=viewer.may,
        acts=ACTS,
        whose=WHOSE,
        today=site.clock().date(),
    )


@router.get("/{number}/here", dependencies=[needs(Permission.READ_CHARGES)])
def here(
    request: Request, site: SiteHere, viewer: ViewerHere, number: int, seen: Annotated[int, Query(ge=0, lt=2**31)]
) -> Response:
    """Who else has the charge before them, and whether it changed since it was opened."""
    charge_of(site, viewer, number)
    others = desk.look(site.database, number, by=viewer.name, clock=site.clock)
    return page(request, "here.html", others=others, changed=desk.changed_since(site.database, number, seen))


@router.post("/{number}/{act}", dependencies=[needs(Permission.WORK_CHARGES)])
def act(
    request: Request, site: SiteHere, viewer: ViewerHere, number: int, act: str, given: Annotated[Given, Form()]
) -> Response:
    """Do one thing to the charge; then the next one opens where this one left the queue."""
    wanted = Wanted.read(request.query_params)
    try:
        done = perform(site, viewer, number, act, given)
    except (Missing, Forbidden):
        raise
    except (Refused, Stale) as error:  # said on the charge's page, where it can be looked at again
        return went_well(request, _address(number, wanted), str(error))
    to = _next(site, viewer, number, wanted) if done.leaves else number
    about = done.undo.get("item", done.undo.get("to", ""))
    undo = {"undo": f"{number} {done.undo['act']} {about}".strip()} if done.undo else {}
    where = _address(to, wanted, **undo) if to else f"/queue?{wanted.address()}"
    return went_well(request, where, done.sentence)


_OF_LINE = (
    "code",
    "modifiers",
    "units",
    "charge",
    "service_date",
    "place_of_service",
    "diagnoses",
    "prior_authorization",
)


def _fields(charge: Charge) -> list[str]:
    """The paths of the fields that say something, and of those of a line that should."""
    of_lines = {f"lines[{index}].{name}" for index in range(len(charge.lines)) for name in _OF_LINE}
    return sorted(each for each in {*paths(charge), *of_lines} if each not in PROTECTED)


def _next(site: Site, viewer: Viewer, number: int, wanted: Wanted) -> int | None:
    before, after = queue.following(site.database, wanted, number, reader_of(site, viewer))
    return after or before


def _address(number: int, wanted: Wanted, **more: str) -> str:
    query = "&".join(filter(None, (replace(wanted, after="", before="").address(), urlencode(more))))
    return f"/charges/{number}" + (f"?{query}" if query else "")


def _undo(request: Request) -> dict[str, str]:
    """The act that undoes the one before, as the address names it; nothing where it names none."""
    number, act, about = (*request.query_params.get("undo", "").split(" ", 2), "", "", "")[:3]
    if not number.isdecimal() or act not in ("unwaive", "withdraw", "revive", "wake", "assign"):
        return {}
    if act == "assign":
        return {"charge": number, "act": act, "to": about}
    return {"charge": number, "act": act, "item": about if about.isdecimal() else ""}
