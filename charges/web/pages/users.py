"""The people who use the page: for whoever looks after them. Secrets are shown once, on the answer that made them."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from charges.errors import Missing, Refused
from charges.tables import Role
from charges.users import accounts, tokens
from charges.users.accounts import Account, Wanted
from charges.users.permissions import PERMISSIONS, Permission, Viewer
from charges.web.security import ViewerHere, needs
from charges.web.showing import next_page, page, went_well
from charges.web.site import Site, SiteHere

router = APIRouter(prefix="/users", dependencies=[needs(Permission.MANAGE_USERS)])

PAGE = 50

Word = Annotated[str, Form()]
Words = Annotated[list[str], Form()]


def _wanted(
    site: Site, viewer: Viewer, role: Role, practices: list[str], *, sees_all: bool, subject: str = ""
) -> Wanted:
    """What was asked for; whoever does not see a practice cannot open it to others."""
    for code in practices:
        viewer.demand_practice(code)
    if sees_all and not _own(site, viewer).sees_all:
        raise Refused("You do not see all practices yourself, so you cannot open all of them to others.")
    if sees_all == bool(practices):
        raise Refused("Say which practices the user may see: some of them, or all that there will ever be.")
    return Wanted(role, practices, sees_all=sees_all, subject=subject.strip())


def _own(site: Site, viewer: Viewer) -> Account:
    return accounts.account(site.database, viewer.name, site.clock())


def _is_theirs(own: Account, other: Account) -> bool:
    """Whether a user sees no practice that the one who looks after them does not see."""
    return own.sees_all or (not other.sees_all and set(other.practices) <= set(own.practices))


def within(site: Site, viewer: Viewer) -> tuple[str, ...] | None:
    """The practices beyond which the viewer looks after nobody; None for all."""
    own = _own(site, viewer)
    return None if own.sees_all else own.practices


def seen(site: Site, viewer: Viewer, name: str) -> Account:
    """A user whom the viewer may look after; raises Missing."""
    found = accounts.account(site.database, name, site.clock())
    if not _is_theirs(_own(site, viewer), found):
        raise Missing("There is nothing here by that name or number.")
    return found


def _concerned(site: Site, viewer: Viewer, name: str) -> Account:
    """A user whom the viewer may change: not themselves, so that nobody widens their own rights; raises Refused."""
    found = seen(site, viewer, name)
    if found.name == viewer.name:
        raise Refused("Nobody changes their own account here. Ask somebody else who looks after users.")
    return found


@router.get("")
def users(
    request: Request, site: SiteHere, viewer: ViewerHere, after: Annotated[str, Query(max_length=80)] = ""
) -> Response:
    """The users by name, who sees what because of an emergency, and the form to add one."""
    now, bounds = site.clock(), within(site, viewer)
    found = accounts.listed(site.database, now, within=bounds, after=after, limit=PAGE + 1)
    return page(
        request,
        "users.html",
        accounts=found[:PAGE],
        emergencies=accounts.emergencies(site.database, now, within=bounds),
        first=next_page(request, after="") if after else "",
        following=next_page(request, after=found[PAGE - 1].name) if len(found) > PAGE else "",
        now=now,
        roles=[(each, f"{each}: {_ROLES[each]}") for each in Role],
    )


_ROLES = {
    Role.BILLER: "works the queue",
    Role.LEAD: "answers for the queue",
    Role.AUDITOR: "reads everything",
    Role.OPERATOR: "runs the installation, sees no patient",
}


@router.post("")
def add(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    name: Word,
    role: Annotated[Role, Form()],
    practice: Words = [],  # noqa: B006 - FastAPI makes a list of its own for each request
    sees_all: Annotated[bool, Form()] = False,  # noqa: FBT002 - a field of a form
    subject: Word = "",
) -> Response:
    """Add a user; shows once what to hand over."""
    wanted = _wanted(site, viewer, role, practice, sees_all=sees_all, subject=subject)
    made = accounts.add(site.database, name, wanted, by=viewer.name, clock=site.clock)
    if made is None:
        return went_well(request, "/users", f"{name} signs in with the identity provider.")
    return page(request, "credentials.html", made=made)


@router.get("/{name}")
def user(request: Request, site: SiteHere, viewer: ViewerHere, name: str) -> Response:
    """One user, with their tokens and what happened to the account."""
    found = seen(site, viewer, name)
    return page(
        request,
        "user.html",
        account=found,
        now=site.clock(),
        roles=[(each, str(each)) for each in Role],
        scopes=sorted(PERMISSIONS[found.role]),
        tokens=tokens.listed(site.database, found.name),
        history=accounts.history(site.database, found.name),
    )


@router.post("/{name}/change")
def change(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    name: str,
    role: Annotated[Role, Form()],
    practice: Words = [],  # noqa: B006 - as above
    sees_all: Annotated[bool, Form()] = False,  # noqa: FBT002 - a field of a form
) -> Response:
    """Give a user another role and other practices."""
    _concerned(site, viewer, name)
    wanted = _wanted(site, viewer, role, practice, sees_all=sees_all)
    accounts.change(site.database, name, wanted, by=viewer.name, clock=site.clock)
    return went_well(request, f"/users/{name}", f"{name} is changed.")


@router.post("/{name}/disable")
def disable(request: Request, site: SiteHere, viewer: ViewerHere, name: str, reason: Word = "") -> Response:
    """End a user's sessions and tokens, and let them in no more."""
    _concerned(site, viewer, name)
    accounts.disable(site.database, name, by=viewer.name, because=reason, clock=site.clock)
    return went_well(request, f"/users/{name}", f"{name} is disabled.")


@router.post("/{name}/enable")
def enable(request: Request, site: SiteHere, viewer: ViewerHere, name: str, reason: Word = "") -> Response:
    """Let a user in again."""
    _concerned(site, viewer, name)
    accounts.enable(site.database, name, by=viewer.name, because=reason, clock=site.clock)
    return went_well(request, f"/users/{name}", f"{name} may sign in again.")


@router.post("/{name}/reset")
def reset(request: Request, site: SiteHere, viewer: ViewerHere, name: str, reason: Word = "") -> Response:
    """Give a user a new password, second factor and recovery codes; shows them once."""
    _concerned(site, viewer, name)
    made = accounts.reset(site.database, name, by=viewer.name, because=reason, clock=site.clock)
    return page(request, "credentials.html", made=made)


@router.post("/{name}/emergency")
def emergency(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    name: str,
    practice: Word,
    hours: Annotated[int, Form()] = 4,
    reason: Word = "",
) -> Response:
    """Open a practice to a user for some hours."""
    _concerned(site, viewer, name)
    viewer.demand_practice(practice)
    accounts.open_in_emergency(
        site.database, name, practice, hours=hours, by=viewer.name, because=reason, clock=site.clock
    )
    return went_well(request, f"/users/{name}", f"{name} sees {practice} for {hours} hours.")


@router.post("/{name}/tokens")
def make_token(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    name: str,
    label: Word,
    scope: Words = [],  # noqa: B006 - as above
    days: Annotated[int, Form()] = 90,
) -> Response:
    """Make a token of the JSON API; shows it once."""
    _concerned(site, viewer, name)
    made = tokens.make(site.database, name, label, scope, days=days, by=viewer.name, clock=site.clock)
    return page(request, "token.html", name=name, label=label, token=made)


@router.post("/{name}/tokens/revoke")
def revoke(request: Request, site: SiteHere, viewer: ViewerHere, name: str, label: Word) -> Response:
    """End a token."""
    seen(site, viewer, name)
    tokens.revoke(site.database, name, label, by=viewer.name, clock=site.clock)
    return went_well(request, f"/users/{name}", f"The token {label} is revoked.")
