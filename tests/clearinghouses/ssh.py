"""A real OpenSSH server on the loopback for tests, and one that fails when it is told to."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import pytest

from charges.practice.partner import SftpTransport

USER = os.environ.get("USER") or "root"
SFTP_SERVER = "/usr/lib/openssh/sftp-server"


@dataclass
class Vendor:
    """A server with an outbound and an inbound folder, and what a profile has to say to reach it."""

    folder: Path
    port: int
    host_key: str
    private_key: Path
    user: str = USER

    @property
    def outbound(self) -> Path:
        return self.folder / "outbound"

    @property
    def inbound(self) -> Path:
        return self.folder / "inbound"

    def transport(self, **changes: object) -> SftpTransport:
        values = {
            "kind": "sftp",
            "host": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "host_key": self.host_key,
            "private_key": {"file": str(self.private_key)},
            "outbound": str(self.outbound),
            "inbound": [str(self.inbound)],
            "timeout_seconds": 10,
        }
        return SftpTransport.model_validate(values | changes)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.outbound.iterdir())


def _keys(folder: Path) -> tuple[str, Path]:
    for name in ("host", "client"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(folder / name)
        key.write_public_key(folder / f"{name}.pub")
    (folder / "host").chmod(0o600)
    (folder / "client").chmod(0o600)
    return asyncssh.read_public_key(folder / "host.pub").get_fingerprint("sha256"), folder / "client"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def openssh(folder: Path) -> Iterator[Vendor]:
    """sshd of this machine with its own sftp-server, in the foreground on a free port; skips where there is none."""
    sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if sshd is None or not Path(SFTP_SERVER).exists():
        sentence = "OpenSSH's server is not installed (package openssh-server)"
        if os.environ.get("CHARGES_REQUIRE_SERVICES") == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(
            mode=0o755, exist_ok=True
        )  # sshd started by root wants it; the package's service makes it
    fingerprint, client = _keys(folder)
    (folder / "outbound").mkdir()
    (folder / "inbound").mkdir()
    port = _free_port()
    settings = folder / "sshd_config"
    settings.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nStrictModes no\nUsePAM no\n"
        f"PasswordAuthentication no\nPermitRootLogin yes\nAuthorizedKeysFile {folder}/client.pub\n"
        f"MaxStartups 100\nSubsystem sftp {SFTP_SERVER}\n"
    )
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([sshd, "-D", "-e", "-f", settings], stderr=log)
    try:
        _wait_for(port)
        yield Vendor(folder, port, fingerprint, client)
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    pytest.fail("the server did not start")


@dataclass
class FaultyVendor(Vendor):
    """A server that does as ``fault`` says at each operation: a name, and ``before`` or ``after`` it is done."""

    fault: Callable[[str, str], None] = field(default=lambda _operation, _when: None)
    done: list[str] = field(default_factory=list)


class Lost(Exception):
    """The connection ends here."""


@contextmanager
def faulty(folder: Path, password: str = "") -> Iterator[FaultyVendor]:  # noqa: C901 - the server is in it
    """A server in a thread of this process whose operations can be made to fail, or to be done and not answered."""
    fingerprint, client = _keys(folder)
    (folder / "outbound").mkdir()
    (folder / "inbound").mkdir()
    vendor = FaultyVendor(folder, 0, fingerprint, client)

    class Server(asyncssh.SFTPServer):
        def _at(self, operation: str, when: str) -> None:
            try:
                vendor.fault(operation, when)
            except Lost:
                self.channel.get_connection().abort()
                raise asyncssh.SFTPConnectionLost("lost") from None

        def write(self, file_obj: object, offset: int, data: bytes) -> int:
            self._at("write", "before")
            half = len(data) // 2
            super().write(file_obj, offset, data[:half])
            self._at("write", "half")
            super().write(file_obj, offset + half, data[half:])
            return len(data)

        def rename(self, oldpath: bytes, newpath: bytes) -> None:
            self._at("rename", "before")
            if Path(os.fsdecode(newpath)).exists():
                raise asyncssh.SFTPFailure("File exists")
            super().rename(oldpath, newpath)
            vendor.done.append("rename")
            self._at("rename", "after")

        def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
            self._at("posix_rename", "before")
            super().posix_rename(oldpath, newpath)

    class Door(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            connections.append(conn)

        def password_auth_supported(self) -> bool:
            return bool(password)

        def validate_password(self, username: str, given: str) -> bool:
            return given == password

    connections: list[asyncssh.SSHServerConnection] = []
    started, loop = threading.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Door,
            server_host_keys=[str(folder / "host")],
            authorized_client_keys=str(folder / "client.pub"),
            sftp_factory=Server,
        )
        vendor.port = acceptor.get_port()
        started.set()
        await stop.wait()
        acceptor.close()
        await acceptor.wait_closed()
        for connection in connections:
            connection.abort()
            await connection.wait_closed()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield vendor
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
