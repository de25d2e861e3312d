"""`charges secondary`: claims to the payers after the first."""

from typing import Annotated

import typer

from charges.cli.shared import Actor, Reason, actor, out

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
