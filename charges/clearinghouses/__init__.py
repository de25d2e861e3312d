"""Where claims go, and what comes back: one protocol, one module for each kind of transport."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
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
class Parcel:
    """A file as it lies at the receiver: its name there and its bytes, compressed or encrypted where that is wanted."""

    name: str
    content: bytes = field(repr=False)


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

    def connected(self) -> AbstractContextManager[object]:
        """One connection for all that is done in the block; raises what concerns the place and no single file."""

    def packed(self, name: str, content: bytes) -> Parcel:
        """The claim file as it is sent. Not always the same twice: what is once staged is kept and sent again."""

    def stage(self, parcel: Parcel) -> None:
        """Put the bytes under the temporary name, durable and of checked size. Replaces an earlier attempt."""

    def publish(self, parcel: Parcel) -> None:
        """Give the staged file its own name; raises Refused if a different file stands there already."""

    def presence(self, parcel: Parcel) -> Presence:
        """What is there now; a file of that name with other bytes raises Refused."""

    def discard(self, name: str) -> bool:
        """Remove what was staged of a file that is not sent any more; returns whether there was anything."""

    def collect(self) -> Iterator[Reply]:
        """The replies that lie there, oldest first. One may be removed, where that is wanted, when the next is asked for."""
