"""`charges review`: the worklist of the billing staff, until they have the page."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from charges.cli.operate import open_pipeline
from charges.cli.shared import Actor, AsJson, Reason, actor, out, parse_day, print_json, tell_overdue, tell_stopped
from charges.errors import Refused

if TYPE_CHECKING:
    from charges import review
    from charges.amending import noticing as after_billing

app = typer.Typer(help="The review queue: what is held and why, and what is done about it.", no_args_is_help=True)

Charge = Annotated[int, typer.Argument(help="The charge's number.")]


@app.command("list")
def list_(
    practice: Annotated[str, typer.Option(help="Only this practice, by its code.", show_default=False)] = "",
    rule: Annotated[str, typer.Option(help="Only charges held by this rule.", show_default=False)] = "",
    limit: Annotated[int, typer.Option(help="How many charges at most.", min=1, max=10_000)] = 50,
    after: Annotated[int, typer.Option(help="Go on after this charge number.", min=0)] = 0,
    as_json: AsJson = False,
    by: Actor = "",
) -> None:
    """List the held charges, oldest first, with the sentence of each finding."""
    from charges import review
    from charges.desk import sharing as desk

    pipeline = open_pipeline()
    if practice:
        pipeline.practice(practice)  # a name that is misspelt must not look like an empty worklist
    database = pipeline.database
    waiting = review.held(database, practice=practice, rule=rule, limit=limit, after=after)
    desk.saw(database, [each.charge_number for each in waiting], desk.Look.LIST, by=actor(by), clock=pipeline.clock)
    tell_stopped(database, practice)
    if as_json:
        print_json([_held_json(each) for each in waiting])
        return
    tell_overdue(database)
    if not waiting:
        out.print(f"Nothing is held by {rule}." if rule else "Nothing is held.")
        return
    out.print(worklist_table(waiting))
    total = review.count_held(database)
    if total > len(waiting):
        out.print(f"{len(waiting)} of {total} held charges are shown; go on with --after {waiting[-1].charge_number}.")


def worklist_table(waiting: "Iterable[review.Held]") -> Table:
    """Held charges as a table: one line for each finding."""
    table = Table("charge", "date of service", "dollars", "item", "rule", "what is wrong")
    for each in waiting:
        for position, item in enumerate(each.items):
            first = position == 0
            table.add_row(
                str(each.charge_number) if first else "",
                str(each.service_date or "") if first else "",
                f"{each.total:,.2f}" if first else "",
                str(item.number),
                item.finding.rule,
                item.finding.message,
            )
    return table


@app.command()
def show(charge: Charge, as_json: AsJson = False, by: Actor = "") -> None:
    """Show a charge: what is wrong, what was seen, what to do, its claims and its history."""
    from charges import review
    from charges.amending import noticing as after_billing
    from charges.desk import sharing as desk
    from charges.patients.identity import WHOSE

    pipeline = open_pipeline()
    database = pipeline.database
    case = review.case(database, charge)
    desk.saw(database, [charge], desk.Look.COMMAND, by=actor(by), clock=pipeline.clock)
    difference = after_billing.shown(database, charge)
    if as_json:
        print_json(
            {
                "charge": case.charge_number,
                "practice": case.practice,
                "status": case.status,
                "document": case.charge.model_dump(mode="json", exclude_defaults=True),
                "items": [_item_json(item) for item in case.items],
                "claims": case.claims,
                "difference": asdict(difference) if difference else None,
                "events": [
                    {"at": each.at, "what": each.what, "became": each.became, "by": each.actor, "detail": each.detail}
                    for each in case.events
                ],
            }
        )
        return
    out.print(f"Charge {case.charge_number} of {case.practice} is {case.status}.", style="bold", markup=False)
    patient = case.charge.patient
    out.print(
        f"{patient.first_name} {patient.last_name}, born {patient.birth_date or 'unknown'}; "
        f"payers: {', '.join(each.payer.name or each.payer.payer_id for each in case.charge.coverages) or 'none'}",
        markup=False,
    )
    lines = Table("line", "code", "modifiers", "date", "units", "charge", "diagnoses")
    for number, line in enumerate(case.charge.lines, 1):
        lines.add_row(
            str(number),
            line.code,
            " ".join(line.modifiers),
            str(line.service_date or ""),
            str(line.units or ""),
            str(line.charge if line.charge is not None else ""),
            " ".join(line.diagnoses),
        )
    out.print(lines)
    if difference is not None:
        _show_difference(difference)
    for item in case.items:
        out.print(
            f"[{item.number}] {item.state} {item.finding.severity} {item.finding.rule}: {item.finding.message}",
            markup=False,
        )
        if item.finding.rule in WHOSE:
            for name, said in item.finding.evidence.items():
                out.print(f"     {name}: {said}", markup=False)
        if item.finding.fix:
            out.print(f"     {item.finding.fix}", markup=False, style="dim")
    for each in case.events:
        because = f": {each.detail}" if each.detail else ""
        out.print(f"{each.at:%Y-%m-%d %H:%M} {each.what} by {each.actor}{because}", markup=False, style="dim")


@app.command()
def waive(
    item: Annotated[int, typer.Argument(help="The review item's number.")],
    reason: Reason = "",
    by: Actor = "",
) -> None:
    """Let one finding pass for this version of the charge."""
    from charges import review

    pipeline = open_pipeline()
    became = review.waive(pipeline.database, item, by=actor(by), reason=reason, clock=pipeline.clock)
    out.print(f"Item {item} is waived; its charge is {became}.")


@app.command()
def fix(
    item: Annotated[int, typer.Argument(help="The review item's number.")],
    edits: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A field and what it says, FIELD=VALUE; may be given several times.", show_default=False
        ),
    ] = None,
    reason: Reason = "",
    by: Actor = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take back the last correction of the item's charge.")] = False,
) -> None:
    """Correct a charge here as its finding suggests, or fields by --set; the source stays as it is."""
    from charges.desk import acting, corrections

    pipeline = open_pipeline()
    if undo:
        with pipeline.database.transaction() as session:
            number = acting.item_row(session, item).charge_id
        became = corrections.withdraw(pipeline.database, number, by=actor(by), reason=reason, clock=pipeline.clock)
        out.print(f"Charge {number} is as it was before, and {became}.")
        return
    made = corrections.correct(
        pipeline.database, item, by=actor(by), reason=reason, edits=_edits(edits or []), clock=pipeline.clock
    )
    for each in made.fields:
        out.print(f"{each.at}: {each.was or 'nothing'} became {each.now or 'nothing'}", markup=False)
    out.print(f"Charge {made.charge_number} is judged again in the next run. Enter it at the source too.")


@app.command()
def corrected(as_json: AsJson = False) -> None:
    """List what was corrected here and is still to be entered at the source."""
    from charges.desk import corrections

    standing = corrections.standing(open_pipeline().database)
    if as_json:
        print_json([asdict(each) for each in standing])
        return
    table = Table("practice", "charge", "number at the source", "field", "source says", "is now", "by")
    for each in standing:
        for field in each.fields:
            table.add_row(each.practice, str(each.charge_number), each.key, field.at, field.was, field.now, each.by)
    out.print(table if standing else "Nothing is to be entered at the source.")


@app.command()
def assign(
    charge: Charge,
    to: Annotated[str, typer.Argument(help="The user's name; nobody when left out.", show_default=False)] = "",
    reason: Reason = "",
    by: Actor = "",
) -> None:
    """Give a held charge to somebody, or to nobody."""
    from charges.desk import sharing as desk

    pipeline = open_pipeline()
    desk.assign(pipeline.database, charge, to, by=actor(by), reason=reason, clock=pipeline.clock)
    out.print(f"Charge {charge} is given to {to or 'nobody'}.", markup=False)


@app.command()
def snooze(
    charge: Charge,
    until: Annotated[str, typer.Argument(help="The day it is taken up again, YYYY-MM-DD; at once when left out.")] = "",
    reason: Reason = "",
    by: Actor = "",
) -> None:
    """Put a held charge off until a day, or until it changes."""
    from charges.desk import sharing as desk

    pipeline = open_pipeline()
    day = parse_day(until) if until else None
    desk.snooze(pipeline.database, charge, day, by=actor(by), reason=reason, clock=pipeline.clock)
    out.print(f"Charge {charge} waits until {day}." if day else f"Charge {charge} is in the queue again.")


@app.command()
def ask(
    charge: Charge,
    question: Annotated[str, typer.Argument(help="What the provider is asked.")],
    by: Actor = "",
    answered: Annotated[bool, typer.Option("--answer", help="The text is the provider's answer.")] = False,
) -> None:
    """Ask the provider about a held charge, or write down the answer."""
    from charges.desk import sharing as desk

    pipeline = open_pipeline()
    (desk.answer if answered else desk.ask)(pipeline.database, charge, question, by=actor(by), clock=pipeline.clock)
    out.print(f"Charge {charge} {'is in the queue again' if answered else 'waits for the answer'}.")


@app.command()
def comment(
    charge: Charge, text: Annotated[str, typer.Argument(help="What others should know.")], by: Actor = ""
) -> None:
    """Write something down in a charge's history."""
    from charges.desk import sharing as desk

    pipeline = open_pipeline()
    desk.comment(pipeline.database, charge, text, by=actor(by), clock=pipeline.clock)
    out.print(f"It stands in the history of charge {charge}.")


@app.command()
def relook(charge: Charge, reason: Reason = "", by: Actor = "") -> None:
    """Have a held charge judged again in the next run."""
    from charges import review

    pipeline = open_pipeline()
    became = review.relook(pipeline.database, charge, by=actor(by), reason=reason, clock=pipeline.clock)
    out.print(f"Charge {charge} is {became} and is judged again in the next run.")


@app.command()
def link(
    charge: Charge,
    patient: Annotated[
        int | None, typer.Argument(help="The patient's number, as `show` prints it.", show_default=False)
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="It is none of the people known.")] = False,
    reason: Reason = "",
    by: Actor = "",
) -> None:
    """Say whose charge it is where that cannot be told; remembered until the source says something else of the person."""
    from charges import review
    from charges.errors import Refused

    if (patient is None) != none:
        raise Refused("Give the number of a patient, or --none where it is none of those known.")
    pipeline = open_pipeline()
    became = review.link(pipeline.database, charge, patient, by=actor(by), reason=reason, clock=pipeline.clock)
    whose = "of nobody known" if patient is None else f"of patient {patient}"
    out.print(f"Charge {charge} is {whose}; it is {became} and is judged again in the next run.")


Seen = Annotated[
    str, typer.Option("--seen", help="The version that was looked at, as `show` prints it.", show_default=False)
]
PayerNumber = Annotated[
    str, typer.Option("--payer-number", help="The payer's claim number, told by other means.", show_default=False)
]


@app.command()
def void(
    charge: Charge,
    reason: Reason = "",
    by: Actor = "",
    seen: Seen = "",
    payer_number: PayerNumber = "",
    bill_anew: Annotated[
        bool | None,
        typer.Option("--bill-anew/--not-anew", help="Whether it is billed again then; as proposed if not said."),
    ] = None,
) -> None:
    """Give a held charge up, or take its claim back (frequency 8) where one stands and the charge changed since."""
    from charges import review
    from charges.amending import noticing as after_billing
    from charges.amending.deciding import Decision
    from charges.tables import Amendment

    pipeline = open_pipeline()
    if after_billing.shown(pipeline.database, charge) is None:
        became = review.void(pipeline.database, charge, by=actor(by), reason=reason, clock=pipeline.clock)
        out.print(f"Charge {charge} is {became}.")
        return
    pipeline.decide(charge, Decision(Amendment.VOID, actor(by), reason, seen, payer_number, bill_anew))
    out.print(f"The void of charge {charge}'s claim goes out with the next file.")


@app.command()
def replace(
    charge: Charge,
    reason: Reason = "",
    by: Actor = "",
    seen: Seen = "",
    payer_number: PayerNumber = "",
    as_new: Annotated[bool, typer.Option("--as-new", help="The payer does not have it: a new first claim.")] = False,
) -> None:
    """Replace (frequency 7) the claim of a charge that changed after it left; the rules judge the charge first."""
    from charges.amending.deciding import Decision
    from charges.tables import Amendment

    amendment = Amendment.RENEW if as_new else Amendment.REPLACE
    open_pipeline().decide(charge, Decision(amendment, actor(by), reason, seen, payer_number))
    out.print(f"Charge {charge} is judged as it is now; {'a new claim' if as_new else 'the replacement'} follows.")


@app.command()
def leave(charge: Charge, reason: Reason = "", by: Actor = "", seen: Seen = "") -> None:
    """Let the claim of a charge that changed after it left stand as it is."""
    from charges.amending.deciding import Decision
    from charges.tables import Amendment

    became = open_pipeline().decide(charge, Decision(Amendment.NOTHING, actor(by), reason, seen))
    out.print(f"The claim of charge {charge} stands; the charge is {became}.")


def _show_difference(difference: "after_billing.Difference") -> None:
    table = Table("field", "claim", "now", title=f"{difference.claim} and version {difference.version} of its charge")
    for each in difference.changes:
        table.add_row(*each)
    if difference.changes:
        out.print(table)
    decided = f"Decided: {difference.decision}." if difference.state == "approved" else ""
    number = f"The payer's claim number is {difference.payer_claim_number}." if difference.payer_claim_number else ""
    said = (f"Version {difference.version}: proposed is {difference.proposal}.", number, difference.hindrance, decided)
    out.print(" ".join(filter(None, said)), markup=False)


def _edits(given: list[str]) -> dict[str, str]:
    """Fields with what they shall say; raises Refused where one is not FIELD=VALUE."""
    edits = {}
    for each in given:
        at, sign, value = each.partition("=")
        if not sign or not at.strip():
            raise Refused("Write each correction as FIELD=VALUE, for example --set 'lines[0].modifiers=25'.")
        edits[at.strip()] = value
    return edits


def _held_json(each: "review.Held") -> dict[str, object]:
    return {
        "charge": each.charge_number,
        "practice": each.practice,
        "service_date": each.service_date,
        "total": each.total,
        "held_since": each.held_since,
        "items": [_item_json(item) for item in each.items],
    }


def _item_json(item: "review.Item") -> dict[str, object]:
    return {
        "item": item.number,
        "state": item.state,
        "origin": item.origin,
        **item.finding.model_dump(mode="json"),
        "opened_at": item.opened_at,
    }
