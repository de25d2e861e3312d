"""The command that takes HL7 v2 messages from the practice's system."""

import asyncio
import ipaddress
from pathlib import Path
from typing import Annotated

import typer

from charges.cli.operate import open_pipeline
from charges.cli.shared import err
from charges.errors import Refused
from charges.practice.dialect import Hl7


def listen(
    practice: Annotated[str, typer.Argument(help="The practice's code; its profile has a source of kind hl7.")],
    port: Annotated[int, typer.Option(help="The port to listen on.", min=0, max=65_535)] = 2575,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    certificate: Annotated[str, typer.Option(help="A PEM file: messages come over TLS.", show_default=False)] = "",
    key: Annotated[str, typer.Option(help="The certificate's key, where it is a file of its own.")] = "",
    authority: Annotated[
        str, typer.Option(help="A PEM file: only senders with a certificate of this authority are let in.")
    ] = "",
    unencrypted: Annotated[
        bool, typer.Option("--unencrypted", help="The way to this address is encrypted by other means, such as a VPN.")
    ] = False,
) -> None:
    """Take HL7 v2 messages (MLLP) into the practice's message folder, until stopped. `charges work` reads them there."""
    if not (certificate or unencrypted or _is_local(host)):
        raise Refused(
            f"Patient data would travel to {host} in the clear. Give a --certificate, or say --unencrypted when a VPN or "
            "tunnel encrypts it."
        )
    pipeline = open_pipeline()
    source = pipeline.practice(practice).practice.source
    pipeline.database.close()
    if not isinstance(source, Hl7):
        raise Refused(f"Practice {practice} takes its charges from {source.kind}, not from HL7 messages.")
    _demand_folder(source.folder)
    asyncio.run(_serve(source, host, port, (certificate, key, authority)))


async def _serve(source: Hl7, host: str, port: int, tls: tuple[str, str, str]) -> None:
    from charges.pipeline import utc_now
    from charges.sources.hl7.inbox import Inbox
    from charges.sources.hl7.listener import Listener, encryption

    context = encryption(*tls) if tls[0] else None
    server = await Listener(source, Inbox(source.folder), utc_now).serve(host, port, context)
    taken = server.sockets[0].getsockname()[1]
    err.print(f"Listening on {host}:{taken}; messages go to {source.folder}. Stop with Ctrl-C.", markup=False)
    async with server:
        await server.serve_forever()


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _demand_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"The message folder {folder} cannot be made ({error.strerror}).") from None


def add_to(app: typer.Typer) -> None:
    """Put the command on the first level."""
    app.command()(listen)
