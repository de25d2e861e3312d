"""The pages, and how people find them."""

from dataclasses import dataclass

from charges.users.permissions import Permission
from charges.web.pages import account, files, home, sign_in

PAGES = (sign_in, account, home, files)
ROUTERS = tuple(each.router for each in PAGES)


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in the navigation, for those who may do what it needs."""

    name: str
    path: str
    permission: Permission


NAVIGATION = (Entry("Files", "/files", Permission.READ_FILES),)
"""From left to right."""
