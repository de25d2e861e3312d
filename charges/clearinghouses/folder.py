"""Two folders: claim files are dropped in one, replies are read from the other. For vendors who fetch, demo and tests."""

import errno
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from charges.clearinghouses import Parcel, Presence, Reply
from charges.errors import Refused, Unavailable

_TEMPORARY = ".part"


@dataclass(frozen=True)
class Folder:
    """A clearinghouse that is two folders of this machine or of a mounted share.

    A file is written under ``.NAME.part`` in the same folder, flushed to disk, measured, and then renamed, which is one
    step: were it there under both names for a moment, who takes one then would leave the other, as if it had not been sent.
    """

    outbound: Path
    inbound: Path

    def connected(self) -> AbstractContextManager[object]:
        """Folders need no connection."""
        return nullcontext()

    def packed(self, name: str, content: bytes) -> Parcel:
        """The file as it is."""
        return Parcel(name, content)

    def stage(self, parcel: Parcel) -> None:
        """Write the whole file under its temporary name."""
        temporary, content = self._temporary(parcel.name), parcel.content
        try:
            self.outbound.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            size = temporary.stat().st_size
        except OSError as error:
            raise self._unavailable(error) from None
        if size != len(content):
            raise Unavailable(f"{temporary} has {size} bytes instead of {len(content)}; the next run writes it again.")

    def publish(self, parcel: Parcel) -> None:
        """Give the staged file its own name."""
        name = parcel.name
        temporary, final = self._temporary(name), self.outbound / name
        try:
            if final.exists() and final.read_bytes() != temporary.read_bytes():
                raise Refused(
                    f"Another file named {name} lies in {self.outbound}. It was not touched and ours was not sent; "
                    "move that file away and run again."
                )
            if final.exists():
                temporary.unlink(missing_ok=True)
            else:
                temporary.rename(final)
            folder = os.open(self.outbound, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._unavailable(error) from None

    def presence(self, parcel: Parcel) -> Presence:
        """Whether the file is staged, published, or neither."""
        name, content = parcel.name, parcel.content
        temporary, final = self._temporary(name), self.outbound / name
        try:
            if final.exists():
                if final.read_bytes() != content:
                    raise Refused(
                        f"The file {name} in {self.outbound} is not the one that was stored. It was not touched; find out "
                        "who wrote it before anything else is sent."
                    )
                return Presence.PUBLISHED
            staged = temporary.exists() and temporary.stat().st_size == len(content)
        except OSError as error:
            raise self._unavailable(error) from None
        return Presence.STAGED if staged else Presence.ABSENT

    def discard(self, name: str) -> bool:
        """Remove the temporary file."""
        temporary = self._temporary(name)
        try:
            is_there = temporary.exists()
            temporary.unlink(missing_ok=True)
        except OSError as error:
            raise self._unavailable(error) from None
        return is_there

    def collect(self) -> Iterator[Reply]:
        """The replies in the inbound folder, oldest first; hidden and temporary files are not ready yet."""
        try:
            if not self.inbound.is_dir():
                return
            files = sorted(
                (path for path in self.inbound.iterdir() if path.is_file() and not _is_unfinished(path.name)),
                key=lambda path: (path.stat().st_mtime_ns, path.name),
            )
            for path in files:
                yield Reply(path.name, path.read_bytes())
        except OSError as error:
            raise Unavailable(
                f"The reply folder {self.inbound} cannot be read ({error.strerror}). Replies stay there; the next run "
                "reads them."
            ) from None

    def _temporary(self, name: str) -> Path:
        return self.outbound / f".{name}{_TEMPORARY}"

    def _unavailable(self, error: OSError) -> Unavailable:
        what = {
            errno.ENOSPC: "is full; make room",
            errno.EDQUOT: "has used up its quota; make room",
            errno.EACCES: "does not let this user write; change its rights",
            errno.EROFS: "is read-only; mount it for writing",
            errno.ENOTDIR: "is not a folder; correct the practice's trading_partner.transport",
        }.get(error.errno or 0, f"failed ({error.strerror})")
        return Unavailable(
            f"The drop folder {self.outbound} {what}. The claim file is stored and goes out in the next run."
        )


def _is_unfinished(name: str) -> bool:
    return name.startswith(".") or name.endswith((_TEMPORARY, ".tmp", ".filepart"))
