"""Where claims go, and what comes back: one protocol, one module for each kind of transport."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Presence(StrEnum):
    """What is known of a file at the receiver."""

    STAGED = "staged"
    """Whole under its temporary name: not yet visible to the receiver."""
    PUBLISHED = "published"
    """Whole under its own name."""
    ABSENT = "absent"
    """Neither is there: never sent, or already taken away."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A file that came back, byte for byte."""

    name: str
    content: bytes = field(repr=False)


class Clearinghouse(Protocol):
    """A place that takes claim files and gives replies.

    Sending has two steps so that a crash between them can be told from one after them: ``stage`` puts the whole file
    under a temporary name, ``publish`` gives it its own name and overwrites nothing. All raise Unavailable when the
    place cannot be reached or is full, and Refused when it will not work until a person acts.
    """

    def stage(self, name: str, content: bytes) -> None:
        """Put the bytes under the temporary name, durable and of checked size. Replaces an earlier attempt."""

    def publish(self, name: str) -> None:
        """Rename the staged file to its own name; raises Refused if a different file stands there already."""

    def presence(self, name: str, content: bytes) -> Presence:
        """What is there now; a file of that name with other bytes raises Refused."""

    def collect(self) -> Iterator[Reply]:
        """The replies that lie there, oldest first. Nothing is removed."""
