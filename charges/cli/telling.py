"""`charges telling`: who is told what happens, without asking."""

from typing import Annotated

import typer
from rich.table import Table

from charges.cli.operate import open_pipeline
from charges.cli.shared import Actor, AsJson, actor, counted, out, print_json

app = typer.Typer(help="Who is told when something needs a person: webhooks' endpoints.", no_args_is_help=True)

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


def _print_secret(name: str, made: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"endpoint": name, "secret": made})
        return
    out.print(f"Messages to {name} are signed with this secret; it is not shown again.", markup=False)
    typer.echo(made)
