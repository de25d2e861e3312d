"""Claim files and replies for programs."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from charges import delivery, overview
from charges.desk import handing_out
from charges.tables import FileStatus
from charges.users.permissions import Permission
from charges.web.pages.files import attached, chosen, seen
from charges.web.security import ViewerHere, needs
from charges.web.site import SiteHere

router = APIRouter(prefix="/api", tags=["files"])

Limit = Annotated[int, Query(ge=1, le=500, description="At most so many.")]
Before = Annotated[
    int, Query(ge=0, le=2**62, description="Only those of lower numbers: the last one of the list before.")
]
Practice = Annotated[str, Query(max_length=80, description="Only this practice, by its code.")]
Number = Annotated[int, Field(ge=0, le=2**62)]


class Shown(BaseModel):
    """Base of what is answered: made of what the stages show."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class File(Shown):
    """A claim file. ``total`` is in dollars; ``fault`` says why the last try to send it failed."""

    number: int
    practice: str
    name: str
    status: FileStatus
    claims: int
    total: Decimal
    built_at: datetime
    next_try_at: datetime | None
    fault: str


class Event(Shown):
    """One thing that happened to a file."""

    what: str
    state: str
    by: str
    at: datetime
    reason: str


class Answer(Shown):
    """What a reply said of a file; ``claims`` of how many of its claims, 0 when of the file itself."""

    reply: int
    name: str
    kind: str
    outcome: str
    claims: int
    received_at: datetime


class FileWithHistory(Shown):
    """A claim file with what happened to it and what was answered."""

    file: File
    sha256: str
    size: int
    sent_as: str
    tries: int
    events: tuple[Event, ...]
    answers: tuple[Answer, ...]


class Claim(Shown):
    """A claim of a file. ``live``: out, and refused by nobody."""

    number: str
    charge: int
    total: Decimal
    frequency: str
    live: bool
    accepted: bool


class Reply(Shown):
    """A reply; ``outcome`` says what it did, or why it could not be read."""

    number: int
    practice: str
    name: str
    state: str
    outcome: str
    received_at: datetime


class Because(BaseModel):
    """Why somebody does something."""

    reason: str = Field(min_length=1, max_length=2000)


class Settled(Because):
    """What the vendor says of a file of which the sending is uncertain."""

    received: bool


@router.get("/files", response_model=list[File], dependencies=[needs(Permission.READ_FILES)])
def files(
    site: SiteHere,
    viewer: ViewerHere,
    practice: Practice = "",
    state: FileStatus | None = None,
    before: Before = 0,
    limit: Limit = 100,
) -> object:
    """Claim files, newest first."""
    ids = chosen(viewer, practice)
    return overview.claim_files(site.database, practices=ids, status=state, before=before, limit=limit)


@router.get("/files/{number}", response_model=FileWithHistory, dependencies=[needs(Permission.READ_FILES)])
def file(site: SiteHere, viewer: ViewerHere, number: Number) -> object:
    """One file with its history and answers."""
    return seen(site, viewer, number)


@router.get("/files/{number}/claims", response_model=list[Claim], dependencies=[needs(Permission.READ_FILES)])
def claims(
    site: SiteHere,
    viewer: ViewerHere,
    number: Number,
    after: Annotated[str, Query(max_length=20, description="Only those that follow this claim.")] = "",
    limit: Limit = 100,
) -> object:
    """The claims of a file by their numbers."""
    seen(site, viewer, number)
    return overview.claims_in(site.database, number, after=after, limit=limit)


@router.get(
    "/files/{number}/content",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
    dependencies=[needs(Permission.DOWNLOAD_FILES)],
)
def content(site: SiteHere, viewer: ViewerHere, number: Number) -> Response:
    """The exact bytes; they hold patients' data, and that they were taken is an event of the file."""
    return attached(
        handing_out.claim_file(site.database, number, by=viewer.name, clock=site.clock, among=viewer.practice_ids)
    )


@router.post("/files/{number}/resend", status_code=204, dependencies=[needs(Permission.SEND_FILES)])
def resend(site: SiteHere, viewer: ViewerHere, number: Number, because: Because) -> None:
    """Have the same bytes sent again in the next run."""
    seen(site, viewer, number)
    delivery.resend(site.database, number, by=viewer.name, why=because.reason, clock=site.clock)


@router.post("/files/{number}/settle", status_code=204, dependencies=[needs(Permission.SEND_FILES)])
def settle(site: SiteHere, viewer: ViewerHere, number: Number, said: Settled) -> None:
    """Say whether the vendor has a file of which the sending is uncertain."""
    seen(site, viewer, number)
    delivery.settle(site.database, number, received=said.received, by=viewer.name, why=said.reason, clock=site.clock)


@router.get("/replies", response_model=list[Reply], dependencies=[needs(Permission.READ_FILES)])
def replies(
    site: SiteHere, viewer: ViewerHere, practice: Practice = "", before: Before = 0, limit: Limit = 100
) -> object:
    """Replies, newest first."""
    return overview.replies(site.database, practices=chosen(viewer, practice), before=before, limit=limit)


@router.get(
    "/replies/{number}/content",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
    dependencies=[needs(Permission.DOWNLOAD_FILES)],
)
def reply(site: SiteHere, viewer: ViewerHere, number: Number) -> Response:
    """A reply as it came; it may hold patients' data."""
    return attached(
        handing_out.reply(site.database, number, by=viewer.name, clock=site.clock, among=viewer.practice_ids)
    )
