"""`charges users`: who may use the page and the API; `charges web` serves them."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from charges.cli.operate import open_pipeline
from charges.cli.shared import Actor, AsJson, Reason, actor, out, print_json
from charges.errors import Refused
from charges.tables.states import Role

if TYPE_CHECKING:
    from charges.users.accounts import Credentials, Wanted

app = typer.Typer(help="The people who use the page, and tokens of programs.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The user's name.")]
Practices = Annotated[
    list[str] | None, typer.Option("--practice", help="A practice that the user may see; give it again for more.")
]
All = Annotated[bool, typer.Option("--all-practices", help="All practices, also those that come later.")]
Subject = Annotated[
    str, typer.Option("--oidc", help="What the identity provider calls the person (sub); no password here then.")
]


def _wanted(role: Role, practices: list[str] | None, every: bool, subject: str = "") -> "Wanted":
    from charges.users.accounts import Wanted

    if bool(practices) == every:
        raise Refused(
            "Say which practices the user may see: --practice CODE, more than once if need be, or --all-practices."
        )
    return Wanted(role, tuple(practices or ()), sees_all=every, subject=subject)


@app.command()
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="What the person is there for.")],
    practice: Practices = None,
    all_practices: All = False,
    oidc: Subject = "",
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Add a user, and print once what to hand over: a one-time password, the authenticator's secret, recovery codes."""
    from charges.users import accounts

    pipeline = open_pipeline()
    wanted = _wanted(role, practice, all_practices, oidc)
    made = accounts.add(pipeline.database, name, wanted, by=actor(by), clock=pipeline.clock)
    if made is None:
        out.print(f"{name} signs in with the identity provider.", markup=False)
    else:
        print_credentials(made, as_json=as_json)


@app.command()
def change(
    name: Name,
    role: Annotated[Role, typer.Option(help="What the person is there for.")],
    practice: Practices = None,
    all_practices: All = False,
    by: Actor = "",
) -> None:
    """Give a user another role and other practices; it counts from the next click on."""
    from charges.users import accounts

    pipeline = open_pipeline()
    wanted = _wanted(role, practice, all_practices)
    accounts.change(pipeline.database, name, wanted, by=actor(by), clock=pipeline.clock)
    out.print(f"{name} is changed.", markup=False)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the users, and who sees a practice because of an emergency."""
    from charges.users import accounts

    pipeline = open_pipeline()
    now = pipeline.clock()
    found = accounts.listed(pipeline.database, now)
    if as_json:
        print_json([each.as_json() for each in found])
        return
    table = Table("user", "role", "state", "practices", "in an emergency")
    for each in found:
        locked = bool(each.locked_until and each.locked_until > now)
        table.add_row(
            each.name,
            each.role,
            "locked" if locked else each.status,
            "all" if each.sees_all else " ".join(each.practices),
            ", ".join(f"{code} until {until:%Y-%m-%d %H:%M} UTC" for code, until in each.emergencies),
        )
    out.print(table if found else "No user yet. `charges users add NAME --role biller --practice CODE` adds one.")


@app.command()
def disable(name: Name, reason: Reason = "", by: Actor = "") -> None:
    """End all sessions and tokens of a user, who signs in no more."""
    from charges.users import accounts

    pipeline = open_pipeline()
    accounts.disable(pipeline.database, name, by=actor(by), because=reason, clock=pipeline.clock)
    out.print(f"{name} is disabled.", markup=False)


@app.command()
def enable(name: Name, reason: Reason = "", by: Actor = "") -> None:
    """Let a disabled user sign in again."""
    from charges.users import accounts

    pipeline = open_pipeline()
    accounts.enable(pipeline.database, name, by=actor(by), because=reason, clock=pipeline.clock)
    out.print(f"{name} may sign in again.", markup=False)


@app.command()
def reset(name: Name, reason: Reason = "", by: Actor = "", as_json: AsJson = False) -> None:
    """Give a user a new one-time password, authenticator's secret and recovery codes; ends a lock and all sessions."""
    from charges.users import accounts

    pipeline = open_pipeline()
    made = accounts.reset(pipeline.database, name, by=actor(by), because=reason, clock=pipeline.clock)
    print_credentials(made, as_json=as_json)


@app.command()
def emergency(
    name: Name,
    practice: Annotated[str, typer.Option("--practice", help="The practice to open, by its code.")],
    hours: Annotated[int, typer.Option(help="For how many hours.", min=1, max=24)] = 4,
    reason: Reason = "",
    by: Actor = "",
) -> None:
    """Let a user see a practice that is not theirs for some hours; it is shown to all who look after users."""
    from charges.users import accounts

    pipeline = open_pipeline()
    until = accounts.open_in_emergency(
        pipeline.database, name, practice, hours=hours, by=actor(by), because=reason, clock=pipeline.clock
    )
    out.print(f"{name} sees {practice} until {until:%Y-%m-%d %H:%M} UTC.", markup=False)


@app.command()
def token(
    name: Name,
    label: Annotated[str, typer.Option(help="Which program has it.")],
    scope: Annotated[list[str], typer.Option(help="What it may do, for example files:read; give it again for more.")],
    days: Annotated[int, typer.Option(help="How many days it lasts.", min=1, max=365)] = 90,
    by: Actor = "",
) -> None:
    """Make a token of the JSON API and print it once; it may do what its user may, within its scopes."""
    from charges.users import tokens

    pipeline = open_pipeline()
    made = tokens.make(pipeline.database, name, label, scope, days=days, by=actor(by), clock=pipeline.clock)
    typer.echo(made)


@app.command("tokens")
def list_tokens(as_json: AsJson = False) -> None:
    """List the tokens; nobody can show one again."""
    from charges.users import tokens

    found = tokens.listed(open_pipeline().database)
    if as_json:
        print_json([each.as_json() for each in found])
        return
    table = Table("user", "label", "scopes", "ends", "last used")
    for each in found:
        used = f"{each.used_at:%Y-%m-%d %H:%M}" if each.used_at else ""
        table.add_row(each.user, each.label, " ".join(each.scopes), f"{each.ends_at:%Y-%m-%d}", used)
    out.print(table if found else "There is no token.")


@app.command()
def revoke(name: Name, label: Annotated[str, typer.Option(help="The token's label.")], by: Actor = "") -> None:
    """End a token at once."""
    from charges.users import tokens

    pipeline = open_pipeline()
    tokens.revoke(pipeline.database, name, label, by=actor(by), clock=pipeline.clock)
    out.print(f"The token {label} of {name} is revoked.", markup=False)


def print_credentials(made: "Credentials", *, as_json: bool = False) -> None:
    """What a person is handed once."""
    if as_json:
        print_json(
            {
                "user": made.name,
                "password": made.password,
                "totp": made.totp,
                "address": made.address,
                "recovery_codes": list(made.recovery_codes),
            }
        )
        return
    out.print(f"Hand this to {made.name}; it is not shown again.", markup=False)
    out.print(f"  one-time password     {made.password}", markup=False)
    out.print(f"  authenticator secret  {made.totp}", markup=False)
    out.print(f"  the same as address   {made.address}", markup=False)
    out.print(f"  recovery codes        {' '.join(made.recovery_codes)}", markup=False)
