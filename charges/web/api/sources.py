"""The systems that charges come from, for programs."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field, computed_field

from charges.users.permissions import Permission
from charges.web.api.files import Because, Shown
from charges.web.pages.sources import feeds_of
from charges.web.security import ViewerHere, needs
from charges.web.site import SiteHere

router = APIRouter(prefix="/api/sources", tags=["sources"])

Code = Annotated[str, Path(max_length=80, description="The practice, by its code.")]


class Stream(Shown):
    """One stream of a source, and when it last went on."""

    name: str
    moved_at: datetime


class Source(Shown):
    """A source of a practice. ``waits``: something about its records waits for a person; ``stops``: nothing is routed."""

    practice: str
    kind: str
    streams: tuple[Stream, ...]
    read_at: datetime | None
    lag: timedelta | None = Field(exclude=True)
    waits: bool
    stops: bool

    @computed_field(description="Seconds since changes were last taken in.")  # type: ignore[prop-decorator]
    @property
    def lag_seconds(self) -> int | None:
        """How long ago changes were last taken in."""
        return None if self.lag is None else int(self.lag.total_seconds())


class Accepted(Because):
    """Why what is different is right, and of which source; that of the profile when none is named."""

    stream: str = Field(default="", max_length=32)


class Difference(Shown):
    """What was accepted, as a sentence."""

    path: str
    says: str


@router.get("", response_model=list[Source], dependencies=[needs(Permission.READ_SOURCES)])
def sources(site: SiteHere, viewer: ViewerHere) -> object:
    """The sources of all practices that the token's user may see."""
    return feeds_of(site, viewer)


@router.post("/{code}/accept", response_model=list[Difference], dependencies=[needs(Permission.ACCEPT_SOURCES)])
def accept(site: SiteHere, viewer: ViewerHere, code: Code, accepted: Accepted) -> object:
    """Take what is different in a source's records as the new baseline."""
    applied = site.practice(viewer, code)
    return site.pipeline.accept_drift(applied, by=viewer.name, because=accepted.reason, stream=accepted.stream)
