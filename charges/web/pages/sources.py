"""The systems that charges come from: when they were read, how their records changed, and a person's word on it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from charges.feeds import standing as feeds
from charges.users.permissions import Permission, Viewer
from charges.web.security import ViewerHere, needs
from charges.web.showing import page, went_well
from charges.web.site import Site, SiteHere

router = APIRouter(prefix="/sources")


def feeds_of(site: Site, viewer: Viewer) -> list[feeds.Feed]:
    """The sources of all practices that the viewer may see."""
    return [
        feed
        for applied in site.practices(viewer)
        for feed in feeds.feeds(
            site.database, applied.id, applied.practice.code, applied.practice.source.kind, site.clock()
        )
    ]


@router.get("", dependencies=[needs(Permission.READ_SOURCES)])
def sources(request: Request, site: SiteHere, viewer: ViewerHere) -> Response:
    """All sources with how long ago they were read."""
    return page(request, "sources.html", feeds=feeds_of(site, viewer))


@router.get("/{code}", dependencies=[needs(Permission.READ_SOURCES)])
def source(request: Request, site: SiteHere, viewer: ViewerHere, code: str) -> Response:
    """The sources of one practice, with what is different and what their records are made of."""
    applied = site.practice(viewer, code)
    found = feeds.feeds(site.database, applied.id, code, applied.practice.source.kind, site.clock())
    return page(request, "source.html", practice=applied.practice, feeds=found, wanted=site.settings.baseline_records)


@router.post("/{code}/accept", dependencies=[needs(Permission.ACCEPT_SOURCES)])
def accept(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    code: str,
    reason: Annotated[str, Form()] = "",
    stream: Annotated[str, Form()] = "",
) -> Response:
    """Take what is different as the new baseline; the records since are read again, and their charges go on."""
    applied = site.practice(viewer, code)
    told = site.pipeline.accept_drift(applied, by=viewer.name, because=reason, stream=stream)
    said = f"{len(told)} difference{'s are' if len(told) != 1 else ' is'} accepted."
    return went_well(request, f"/sources/{code}", f"{said} The charges are judged in the next run.")


@router.post("/{code}/probe", dependencies=[needs(Permission.ACCEPT_SOURCES)])
def probe(request: Request, site: SiteHere, viewer: ViewerHere, code: str) -> Response:
    """Ask the source now what it can give."""
    probed = site.pipeline.probe(site.practice(viewer, code))
    return went_well(request, f"/sources/{code}", probed.fault or "The source answers.")
