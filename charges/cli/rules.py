"""`charges rules` and `charges explain`: the rules that judge, those that come with it and those of payers."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from charges.cli.shared import AsJson, out, print_json
from charges.errors import BadRules, Refused

if TYPE_CHECKING:
    from rules.engine import Facts, Rule
    from rules.payer.book import Book
    from rules.payer.compiled import PayerRule

app = typer.Typer(help="The coding rules: list them, read one, try those of payers.", no_args_is_help=True)

Of = Annotated[
    str, typer.Option("--practice", help="With the payer rules of this practice, by its code.", show_default=False)
]


def _book(practice: str) -> "Book":
    """The payer rules of the installation, or of a practice."""
    from rules.engine import load
    from rules.payer.book import read_book

    if practice:
        from charges.cli.operate import open_pipeline

        pipeline = open_pipeline()
        return pipeline.book(pipeline.practice(practice))
    from charges.settings import read_settings

    folder = read_settings().payer_rules
    return read_book([folder] if folder else [], {each.id for each in load()})


@app.command("list")
def list_(practice: Of = "", as_json: AsJson = False) -> None:
    """List all rules that are installed, then those of payers."""
    from rules.engine import load

    catalogue, book = load(), _book(practice)
    stages = {each.rule.id: each.definition.stage.value for each in book.rules}
    everything = [*catalogue, *(each.rule for each in book.rules)]
    if as_json:
        print_json(
            [
                {
                    "id": each.id,
                    "title": each.title,
                    "severity": each.severity,
                    "authority": each.authority,
                    "stage": stages.get(each.id, "installed"),
                }
                for each in everything
            ]
        )
        return
    table = Table("rule", "severity", "stage", "checks")
    for each in everything:
        table.add_row(each.id, each.severity, stages.get(each.id, ""), each.title)
    out.print(table)


@app.command()
def show(rule: Annotated[str, typer.Argument(help="The rule's id, for example GLB-002.")], practice: Of = "") -> None:
    """Print a rule's documentation: why it exists, examples, authority."""
    found, _ = _rule(rule, _book(practice))
    out.print(f"{found.id} ({found.severity})", style="bold", markup=False)
    out.print(found.documentation.strip(), markup=False)


def _rule(id: str, book: "Book") -> "tuple[Rule, PayerRule | None]":
    from rules.engine import load

    installed = {each.id: each for each in load()}
    written = {each.rule.id: each for each in book.rules}
    wanted = id.upper()
    if wanted in written:
        return written[wanted].rule, written[wanted]
    if wanted not in installed:
        raise Refused(f"No rule is called {id}. See `charges rules list`.")
    return installed[wanted], None


@app.command("test")
def try_cases(
    files: Annotated[list[Path], typer.Argument(help="Files or folders of payer rules.")], as_json: AsJson = False
) -> None:
    """Read payer rules and run their cases, drafts too. Exit 1 when a case fails, 2 when a file is refused."""
    from rules.engine import load
    from rules.payer.book import read_book

    book = read_book(files, {each.id for each in load()})
    failures = {each.rule.id: each.failures() for each in book.rules}
    if as_json:
        print_json(
            [
                {"rule": each.rule.id, "stage": each.definition.stage, "failures": failures[each.rule.id]}
                for each in book.rules
            ]
        )
    else:
        for each in book.rules:
            cases = each.definition.cases
            count = len(cases.fires) + len(cases.passes)
            verdict = "\n  ".join(("fails:", *failures[each.rule.id])) if failures[each.rule.id] else "all hold"
            out.print(f"{each.rule.id} ({each.definition.stage}): {count} cases, {verdict}", markup=False)
        if not book.rules:
            raise BadRules(", ".join(map(str, files)), ["there is no rule in it"])
    if any(failures.values()):
        raise typer.Exit(1)


@app.command()
def facts(as_json: AsJson = False) -> None:
    """List the facts that a payer rule may ask about, and what can be asked of each."""
    from rules.payer.catalogue import FACTS
    from rules.payer.conditions import OPERATORS

    if as_json:
        print_json(
            [
                {"fact": each.name, "kind": each.kind, "means": each.says, "can_be_asked": list(OPERATORS[each.kind])}
                for each in FACTS.values()
            ]
        )
        return
    table = Table("fact", "kind", "means", "can be asked")
    for each in FACTS.values():
        table.add_row(each.name, each.kind, each.says, " ".join(OPERATORS[each.kind]))
    out.print(table)


def explain(
    charge: Annotated[int, typer.Argument(help="The charge's number.")],
    rule: Annotated[str, typer.Argument(help="The rule's id, for example GLB-002.")],
    as_json: AsJson = False,
) -> None:
    """Show what a rule saw of a charge, each fact with its origin, and what it says."""
    from charges.cli.operate import open_pipeline
    from rules.engine import judge
    from rules.witness import consults, reads

    pipeline = open_pipeline()
    applied, seen = pipeline.facts(charge)
    found, written = _rule(rule, pipeline.book(applied))
    is_asked = written is None or written.concerns(seen.charge)
    said = judge([found] if is_asked else [], seen, applied.practice.weights(seen.charge))
    rows = [(path, _shown(value), _origin(path, seen)) for path, value in reads(found, seen).items()]
    asked = consults(found, seen)
    tree = _tree(written, seen) if written else []
    if as_json:
        print_json(
            {
                "charge": charge,
                "rule": found.id,
                "is_asked": is_asked,
                "facts": [{"at": path, "value": value, "origin": origin} for path, value, origin in rows],
                "tables": [asdict(each) for each in asked],
                "condition": tree,
                "findings": [each.model_dump(mode="json") for each in said],
            }
        )
        return
    out.print(f"{found.id} ({found.severity}): {found.title}", style="bold", markup=False)
    if not is_asked:
        out.print("The rule is about other payers and was not asked.")
    elif not found.concerns(seen.charge):
        out.print("The charge bills nothing that the rule is about.")
    table = Table("fact", "value", "origin")
    for row in rows:
        table.add_row(*row)
    if rows:
        out.print(table)
    if asked:
        rows_seen = Table("table", "asked", "answer", "release")
        for look in asked:
            rows_seen.add_row(look.table, look.asked, look.answer, look.release or "-")
        out.print(rows_seen)
    for each in tree:
        out.print(f"{each['at']:<10} {'yes' if each['holds'] else 'no ':<3} {each['says']}", markup=False)
    for finding in said:
        out.print(f"{finding.severity} {finding.at}: {finding.message} {finding.fix}", markup=False)
        for name, value in finding.evidence.items():
            out.print(f"  {name}: {value}", markup=False, style="dim")
    if not said:
        out.print("It has nothing to say.")


def _tree(written: "PayerRule", seen: "Facts") -> list[dict[str, Any]]:
    """The rule's condition with its truth, for every line or for the charge."""
    from rules.payer.conditions import said

    places = seen.billed if written.is_of_lines else seen.billed[:1]
    return [
        {"at": f"line {index + 1}" if written.is_of_lines else "charge", "holds": holds, "says": "  " * depth + says}
        for index, _ in places
        for depth, holds, says in said(written.condition, seen, index)
    ]


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    return "none" if value is None or value == "" else str(value)


def _origin(path: str, seen: "Facts") -> str:
    """Where the source, or the profile, gave a fact: its own origin, else that of what it is a part of."""
    if path.startswith("policy."):
        return "practice profile"
    if path.startswith("history"):
        return "earlier charges"
    from charges.sources.seen import origin

    return origin(seen.charge, path)
