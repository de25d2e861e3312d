"""`charges practice`: the profiles."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from charges.cli.shared import Actor, AsJson, actor, out, print_json

app = typer.Typer(help="The practices and their profiles.", no_args_is_help=True)


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="The profile, a YAML file.")],
    by: Actor = "",
    check: Annotated[bool, typer.Option("--check", help="Only say whether the file is good.")] = False,
) -> None:
    """Apply a practice's profile; a file with any fault is refused whole, with all its faults."""
    from charges.practice.profile import read_profile
    from charges.tables import Mode

    profile = read_profile(file)
    if check:
        out.print(f"{file.name} is good: {profile.name} ({profile.code}).", markup=False)
        return
    from charges.cli.operate import open_pipeline

    pipeline = open_pipeline()
    changed = pipeline.apply(profile, actor(by))
    out.print(f"{profile.name} ({profile.code}) {'is applied' if changed else 'is unchanged'}.", markup=False)
    if pipeline.practice(profile.code).standing.mode is Mode.OBSERVE:
        out.print("It is in observe: charges are judged, and nothing leaves. See `charges rollout show`.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the practices."""
    from charges.cli.operate import open_pipeline

    practices = [(applied.practice, applied.standing.mode) for applied in open_pipeline().practices()]
    if as_json:
        print_json([{"code": each.code, "name": each.name, "roll_out": mode} for each, mode in practices])
        return
    table = Table("code", "name", "source", "sends to", "roll-out")
    for each, mode in practices:
        table.add_row(each.code, each.name, each.source.kind, each.trading_partner.code, mode)
    out.print(table if practices else "No practice yet. Apply a profile with `charges practice apply FILE.yaml`.")


@app.command()
def example() -> None:
    """Print the documented example of a profile, to start your own from."""
    from importlib.resources import files

    typer.echo(files("charges").joinpath("practice/examples/lakeside.yaml").read_text(encoding="utf-8"), nl=False)
