"""A real SMTP server on this machine, with or without TLS and a password, that keeps what it is given."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.telling.certificates import certificate_for


@dataclass
class Mailbox:
    """What came. ``answers`` are given in turn to each recipient named, the last one for ever."""

    answers: list[str] = field(default_factory=lambda: ["250 OK"])
    mails: list[EmailMessage] = field(default_factory=list)
    was_secure: list[bool] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: object) -> str:  # noqa: N802 - the library's name
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        assert envelope.rcpt_tos == [mail["To"]]
        self.mails.append(mail)
        self.was_secure.append(session.ssl is not None)
        return "250 OK"

    def text(self, number: int = -1) -> str:
        part = self.mails[number].get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    def html(self, number: int = -1) -> str:
        part = self.mails[number].get_body(("html",))
        assert part is not None
        return str(part.get_content())


@contextmanager
def receiving(mailbox: Mailbox, tls_in: Path | None = None, password: str = "") -> Iterator[Mailbox]:
    """The server, with STARTTLS by a certificate of 127.0.0.1 made in ``tls_in``."""
    context = None
    if tls_in is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate_for("127.0.0.1", tls_in), tls_in / "key.pem")
    demand = {"auth_required": True, "authenticator": _knowing(password)} if password else {}
    loop = asyncio.new_event_loop()

    def protocol() -> SMTP:
        return SMTP(mailbox, tls_context=context, require_starttls=context is not None, loop=loop, **demand)

    server = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0))
    mailbox.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield mailbox
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _knowing(password: str) -> Any:
    def known(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: object) -> AuthResult:
        assert isinstance(given, LoginPassword)
        return AuthResult(success=given.password == password.encode(), handled=False)

    return known
