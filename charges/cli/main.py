"""All commands, and the one place where an error becomes a sentence and an exit code."""

import sys

import typer

from charges.cli import (
    claims,
    drift,
    keys,
    listen,
    money,
    operate,
    practice,
    refdata,
    review,
    rollout,
    rules,
    sources,
    telling,
    try_out,
    users,
    web,
)
from charges.cli.shared import err
from charges.errors import ChargerouterError
from charges.log import place

app = typer.Typer(
    name="charges",
    help="From a charge in the practice's system to a claim at the payer, or to a person who can mend it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
operate.add_to(app)
sources.add_to(app)
claims.add_to(app)
listen.add_to(app)
try_out.add_to(app)
app.command()(rules.explain)
app.command()(web.web)
app.add_typer(practice.app, name="practice")
app.add_typer(rollout.app, name="rollout")
app.add_typer(review.app, name="review")
app.add_typer(rules.app, name="rules")
app.add_typer(refdata.app, name="refdata")
app.add_typer(keys.app, name="keys")
app.add_typer(claims.files, name="files")
app.add_typer(money.payments, name="payments")
money.add_to(app)
app.add_typer(money.secondary, name="secondary")
app.add_typer(drift.app, name="drift")
app.add_typer(telling.app, name="telling")
app.add_typer(users.app, name="users")
app.add_typer(operate.db, name="db")


def main(arguments: list[str] | None = None) -> None:
    """Run a command; whatever happens, the user reads a sentence and never a traceback."""
    try:
        sys.exit(app(args=arguments, standalone_mode=False) or 0)
    except ChargerouterError as error:
        err.print(str(error), style="red", markup=False)
        sys.exit(error.exit_code)
    except typer.Exit as asked:
        sys.exit(asked.exit_code)
    except typer.TyperException as wrong:
        err.print(wrong.format_message(), style="red", markup=False)
        sys.exit(wrong.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        err.print("Stopped. What was done so far is kept; run again to go on.", style="yellow")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - a bug of ours; its text may hold patient data
        where = place(error)
        err.print(
            f"Chargerouter made a mistake ({type(error).__name__} in {where}). Nothing that was stored is lost. "
            "Please report these words.",
            style="red",
            markup=False,
        )
        sys.exit(70)
