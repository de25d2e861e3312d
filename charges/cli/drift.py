"""`charges drift`: what changed in the records of a practice's system, and a person's word that it is right."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from charges.cli.operate import open_pipeline
from charges.cli.shared import Actor, AsJson, actor, counted, out, print_json

if TYPE_CHECKING:
    from charges.drift import breakers

app = typer.Typer(help="What changed in the records of a practice's system since they were last accepted.")

Practice = Annotated[str, typer.Argument(help="The practice, by its code.")]
Stream = Annotated[
    str,
    typer.Option("--stream", help="The kind of source (eclinicalworks, hl7, ...); the profile's own when not given."),
]


@app.command()
def show(practice: Practice, as_json: AsJson = False) -> None:
    """Show what the records are made of and what is different. Exit 1 when nothing is routed because of it."""
    from charges.drift import breakers

    pipeline = open_pipeline()
    pipeline.practice(practice)
    found = breakers.watched(pipeline.database, practice)
    if as_json:
        print_json([_json(each, pipeline.settings.baseline_records) for each in found])
    elif not found:
        out.print(f"No record of {practice} was counted yet.", markup=False)
    else:
        for each in found:
            _print(each, pipeline.settings.baseline_records)
    raise typer.Exit(int(any(each.stops for each in found)))


@app.command()
def accept(
    practice: Practice,
    because: Annotated[str, typer.Option("--because", help="Why it is right; it is kept.", show_default=False)] = "",
    stream: Stream = "",
    by: Actor = "",
) -> None:
    """Take what is different as the new baseline; the records since are read again, and then their charges go on."""
    pipeline = open_pipeline()
    told = pipeline.accept_drift(pipeline.practice(practice), by=actor(by), because=because, stream=stream)
    out.print(f"Accepted: {counted(len(told), 'difference')}.")
    for each in told:
        out.print(f"  {each.says}", markup=False)
    out.print("The records since were read again; their charges are judged in the next run.")


def _print(each: "breakers.Watched", wanted: int) -> None:
    state = "nothing is routed" if each.stops else each.status or "as the baseline"
    out.print(f"{each.practice}, {each.source}: {state}.", style="bold", markup=False)
    learning = each.records < wanted
    of = f"{each.records} of {wanted} records; it is still learning" if learning else counted(each.records, "record")
    out.print(f"The baseline is of {of}, with {counted(len(each.baseline.known.types), 'field')}.", markup=False)
    if each.since:
        out.print(f"Different since {each.since:%Y-%m-%d %H:%M} UTC:")
        table = Table("what", "field", "said")
        for verdict in each.verdicts:
            table.add_row(verdict.drift, verdict.path, verdict.says)
        out.print(table)


def _json(each: "breakers.Watched", wanted: int) -> dict[str, object]:
    known, rates = each.baseline.known, each.baseline.rates
    return {
        "practice": each.practice,
        "stream": each.source,
        "records": each.records,
        "learning": each.records < wanted,
        "status": each.status,
        "routed": not each.stops,
        "since": each.since,
        "differences": [verdict.to_json() for verdict in each.verdicts],
        "fields": {
            path: {
                "filled": rates.filled(path),
                "of": rates.could_have(path),
                "codes": sorted(value for at, value in known.values if at == path),
            }
            for path in sorted(known.types)
        },
    }
