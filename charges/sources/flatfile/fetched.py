"""Exports that lie on an SSH server: fetched once into the local folder, and read there as any other.

A file lies in the folder whole or not at all, with the server's time of change, by which with name and size it is known to
be there. What was left of an earlier run is read before a newer file of the same name takes its place. Only when a file
lies safe here is it removed or moved at the server. Rows that could not be read go back there under another name first.
"""

import hashlib
import os
import posixpath
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from charges.drift.census import Shape
from charges.errors import Unavailable
from charges.model import Charge
from charges.practice.connections import ExportServer, FlatFiles
from charges.sources import Page, Probe, RawRecord
from charges.sources.flatfile import FlatFileSource
from charges.ssh import Listed, Ssh, Words

_WORDS = Words(
    setting="source.server",
    folders="outbox, moved_to and returned",
    fetched="export",
    stays="Exports stay where they are; a later run fetches them.",
)
_SECOND = 10**9
_SENT = "sent"
"""The folder beside returned files for those that lie at the server."""


class FetchedFilesSource:
    """A folder of exports on an SSH server as a source of charges."""

    kind = "flatfile"

    def __init__(self, settings: FlatFiles, server: ExportServer, now: Callable[[], int] = time.time_ns) -> None:
        self._settings, self._server, self._now = settings, server, now
        self._local = FlatFileSource(settings, now)
        self._ssh = Ssh(server, _WORDS)

    def changed_since(self, cursor: str | None) -> Iterator[Page]:
        """The charges of exports not read before; see ``ChargeSource``."""
        self._settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for page in self._local.changed_since(cursor):
            cursor = page.cursor or cursor
            yield page
        with self._ssh.connected():
            self._fetch()
        yield from self._local.changed_since(cursor)
        self._return()

    def to_charge(self, record: RawRecord) -> Charge:
        """The facts of one record; see ``ChargeSource``."""
        return self._local.to_charge(record)

    def shape(self, record: RawRecord) -> Shape | None:
        """Which columns say something, for the watch over drift."""
        return self._local.shape(record)

    def probe(self) -> Probe:
        """What the newest export holds, fetched if need be; nothing is moved or returned. See ``ChargeSource``."""
        self._settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._ssh.connected():
            for each in self._listed():
                self._take(each)
        return self._local.probe()

    def _listed(self) -> list[Listed]:
        """The exports that did not change for a while, so that nobody is writing them any more."""
        settled = self._now() // _SECOND - self._settings.settle_seconds
        found = self._ssh.do(self._ssh.listed(self._server.outbox, self._server.patterns))
        return [each for each in found if each.changed <= settled]

    def _fetch(self) -> None:
        """Fetch what is not here yet, and put away at the server what is."""
        for each in self._listed():
            if self._take(each):
                self._put_away(each)

    def _take(self, each: Listed) -> bool:
        """Whether a file lies here, having been fetched if need be; not when somebody took it from the server."""
        path = self._settings.folder / each.name
        # What is put away has gone from the server, so that a file which still lies there may be another one.
        if self._server.after_fetching == "leave" and path.is_file():
            facts = path.stat()
            if (facts.st_size, facts.st_mtime_ns // _SECOND) == (each.size, each.changed):
                return True
        content = self._ssh.do(self._ssh.fetched(posixpath.join(self._server.outbox, each.name)))
        if content is None:
            return False
        temporary = path.with_name(f".{each.name}.part")
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # A file is known by its time of change; that of another content is another within the same second.
            moment = each.changed * _SECOND + int.from_bytes(hashlib.sha256(content).digest()[:4]) % _SECOND
            os.utime(temporary, ns=(moment, moment))
            temporary.replace(path)
            self._sync_folder()
        except OSError as error:
            raise Unavailable(
                f"{self._settings.folder} cannot be written to ({error.strerror}). {_WORDS.stays}"
            ) from None
        return True

    def _sync_folder(self) -> None:
        """Make the new name durable before the file is taken away at the server."""
        folder = os.open(self._settings.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _put_away(self, each: Listed) -> None:
        path = posixpath.join(self._server.outbox, each.name)
        if self._server.after_fetching == "remove":
            self._ssh.do(self._ssh.sftp.remove(path))
        elif self._server.moved_to is not None:
            self._ssh.do(self._ssh.move(path, each.name, self._server.moved_to))

    def _return(self) -> None:
        """Put rows that could not be read back at the server, each file once."""
        if self._server.returned is None or not self._settings.returns.is_dir():
            return
        paths = sorted(self._settings.returns.glob("[!.]*.csv"))
        if not paths:
            return
        sent = self._settings.returns / _SENT
        sent.mkdir(mode=0o700, exist_ok=True)
        with self._ssh.connected():
            for path in paths:
                self._ssh.do(self._put(path, self._server.returned))
                path.replace(sent / path.name)

    async def _put(self, path: Path, folder: str) -> None:
        final = posixpath.join(folder, path.name)
        temporary = posixpath.join(folder, f".{path.name}.part")
        content = path.read_bytes()
        await self._ssh.upload(temporary, content)
        if await self._ssh.size(final) is not None:  # it was put there before, and we did not come to know
            await self._ssh.sftp.remove(final)
        await self._ssh.sftp.rename(temporary, final)
