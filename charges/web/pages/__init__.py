"""The pages, and how people find them."""

from dataclasses import dataclass

from charges.users.permissions import Permission
from charges.web.pages import (
    account,
    charge,
    files,
    home,
    overview,
    queue,
    roll_out,
    rules,
    sign_in,
    sources,
    telling,
    users,
)

PAGES = (sign_in, account, home, overview, queue, charge, files, rules, sources, roll_out, telling, users)
ROUTERS = tuple(each.router for each in PAGES)


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in the navigation, for those who may do what it needs."""

    name: str
    path: str
    permission: Permission


NAVIGATION = (
    Entry("Queue", "/queue", Permission.READ_CHARGES),
    Entry("Overview", "/overview", Permission.READ_FIGURES),
    Entry("Files", "/files", Permission.READ_FILES),
    Entry("Rules", "/rules", Permission.READ_RULES),
    Entry("Sources", "/sources", Permission.READ_SOURCES),
    Entry("Roll-out", "/roll-out", Permission.READ_ROLL_OUT),
    Entry("Telling", "/telling", Permission.MANAGE_TELLING),
    Entry("Users", "/users", Permission.MANAGE_USERS),
)
"""From left to right."""
