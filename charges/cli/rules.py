"""`charges rules` and `charges explain`: the rules that judge, those that come with it and those of payers."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from charges.cli.shared import AsJson, out, print_json
from charges.errors import BadRules

if TYPE_CHECKING:
    from rules.payer.book import Book

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
    from charges.desk.explaining import rule_of
    from rules.engine import load

    found, _ = rule_of(rule, load(), _book(practice))
    out.print(f"{found.id} ({found.severity})", style="bold", markup=False)
    out.print(found.documentation.strip(), markup=False)


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
    from charges.desk.explaining import explain as explained

    pipeline = open_pipeline()
    applied, seen = pipeline.facts(charge)
    told = explained(rule, pipeline.rules, pipeline.book(applied), applied.practice, seen)
    found = told.rule
    if as_json:
        print_json(
            {
                "charge": charge,
                "rule": found.id,
                "is_asked": told.is_asked,
                "facts": [asdict(each) for each in told.facts],
                "tables": [asdict(each) for each in told.tables],
                "condition": [
                    {"at": each.at, "holds": each.holds, "says": "  " * each.depth + each.says}
                    for each in told.condition
                ],
                "findings": [each.model_dump(mode="json") for each in told.findings],
            }
        )
        return
    out.print(f"{found.id} ({found.severity}): {found.title}", style="bold", markup=False)
    if not told.is_asked:
        out.print("The rule is about other payers and was not asked.")
    elif not found.concerns(seen.charge):
        out.print("The charge bills nothing that the rule is about.")
    table = Table("fact", "value", "origin")
    for each in told.facts:
        table.add_row(each.at, each.value, each.origin)
    if told.facts:
        out.print(table)
    if told.tables:
        rows_seen = Table("table", "asked", "answer", "release")
        for look in told.tables:
            rows_seen.add_row(look.table, look.asked, look.answer, look.release or "-")
        out.print(rows_seen)
    for step in told.condition:
        says = "  " * step.depth + step.says
        out.print(f"{step.at:<10} {'yes' if step.holds else 'no ':<3} {says}", markup=False)
    for finding in told.findings:
        out.print(f"{finding.severity} {finding.at}: {finding.message} {finding.fix}", markup=False)
        for name, value in finding.evidence.items():
            out.print(f"  {name}: {value}", markup=False, style="dim")
    if not told.findings:
        out.print("It has nothing to say.")
