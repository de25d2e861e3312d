"""`charges rollout`: how far a practice has come, and the acts that bring it on or back."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from charges.cli.operate import Only, chosen, open_pipeline
from charges.cli.shared import Actor, AsJson, Reason, actor, counted, out, print_json
from charges.errors import Refused
from charges.rollout.comparing import Match
from charges.tables import Mode

if TYPE_CHECKING:
    from charges.pipeline import Pipeline
    from charges.rollout.acts import Moved, RollOutShown
    from charges.rollout.comparing import Comparison

app = typer.Typer(help="How far a practice has come: observe, shadow, cohort, full.", no_args_is_help=True)

One = Annotated[
    str,
    typer.Option("--practice", help="The practice, by its code; needed where there are several.", show_default=False),
]


@app.command()
def show(only: Only = "", as_json: AsJson = False) -> None:
    """Show each practice's mode, what it has shown in it, and what the next mode demands. Exit 1 while that is missing."""
    pipeline = open_pipeline()
    found = [pipeline.roll_out(each.practice.code) for each in chosen(pipeline, only)]
    if as_json:
        print_json([each.as_json() for each in found])
    else:
        for each in found:
            _print(each)
    raise typer.Exit(int(not all(each.is_ready for each in found)))


@app.command()
def advance(practice: One = "", reason: Reason = "", by: Actor = "", as_json: AsJson = False) -> None:
    """Bring a practice to its next mode, when it has shown what that demands."""
    pipeline = open_pipeline()
    _tell(pipeline.advance(_one(pipeline, practice), by=actor(by), reason=reason), as_json=as_json)


@app.command()
def retreat(
    practice: One = "",
    to: Annotated[
        Mode | None,
        typer.Option("--to", help="The mode to go back to; the one before when not given.", show_default=False),
    ] = None,
    reason: Reason = "",
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Bring a practice back to an earlier mode at once; what was built and not sent yet is withdrawn."""
    pipeline = open_pipeline()
    _tell(pipeline.retreat(_one(pipeline, practice), by=actor(by), reason=reason, to=to), as_json=as_json)


@app.command()
def report(
    charge: Annotated[int, typer.Argument(help="The charge's number.")], reason: Reason = "", by: Actor = ""
) -> None:
    """Say that the claim of a charge was of the wrong patient: the practice stays where it is until it went back once."""
    from charges.rollout.acts import report_wrong_patient

    pipeline = open_pipeline()
    report_wrong_patient(pipeline.database, charge, by=actor(by), reason=reason, clock=pipeline.clock)
    code = pipeline.practice_of(charge).practice.code
    out.print(f"It stands in the history of charge {charge}. {code} does not advance from its mode.", markup=False)


@app.command()
def compare(
    files: Annotated[list[Path], typer.Argument(help="837 files that the practice's present way sent, or folders.")],
    practice: One = "",
    as_json: AsJson = False,
) -> None:
    """Hold the claims built as shadow against those that were sent the present way. Exit 1 where they differ.

    Claims are found by member number and day of service; those of other days than the files speak of are left out.
    """
    from charges.rollout import comparing

    pipeline = open_pipeline()
    applied = pipeline.practice(_one(pipeline, practice))
    found = comparing.compare(pipeline.database, applied.id, map(_content, _each(files)))
    if as_json:
        print_json(found.as_json())
    else:
        _show(found)
    raise typer.Exit(int(not found.agrees))


def _each(paths: Iterable[Path]) -> Iterator[Path]:
    """The files of a folder in the order of their names; hidden ones are none."""
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
        else:
            yield path


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}).") from None


def _show(found: "Comparison") -> None:
    """Each claim that is not the same with what differs, then the counts."""
    for each in found.claims:
        if each.match is Match.SAME:
            continue
        ours = f"claim {each.ours} of charge {each.charge}" if each.ours else ""
        theirs = f"their claim {each.theirs}" if each.theirs else ""
        names = " and ".join(filter(None, (ours, theirs)))
        out.print(f"{each.day}, {names}: {each.match}.", style="bold", markup=False)
        for one in each.differences:
            out.print(f"  {one.element}: {one.ours or 'nothing'} here, {one.theirs or 'nothing'} there", markup=False)
    said = ", ".join(f"{count:,} {match}" for match, count in found.counted.items())
    out.print(f"Services of {found.first} to {found.last}: {said}.", style="green" if found.agrees else "red")


def _one(pipeline: "Pipeline", code: str) -> str:
    practices = chosen(pipeline, code)
    if len(practices) > 1:
        names = ", ".join(each.practice.code for each in practices)
        raise Refused(f"Say which practice with --practice: {names}.")
    return practices[0].practice.code


def _tell(moved: "Moved", *, as_json: bool) -> None:
    if as_json:
        print_json(moved.as_json())
        return
    for sentence in moved.sentences():
        out.print(sentence, markup=False)


def _print(each: "RollOutShown") -> None:
    from charges.rollout.acts import MEANING

    standing, shown = each.standing, each.shown
    out.print(
        f"{each.practice}: {standing.mode} since {standing.since:%Y-%m-%d %H:%M} UTC, {counted(shown.days, 'day')}.",
        style="bold",
        markup=False,
    )
    out.print(MEANING[standing.mode], markup=False)
    out.print(
        f"Since then: {counted(shown.clean, 'clean charge')}, {shown.held} held; {counted(shown.shadow, 'claim')} built as "
        f"shadow; {counted(shown.sent, 'claim')} sent of {counted(shown.patients, 'patient')}, {shown.accepted} accepted, "
        f"{shown.refused} refused.",
        markup=False,
    )
    if shown.wrong_patients:
        numbers = ", ".join(map(str, shown.wrong_patients))
        out.print(f"Of a wrong patient: charge {numbers}. Go back with `charges rollout retreat`.", style="red")
    if each.next is not None:
        table = Table(f"for {each.next}", "is", "wanted", "")
        for demand in each.demands:
            table.add_row(
                demand.what, demand.value, demand.wanted, "[green]met[/]" if demand.is_met else "[red]missing[/]"
            )
        out.print(table)
        if each.hindrance:
            out.print(each.hindrance, style="red", markup=False)
        if each.would_send:
            out.print(
                f"In {each.next} the first run would send {counted(each.would_send, 'charge')} that wait here or were built "
                "as shadow; the old way must not have billed them.",
                style="yellow",
                markup=False,
            )
    for act in each.acts:
        because = f": {act.reason}" if act.reason else ""
        out.print(f"  {act.at:%Y-%m-%d %H:%M}  {act.what} by {act.by} ({act.became}){because}", markup=False)
