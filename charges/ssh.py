"""Folders on an SSH server (SFTP, version 3 of the protocol), spoken with by asyncssh.

The server is known by the fingerprint of its key alone: no list of known hosts, no agent and no settings of the user who
runs this take part. What a server says is told by its kind and never by its text.
"""

import asyncio
import posixpath
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from stat import S_ISREG
from typing import Any, NamedTuple, NoReturn, TypeVar, cast

from charges.errors import ChargerouterError, Refused, Unavailable
from charges.practice.connections import SshServer, read_secret

try:
    import asyncssh
except ImportError:
    raise Refused("SFTP needs an extra part. Install it with: pip install 'chargerouter[sftp]'") from None

T = TypeVar("T")

_LARGEST = 512 * 1024 * 1024
_UNFINISHED = (".part", ".tmp", ".filepart", ".partial")


class Words(NamedTuple):
    """How sentences speak of a server: where the profile has it, its folders, what is fetched, that nothing is lost."""

    setting: str
    folders: str
    fetched: str
    stays: str


class Listed(NamedTuple):
    """A file of a folder: its name, its size in bytes, and when it changed in seconds since 1970, 0 if that is not told."""

    name: str
    size: int
    changed: int


@dataclass
class Ssh:
    """A server and the connection to it. What is awaited is given to ``do`` within ``connected``."""

    server: SshServer
    words: Words
    _runner: asyncio.Runner | None = field(default=None, init=False, repr=False)
    _connection: "asyncssh.SSHClientConnection | None" = field(default=None, init=False, repr=False)
    _client: "asyncssh.SFTPClient | None" = field(default=None, init=False, repr=False)

    @contextmanager
    def connected(self) -> Iterator[None]:
        """One connection for the block; raises Refused for a wrong key or password, Unavailable when nobody answers."""
        if self._client is not None:
            yield
            return
        with asyncio.Runner() as runner:
            self._runner = runner
            try:
                self.do(self._open())
                yield
            finally:
                if self._connection is not None:
                    self._connection.abort()
                    runner.run(self._connection.wait_closed())
                self._runner = self._connection = self._client = None

    async def _open(self) -> None:
        settings = self.server
        keys = []
        if settings.private_key is not None:
            passphrase = read_secret(settings.passphrase, "passphrase") if settings.passphrase else None
            text = read_secret(settings.private_key, "private key")
            try:
                keys = [asyncssh.import_private_key(f"{text}\n", passphrase)]
            except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
                raise Refused(
                    "The private key cannot be read. It is in OpenSSH's or PEM form; name its passphrase if it has one."
                ) from None
        host = _KnownServer(settings.host_key)
        try:
            self._connection = await asyncssh.connect(
                settings.host,
                settings.port,
                username=settings.user,
                password=read_secret(settings.password, "password") if settings.password else None,
                client_keys=keys or None,
                client_factory=lambda: host,
                known_hosts=lambda _host, _address, _port: ([], [], []),
                config=None,
                agent_path=None,
                connect_timeout=settings.timeout_seconds,
                login_timeout=settings.timeout_seconds,
                gss_host=None,
                request_pty=False,
            )
        except asyncssh.HostKeyNotVerifiable:
            raise Refused(
                f"The server {settings.host} shows a key that the profile does not know ({host.shown or 'none'}). Nothing "
                "was sent. Ask the partner by telephone whether they changed it, not by a mail that just came; only then "
                f"put the new fingerprint into {self.words.setting}.host_key."
            ) from None
        self._client = await self._connection.start_sftp_client()

    async def upload(self, path: str, content: bytes) -> None:
        """Write a file and ask for its size; raises Unavailable when that is another."""
        client = self.sftp
        async with client.open(path, "wb") as file:
            await file.write(content)
            with suppress(asyncssh.SFTPOpUnsupported):  # few servers but OpenSSH can
                await file.fsync()
        size = await self.size(path)
        if size != len(content):
            raise Unavailable(
                f"The upload has {size} bytes instead of {len(content)} at {self.where}. {self.words.stays}"
            )

    async def listed(self, folder: str, patterns: Sequence[str]) -> list[Listed]:
        """The finished files of a folder that have a wanted name, oldest first."""
        found = []
        for each in await self.sftp.readdir(folder):
            name, attributes = str(each.filename), each.attrs
            if attributes.permissions is not None and not S_ISREG(attributes.permissions):
                continue
            is_wanted = any(fnmatchcase(name, pattern) for pattern in patterns)
            # A name with a slash would lead out of the folder into which the file is put here.
            if is_wanted and "/" not in name and not name.startswith(".") and not name.endswith(_UNFINISHED):
                found.append(Listed(name, attributes.size or 0, attributes.mtime or 0))
        return sorted(found, key=lambda each: (each.changed, each.name))

    async def fetched(self, path: str) -> bytes | None:
        """A file, whole; None when somebody took it. Raises Unavailable while it is being written."""
        size = await self.size(path)
        if size is None:
            return None
        if size > _LARGEST:
            raise Refused(
                f"A {self.words.fetched} at {self.where} is larger than 512 MB and was left there. Ask the partner "
                "what it is."
            )
        content = await self.read(path)
        if content is not None and (len(content) != size or await self.size(path) not in (size, None)):
            raise Unavailable(
                f"A {self.words.fetched} at {self.where} is still being written. It stays there; a later run reads it."
            )
        return content

    async def move(self, path: str, name: str, folder: str) -> None:
        """Into another folder under a name that is free there, for a name may come again."""
        for number in range(1000):
            target = posixpath.join(folder, f"{name}.{number}" if number else name)
            if await self.size(target) is None:
                await self.sftp.rename(path, target)
                return
        raise Refused(f"The folder {folder} at {self.where} has a thousand files of one name. Clear it.")

    async def read(self, path: str) -> bytes | None:
        """A file; None when there is none."""
        try:
            async with self.sftp.open(path, "rb") as file:
                return cast("bytes", await file.read())  # opened as bytes
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None

    async def size(self, path: str) -> int | None:
        """The size of a file in bytes; None when there is none."""
        try:
            return (await self.sftp.stat(path)).size
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry out one exchange within its time, and say in our own words what went wrong."""
        assert self._runner is not None, "not connected"
        try:
            return self._runner.run(asyncio.wait_for(work, self.server.timeout_seconds * 4))
        except ChargerouterError:
            raise
        except (asyncssh.Error, OSError, TimeoutError, EOFError) as error:
            self._explain(error)

    def _explain(self, error: Exception) -> NoReturn:
        if isinstance(error, asyncssh.PermissionDenied):
            raise Refused(
                f"{self.where} does not let the user {self.server.user} in. Check the user, the key or password, and "
                "that the partner knows the key."
            ) from None
        if isinstance(error, asyncssh.SFTPPermissionDenied):
            raise Refused(
                f"{self.where} refuses to write or read there. Ask the partner for the right. {self.words.stays}"
            ) from None
        if isinstance(error, asyncssh.SFTPNoSuchFile | asyncssh.SFTPNoSuchPath):
            raise Refused(
                f"A folder of {self.words.setting} does not exist at {self.where}, or a file was taken from it. Check "
                f"{self.words.folders}. {self.words.stays}"
            ) from None
        if isinstance(error, asyncssh.SFTPNoSpaceOnFilesystem | asyncssh.SFTPQuotaExceeded):
            raise Unavailable(f"The disk of {self.where} is full. Tell the partner. {self.words.stays}") from None
        if isinstance(error, asyncssh.SFTPFailure):
            raise Unavailable(
                f"{self.where} failed without saying why; its disk may be full, or it forbids what was asked (see "
                f"{self.words.setting}). {self.words.stays}"
            ) from None
        raise Unavailable(f"{self.where} does not answer ({type(error).__name__}). {self.words.stays}") from None

    @property
    def sftp(self) -> "asyncssh.SFTPClient":
        """What is spoken with while connected."""
        assert self._client is not None, "not connected"
        return self._client

    @property
    def where(self) -> str:
        """Host and port."""
        return f"{self.server.host}:{self.server.port}"


class _KnownServer(asyncssh.SSHClient):
    """Lets in a server by the fingerprint of its key. ``shown`` is the fingerprint that it showed."""

    def __init__(self, fingerprints: tuple[str, ...]) -> None:
        self._fingerprints = fingerprints
        self.shown = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        self.shown = key.get_fingerprint("sha256")
        return self.shown in self._fingerprints
