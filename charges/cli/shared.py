"""What the commands share: where they write, how they open the database, how they ask who acts."""

import getpass
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from charges.errors import Refused

if TYPE_CHECKING:
    from charges.db import Database

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Actor = Annotated[
    str,
    typer.Option("--by", envvar="CHARGES_ACTOR", help="Who acts; your login name when not given.", show_default=False),
]
Reason = Annotated[
    str, typer.Option("--reason", "--because", help="Why; it stands in the charge's history.", show_default=False)
]


def counted(count: int, thing: str, things: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "file"), counted(2, "file"), counted(0, "reply", "replies")
    ('1 file', '2 files', '0 replies')
    """
    return f"{count} {thing if count == 1 else things or thing + 's'}"


def print_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can say
    """One JSON value on standard output."""
    typer.echo(json.dumps(value, default=str))


def actor(given: str) -> str:
    """Who acts: the name given, else the login name."""
    return given or getpass.getuser()


def parse_day(text: str) -> date:
    """A day given on the command line as YYYY-MM-DD; raises Refused."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text} is not a day; write it as YYYY-MM-DD.") from None


def clock_at(day: str) -> Callable[[], datetime]:
    """A clock that stands at noon (UTC) of a given day, or the real one when none is given."""
    if not day:
        from charges.pipeline import utc_now

        return utc_now
    noon = datetime.combine(parse_day(day), time(18), tzinfo=UTC)
    return lambda: noon


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal's standard error, nothing elsewhere; yields the function to advance it."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def tell_overdue(database: "Database") -> None:
    """On standard error, what should have come back by now."""
    from charges.replies.overdue import standing

    for alarm in standing(database):
        err.print(alarm.sentence, style="yellow", markup=False)


def tell_stopped(database: "Database", practice: str = "") -> None:
    """On standard error, a line for each source whose records changed so that nothing of it is routed."""
    from charges.drift import breakers

    for each in breakers.watched(database, practice):
        if each.stops:
            err.print(f"{each.practice}: {each.sentence}", style="bold red", markup=False)
