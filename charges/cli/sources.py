"""`charges pull` and `charges sources`: what comes from the practices' systems."""

from typing import Annotated

import typer
from rich.table import Table

from charges.cli.operate import Only, chosen, open_pipeline
from charges.cli.shared import AsJson, counted, err, out, parse_day, print_json, progress
from charges.errors import Refused

app = typer.Typer(help="The systems that charges come from.", no_args_is_help=True)


def pull(
    only: Only = "",
    trailing: Annotated[
        bool, typer.Option("--trailing", help="Read the days of the last weeks again, for late edits.")
    ] = False,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Compare the numbers of all charges, for those that vanished.")
    ] = False,
    first: Annotated[str, typer.Option("--from", help="Read days of service from this one (YYYY-MM-DD).")] = "",
    last: Annotated[str, typer.Option("--to", help="The last day of service to read (YYYY-MM-DD).")] = "",
    as_json: AsJson = False,
) -> None:
    """Take in what changed at the source; or read days of service again, in slices that go on where they were stopped."""
    from charges.revisit import Days

    if bool(first) != bool(last) or (first and (trailing or reconcile)):
        raise Refused("Give both --from and --to and neither --trailing nor --reconcile, or leave both out.")
    days = Days(parse_day(first), parse_day(last)) if first else None
    if days and days.first > days.last:
        raise Refused(f"{first} is after {last}. Give the first day with --from and the last with --to.")
    pipeline = open_pipeline()
    for applied in chosen(pipeline, only):
        found = {}
        with progress("pulling") as advance:
            if days:
                found["backfill"] = pipeline.backfill(applied, days, advance)
            elif not trailing and not reconcile:
                found["changes"] = pipeline.pull(applied, advance)
            if trailing:
                found["trailing"] = pipeline.revisit(applied, "trailing", advance, at_once=True)
            if reconcile:
                found["reconcile"] = pipeline.revisit(applied, "reconcile", advance, at_once=True)
        for stream, pulled in found.items():
            if as_json:
                counts = {name: getattr(pulled, name) for name in ("records", "new", "changed", "voided", "unreadable")}
                print_json({"practice": applied.practice.code, "stream": stream, **counts})
            else:
                out.print(
                    f"{applied.practice.code}, {stream}: {counted(pulled.records, 'record')}; {pulled.new} new, "
                    f"{pulled.changed} changed, {pulled.voided} void, {pulled.unreadable} cannot be read.",
                    markup=False,
                )


@app.command()
def probe(
    practice: Annotated[str, typer.Argument(help="The practice, by its code.")],
    as_json: AsJson = False,
) -> None:
    """Ask a practice's source what it can give, show it, and keep it for `charges doctor`. Exit 2 when it is silent."""
    pipeline = open_pipeline()
    applied = pipeline.practice(practice)
    probed = pipeline.probe(applied)
    seen = probed.probe
    if as_json:
        facts = {} if seen is None else {"streams": seen.streams, "newest": seen.newest, "records": seen.records}
        more = {} if seen is None else {"unreadable": seen.unreadable, "fields": dict(seen.fields)}
        print_json({"practice": practice, "answers": seen is not None, "fault": probed.fault, **facts, **more})
        raise typer.Exit(0 if seen else 2)
    if seen is None:
        err.print(probed.fault, style="red", markup=False)
        raise typer.Exit(2)
    out.print(f"{applied.practice.name} answers. It gives: {', '.join(seen.streams)}.", markup=False)
    out.print(f"Newest change: {seen.newest or 'none'}.", markup=False)
    out.print(f"{counted(seen.records, 'record')} looked at, {seen.unreadable} cannot be read.", markup=False)
    table = Table("field", "records that have it")
    for path, count in seen.fields:
        table.add_row(path, f"{count} of {seen.records - seen.unreadable}")
    out.print(table)


def add_to(main: typer.Typer) -> None:
    """Put these commands on the first level."""
    main.command()(pull)
    main.add_typer(app, name="sources")
