"""The folder in which messages wait: what is stored there survives a power cut, and nothing is stored twice.

A message's name is the digest of its content, so that it tells nothing of the patient. Messages are kept as they came;
the folder belongs on an encrypted disk, readable by this user alone.
"""

import hashlib
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from charges.errors import Refused, Unavailable

_OURS = re.compile(r"[0-9a-f]{64}\.hl7")
_UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the inbox. ``mark`` changes when the file does; ``at`` is when it was written, in nanoseconds."""

    name: str
    mark: str
    at: int
    is_ours: bool


class Inbox:
    """The messages of one practice."""

    def __init__(self, folder: Path, now: Callable[[], int] = time.time_ns) -> None:
        self.folder, self._now = folder, now
        self._lock, self._last = threading.Lock(), 0

    def store(self, content: bytes) -> str:
        """Store a message so that it is there after a crash; returns its file's name. Raises Unavailable."""
        name = f"{hashlib.sha256(content).hexdigest()}.hl7"
        path = self.folder / name
        try:
            if not path.exists():
                self._write(path, content)
            directory = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            raise Unavailable(f"{self.folder} cannot be written to ({error.strerror}).") from None
        return name

    def _write(self, path: Path, content: bytes) -> None:
        descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=self.folder)  # of mode 600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.utime(file.fileno(), ns=(self._moment(),) * 2)
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise

    def _moment(self) -> int:
        """Now, and later than ever before: the times of files are the order of messages, and clocks of disks are coarse."""
        with self._lock:
            self._last = max(self._now(), self._last + 1)
            return self._last

    def files(self) -> Iterator[Found]:
        """The finished files, in no order; raises Refused when there is no such folder, Unavailable when it fails."""
        try:
            if not self.folder.is_dir():
                raise Refused(
                    f"The message folder {self.folder} does not exist. Make it, or correct the practice's source.folder."
                )
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name.endswith(_UNFINISHED) or not entry.is_file():
                        continue
                    facts = entry.stat()
                    is_ours = _OURS.fullmatch(entry.name) is not None
                    mark = f"{facts.st_size}|{facts.st_mtime_ns}"
                    yield Found(entry.name, mark, facts.st_mtime_ns, is_ours)
        except OSError as error:
            raise Unavailable(f"{self.folder} cannot be read ({error.strerror}). Messages stay there.") from None

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        """A file's bytes from one place to another; raises Unavailable."""
        try:
            with (self.folder / name).open("rb") as file:
                file.seek(start)
                return file.read() if end is None else file.read(end - start)
        except OSError as error:
            raise Unavailable(
                f"{self.folder / name} cannot be read ({error.strerror}). A charge is put together from all messages of "
                "its visit, so files must stay in the folder; put it back."
            ) from None
