"""What each role may do: data, and one object that answers for a person at a moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from charges.errors import Forbidden, Missing
from charges.tables import Role


class Permission(StrEnum):
    """Something that may be done; also the scope of a token."""

    READ_CHARGES = "charges:read"
    """See charges, which are patients' data."""
    WORK_CHARGES = "charges:work"
    """Act on one charge at a time, be assigned, comment."""
    LEAD_CHARGES = "charges:lead"
    """Act on many charges at once, assign others, give charges up, decide about claims that are out."""
    EXPORT_CHARGES = "charges:export"
    READ_FILES = "files:read"
    """See which claim files and replies there are, and what became of them; no patient's data."""
    DOWNLOAD_FILES = "files:download"
    """Have the bytes of files and replies, which hold patients' data."""
    SEND_FILES = "files:send"
    READ_RULES = "rules:read"
    WRITE_RULES = "rules:write"
    READ_SOURCES = "sources:read"
    ACCEPT_SOURCES = "sources:accept"
    """Take what changed in a source's records for right."""
    READ_ROLL_OUT = "roll-out:read"
    MOVE_ROLL_OUT = "roll-out:move"
    READ_FIGURES = "figures:read"
    READ_PEOPLE = "figures:people"
    """Figures of single people's work."""
    READ_EVENTS = "events:read"
    """Who did what, users' own history too."""
    MANAGE_USERS = "users:manage"
    READ_METRICS = "metrics:read"
    MANAGE_TELLING = "telling:manage"
    """See which other systems are told what happens, and whether they answer."""


_P = Permission
_READS = frozenset({_P.READ_CHARGES, _P.READ_FILES, _P.READ_RULES, _P.READ_SOURCES, _P.READ_ROLL_OUT, _P.READ_FIGURES})
PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.BILLER: frozenset({_P.READ_CHARGES, _P.WORK_CHARGES, _P.READ_FILES, _P.READ_RULES, _P.READ_SOURCES}),
    Role.LEAD: _READS
    | {_P.WORK_CHARGES, _P.LEAD_CHARGES, _P.EXPORT_CHARGES, _P.DOWNLOAD_FILES, _P.SEND_FILES, _P.WRITE_RULES}
    | {_P.ACCEPT_SOURCES, _P.MOVE_ROLL_OUT, _P.READ_PEOPLE},
    Role.AUDITOR: _READS | {_P.EXPORT_CHARGES, _P.DOWNLOAD_FILES, _P.READ_PEOPLE, _P.READ_EVENTS},
    Role.OPERATOR: frozenset(
        {_P.READ_FILES, _P.SEND_FILES, _P.READ_RULES, _P.READ_SOURCES, _P.ACCEPT_SOURCES, _P.READ_ROLL_OUT}
        | {_P.MOVE_ROLL_OUT, _P.READ_FIGURES, _P.READ_EVENTS, _P.MANAGE_USERS, _P.READ_METRICS}
        | {_P.MANAGE_TELLING}
    ),
}
"""What each role may do. An operator sees no patient; an auditor changes nothing."""


@dataclass(frozen=True)
class Viewer:
    """Who looks, or acts, now. ``practices`` are those they may see: the row's number by the practice's code."""

    user_id: int
    name: str
    role: Role
    permissions: frozenset[Permission]
    practices: Mapping[str, int]

    def may(self, permission: Permission) -> bool:
        """Whether they may do something at all."""
        return permission in self.permissions

    def demand(self, permission: Permission) -> None:
        """Raise Forbidden unless they may."""
        if not self.may(permission):
            raise Forbidden(
                f"{self.name} has the role {self.role}, which does not include {permission}. "
                "Ask whoever looks after the users if it should."
            )

    def may_see(self, practice: str | int) -> bool:
        """Whether a practice, by its code or its row's number, is one of theirs."""
        return practice in self.practices if isinstance(practice, str) else practice in self.practice_ids

    def demand_practice(self, practice: str | int) -> None:
        """Raise Missing unless they may see it: what is not theirs is as if it were not there."""
        if not self.may_see(practice):
            raise Missing("There is nothing here by that name or number.")

    @property
    def practice_ids(self) -> frozenset[int]:
        """The row numbers of the practices they may see, for the conditions of queries."""
        return frozenset(self.practices.values())
