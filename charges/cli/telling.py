"""`charges telling`: who is told what happens, without asking."""

from typing import Annotated

import typer
from rich.table import Table

from charges.cli.operate import open_pipeline
from charges.cli.shared import Actor, AsJson, actor, counted, err, out, print_json

app = typer.Typer(
    help="Who is told when something needs a person: people by e-mail, other systems by webhooks.", no_args_is_help=True
)

Practice = Annotated[str, typer.Argument(help="The practice's code.")]
Name = Annotated[str, typer.Argument(help="The endpoint's name.")]
Topics = Annotated[
    list[str] | None,
    typer.Option("--topic", help="What to tell, for example breaker.open; give it again for more. All when not given."),
]


@app.command("topics")
def list_topics(as_json: AsJson = False) -> None:
    """List what can be told."""
    from charges.telling.topics import MEANINGS, URGENT

    if as_json:
        print_json([{"topic": each, "urgent": each in URGENT, "meaning": says} for each, says in MEANINGS.items()])
        return
    table = Table("topic", "tells that", "urgent")
    for topic, says in MEANINGS.items():
        table.add_row(topic, says, "yes" if topic in URGENT else "")
    out.print(table)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the endpoints. Exit 1 when one takes no messages."""
    from charges.telling import endpoints

    found = endpoints.listed(open_pipeline().database)
    if as_json:
        print_json([each.as_json() for each in found])
    else:
        table = Table("practice", "endpoint", "address", "topics", "state", "messages")
        for each in found:
            topics = " ".join(each.topics)
            table.add_row(each.practice, each.name, each.url, topics, each.state, each.sentence)
        out.print(table if found else "No endpoint yet. `charges telling add PRACTICE NAME URL` adds one.")
    if any(each.state != "answers" for each in found):
        raise typer.Exit(1)


@app.command()
def add(
    practice: Practice,
    name: Name,
    url: Annotated[str, typer.Argument(help="Where messages go: https://NAME/PATH.")],
    topic: Topics = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Have a practice's news sent to a URL, and print once the secret that signs them."""
    from charges.telling import endpoints
    from charges.telling.webhooks import read_networks

    pipeline = open_pipeline()
    networks = read_networks(pipeline.settings.webhook_networks)
    made = endpoints.add(
        pipeline.database, practice, name, url, topic or (), networks=networks, by=actor(by), clock=pipeline.clock
    )
    _print_secret(name, made, as_json=as_json)


@app.command()
def rotate(
    practice: Practice,
    name: Name,
    hours: Annotated[int, typer.Option(help="For how many hours the secret of before signs too.", min=0, max=720)] = 48,
    as_json: AsJson = False,
) -> None:
    """Make a new secret and print it once; both sign until the receiver had time to change."""
    from charges.telling import endpoints

    pipeline = open_pipeline()
    made = endpoints.rotate(pipeline.database, practice, name, hours=hours, clock=pipeline.clock)
    _print_secret(name, made, as_json=as_json)


@app.command()
def remove(practice: Practice, name: Name, by: Actor = "") -> None:
    """Tell an endpoint nothing more; messages that did not arrive are dropped."""
    from charges.telling import endpoints

    pipeline = open_pipeline()
    dropped = endpoints.remove(pipeline.database, practice, name, by=actor(by), clock=pipeline.clock)
    out.print(f"{name} is told nothing more; {counted(dropped, 'message')} had not arrived.", markup=False)


@app.command("test")
def send_test(practice: Practice, name: Name) -> None:
    """Send an endpoint a message of type `test` now. Exit 2 or 3 when it does not take it."""
    from charges.telling import delivering

    pipeline = open_pipeline()
    delivering.send_test(pipeline.database, pipeline.settings, practice, name, pipeline.clock)
    out.print(f"{name} took the test message.", markup=False)


@app.command()
def show(practice: Practice, name: Name, as_json: AsJson = False) -> None:
    """Show an endpoint with the last messages to it, and why one did not arrive."""
    from charges.telling import endpoints

    database = open_pipeline().database
    found, messages = endpoints.endpoint(database, practice, name), endpoints.sent(database, practice, name)
    if as_json:
        print_json(found.as_json() | {"messages": [each.as_json() for each in messages]})
        return
    out.print(f"{found.name} of {found.practice}: {found.url}", markup=False)
    out.print(f"  {found.state}: {found.sentence}", markup=False)
    if found.signs_twice_until:
        out.print(f"  two secrets sign until {found.signs_twice_until:%Y-%m-%d %H:%M} UTC", markup=False)
    table = Table("made (UTC)", "topic", "state", "tries", "id", "why not")
    for each in messages:
        made = f"{each.made_at:%Y-%m-%d %H:%M}"
        table.add_row(made, each.topic, each.state.replace("_", " "), str(each.tries), each.uid, each.fault)
    if messages:
        out.print(table)


User = Annotated[str, typer.Argument(help="The user's name.")]


@app.command()
def people(as_json: AsJson = False) -> None:
    """List who is told what by e-mail. Exit 1 when a mail to somebody does not arrive."""
    from charges.telling import subscriptions

    found = subscriptions.listed(open_pipeline().database)
    if as_json:
        print_json([each.as_json() for each in found])
    else:
        table = Table("user", "address", "topics", "urgent", "digest at", "does not arrive because")
        for each in found:
            how = "at once" if each.at_once else "in the digest"
            table.add_row(each.user, each.address, " ".join(each.topics), how, f"{each.hour}:00", each.fault)
        out.print(
            table if found else "Nobody yet. `charges telling subscribe USER --to ADDRESS` tells a user by e-mail."
        )
    if any(each.fault for each in found):
        raise typer.Exit(1)


@app.command()
def subscribe(
    user: User,
    to: Annotated[str, typer.Option("--to", help="The address of the user's mailbox.")],
    topic: Annotated[
        list[str] | None,
        typer.Option(
            "--topic", help="What to tell; give it again for more. What is usual for the role when not given."
        ),
    ] = None,
    hour: Annotated[int, typer.Option(help="When the digest comes, in the practice's time zone.", min=0, max=23)] = 7,
    digest_only: Annotated[bool, typer.Option("--digest-only", help="Urgent news wait for the digest too.")] = False,
    by: Actor = "",
) -> None:
    """Tell a user by e-mail from now on, or otherwise than before."""
    from charges.telling import subscriptions
    from charges.telling.subscriptions import Wish

    pipeline = open_pipeline()
    wish = Wish(to, topic, at_once=not digest_only, hour=hour)
    made = subscriptions.subscribe(pipeline.database, user, wish, by=actor(by), clock=pipeline.clock)
    out.print(f"{made.user} is told {', '.join(made.topics)} at {made.address}.", markup=False)
    if not pipeline.settings.smtp_host:
        err.print("No mail is sent before CHARGES_SMTP_HOST is set.", style="yellow", markup=False)


@app.command()
def unsubscribe(user: User, by: Actor = "") -> None:
    """Tell a user nothing more by e-mail."""
    from charges.telling import subscriptions

    pipeline = open_pipeline()
    subscriptions.unsubscribe(pipeline.database, user, by=actor(by), clock=pipeline.clock)
    out.print(f"{user} is told nothing more.", markup=False)


@app.command("test-mail")
def send_test_mail(user: User) -> None:
    """Send a user a mail that tells nothing, now. Exit 2 or 3 when the server does not take it."""
    from charges.telling import delivering

    pipeline = open_pipeline()
    address = delivering.send_test_mail(pipeline.database, pipeline.settings, user, pipeline.clock)
    out.print(f"The server took a test mail for {address}.", markup=False)


def _print_secret(name: str, made: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"endpoint": name, "secret": made})
        return
    out.print(f"Messages to {name} are signed with this secret; it is not shown again.", markup=False)
    typer.echo(made)
