"""Commands that run the pipeline and look after the machine it runs on."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from charges.cli.shared import AsJson, counted, err, out, parse_day, print_json, progress, tell_overdue, tell_stopped
from charges.errors import ChargerouterError, Refused
from charges.pipeline import Applied, Pipeline, settle
from charges.revisit import Loop
from charges.settings import read_settings
from rules.reference import TableMissing

db = typer.Typer(help="The database's tables.", no_args_is_help=True)


def open_pipeline() -> Pipeline:
    """The pipeline on the database of the settings; raises Refused when its tables are not current."""
    from charges.db import demand_current, open_database
    from charges.log import configure_logging

    settings = read_settings()
    configure_logging(settings.log_level)
    database = open_database(settings)
    demand_current(database.engine)
    settle()
    return Pipeline(database, settings)


@db.command()
def upgrade() -> None:
    """Make the tables, or bring them to this version; what is stored stays."""
    from charges.db import create_database_engine
    from charges.db import upgrade as upgrade_tables

    engine = create_database_engine(read_settings())
    upgrade_tables(engine)
    engine.dispose()
    out.print("The database's tables are current.")


@db.command()
def verify() -> None:
    """Check that nobody changed the history of a charge or file after it was written."""
    from charges.lifecycle import broken_chains

    database = open_pipeline().database
    with database.transaction() as session:
        broken = list(broken_chains(session, database.keyring))
    for sentence in broken:
        out.print(sentence, markup=False)
    if broken:
        raise typer.Exit(1)
    out.print("The history of every charge and file is whole.")


Only = Annotated[
    str, typer.Option("--practice", help="Only this practice, by its code; all when not given.", show_default=False)
]


def chosen(pipeline: Pipeline, code: str) -> list[Applied]:
    """The practice of a code, or all; raises Refused when there is none."""
    practices = [pipeline.practice(code)] if code else list(pipeline.practices())
    if not practices:
        raise Refused("No practice is applied yet. Start with `charges practice apply FILE.yaml`.")
    return practices


def run_once(pipeline: Pipeline, applied: Applied) -> tuple[dict[str, int], list[ChargerouterError]]:
    """All stages for one practice, in order. A stage that cannot work stops none of the others."""
    counts = {"pulled": 0, "clean": 0, "held": 0, "self_pay": 0, "claims": 0, "shadow": 0, "files": 0, "sent": 0}
    counts |= {"late": 0, "replies": 0, "unreadable": 0, "uncertain": 0, "overdue": 0}
    errors: list[ChargerouterError] = []

    def stage(name: str) -> None:
        if name == "pull":
            with progress("pulling") as advance:
                counts["pulled"] = pipeline.pull(applied, advance).records
        elif name in ("trailing", "reconcile"):
            loop: Loop = "trailing" if name == "trailing" else "reconcile"
            with progress("reading days again") as advance:
                again = pipeline.revisit(applied, loop, advance)
            counts["late"] += again.new + again.changed
        elif name == "judge":
            with progress("judging") as advance:
                scrubbed = pipeline.judge(applied, advance)
            counts.update(clean=scrubbed.clean, held=scrubbed.held, self_pay=scrubbed.self_pay)
            _tell_silent(scrubbed.silent)
        elif name == "generate":
            with progress("building claims") as advance:
                built = pipeline.generate(applied, advance)
            counts.update(claims=built.claims, shadow=built.shadow, files=built.files)
            counts["held"] += built.held
        elif name == "deliver":
            delivered = pipeline.deliver(applied)
            counts.update(sent=delivered.sent, uncertain=delivered.uncertain)
        elif name in ("notice", "figures"):
            getattr(pipeline, name)(applied)
        elif name == "overdue":
            counts["overdue"] = pipeline.overdue(applied).standing
        else:
            collected = pipeline.queue(applied)
            counts.update(replies=collected.replies, unreadable=collected.unreadable)

    for name in (
        "pull",
        "trailing",
        "reconcile",
        "judge",
        "generate",
        "deliver",
        "queue",
        "overdue",
        "notice",
        "figures",
    ):
        if errors and name in ("trailing", "reconcile"):
            continue  # a source that does not answer is asked once a run
        try:
            stage(name)
        except ChargerouterError as error:
            errors.append(error)
    return counts, errors


def _tell_silent(silent: Mapping[str, TableMissing]) -> None:
    """Once a run: which rules had no table for some date of service, by the table they asked for."""
    by_table: dict[str, list[str]] = {}
    for rule, missing in sorted(silent.items()):
        by_table.setdefault(missing.table, []).append(rule)
    for rules in by_table.values():
        said = f"Some charges were not judged by {', '.join(rules)}. {silent[rules[0]]}"
        err.print(said, style="yellow", markup=False)


def work(
    only: Only = "",
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until stopped, pulling every CHARGES_PULL_EVERY.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Do all there is to do, in this process and without a broker: pull, judge, generate, deliver, read replies."""
    pipeline = open_pipeline()
    while True:
        failed: list[ChargerouterError] = []
        for applied in chosen(pipeline, only):
            counts, errors = run_once(pipeline, applied)
            failed += errors
            if as_json:
                print_json({"practice": applied.practice.code, **counts, "errors": [str(error) for error in errors]})
            else:
                out.print(_sentence(applied.practice.code, counts), markup=False)
                for error in errors:
                    out.print(f"  {error}", style="red", markup=False)
        _tell(pipeline)
        if not watch:
            if failed:
                raise typer.Exit(max(error.exit_code for error in failed))
            return
        time.sleep(pipeline.settings.pull_every)


def _tell(pipeline: Pipeline) -> None:
    """Send the messages that are due; what does not arrive is said and tried again with the next run."""
    try:
        told = pipeline.tell()
    except ChargerouterError as error:
        err.print(str(error), style="red", markup=False)
        return
    if told.postponed or told.given_up:
        said = f"{counted(told.postponed, 'message')} did not arrive and will be tried again, {told.given_up} were given up"
        err.print(f"{said}; see `charges telling list`.", style="yellow", markup=False)


def _sentence(code: str, counts: dict[str, int]) -> str:
    said = (
        f"{code}: {counted(counts['pulled'], 'record')} pulled; {counts['clean']} clean, {counts['held']} held, "
        f"{counts['self_pay']} self-pay; {counted(counts['claims'], 'claim')} in {counted(counts['files'], 'file')}, "
        f"{counts['sent']} sent; {counted(counts['replies'], 'reply', 'replies')} taken in."
    )
    if counts["shadow"]:
        said += f" Built as shadow and not sent: {counted(counts['shadow'], 'claim')}."
    if counts["late"]:
        said += f" Found by reading days again: {counted(counts['late'], 'charge')}."
    if counts["unreadable"]:
        said += f" Not carried out: {counted(counts['unreadable'], 'reply', 'replies')}; see `charges files replies`."
    if counts["overdue"]:
        said += f" Overdue: {counted(counts['overdue'], 'reply', 'replies')}; see `charges files overdue`."
    if counts["uncertain"]:
        said += f" May or may not have been received: {counted(counts['uncertain'], 'file')}; see `charges files list`."
    return said


def doctor(as_json: AsJson = False) -> None:
    """Check settings, key, database, broker, clock, drop folders and disk, and say what to do about each fault."""
    from charges.doctor import examine

    findings = list(examine())
    if as_json:
        print_json([{"what": each.what, "ok": each.ok, "says": each.says} for each in findings])
    else:
        table = Table("", "what", "says", box=None, show_header=False)
        for each in findings:
            table.add_row("[green]ok[/]" if each.ok else "[red]FAULT[/]", each.what, each.says)
        out.print(table)
    if not all(each.ok for each in findings):
        raise typer.Exit(1)


def status(as_json: AsJson = False) -> None:
    """How many charges and files stand where, by practice."""
    from charges.overview import count_by_state

    database = open_pipeline().database
    counted = count_by_state(database)
    tell_stopped(database)
    tell_overdue(database)
    if as_json:
        print_json(counted)
        return
    table = Table("practice", "what", "state", "count")
    for practice, kinds in counted.items():
        for kind, states in kinds.items():
            for state, count in states.items():
                table.add_row(practice, kind, state, str(count))
    out.print(table if counted else "No practice yet. Apply a profile with `charges practice apply FILE.yaml`.")


def standards(
    only: Only = "",
    since: Annotated[str, typer.Option("--from", help="The first day of service (YYYY-MM-DD); 90 days ago.")] = "",
    until: Annotated[str, typer.Option("--to", help="The last day of service (YYYY-MM-DD); today.")] = "",
    as_json: AsJson = False,
) -> None:
    """How coding and charge entry compare with the practice's targets. Exit 1 when one is missed."""
    from charges.standards import measure

    pipeline = open_pipeline()
    last = parse_day(until) if until else pipeline.clock().date()
    first = parse_day(since) if since else last - timedelta(days=90)
    found = {
        applied.practice.code: measure(pipeline.database, applied.id, applied.practice.standards, first, last)
        for applied in chosen(pipeline, only)
    }
    missed = any(not each.is_met for measured in found.values() for each in measured)
    if as_json:
        print_json({code: [each.as_json() for each in measured] for code, measured in found.items()})
        raise typer.Exit(int(missed))
    for code, measured in found.items():
        table = Table("measured", "provider", "value", "counted", "target", title=f"{code}, {first} to {last}")
        for each in measured:
            value = f"{each.value:.1f}" if each.what.startswith("days") else f"{each.value:.0%}"
            target = each.target if each.is_met else f"{each.target}: missed"
            table.add_row(
                each.what, each.provider, value, f"{each.of:,}", target, style="" if each.is_met else "yellow"
            )
        out.print(table if measured else f"{code}: nothing was captured of these days.")
    raise typer.Exit(int(missed))


def add_to(app: typer.Typer) -> None:
    """Put these commands on the first level."""
    app.command()(work)
    app.command()(status)
    app.command()(standards)
    app.command()(doctor)
