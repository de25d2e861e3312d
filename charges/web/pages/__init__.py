"""The pages, and how people find them."""

from dataclasses import dataclass

from charges.users.permissions import Permission
from charges.web.pages import account, charge, files, home, queue, sign_in, sources, users

PAGES = (sign_in, account, home, queue, charge, files, sources, users)
ROUTERS = tuple(each.router for each in PAGES)


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in the navigation, for those who may do what it needs."""

    name: str
    path: str
    permission: Permission


NAVIGATION = (
    Entry("Queue", "/queue", Permission.READ_CHARGES),
    Entry("Files", "/files", Permission.READ_FILES),
    Entry("Sources", "/sources", Permission.READ_SOURCES),
    Entry("Users", "/users", Permission.MANAGE_USERS),
)
"""From left to right."""
