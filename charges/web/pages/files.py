"""Claim files: where they stand, what was answered, their exact bytes, and what a person does about those in doubt."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from charges import delivery, overview
from charges.desk import handing_out
from charges.overview import FileHistory
from charges.replies import overdue
from charges.tables import FileStatus
from charges.users.permissions import Permission, Viewer
from charges.web.security import ViewerHere, needs
from charges.web.showing import next_page, page, went_well
from charges.web.site import Site, SiteHere

router = APIRouter(prefix="/files")

PAGE = 50
CLAIMS = 100


def seen(site: Site, viewer: Viewer, number: int) -> FileHistory:
    """A file of one of the viewer's practices; raises Missing."""
    found = overview.history_of(site.database, number)
    viewer.demand_practice(found.file.practice)
    return found


def chosen(viewer: Viewer, practice: str) -> frozenset[int]:
    """The practices asked for: all of the viewer's, or one of them; raises Missing."""
    if not practice:
        return viewer.practice_ids
    viewer.demand_practice(practice)
    return frozenset({viewer.practices[practice]})


def attached(handed: handing_out.Handed) -> Response:
    """A download that no browser tries to show."""
    name = "".join(each if each.isascii() and (each.isalnum() or each in "._-") else "_" for each in handed.name)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(handed.content, media_type="application/octet-stream", headers=headers)


@router.get("", dependencies=[needs(Permission.READ_FILES)])
def files(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    practice: str = "",
    state: FileStatus | Literal[""] = "",
    before: int = 0,
) -> Response:
    """The files, newest first, and the replies that should have come."""
    ids = chosen(viewer, practice)
    found = overview.claim_files(site.database, practices=ids, status=state or None, before=before, limit=PAGE + 1)
    return page(
        request,
        "files.html",
        files=found[:PAGE],
        alarms=[each for each in overdue.standing(site.database, practice) if viewer.may_see(each.practice)],
        practice=practice,
        state=state,
        states=list(FileStatus),
        newer=next_page(request, before="") if before else "",
        older=next_page(request, before=found[PAGE - 1].number) if len(found) > PAGE else "",
    )


@router.get("/replies", dependencies=[needs(Permission.READ_FILES)])
def replies(request: Request, site: SiteHere, viewer: ViewerHere, practice: str = "", before: int = 0) -> Response:
    """What came back, newest first, and what each did."""
    ids = chosen(viewer, practice)
    found = overview.replies(site.database, practices=ids, before=before, limit=PAGE + 1)
    return page(
        request,
        "replies.html",
        replies=found[:PAGE],
        newer=next_page(request, before="") if before else "",
        older=next_page(request, before=found[PAGE - 1].number) if len(found) > PAGE else "",
    )


@router.get("/replies/{number}", dependencies=[needs(Permission.DOWNLOAD_FILES)])
def reply(site: SiteHere, viewer: ViewerHere, number: int) -> Response:
    """A reply as it came."""
    return attached(
        handing_out.reply(site.database, number, by=viewer.name, clock=site.clock, among=viewer.practice_ids)
    )


@router.get("/{number}", dependencies=[needs(Permission.READ_FILES)])
def file(request: Request, site: SiteHere, viewer: ViewerHere, number: int, after: str = "") -> Response:
    """One file: its claims, what happened to it, what was answered."""
    shown = seen(site, viewer, number)
    claims = overview.claims_in(site.database, number, after=after, limit=CLAIMS + 1)
    return page(
        request,
        "file.html",
        shown=shown,
        claims=claims[:CLAIMS],
        newer=next_page(request, after="") if after else "",
        older=next_page(request, after=claims[CLAIMS - 1].number) if len(claims) > CLAIMS else "",
        is_uncertain=shown.file.status is FileStatus.UNCERTAIN,
        may_be_resent=shown.file.status in (FileStatus.BUILT, FileStatus.SENDING, FileStatus.SENT),
    )


@router.get("/{number}/content", dependencies=[needs(Permission.DOWNLOAD_FILES)])
def content(site: SiteHere, viewer: ViewerHere, number: int) -> Response:
    """The bytes as they were stored and sent; that they were taken is an event of the file."""
    return attached(
        handing_out.claim_file(site.database, number, by=viewer.name, clock=site.clock, among=viewer.practice_ids)
    )


@router.post("/{number}/resend", dependencies=[needs(Permission.SEND_FILES)])
def resend(
    request: Request, site: SiteHere, viewer: ViewerHere, number: int, reason: Annotated[str, Form()] = ""
) -> Response:
    """Have the same bytes sent again."""
    seen(site, viewer, number)
    delivery.resend(site.database, number, by=viewer.name, why=reason, clock=site.clock)
    return went_well(request, f"/files/{number}", f"File {number} goes out in the next run, byte for byte as before.")


@router.post("/{number}/settle", dependencies=[needs(Permission.SEND_FILES)])
def settle(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    number: int,
    received: Annotated[bool, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Say whether the vendor has a file of which the sending is uncertain."""
    seen(site, viewer, number)
    delivery.settle(site.database, number, received=received, by=viewer.name, why=reason, clock=site.clock)
    said = "stands as sent." if received else "goes out in the next run."
    return went_well(request, f"/files/{number}", f"File {number} {said}")
