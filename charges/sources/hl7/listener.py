"""A listener for HL7 v2 messages over TCP (MLLP): a message is accepted only when it is stored so that it stays.

The answer to each message is one of three. *Accept*: it is in the inbox, on disk. *Error*: it cannot be read, or cannot be
stored now; sending it again may help once that is mended. *Reject*: nobody here waits for such a message, and sending it
again does not help. With errors and rejects a sentence says why, without a value of the message.

What a line of a charge lacks is no error here: the message is stored, and that line waits for a person.
"""

import asyncio
import ssl
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import structlog

from charges.errors import ChargerouterError, Refused, Unavailable
from charges.practice.dialect import Hl7
from charges.sources.hl7.inbox import Inbox
from charges.sources.hl7.message import FRAME_START, Message
from charges.sources.hl7.screening import NotTaken, screen

_END = FRAME_START.replace(b"\x0b", b"\x1c")
_LONGEST = 16 * 1024 * 1024
"""So many bytes a message may have; a DFT has some thousand."""
_PATIENCE = 60.0
"""Seconds within which a message that began must end."""
_ERROR_CODES = {"R": ("200", "Unsupported message type"), "E": ("207", "Application internal error")}
"""HL7 table 0357."""

log = structlog.get_logger()


class Listener:
    """Takes messages for one practice into its inbox."""

    def __init__(self, settings: Hl7, inbox: Inbox, clock: Callable[[], datetime], *, longest: int = _LONGEST) -> None:
        self._settings, self._inbox, self._clock, self._longest = settings, inbox, clock, longest

    async def serve(self, host: str, port: int, context: ssl.SSLContext | None = None) -> asyncio.Server:
        """Begin to listen; raises Unavailable when the port cannot be had."""
        try:
            return await asyncio.start_server(self._converse, host, port, ssl=context, limit=self._longest)
        except OSError as error:
            raise Unavailable(f"Port {port} of {host} cannot be listened on ({error.strerror}).") from None

    async def answer(self, content: bytes) -> bytes:
        """Take one message; returns the answer, empty where the sender wants none."""
        message: Message | None = None
        try:
            message = Message(content)
            screen(message, self._settings)
            await asyncio.to_thread(self._inbox.store, content)
        except ChargerouterError as error:
            outcome = "R" if isinstance(error, NotTaken) or message is None else "E"
            log.warning("message refused", kind=type(error).__name__, status=outcome)
            return self._acknowledgment(message, outcome, str(error))
        log.info("message stored", kind="hl7")
        return self._acknowledgment(message, "A", "")

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError, ssl.SSLError):
            while True:
                content = await self._next(reader)
                if content is None:
                    said = self._acknowledgment(None, "R", f"A message may have {self._longest} bytes at most.")
                else:
                    said = await self.answer(content)
                if said:
                    writer.write(b"\x0b" + said + b"\x1c\r")
                    await writer.drain()
                if content is None:
                    break  # where the next message begins cannot be known
        writer.close()
        with suppress(ConnectionError, ssl.SSLError, TimeoutError):
            await writer.wait_closed()

    async def _next(self, reader: asyncio.StreamReader) -> bytes | None:
        """The next message, ``None`` for one that is too long; raises IncompleteReadError at the end."""
        while await reader.readexactly(1) != FRAME_START:
            pass  # line ends between messages
        try:
            found = await asyncio.wait_for(reader.readuntil(_END), _PATIENCE)
        except asyncio.LimitOverrunError:
            return None
        return found.removesuffix(_END)

    def _acknowledgment(self, message: Message | None, outcome: str, sentence: str) -> bytes:
        """The ACK (chapter 2.9), in the delimiters of the message, from and to whom it was sent, by its rules of answers."""

        def field(number: int) -> str:
            return message.header.field(number) if message else ""

        accept, application = (field(number).strip().upper() for number in (15, 16))
        letter = "A"
        if accept or application:  # enhanced mode: it says which answers it wants, and to be stored is to be committed
            letter = "C" if accept else "A"
            wanted = accept or application
            if wanted == "NE" or (wanted == "ER" and outcome == "A") or (wanted == "SU" and outcome != "A"):
                return b""
        signs = message.marks if message else None
        bar, hat = (signs.field, signs.component) if signs else ("|", "^")
        encoding = field(2) or "^~\\&"
        event = message.event if message else ""
        version = field(12) or "2.5.1"
        header = [
            "MSH", encoding, field(5), field(6), field(3), field(4), f"{self._clock():%Y%m%d%H%M%S%z}", "",
            f"ACK{hat}{event}" if event else "ACK", uuid.uuid4().hex[:20], field(11) or "P", version,
        ]  # fmt: skip
        segments = [header, ["MSA", f"{letter}{outcome}", field(10), _plain(sentence)]]
        if outcome != "A":
            code, meaning = _ERROR_CODES[outcome]
            segments.append(["ERR", "", "", hat.join((code, meaning, "HL70357")), "E", "", "", "", _plain(sentence)])
        return "".join(f"{bar.join(each).rstrip(bar)}\r" for each in segments).encode("utf-8", "replace")


def _plain(sentence: str) -> str:
    """A sentence of ours that holds none of the signs that could part a message."""
    return "".join(each if each.isalnum() or each in " .,;:()-'`_" else " " for each in sentence)


def encryption(certificate: str, key: str, authority: str) -> ssl.SSLContext:
    """TLS with a certificate, and where an authority is given only for senders who show one of its certificates."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key or None)
        if authority:
            context.load_verify_locations(authority)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise Refused(f"The certificate, its key or the authority cannot be used ({type(error).__name__}).") from None
    return context
