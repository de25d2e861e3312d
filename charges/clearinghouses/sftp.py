"""A folder on the partner's SSH server (SFTP, version 3 of the protocol), spoken with by asyncssh.

The server is known by the fingerprint of its key alone: no list of known hosts, no agent and no settings of the user who
runs this take part. What a server says is told by its kind and never by its text.
"""

import asyncio
import posixpath
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from stat import S_ISREG
from typing import Any, NoReturn, TypeVar, cast

from charges.clearinghouses import Parcel, Presence, Reply
from charges.clearinghouses.packing import COMPRESSED, encrypted
from charges.connections import read_secret
from charges.errors import ChargerouterError, Refused, Unavailable
from charges.partner import SftpTransport

try:
    import asyncssh
except ImportError:
    raise Refused("SFTP needs an extra part. Install it with: pip install 'chargerouter[sftp]'") from None

T = TypeVar("T")

_STAYS = "What was to be sent is stored and goes out in a later run."
_LARGEST_REPLY = 512 * 1024 * 1024
_UNFINISHED = (".part", ".tmp", ".filepart", ".partial")


@dataclass
class Sftp:
    """A clearinghouse that is some folders of an SSH server. ``compressed`` and ``encrypted`` as the settings say."""

    settings: SftpTransport
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
                self._do(self._open())
                yield
            finally:
                if self._connection is not None:
                    self._connection.abort()
                    runner.run(self._connection.wait_closed())
                self._runner = self._connection = self._client = None

    def packed(self, name: str, content: bytes) -> Parcel:
        """Compressed, then encrypted, where the settings say so."""
        parcel = COMPRESSED[self.settings.compression](name, content)
        return encrypted(parcel, self.settings.encrypted_for) if self.settings.encrypted_for else parcel

    def stage(self, parcel: Parcel) -> None:
        """Upload under the temporary name and ask for the size; nothing where the server forbids renaming."""
        if self.settings.rename != "none":
            with self.connected():
                self._do(self._upload(self._temporary(parcel.name), parcel.content))

    def publish(self, parcel: Parcel) -> None:
        """Rename to the own name, or upload under it where the server forbids renaming."""
        with self.connected():
            self._do(self._publish(parcel))

    def presence(self, parcel: Parcel) -> Presence:
        """Whether the file is staged, published, or neither. A part of it under its own name can be completed."""
        with self.connected():
            return self._do(self._presence(parcel))

    def collect(self) -> Iterator[Reply]:
        """The replies of all inbound folders; each is left, removed or moved when the next is asked for."""
        if not self.settings.inbound:
            return
        with self.connected():
            for folder in self.settings.inbound:
                for name in self._do(self._listed(folder)):
                    path = posixpath.join(folder, name)
                    content = self._do(self._fetched(path))
                    if content is None:
                        continue  # somebody took it meanwhile
                    yield Reply(name, content)
                    self._do(self._put_away(path, name))

    # What is said to the server.

    async def _open(self) -> None:
        settings = self.settings
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
                "put the new fingerprint into trading_partner.transport.host_key."
            ) from None
        self._client = await self._connection.start_sftp_client()

    async def _upload(self, path: str, content: bytes) -> None:
        client = self._sftp
        async with client.open(path, "wb") as file:
            await file.write(content)
            with suppress(asyncssh.SFTPOpUnsupported):  # few servers but OpenSSH can
                await file.fsync()
        size = await self._size(path)
        if size != len(content):
            raise Unavailable(f"The upload has {size} bytes instead of {len(content)} at {self._where}. {_STAYS}")

    async def _publish(self, parcel: Parcel) -> None:
        final = self._final(parcel.name)
        if self.settings.rename == "none":
            await self._upload(final, parcel.content)
            return
        temporary = self._temporary(parcel.name)
        if await self._size(final) is not None:
            if await self._read(final) != parcel.content:
                raise self._another(parcel.name)
            if await self._size(temporary) is not None:
                await self._sftp.remove(temporary)
            return
        if self.settings.rename == "posix":
            await self._sftp.posix_rename(temporary, final)
        else:
            await self._sftp.rename(temporary, final)

    async def _presence(self, parcel: Parcel) -> Presence:
        content = await self._read(self._final(parcel.name))
        if content is not None:
            if content == parcel.content:
                return Presence.PUBLISHED
            if self.settings.rename == "none" and parcel.content.startswith(content):
                return Presence.STAGED
            raise self._another(parcel.name)
        if self.settings.rename == "none":
            return Presence.ABSENT
        staged = await self._read(self._temporary(parcel.name))
        return Presence.STAGED if staged == parcel.content else Presence.ABSENT

    async def _listed(self, folder: str) -> list[str]:
        found = []
        for each in await self._sftp.readdir(folder):
            name, attributes = str(each.filename), each.attrs
            if attributes.permissions is not None and not S_ISREG(attributes.permissions):
                continue
            is_wanted = any(fnmatchcase(name, pattern) for pattern in self.settings.patterns)
            if is_wanted and not name.startswith(".") and not name.endswith(_UNFINISHED):
                found.append((attributes.mtime or 0, name))
        return [name for _, name in sorted(found)]

    async def _fetched(self, path: str) -> bytes | None:
        size = await self._size(path)
        if size is None:
            return None
        if size > _LARGEST_REPLY:
            raise Refused(
                f"A reply at {self._where} is larger than 512 MB and was left there. Ask the partner what it is."
            )
        content = await self._read(path)
        if content is not None and (len(content) != size or await self._size(path) not in (size, None)):
            raise Unavailable(f"A reply at {self._where} is still being written. It stays there; a later run reads it.")
        return content

    async def _put_away(self, path: str, name: str) -> None:
        if self.settings.after_fetching == "remove":
            await self._sftp.remove(path)
        elif self.settings.moved_to is not None:
            await self._move(path, name, self.settings.moved_to)

    async def _move(self, path: str, name: str, folder: str) -> None:
        """Into another folder under a name that is free there, for a name may come again."""
        for number in range(1000):
            target = posixpath.join(folder, f"{name}.{number}" if number else name)
            if await self._size(target) is None:
                await self._sftp.rename(path, target)
                return
        raise Refused(f"The folder {folder} at {self._where} has a thousand files of one name. Clear it.")

    async def _read(self, path: str) -> bytes | None:
        try:
            async with self._sftp.open(path, "rb") as file:
                return cast("bytes", await file.read())  # opened as bytes
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None

    async def _size(self, path: str) -> int | None:
        try:
            return (await self._sftp.stat(path)).size
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None

    # What holds it together.

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry out one exchange within its time, and say in our own words what went wrong."""
        assert self._runner is not None, "not connected"
        try:
            return self._runner.run(asyncio.wait_for(work, self.settings.timeout_seconds * 4))
        except ChargerouterError:
            raise
        except (asyncssh.Error, OSError, TimeoutError, EOFError) as error:
            self._explain(error)

    def _explain(self, error: Exception) -> NoReturn:
        if isinstance(error, asyncssh.PermissionDenied):
            raise Refused(
                f"{self._where} does not let the user {self.settings.user} in. Check the user, the key or password, and "
                "that the partner knows the key."
            ) from None
        if isinstance(error, asyncssh.SFTPPermissionDenied):
            raise Refused(
                f"{self._where} refuses to write or read there. Ask the partner for the right. {_STAYS}"
            ) from None
        if isinstance(error, asyncssh.SFTPNoSuchFile | asyncssh.SFTPNoSuchPath):
            raise Refused(
                f"A folder of trading_partner.transport does not exist at {self._where}, or a file was taken from it. Check "
                f"outbound, inbound and temporary_folder. {_STAYS}"
            ) from None
        if isinstance(error, asyncssh.SFTPNoSpaceOnFilesystem | asyncssh.SFTPQuotaExceeded):
            raise Unavailable(f"The disk of {self._where} is full. Tell the partner. {_STAYS}") from None
        if isinstance(error, asyncssh.SFTPFailure):
            raise Unavailable(
                f"{self._where} failed without saying why; its disk may be full, or it forbids what was asked (see "
                f"rename and temporary_name). {_STAYS}"
            ) from None
        raise Unavailable(f"{self._where} does not answer ({type(error).__name__}). {_STAYS}") from None

    def _another(self, name: str) -> Refused:
        return Refused(
            f"Another file named {name} lies in {self.settings.outbound} at {self._where}. It was not touched and ours was "
            "not sent; find out who wrote it, and have it moved away."
        )

    @property
    def _sftp(self) -> "asyncssh.SFTPClient":
        assert self._client is not None, "not connected"
        return self._client

    @property
    def _where(self) -> str:
        return f"{self.settings.host}:{self.settings.port}"

    def _final(self, name: str) -> str:
        return posixpath.join(self.settings.outbound, name)

    def _temporary(self, name: str) -> str:
        folder = self.settings.temporary_folder or self.settings.outbound
        return posixpath.join(folder, self.settings.temporary_name.format(name=name))


class _KnownServer(asyncssh.SSHClient):
    """Lets in a server by the fingerprint of its key. ``shown`` is the fingerprint that it showed."""

    def __init__(self, fingerprints: tuple[str, ...]) -> None:
        self._fingerprints = fingerprints
        self.shown = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        self.shown = key.get_fingerprint("sha256")
        return self.shown in self._fingerprints
