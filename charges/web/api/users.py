"""The users, for programs; secrets are handed out on the page and the command line only."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from charges.tables import Role, UserStatus
from charges.users import accounts
from charges.users.permissions import Permission
from charges.web.api.files import Shown
from charges.web.pages.users import seen, within
from charges.web.security import ViewerHere, needs
from charges.web.site import SiteHere

router = APIRouter(prefix="/api/users", tags=["users"])


class User(Shown):
    """A user. ``sees_all``: all practices, also those that come later."""

    name: str
    role: Role
    status: UserStatus
    sees_all: bool
    practices: tuple[str, ...]
    emergencies: tuple[tuple[str, datetime], ...]
    locked_until: datetime | None
    added_at: datetime


class Event(Shown):
    """One thing that happened to an account."""

    at: datetime
    what: str
    by: str
    detail: str


@router.get("", response_model=list[User], dependencies=[needs(Permission.MANAGE_USERS)])
def users(
    site: SiteHere,
    viewer: ViewerHere,
    after: Annotated[str, Query(max_length=80, description="Only those whose names follow.")] = "",
    limit: Annotated[int, Query(ge=1, le=500, description="At most so many.")] = 100,
) -> object:
    """The users by name."""
    return accounts.listed(site.database, site.clock(), within=within(site, viewer), after=after, limit=limit)


@router.get("/{name}/events", response_model=list[Event], dependencies=[needs(Permission.MANAGE_USERS)])
def events(site: SiteHere, viewer: ViewerHere, name: str, limit: int = 100) -> object:
    """What happened to an account, newest first."""
    seen(site, viewer, name)
    return accounts.history(site.database, name, min(max(limit, 1), 500))
