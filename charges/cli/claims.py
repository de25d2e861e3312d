"""`charges check` judges a file of anybody; `charges files` looks after the files written here."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from charges.cli.shared import Actor, AsJson, Reason, actor, clock_at, out, print_json
from charges.errors import Refused

if TYPE_CHECKING:
    from charges.scrutiny.judging import Scrutiny

files = typer.Typer(help="The claim files written here.", no_args_is_help=True)


def check(
    file: Annotated[Path, typer.Argument(help="An 837, HL7 v2 or FHIR file, or a table of charges.")],
    layout: Annotated[
        Path | None, typer.Option("--map", help="What the columns of a table hold (YAML); the file is then a table.")
    ] = None,
    profile: Annotated[
        Path | None, typer.Option("--practice", help="A practice's profile (YAML): completes charges, weighs rules.")
    ] = None,
    as_json: AsJson = False,
    as_of: Annotated[str, typer.Option("--as-of", help="Judge as if today were this day (YYYY-MM-DD).")] = "",
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with each fault under its segment.")] = None,
    a999: Annotated[Path | None, typer.Option("--999", help="Write the 999 that a receiver would send.")] = None,
    ta1: Annotated[Path | None, typer.Option("--ta1", help="Write the TA1 that a receiver would send.")] = None,
    control_number: Annotated[
        int, typer.Option("--control-number", min=1, max=999_999_999, help="ISA13 of the first answer written.")
    ] = 1,
) -> None:
    """Judge a file without a database: an 837, HL7 v2 messages, a FHIR bundle, or with --map a CSV or XLSX.

    Exit 0 clean, 1 held, 2 unreadable.
    """
    from charges.practice.layout import read_layout
    from charges.practice.profile import read_profile
    from charges.scrutiny import page as scrutiny_page
    from charges.scrutiny.judging import scrutinise
    from charges.settings import Settings
    from charges.x12 import acknowledge
    from rules.reference.library import reference

    clock = clock_at(as_of)
    verdict = scrutinise(
        file,
        clock().date(),
        reference(Settings().reference_dir),
        practice=read_profile(profile) if profile else None,
        layout=read_layout(layout) if layout else None,
    )
    if (a999 or ta1) and verdict.parts is not None:
        raise Refused("A 999 or TA1 answers an 837; this file is none, so there is nothing to answer.")
    if html is not None:
        _write(html, "".join(scrutiny_page.page(file, verdict)).encode())
    for path, answer in ((a999, acknowledge.implementation_acknowledgment), (ta1, acknowledge.ta1)):
        if path is not None and verdict.verdict != "unreadable":
            _write(path, answer(file.read_bytes(), verdict.guide, clock(), control_number))
    if as_json:
        print_json(verdict.as_json())
    elif verdict.verdict == "unreadable":
        out.print(verdict.sentence, style="red", markup=False)
    else:
        _show(file, verdict)
        if profile is None and verdict.parts is not None and verdict.verdict == "held":
            out.print("With --practice PROFILE.yaml a practice's profile fills in what it knows: NPIs, payers, fees.")
    raise typer.Exit({"clean": 0, "held": 1, "unreadable": 2}[verdict.verdict])


def _show(file: Path, verdict: "Scrutiny") -> None:
    """The segments at fault, each under the claim it belongs to and over its findings."""
    from charges.scrutiny.page import by_position, marked

    for finding in by_position(verdict).get(0, ()):
        out.print(f"{finding.severity:5} {finding.rule:8} the file: {finding.message}", markup=False)
    told = ""
    for position, segment, findings in marked(file, verdict) if verdict.findings else ():
        for finding in findings:
            if finding.claim != told:
                told = finding.claim
                out.print(f"claim {told}" if told else "the file", style="bold", markup=False)
            if finding is findings[0]:
                out.print(f"  {position:>6}  {segment}", markup=False)
            place = " ".join(part for part in (finding.loop, finding.element or finding.segment) if part)
            where = f" ({place})" if place else ""
            out.print(f"          {finding.severity:5} {finding.rule:8}{where}: {finding.message}", markup=False)
    out.print(f"{file.name}: {verdict.counted}, {verdict.verdict}.", style="bold", markup=False)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror}).") from None


@files.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the claim files, newest first."""
    from charges.cli.operate import open_pipeline
    from charges.overview import claim_files

    found = claim_files(open_pipeline().database)
    if as_json:
        print_json([each.as_json() for each in found])
        return
    table = Table("file", "name", "state", "claims", "dollars", "built", "next try")
    for each in found:
        table.add_row(
            str(each.number),
            each.name,
            each.status,
            str(each.claims),
            f"{each.total:,.2f}",
            f"{each.built_at:%Y-%m-%d %H:%M}",
            f"{each.next_try_at:%Y-%m-%d %H:%M}" if each.next_try_at else "",
        )
    out.print(table if found else "No claim file was built yet.")


@files.command()
def show(file: Annotated[int, typer.Argument(help="The file's number.")], as_json: AsJson = False) -> None:
    """Tell where a claim file stands, what happened to it, and why its last try failed. `download` gives its bytes."""
    from charges.cli.operate import open_pipeline
    from charges.overview import history_of

    shown = history_of(open_pipeline().database, file)
    if as_json:
        print_json(shown.as_json())
        return
    for sentence in shown.sentences():
        out.print(sentence, markup=False)


@files.command()
def download(
    file: Annotated[int, typer.Argument(help="The file's number.")],
    path: Annotated[str, typer.Argument(help="Where to write it; - prints it.")],
    by: Actor = "",
) -> None:
    """Write the bytes of a claim file as they are stored, shadow files too, for you alone. They hold patient data."""
    import sys

    from charges.cli.operate import open_pipeline
    from charges.desk import handing_out

    pipeline = open_pipeline()
    content = handing_out.claim_file(pipeline.database, file, by=actor(by), clock=pipeline.clock).content
    if path == "-":
        sys.stdout.buffer.write(content)
        return
    write_private(Path(path), content)
    out.print(f"File {file} is in {path}. It holds patient data; remove it when it is no longer needed.", markup=False)


def write_private(path: Path, content: bytes) -> None:
    """A new file that only its owner can read; raises Refused where there is one already."""
    import os

    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            target.write(content)
    except FileExistsError:
        raise Refused(f"{path} exists already and was not touched. Name another file.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror}).") from None


@files.command()
def resend(
    file: Annotated[int, typer.Argument(help="The file's number.")], reason: Reason = "", by: Actor = ""
) -> None:
    """Send the same bytes under the same name again in the next run: a file nobody answered, or one that waits."""
    from charges import delivery
    from charges.cli.operate import open_pipeline

    pipeline = open_pipeline()
    delivery.resend(pipeline.database, file, by=actor(by), why=reason, clock=pipeline.clock)
    out.print(f"File {file} goes out in the next run, byte for byte as before.")


@files.command()
def replies(as_json: AsJson = False) -> None:
    """List the replies that came for the files, newest first, and what each did."""
    from charges.cli.operate import open_pipeline
    from charges.overview import replies as all_replies

    found = all_replies(open_pipeline().database)
    if as_json:
        print_json([each.as_json() for each in found])
        return
    table = Table("reply", "name", "received", "state", "what it did, or why it could not be read")
    for each in found:
        table.add_row(str(each.number), each.name, f"{each.received_at:%Y-%m-%d %H:%M}", each.state, each.outcome)
    out.print(table if found else "No reply came yet.")


@files.command()
def reply(number: Annotated[int, typer.Argument(help="The reply's number.")], by: Actor = "") -> None:
    """Print a reply as it came, reports in words too. It may hold patient data."""
    import sys

    from charges.cli.operate import open_pipeline
    from charges.desk import handing_out

    pipeline = open_pipeline()
    handed = handing_out.reply(pipeline.database, number, by=actor(by), clock=pipeline.clock)
    sys.stdout.buffer.write(handed.content)


@files.command()
def overdue(as_json: AsJson = False) -> None:
    """List the replies that should have come by now. Exit 1 when there is one."""
    from charges.cli.operate import open_pipeline
    from charges.replies.overdue import standing

    found = standing(open_pipeline().database)
    if as_json:
        print_json([each.as_json() for each in found])
    elif not found:
        out.print("No reply is overdue.")
    else:
        for each in found:
            out.print(each.sentence, markup=False)
    raise typer.Exit(int(bool(found)))


@files.command()
def settle(
    file: Annotated[int, typer.Argument(help="The file's number.")],
    received: Annotated[bool, typer.Option("--received/--not-received", help="Whether the vendor has the file.")],
    reason: Reason = "",
    by: Actor = "",
) -> None:
    """Say whether the vendor received a file of which the sending is uncertain; if not, the same bytes go out again."""
    from charges import delivery
    from charges.cli.operate import open_pipeline

    pipeline = open_pipeline()
    delivery.settle(pipeline.database, file, received=received, by=actor(by), why=reason, clock=pipeline.clock)
    out.print(f"File {file} is {'sent' if received else 'to be sent again in the next run'}.")


def proof(claim: Annotated[str, typer.Argument(help="The claim's number (CLM01).")], as_json: AsJson = False) -> None:
    """Print the chain that proves when a claim was filed. Exit 1 when anything stored was changed since."""
    from charges.cli.operate import open_pipeline
    from charges.replies.proof import prove

    found = prove(open_pipeline().database, claim)
    if as_json:
        print_json(found.as_json())
        raise typer.Exit(int(not found.is_whole))
    out.print(f"Claim {found.claim} of charge {found.charge}, practice {found.practice}", style="bold", markup=False)
    for name, value in {"file": found.file, **found.numbers, "payer's number": found.payer_claim_number}.items():
        out.print(f"  {name:14} {value or 'none'}", markup=False)
    for link in found.links:
        out.print(f"{link.at:%Y-%m-%d %H:%M:%S} {link.what}: {link.says}", markup=False)
        if link.sha256:
            out.print(f"                    {link.sha256}", style="dim", markup=False)
    for sentence in found.missing:
        out.print(f"Missing: {sentence}", style="yellow", markup=False)
    for sentence in found.broken:
        out.print(f"Broken: {sentence}", style="red", markup=False)
    if found.is_whole:
        out.print("Nothing of this chain was changed after it was stored.")
    raise typer.Exit(int(not found.is_whole))


def add_to(app: typer.Typer) -> None:
    """Put these commands on the first level."""
    app.command()(check)
    app.command()(proof)
