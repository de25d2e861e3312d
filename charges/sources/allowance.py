"""How often a tenant may be asked: the word a source asks for before each of its requests."""

from typing import Protocol


class Allowance(Protocol):
    """Gives leave for requests; ``ahead`` is by how many seconds the tenant's clock is before ours."""

    def take(self, ahead: float) -> None:
        """Return when one request may be made now, having waited if need be; raises Unavailable after a long wait."""

    def exhaust(self, ahead: float) -> None:
        """The tenant says that there were too many: nobody may ask before its next minute."""


class Unlimited:
    """Leave for as many requests as there are, for a tenant on this machine."""

    def take(self, ahead: float) -> None:
        """At once."""

    def exhaust(self, ahead: float) -> None:
        """No one else is concerned."""
