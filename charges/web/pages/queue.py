"""The review queue: views of it, groups, a search, one act on many charges, a file for a spreadsheet."""

from collections.abc import Iterable
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from charges.desk import bulk, corrections, export, queue
from charges.desk import sharing as desk
from charges.desk.bulk import Act, Intent
from charges.desk.queue import Page, Reader
from charges.desk.sharing import View
from charges.desk.views import COLUMNS, Shelf, Sort, Wanted
from charges.errors import Refused
from charges.model import Severity
from charges.users.permissions import Permission, Viewer
from charges.web.pages.rules import rules_of
from charges.web.security import ViewerHere, needs
from charges.web.showing import page, went_well
from charges.web.site import Site, SiteHere

router = APIRouter(prefix="/queue")


def reader_of(site: Site, viewer: Viewer) -> Reader:
    """The viewer as the queue knows them."""
    return Reader(viewer.name, site.clock(), frozenset(viewer.practices))


def names_of(site: Site, practices: Iterable[str]) -> dict[str, str]:
    """What the payers and providers of practices are called, by their ids."""
    found: dict[str, str] = {}
    for code in practices:
        profile = site.pipeline.practice(code).practice
        found |= {each.payer_id: each.name for each in profile.payers}
        found |= {each.npi: f"{each.last_name}, {each.first_name}" for each in profile.providers}
    return found


def listed(site: Site, viewer: Viewer, wanted: Wanted) -> Page:
    """A page of a view; that its charges were seen is written down, as what is wrong with them tells of patients."""
    shown = queue.page(site.database, wanted, reader_of(site, viewer))
    numbers = [each.charge_number for each in shown.entries]
    desk.saw(site.database, numbers, desk.Look.LIST, by=viewer.name, clock=site.clock)
    return shown


def views_of(site: Site, viewer: Viewer) -> list[View]:
    """The views offered to somebody: their own and those that colleagues share, but of a practice that is not theirs."""
    offered = [
        (each, dict(parse_qsl(each.address)).get("practice"))
        for each in desk.views(site.database, viewer.name, viewer.practice_ids)
    ]
    return [view for view, practice in offered if practice is None or viewer.may_see(practice)]


@router.get("", dependencies=[needs(Permission.READ_CHARGES)])
def worklist(request: Request, site: SiteHere, viewer: ViewerHere) -> Response:
    """A page of a view. Boxes that are ticked come as one question asked again and again."""
    asked = dict(request.query_params) | {"columns": ",".join(request.query_params.getlist("columns"))}
    wanted, reader = Wanted.read(asked), reader_of(site, viewer)
    shown = listed(site, viewer, wanted)
    shelves = [
        (each, queue.count(site.database, Wanted(shelf=each, practice=wanted.practice), reader))
        for each in (Shelf.OPEN, Shelf.SNOOZED, Shelf.ASKED)
    ]
    return page(
        request,
        "queue.html",
        wanted=wanted,
        shown=shown,
        count=queue.count(site.database, wanted, reader, shown=shown),
        shelves=shelves,
        views=views_of(site, viewer),
        names=names_of(site, {each.practice for each in shown.entries}),
        families=queue.known_families(),
        severities=list(Severity),
        sorts=list(Sort),
        columns=COLUMNS,
        may=viewer.may,
        today=site.clock().date(),
    )


@router.get("/groups", dependencies=[needs(Permission.READ_CHARGES)])
def groups(request: Request, site: SiteHere, viewer: ViewerHere) -> Response:
    """The view by rule and provider."""
    wanted = Wanted.read(request.query_params)
    found = queue.groups(site.database, wanted, reader_of(site, viewer))
    titles = {rule.id: rule.title for rule, _ in rules_of(site, viewer)}
    return page(
        request, "groups.html", wanted=wanted, found=found, names=names_of(site, viewer.practices), titles=titles
    )


@router.post("/search", dependencies=[needs(Permission.READ_CHARGES)])
def search(request: Request, site: SiteHere, viewer: ViewerHere, text: Annotated[str, Form()] = "") -> Response:
    """Charges by a number. It is sent as a form, because a patient's record number belongs into no address."""
    found = queue.find(site.database, text, reader_of(site, viewer))
    if len(found) == 1:
        return RedirectResponse(f"/charges/{found[0].charge_number}", 303)
    return page(request, "found.html", found=found)


@router.get("/export.csv", dependencies=[needs(Permission.EXPORT_CHARGES)])
def as_csv(request: Request, site: SiteHere, viewer: ViewerHere) -> Response:
    """The view as a file for a spreadsheet."""
    wanted = Wanted.read(request.query_params)
    lines = export.csv_of(site.database, wanted, reader_of(site, viewer), names_of(site, viewer.practices))
    return StreamingResponse(
        lines, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": 'attachment; filename="queue.csv"'}
    )


@router.get("/corrections", dependencies=[needs(Permission.READ_CHARGES)])
def to_enter(
    request: Request, site: SiteHere, viewer: ViewerHere, after: Annotated[int, Query(ge=0, lt=2**63)] = 0
) -> Response:
    """What was corrected here and is to be entered at the source."""
    found = corrections.standing(site.database, practices=viewer.practices, after=after)
    return page(request, "corrections.html", found=found)


@router.post("/views", dependencies=[needs(Permission.READ_CHARGES)])
def save_view(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    name: Annotated[str, Form()] = "",
    address: Annotated[str, Form()] = "",
    shared: Annotated[bool, Form()] = False,  # noqa: FBT002 - a box that is ticked or not
) -> Response:
    """Name the view."""
    wanted = Wanted.read(dict(parse_qsl(address)))
    desk.save_view(site.database, name, wanted.address(), by=viewer.name, shared=shared, clock=site.clock)
    return went_well(request, f"/queue?{wanted.address()}", f"The view is saved as {name.strip()}.")


@router.post("/views/forget", dependencies=[needs(Permission.READ_CHARGES)])
def forget_view(request: Request, site: SiteHere, viewer: ViewerHere, name: Annotated[str, Form()] = "") -> Response:
    """Forget one of one's own views."""
    desk.forget_view(site.database, name, by=viewer.name)
    return went_well(request, "/queue", f"The view {name} is forgotten.")


@router.post("/bulk", dependencies=[needs(Permission.LEAD_CHARGES)])
def preview(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    act: Annotated[Act, Form()],
    reason: Annotated[str, Form()] = "",
    to: Annotated[str, Form()] = "",
    charge: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """What one act would do to each charge of the view, or to those chosen."""
    wanted = Wanted.read(request.query_params)
    intent = Intent(act, reason, wanted.rule, to)
    shown = bulk.preview(site.database, wanted, intent, reader_of(site, viewer), charge or ())
    return page(request, "bulk.html", wanted=wanted, intent=intent, shown=shown)


@router.post("/bulk/do", dependencies=[needs(Permission.LEAD_CHARGES)])
def carry_out(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    act: Annotated[Act, Form()],
    reason: Annotated[str, Form()] = "",
    rule: Annotated[str, Form()] = "",
    to: Annotated[str, Form()] = "",
    chosen: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Do it to the charges that were shown."""
    wanted = Wanted.read(request.query_params)
    done = bulk.carry_out(
        site.database, Intent(act, reason, rule, to), _chosen(chosen or []), reader_of(site, viewer), site.clock
    )
    if done.failures:
        return page(request, "bulk_done.html", wanted=wanted, done=done)
    return went_well(request, f"/queue?{wanted.address()}", f"Done to {done.count} charges.")


def _chosen(given: Iterable[str]) -> list[tuple[int, int]]:
    """Charges with the last event of each that was seen."""
    pairs = [each.split("~") for each in given]
    if any(len(pair) != 2 or not all(part.isdecimal() and len(part) < 18 for part in pair) for pair in pairs):
        raise Refused("Choose the charges anew from the queue.")
    return [(int(number), int(seen)) for number, seen in pairs]
