"""Commands to try the product out: the demo, the simulated vendor, the measurements."""

import time
from collections import Counter
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from charges.cli.review import worklist_table
from charges.cli.shared import AsJson, counted, err, out, parse_day, print_json, progress
from charges.errors import Refused

if TYPE_CHECKING:
    from charges.users.accounts import Credentials

Patients = Annotated[int, typer.Option(help="How many invented patients.", min=1, max=100_000)]
Seed = Annotated[int, typer.Option(help="The same seed makes the same practice.", min=0)]
AsOf = Annotated[str, typer.Option("--as-of", help="Take this day (YYYY-MM-DD) for today.", show_default=False)]


def _today(as_of: str) -> date:
    return parse_day(as_of) if as_of else datetime.now(UTC).date()


def _from_here(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def demo(
    folder: Annotated[Path, typer.Option("--dir", help="Where database, key and files of the demo go.")] = Path("demo"),
    patients: Patients = 100,
    seed: Seed = 7,
    as_of: AsOf = "",
    shown: Annotated[int, typer.Option("--show", help="How many held charges to show.", min=0)] = 12,
) -> None:
    """Run everything on an invented practice: pull over HTTP, judge, build claims, drop the file, show the review table.

    The last line is one JSON object for machines.
    """
    from charges.demo import as_json, demonstrate
    from charges.log import configure_logging

    configure_logging("error")
    err.print(f"An invented practice of {patients} patients answers as its eClinicalWorks would.")
    with progress("working") as advance:
        run = demonstrate(folder, patients=patients, seed=seed, today=_today(as_of), shown=shown, progress=advance)
    figures = run.figures
    out.print(
        f"{figures.pulled} charges pulled: {figures.clean} clean, {figures.held} held, {figures.self_pay} self-pay, "
        f"{figures.void} void."
    )
    out.print("Held by rule:", ", ".join(f"{rule} {count}" for rule, count in run.held_by_rule.items()))
    out.print(
        f"{figures.claimed} claims in {figures.files} file{'s' if figures.files != 1 else ''}; "
        f"this run added {run.new_claims}."
    )
    if run.newest_file is not None:
        out.print(f"Dropped for the vendor: {_from_here(run.newest_file)}", markup=False)
        for segment in run.first_segments:
            out.print(f"  {segment.strip()}~", markup=False)
        out.print(f"pyx12 says: {'valid' if run.pyx12_accepts else 'NOT VALID'}")
    if run.waiting:
        out.print(worklist_table(run.waiting))
        out.print(f"{len(run.waiting)} of {figures.held} held charges are shown.")
    print_json(as_json(figures))
    _tell_the_page(_from_here(folder.resolve()), run.visitor)


def _tell_the_page(folder: Path, visitor: "Credentials") -> None:
    """On standard error, because what is told differs each time: how to look at the demo in a browser."""
    err.print(f"\nThe page of this demo: charges web --dir {folder}, then http://127.0.0.1:8080", markup=False)
    err.print(f"  name {visitor.name}, one-time password {visitor.password}", markup=False)
    err.print(f"  code: of an authenticator with the secret {visitor.totp},", markup=False)
    err.print(f"        or once each: {', '.join(visitor.recovery_codes[:3])}", markup=False)


simulate = typer.Typer(help="Stand in for those on the other side.", invoke_without_command=True)


@simulate.callback()
def vendor(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="The port on this machine.", min=1, max=65_535)] = 8765,
    patients: Patients = 100,
    seed: Seed = 7,
    as_of: AsOf = "",
    faults: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="NAME[=RATE]",
            help="What goes wrong every day; may be given again. `--faults` lists all.",
        ),
    ] = None,
    schedule: Annotated[
        Path | None, typer.Option(metavar="FILE.yaml", help="Which faults happen on which simulated day.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--requests-per-minute", help="More are answered with status 429; 0 for no limit.", min=0)
    ] = 0,
    listed: Annotated[bool, typer.Option("--faults", help="List the faults, and end.")] = False,
) -> None:
    """Stand in for a practice's eClinicalWorks over HTTP, until stopped; `GET /truth` tells what it really has.

    `POST /clock?hours=24` lets time pass. `charges simulate clearinghouse` stands in for the billing vendor.
    """
    if context.invoked_subcommand:
        return
    from charges.simulator import CLIENT_ID, CLIENT_SECRET, Fate, Tenant, build_practice, serve, simulator_app
    from charges.simulator.faults import Schedule, rates_of, read_schedule

    if listed:
        out.print(_fault_table())
        return
    planned = read_schedule(schedule) if schedule else Schedule()
    planned = planned.model_copy(update={"every_day": {**planned.every_day, **rates_of(faults or ())}})
    practice = build_practice(seed=seed, patients=patients, today=_today(as_of))
    tenant = Tenant(practice, Fate(seed, planned), requests_per_minute=limit)
    err.print(f"http://127.0.0.1:{port} answers as the practice's eClinicalWorks. Stop with Ctrl-C.", markup=False)
    err.print(f"client_id {CLIENT_ID}, client secret {CLIENT_SECRET}", markup=False)
    serve(simulator_app(tenant), port)


def _fault_table() -> Table:
    from charges.simulator.faults import OF_CHARGES, OF_DAYS, OF_REQUESTS, usual_rate

    table = Table("fault", "what happens", "the rate is", "when none is given")
    for faults, share in (
        (OF_REQUESTS, "a share of the requests"),
        (OF_CHARGES, "a share of the last weeks' charges, each day"),
        (OF_DAYS, "the chance of a day"),
    ):
        for fault, says in faults.items():
            table.add_row(fault, says, share, f"{usual_rate(fault):g}")
    return table


@simulate.command("clearinghouse")
def simulated_clearinghouse(
    folder: Annotated[Path, typer.Option("--dir", help="Where outbound and inbound are.")] = Path("demo"),
    seed: Seed = 7,
    days: Annotated[int, typer.Option(help="Let so many days pass at once, and end.", min=0, max=400)] = 0,
    as_json: AsJson = False,
) -> None:
    """Stand in for the billing vendor: take the claim files of DIR/outbound, put TA1, 999, 277CA and 835 into DIR/inbound.

    Some claims are refused, some denied, and some replies are lost, come late or twice. Until stopped an hour passes in each
    second. What became of each claim is told at the end; nothing is remembered for the next time.
    """
    from charges.simulator.clearinghouse import Fate, Habits, SimulatedClearinghouse
    from charges.simulator.postbox import Mail

    habits = Habits(mail=Mail(kept=timedelta(days=10_000)))
    stand_in = SimulatedClearinghouse(folder / "outbound", folder / "inbound", seed, habits)
    now, hour = datetime.now(UTC), timedelta(hours=1)
    try:
        for hours in range(days * 24) if days else count():
            stand_in.work(now + hours * hour)
            if not days:
                time.sleep(1)
    except KeyboardInterrupt:
        err.print("Stopped.")
    except OSError as error:
        raise Refused(f"{folder} cannot be used ({error.strerror}). Name the folder that outbound is in.") from None
    if as_json:
        print_json(stand_in.truth())
        return
    fates = Counter(truth.fate for truth in stand_in.claims.values())
    out.print(f"{counted(len(stand_in.claims), 'claim')} in {counted(len(stand_in.files), 'file')}")
    for fate in Fate:
        if fates[fate]:
            out.print(f"{fates[fate]:>9,} {fate}")
    put = ", ".join(f"{many} {kind}" for kind, many in sorted(stand_in.postbox.put.items())) or "none"
    out.print(f"Replies: {put}; {stand_in.postbox.lost} lost, {stand_in.postbox.repeated} put twice.")


bench = typer.Typer(help="Measure on this machine.", invoke_without_command=True)


@bench.callback()
def pipeline(
    context: typer.Context,
    patients: Patients = 800,
    seed: Seed = 7,
    claims: Annotated[int, typer.Option(help="Claims in the file that is written and checked.", min=10)] = 500,
    as_json: AsJson = False,
) -> None:
    """Measure: encounters a second through each stage on SQLite and PostgreSQL, claims a second written and checked."""
    if context.invoked_subcommand:
        return
    from charges.bench.pipeline import measure

    with progress("measuring") as advance:
        figures = measure(patients=patients, seed=seed, claims=claims, progress=advance)
    if as_json:
        print_json([{"what": each.what, "per_second": each.per_second, "unit": each.unit} for each in figures])
        return
    table = Table("measured", "per second", "unit")
    for each in figures:
        table.add_row(each.what, f"{each.per_second:,.0f}", each.unit)
    out.print(table)


@bench.command("x12")
def bench_x12(
    claims: Annotated[int, typer.Option(help="Claims in the file that is measured.", min=10)] = 20_000,
    as_json: AsJson = False,
) -> None:
    """Measure the language of claims: write, read and check beside pyx12 alone, claims a second and memory."""
    from charges.bench.pipeline import example_partner
    from charges.bench.x12 import measure

    with progress("measuring", 4) as advance:
        speed = measure(claims, example_partner(), advance)
    if as_json:
        print_json(
            {
                "segments_per_claim": speed.segments_per_claim,
                "bytes": speed.size,
                "figures": [
                    {"what": each.what, "claims": each.claims, "per_second": each.per_second, "megabytes": each.memory}
                    for each in speed.figures
                ],
                "first_claim_seconds": speed.first,
                "next_claim_seconds": speed.next,
            }
        )
        return
    out.print(f"{claims:,} claims of {speed.segments_per_claim:.1f} segments, {speed.size / 1e6:.1f} MB")
    pyx12 = next(each.per_second for each in speed.figures if each.what == "pyx12 alone")
    table = Table("measured", "claims", "claims a second", "as often as pyx12", "MB at most")
    for each in speed.figures:
        times = f"{each.per_second / pyx12:,.0f}"
        table.add_row(each.what, f"{each.claims:,}", f"{each.per_second:,.0f}", times, f"{each.memory:.0f}")
    out.print(table)
    out.print(
        f"a file of one claim: {speed.first:.3f} s the first after import, {speed.next * 1000:.2f} ms the next ones"
    )


@bench.command("pull")
def bench_pull(
    patients: Patients = 800,
    seed: Seed = 7,
    as_json: AsJson = False,
) -> None:
    """Measure the pull: milliseconds of our processor for each encounter, beside the simulated vendor's own serving."""
    from charges.bench.pull import measure

    with progress("measuring", 5) as advance:
        costs = []
        for cost in measure(patients, seed):
            costs.append(cost)
            advance(1)
    if as_json:
        print_json(
            [
                {
                    "what": each.what,
                    "encounters": each.encounters,
                    "processor_ms": each.processor,
                    "clock_ms": each.clock,
                }
                for each in costs
            ]
        )
        return
    table = Table("measured", "encounters", "ms of processor each", "ms by the clock each")
    for each in costs:
        table.add_row(each.what, f"{each.encounters:,}", f"{each.processor:.3f}", f"{each.clock:.3f}")
    out.print(table)


@bench.command("rules")
def bench_rules(
    charges: Annotated[int, typer.Option(help="How many invented charges are judged.", min=10)] = 10_000,
    payer_rules: Annotated[int, typer.Option(help="How many payer rules are added.", min=1, max=5000)] = 2000,
    seed: Seed = 7,
    as_json: AsJson = False,
) -> None:
    """Measure the rules: lines a second from the stored document to findings, without and with payer rules."""
    from charges.bench.rules import measure
    from charges.settings import read_settings
    from rules.reference import reference
    from rules.reference.shipped import shipped

    speed = measure(charges, payer_rules, seed, reference(read_settings().reference_dir) | shipped())
    if as_json:
        print_json(
            {
                "rules": speed.rules,
                "lines": speed.lines,
                "lines_per_second": {
                    "parsed": speed.parsed,
                    "judged": speed.judged,
                    "judged_with_payer_rules": speed.with_payer_rules,
                },
                "microseconds_per_line": dict(speed.costs),
            }
        )
        return
    out.print(f"{speed.lines:,} lines, {speed.rules} rules")
    out.print(f"{speed.parsed:>9,.0f} lines a second read from the stored document")
    out.print(f"{speed.judged:>9,.0f} lines a second read and judged by all rules")
    slower = 1 - speed.with_payer_rules / speed.judged
    out.print(
        f"{speed.with_payer_rules:>9,.0f} lines a second with {payer_rules:,} payer rules more ({slower:.0%} slower)"
    )
    table = Table("rule", "microseconds a line")
    for rule, cost in speed.costs:
        table.add_row(rule, f"{cost:.2f}")
    out.print(table)


@bench.command("web")
def bench_web(
    items: Annotated[int, typer.Option(help="How many review items there are.", min=1000)] = 20_000,
    times: Annotated[int, typer.Option(help="How often each address is asked by each role.", min=1)] = 3,
    limit: Annotated[float, typer.Option(help="Exit 1 where a p95 is over so many milliseconds; 0 for no limit.")] = 0,
    only: Annotated[str, typer.Option(help="Only routes whose path begins so.", show_default=False)] = "",
    seed: Seed = 7,
    as_json: AsJson = False,
) -> None:
    """Measure every page and every route of the API on PostgreSQL: milliseconds, by people of each role."""
    from charges.bench.web import measure

    with progress("measuring") as advance:
        measured = measure(items, times, seed, advance, only)
    over = measured.over(limit) if limit else ()
    if as_json:
        print_json(asdict(measured) | {"over": [each.route for each in over]})
    else:
        out.print(
            f"{measured.items:,} review items of {measured.charges:,} charges, made in {measured.seconds:,.0f} seconds"
        )
        table = Table("route", "addresses", "asked", "p50 ms", "p95 ms", "quiet", "slowest address", "its p50")
        for each in sorted(measured.timings, key=lambda each: -each.p95):
            times_taken = (f"{took:.1f}" for took in (each.p50, each.p95, each.quiet_p95))
            asked = str(each.addresses), str(each.asked)
            table.add_row(each.route, *asked, *times_taken, each.slowest, f"{each.slowest_p50:.1f}")
        out.print(table)
    if over:
        err.print(f"Over {limit:g} ms: {', '.join(each.route for each in over)}.", markup=False)
        raise typer.Exit(1)


def add_to(app: typer.Typer) -> None:
    """Put these commands on the first level."""
    app.command()(demo)
    app.add_typer(simulate, name="simulate")
    app.add_typer(bench, name="bench")
