"""A clearinghouse that takes everything and answers nothing. For tests, and for measuring the stages before it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from charges.clearinghouses import Parcel, Presence, Reply
from charges.errors import Refused


@dataclass
class Null:
    """Keeps in memory what was staged and what was published; ``replies`` are given as they are put in."""

    staged: dict[str, bytes] = field(default_factory=dict, repr=False)
    published: dict[str, bytes] = field(default_factory=dict, repr=False)
    replies: list[Reply] = field(default_factory=list, repr=False)

    def connected(self) -> AbstractContextManager[object]:
        """There is nothing to connect to."""
        return nullcontext()

    def packed(self, name: str, content: bytes) -> Parcel:
        """The file as it is."""
        return Parcel(name, content)

    def stage(self, parcel: Parcel) -> None:
        """Keep the bytes aside."""
        self.staged[parcel.name] = parcel.content

    def publish(self, parcel: Parcel) -> None:
        """Take the staged bytes as received."""
        if self.published.get(parcel.name, parcel.content) != parcel.content:
            raise Refused(f"Another file named {parcel.name} was published before.")
        self.published[parcel.name] = self.staged.pop(parcel.name)

    def presence(self, parcel: Parcel) -> Presence:
        """Whether the file is staged, published, or neither."""
        if parcel.name in self.published:
            if self.published[parcel.name] != parcel.content:
                raise Refused(f"The published file {parcel.name} is not the one that was stored.")
            return Presence.PUBLISHED
        return Presence.STAGED if self.staged.get(parcel.name) == parcel.content else Presence.ABSENT

    def discard(self, name: str) -> bool:
        """Forget the staged bytes."""
        return self.staged.pop(name, None) is not None

    def collect(self) -> Iterator[Reply]:
        """The replies that were put in."""
        yield from self.replies
