"""`charges reconcile`: whether money drifted; `outcomes`, `secondary`: what becomes of claims; `payments` of no claim."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from charges.cli.shared import Actor, AsJson, Reason, actor, clock_at, counted, out, parse_day, print_json, progress
from charges.errors import Refused

if TYPE_CHECKING:
    from charges.outcomes import Outcomes
    from charges.reconcile import Reconciliation

secondary = typer.Typer(help="Claims to the payers after the first.", no_args_is_help=True)


@secondary.callback()
def _group() -> None:
    """Claims to the payers after the first."""


@secondary.command()
def ask(
    charge: Annotated[int, typer.Argument(help="The charge's number.")], reason: Reason = "", by: Actor = ""
) -> None:
    """Want the claim to the next payer, even after a denial; it is built with the next run."""
    from charges import secondary as stage
    from charges.cli.operate import open_pipeline

    pipeline = open_pipeline()
    stage.ask(pipeline.database, charge, by=actor(by), reason=reason, clock=pipeline.clock)
    out.print(f"The next payer of charge {charge} is asked in the next run, once nothing holds the charge.")


@secondary.command()
def replace(
    charge: Annotated[int, typer.Argument(help="The charge's number.")],
    reason: Reason = "",
    by: Actor = "",
    payer_number: Annotated[
        str, typer.Option("--payer-number", help="The payer's number of the claim, where it told it by other means.")
    ] = "",
) -> None:
    """Replace the last payer's claim by one that tells what the payers before it decided since; goes with the next run."""
    from charges import secondary as stage
    from charges.cli.operate import open_pipeline

    pipeline = open_pipeline()
    stage.replace(
        pipeline.database,
        pipeline.practice_of(charge).practice,
        charge,
        by=actor(by),
        reason=reason,
        clock=pipeline.clock,
        payer_claim_number=payer_number,
    )
    out.print(f"The last payer of charge {charge} is told anew in the next run.")


payments = typer.Typer(help="Payments of claims that were not sent from here.", no_args_is_help=True)
Payment = Annotated[int, typer.Argument(help="The payment's number, as `charges payments list` shows it.")]


@payments.callback()
def _payments() -> None:
    """Payments of claims that were not sent from here."""


@payments.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Those too that were settled or matched.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the payments that are about no claim sent from here, oldest first."""
    from charges.cli.operate import open_pipeline
    from charges.replies.unmatched import unmatched

    found = unmatched(open_pipeline().database, every=every)
    if as_json:
        print_json([each.as_json() for each in found])
        return
    table = Table("payment", "practice", "payer", "trace", "claim", "paid on", "charged", "paid", "state")
    for each in found:
        state = f"{each.status}, {each.by}: {each.reason}" if each.by else each.status
        amounts = (f"{each.charged:,.2f}", f"{each.paid:,.2f}")
        day = str(each.paid_on or "")
        table.add_row(str(each.number), each.practice, each.payer, each.trace, str(each.place), day, *amounts, state)
    out.print(table if found else "Every payment is about a claim that was sent from here, or settled.")


@payments.command()
def match(
    payment: Payment,
    claim: Annotated[str, typer.Argument(help="The claim's number (CLM01).")],
    reason: Reason = "",
    by: Actor = "",
) -> None:
    """Post a payment to a claim of yours that the payer named otherwise. It cannot be undone."""
    from charges import acknowledgements
    from charges.cli.operate import open_pipeline

    pipeline = open_pipeline()
    acknowledgements.match(pipeline.database, payment, claim, by=actor(by), reason=reason, clock=pipeline.clock)
    out.print(f"Payment {payment} is posted to claim {claim}.")


@payments.command()
def settle(payment: Payment, reason: Reason = "", by: Actor = "") -> None:
    """Say that no claim of yours is paid by it, and why: posted in another system, returned, not yours."""
    from charges.cli.operate import open_pipeline
    from charges.replies import unmatched

    pipeline = open_pipeline()
    unmatched.settle(pipeline.database, payment, by=actor(by), reason=reason, clock=pipeline.clock)
    out.print(f"Payment {payment} is settled.")


@payments.command()
def reopen(payment: Payment, reason: Reason = "", by: Actor = "") -> None:
    """Undo that a payment was settled."""
    from charges.cli.operate import open_pipeline
    from charges.replies import unmatched

    pipeline = open_pipeline()
    unmatched.reopen(pipeline.database, payment, by=actor(by), reason=reason, clock=pipeline.clock)
    out.print(f"Payment {payment} waits for somebody again.")


Only = Annotated[
    str, typer.Option("--practice", help="Only this practice, by its code; all when not given.", show_default=False)
]


Since = Annotated[str, typer.Option("--from", help="The first day of service (YYYY-MM-DD); the first of all.")]
Until = Annotated[str, typer.Option("--to", help="The last day of service (YYYY-MM-DD); the last of all.")]


def reconcile(
    only: Only = "",
    since: Since = "",
    until: Until = "",
    lag: Annotated[int, typer.Option("--lag", min=0, help="Days that a visit may be without a charge.")] = 3,
    as_of: Annotated[str, typer.Option("--as-of", help="Count ages as if today were this day (YYYY-MM-DD).")] = "",
    as_json: AsJson = False,
) -> None:
    """Prove that no money drifted: charges, claims, the bytes of files and payments agree to the cent.

    Names what does not agree, what was billed twice or never, and visits without a charge. Exit 1 when there is any.
    """
    from charges.cli.operate import chosen, open_pipeline
    from charges.reconcile import Period, count
    from charges.reconcile import reconcile as prove

    pipeline, today = open_pipeline(), clock_at(as_of)().date()
    first, last = _days(since, until)
    found = []
    for applied in chosen(pipeline, only):
        total = count(pipeline.database, applied.id, Period(first, last))
        with progress(f"reconciling {applied.practice.code}", total) as advance:
            found.append(
                prove(pipeline.database, applied.id, applied.practice, today, first, last, lag=lag, progress=advance)
            )
    if as_json:
        print_json([each.as_json() for each in found])
    else:
        for each in found:
            _show(each)
    raise typer.Exit(int(not all(each.holds for each in found)))


def _days(since: str, until: str) -> tuple[date | None, date | None]:
    """The first and last day that were given; raises Refused when they are the wrong way round."""
    first, last = parse_day(since) if since else None, parse_day(until) if until else None
    if first is not None and last is not None and last < first:
        raise Refused(f"The period begins after it ends: {first} is later than {last}.")
    return first, last


def _show(found: "Reconciliation") -> None:
    """The equations as a table, then every break with what to do, then the visits without a charge."""
    said = ", ".join(f"{number:,} {name}" for name, number in found.counted.items())
    out.print(f"{found.practice}, {found.period}: {said}.", style="bold", markup=False)
    table = Table("dollars", "", "")
    for equation in found.equations:
        table.add_row(
            equation.name, f"{equation.whole:,.2f}", f"off by {equation.off:,.2f}" if equation.off else "holds"
        )
        for name, amount in equation.parts.items():
            if amount:
                table.add_row(f"  {name}", f"{amount:,.2f}", "")
    out.print(table)
    for name, amount in found.beside.items():
        if amount:
            out.print(f"{amount:,.2f} {name}.", markup=False)
    for each in found.breaks:
        out.print(f"{each.says} {each.do}", style="red", markup=False)
    missing = found.missing
    for visit in found.visits:
        age = f" since {visit.age} days" if visit.age is not None else ""
        state = "" if visit.is_over else ", which is not over yet"
        day = f" of {visit.day}" if visit.day else ""
        fix = (
            " Enter its services in the practice's system, or void it there; where nothing is to be billed say so with "
            f"`charges review void {visit.charge} --reason TEXT`."
            if visit in missing
            else ""
        )
        out.print(f"Nothing is charged{age} for the visit{day} (charge {visit.charge}){state}.{fix}", markup=False)
    if found.holds:
        out.print("Every cent is where it should be.", style="green")
    else:
        out.print(
            f"{counted(len(found.breaks), 'break')}, {counted(len(missing), 'visit')} without a charge for too long.",
            style="red",
        )


def outcomes(only: Only = "", since: Since = "", until: Until = "", as_json: AsJson = False) -> None:
    """What became of the claims that findings let pass, by rule, and the denials that no finding foresaw, by code."""
    from charges.cli.operate import chosen, open_pipeline
    from charges.outcomes import outcomes as join

    pipeline = open_pipeline()
    first, last = _days(since, until)
    found = []
    for applied in chosen(pipeline, only):
        with progress(f"looking at claims of {applied.practice.code}") as advance:
            found.append(
                join(pipeline.database, applied.id, applied.practice, pipeline.rules, first, last, progress=advance)
            )
    if as_json:
        print_json([each.as_json() for each in found])
        return
    for each in found:
        _tell(each)


def _tell(found: "Outcomes") -> None:
    """The rules with their figures and what to do about them, then the codes that no finding foresaw."""
    out.print(
        f"{found.practice}, {found.period}: {counted(found.decided, 'claim')} decided, {found.denied:,} of them denied in "
        f"whole or part, {found.refused:,} refused.",
        style="bold",
        markup=False,
    )
    rules = Table("rule", "left with it", "waived", "denied for it", "precision", "missed", "recall", title="Findings")
    for each in found.rules:
        figures = (each.passed, each.waived, each.hits, _share(each.precision), each.missed, _share(each.recall))
        rules.add_row(each.rule, *map(str, figures))
    codes = Table("code", "claims", "dollars", "rules that expect it", title="Denials without a finding")
    for code in found.unforeseen:
        codes.add_row(code.code, str(code.claims), f"{code.amount:,.2f}", ", ".join(code.expected_by))
    for table in (rules, codes):
        if table.row_count:
            out.print(table)
    for each in found.rules:
        if each.advice:
            out.print(f"{each.rule}: {each.advice}", markup=False)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def add_to(app: typer.Typer) -> None:
    """Put these commands on the first level."""
    app.command()(reconcile)
    app.command()(outcomes)
