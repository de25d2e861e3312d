"""A folder on the partner's SSH server: files staged under another name and then renamed, replies fetched."""

import posixpath
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from charges.clearinghouses import Parcel, Presence, Reply
from charges.clearinghouses.packing import COMPRESSED, encrypted
from charges.errors import Refused
from charges.practice.partner import SftpTransport
from charges.ssh import Ssh, Words

_WORDS = Words(
    setting="trading_partner.transport",
    folders="outbound, inbound and temporary_folder",
    fetched="reply",
    stays="What was to be sent is stored and goes out in a later run.",
)


@dataclass
class Sftp:
    """A clearinghouse that is some folders of an SSH server. ``compressed`` and ``encrypted`` as the settings say."""

    settings: SftpTransport
    _ssh: Ssh = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._ssh = Ssh(self.settings, _WORDS)

    def connected(self) -> AbstractContextManager[None]:
        """One connection for the block; raises Refused for a wrong key or password, Unavailable when nobody answers."""
        return self._ssh.connected()

    def packed(self, name: str, content: bytes) -> Parcel:
        """Compressed, then encrypted, where the settings say so."""
        parcel = COMPRESSED[self.settings.compression](name, content)
        return encrypted(parcel, self.settings.encrypted_for) if self.settings.encrypted_for else parcel

    def stage(self, parcel: Parcel) -> None:
        """Upload under the temporary name and ask for the size; nothing where the server forbids renaming."""
        if self.settings.rename != "none":
            with self.connected():
                self._ssh.do(self._ssh.upload(self._temporary(parcel.name), parcel.content))

    def publish(self, parcel: Parcel) -> None:
        """Rename to the own name, or upload under it where the server forbids renaming."""
        with self.connected():
            self._ssh.do(self._publish(parcel))

    def presence(self, parcel: Parcel) -> Presence:
        """Whether the file is staged, published, or neither. A part of it under its own name can be completed."""
        with self.connected():
            return self._ssh.do(self._presence(parcel))

    def discard(self, name: str) -> bool:
        """Remove the temporary file; where the server forbids renaming there is none."""
        with self.connected():
            return self.settings.rename != "none" and self._ssh.do(self._discard(self._temporary(name)))

    def collect(self) -> Iterator[Reply]:
        """The replies of all inbound folders; each is left, removed or moved when the next is asked for."""
        if not self.settings.inbound:
            return
        with self.connected():
            for folder in self.settings.inbound:
                for name, _, _ in self._ssh.do(self._ssh.listed(folder, self.settings.patterns)):
                    path = posixpath.join(folder, name)
                    content = self._ssh.do(self._ssh.fetched(path))
                    if content is None:
                        continue  # somebody took it meanwhile
                    yield Reply(name, content)
                    self._ssh.do(self._put_away(path, name))

    # What is said to the server.

    async def _publish(self, parcel: Parcel) -> None:
        final = self._final(parcel.name)
        if self.settings.rename == "none":
            await self._ssh.upload(final, parcel.content)
            return
        temporary = self._temporary(parcel.name)
        if await self._ssh.size(final) is not None:
            if await self._ssh.read(final) != parcel.content:
                raise self._another(parcel.name)
            if await self._ssh.size(temporary) is not None:
                await self._ssh.sftp.remove(temporary)
            return
        if self.settings.rename == "posix":
            await self._ssh.sftp.posix_rename(temporary, final)
        else:
            await self._ssh.sftp.rename(temporary, final)

    async def _presence(self, parcel: Parcel) -> Presence:
        content = await self._ssh.read(self._final(parcel.name))
        if content is not None:
            if content == parcel.content:
                return Presence.PUBLISHED
            if self.settings.rename == "none" and parcel.content.startswith(content):
                return Presence.STAGED
            raise self._another(parcel.name)
        if self.settings.rename == "none":
            return Presence.ABSENT
        staged = await self._ssh.read(self._temporary(parcel.name))
        return Presence.STAGED if staged == parcel.content else Presence.ABSENT

    async def _discard(self, path: str) -> bool:
        is_there = await self._ssh.size(path) is not None
        if is_there:
            await self._ssh.sftp.remove(path)
        return is_there

    async def _put_away(self, path: str, name: str) -> None:
        if self.settings.after_fetching == "remove":
            await self._ssh.sftp.remove(path)
        elif self.settings.moved_to is not None:
            await self._ssh.move(path, name, self.settings.moved_to)

    def _another(self, name: str) -> Refused:
        return Refused(
            f"Another file named {name} lies in {self.settings.outbound} at {self._ssh.where}. It was not touched and ours "
            "was not sent; find out who wrote it, and have it moved away."
        )

    def _final(self, name: str) -> str:
        return posixpath.join(self.settings.outbound, name)

    def _temporary(self, name: str) -> str:
        folder = self.settings.temporary_folder or self.settings.outbound
        return posixpath.join(folder, self.settings.temporary_name.format(name=name))
