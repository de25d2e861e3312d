"""Measurement of the page: every page and every route of the API, asked by people of each role, on very many charges.

The routes are those of the program itself, so none is forgotten: one that needs something put into its address, and of which
nothing stands in ``_ADDRESSES``, ends the measurement with a sentence. Requests go through the whole program but no network,
one after the other; the time is from the request until the last byte of the answer.
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from charges.bench.pipeline import scratch_database
from charges.bench.stock import ENDPOINT, Stock, employ, fill
from charges.demo import prepared
from charges.errors import Refused
from charges.model import Severity
from charges.pipeline import Pipeline, Progress, no_progress, settle, utc_now
from charges.tables import Role
from charges.users import sessions, tokens
from charges.users.permissions import PERMISSIONS
from charges.web.app import create_app
from charges.web.security import cookie_name
from charges.web.site import Site

_ANSWERS = frozenset((200, 303))
_LEAST = 40
"""So often a route is asked at least where all roles are answered: of few times the 95th percentile is but the longest."""
_CHOSEN = 30
"""So many combinations of filters are drawn of the many that there are."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What one route took, in milliseconds, over all its addresses and viewers; ``slowest`` is the worst address.

    ``quiet_p95`` is of the shortest time of each address and viewer: what it would be on a machine with nothing else to do.
    """

    route: str
    addresses: int
    asked: int
    p50: float
    p95: float
    quiet_p95: float
    slowest: str
    slowest_p50: float


@dataclass(frozen=True, slots=True)
class Measured:
    """All routes, on so many charges and review items; ``seconds`` is what it took to make those."""

    charges: int
    items: int
    seconds: float
    timings: tuple[Timing, ...]

    def over(self, limit: float) -> tuple[Timing, ...]:
        """Routes whose p95 is over a limit."""
        return tuple(each for each in self.timings if each.p95 > limit)


def measure(items: int, times: int, seed: int, progress: Progress = no_progress, only: str = "") -> Measured:
    """Fill a PostgreSQL database of its own and ask each route so many times; raises Refused where there is no server.

    ``only`` keeps to the routes whose path begins so. ``progress`` is called with 1 after each route.
    """
    with tempfile.TemporaryDirectory() as folder, scratch_database() as url:
        if not url:
            raise Refused("No PostgreSQL answers. Say where one is with CHARGES_BENCH_DATABASE_URL.")
        with prepared(Path(folder), utc_now, url) as (pipeline, applied):
            started = time.perf_counter()
            stock = fill(pipeline, applied.practice, items, seed)
            seconds = time.perf_counter() - started
            for each in pipeline.practices() if any(path.startswith(only) for path in _OVERVIEWS) else ():
                pipeline.figures(each)
            timings = tuple(_timings(pipeline, stock, times, seed, progress, only))
    return Measured(stock.charges, stock.items, seconds, timings)


def asked_routes(app: FastAPI) -> list[str]:
    """The paths of everything that can be looked at."""
    paths = [
        f"{each.path}/{{file}}" if each.methods is None else str(each.path)
        for each in iter_route_contexts(app.routes)
        if each.methods is None or "GET" in each.methods  # what has no methods is a folder of files
    ]
    return list(dict.fromkeys(paths))


def addresses(app: FastAPI, stock: Stock, seed: int) -> Mapping[str, Sequence[str]]:
    """What is asked of each route; raises Refused when nobody said what a route is to be asked."""
    asked = {}
    for path in asked_routes(app):
        if path in _ADDRESSES:
            asked[path] = list(_ADDRESSES[path](stock, random.Random(seed)))  # noqa: S311 - a choice of views
        elif "{" in path:
            raise Refused(
                f"Nobody said what to ask of {path}. Give it addresses in charges/bench/web.py, so that it is measured too."
            )
        else:
            asked[path] = [path]
    return asked


class _Clocked:
    """The app, with how long its last answer took until its last byte."""

    def __init__(self, app: FastAPI) -> None:
        self.app, self.took = app, 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noticed(message: Message) -> None:
            await send(message)
            self.took = 1000 * (time.perf_counter() - started)

        started = time.perf_counter()
        await self.app(scope, receive, noticed)


def _timings(
    pipeline: Pipeline, stock: Stock, times: int, seed: int, progress: Progress, only: str
) -> Iterator[Timing]:
    database, clock = pipeline.database, pipeline.clock
    employ(database, pipeline, stock)
    app = create_app(database, pipeline.settings, clock)
    clocked = _Clocked(app)
    asked = addresses(app, stock, seed)
    settle()
    people = [_signed_in(clocked, app.state.site, role) for role in Role]
    for route, wanted in asked.items():
        if route.startswith(only):
            yield _timing(clocked, people, route, wanted, times)
            progress(1)


def _signed_in(clocked: _Clocked, site: Site, role: Role) -> TestClient:
    browser = TestClient(clocked, base_url=site.settings.web_url, follow_redirects=False)
    session = sessions.sign_in_vouched(site.database, role.value, clock=site.clock)
    browser.cookies.set(cookie_name(site), session)
    scopes = sorted(PERMISSIONS[role])
    token = tokens.make(site.database, role.value, "bench", scopes, days=1, by="bench", clock=site.clock)
    browser.headers["Authorization"] = f"Bearer {token}"
    return browser


def _timing(clocked: _Clocked, people: Sequence[TestClient], route: str, wanted: Sequence[str], times: int) -> Timing:
    times = max(times, _LEAST // (len(wanted) * len(people)))
    took: dict[str, list[float]] = {}
    shortest: list[float] = []
    for address, person in product(wanted, people):
        status = person.get(address).status_code  # not counted: what is compiled or read once is at hand afterwards
        if status not in _ANSWERS:
            if status in (403, 404):
                continue  # not for this role, or of a practice that this person does not see
            raise Refused(f"{address} answered {status}.")
        here = took.setdefault(address, [])
        for _ in range(times):
            person.get(address)
            here.append(clocked.took)
        shortest.append(min(here[-times:]))
    if not took:
        if route in _UNANSWERED:
            return Timing(route, 0, 0, 0, 0, 0, "", 0)
        raise Refused(f"Nobody of any role is answered by {route}.")
    everything = [each for some in took.values() for each in some]
    slowest = max(took, key=lambda each: median(took[each]))
    p50, p95, quiet = median(everything), _p95(everything), _p95(shortest)
    return Timing(route, len(took), len(everything), p50, p95, quiet, slowest, median(took[slowest]))


def _p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


_UNANSWERED = frozenset(("/sign-in/oidc", "/sign-in/oidc/back"))
"""What answers only where an identity provider is set up."""


def _views(stock: Stock, chance: random.Random) -> Iterator[dict[str, str]]:
    """Views of the queue: each filter alone in each order, and combinations of frequent and rare ones."""
    ends: Mapping[str, Sequence[str]] = {
        "practice": (stock.practices[0], stock.practices[2]),
        "payer": (stock.payers[0], stock.payers[-1]),
        "provider": (stock.providers[0], stock.providers[-1]),
        "rule": (stock.rules[0], stock.rules[5], stock.rules[-1]),
        "family": ("ncci", "modifiers"),
        "severity": (Severity.STOP.value, Severity.HOLD.value),
        "older": ("1", "60", "119"),
        "least": ("100", "2000"),
        "most": ("80",),
        "assignee": ("me", "nobody", "maren holt"),
        "shelf": ("snoozed", "asked", "all"),
    }
    orders = [{"sort": sort, "reverse": turned} for sort in ("deadline", "age", "dollars") for turned in ("", "1")]
    yield from orders
    for name, values in ends.items():
        for each in values:
            yield {**chance.choice(orders), name: each}
    for _ in range(_CHOSEN):
        names = chance.sample(sorted(ends), chance.choice((2, 2, 3, 4)))
        yield {**chance.choice(orders), **{name: chance.choice(ends[name]) for name in names}}
    yield {"patient": stock.patient}
    for order, key in (
        (orders[0], "2027-06-01~5000"),
        (orders[2], "2026-10-01T00:00:00+00:00~5000"),
        (orders[4], "300~9"),
    ):
        yield {**order, "after": key}
        yield {**order, "before": key}


def _queue(path: str) -> Callable[[Stock, random.Random], Iterator[str]]:
    def made(stock: Stock, chance: random.Random) -> Iterator[str]:
        for view in _views(stock, chance):
            is_for_programs = path.startswith("/api")
            query = {
                name: value for name, value in view.items() if value and not (is_for_programs and name == "patient")
            }
            yield f"{path}?{urlencode(query)}"

    return made


def _numbered(path: str, name: str, *queries: str) -> Callable[[Stock, random.Random], Iterator[str]]:
    """Some of those of a list of the stock in the place of ``{}``, each with each query."""

    def made(stock: Stock, chance: random.Random) -> Iterator[str]:
        known: Sequence[object] = range(1, stock.file_count + 1) if name == "files" else getattr(stock, name)
        some = [known[0], known[-1], *(chance.choice(known) for _ in range(5))]
        for each, query in product(some, queries or ("",)):
            yield path.format(each) + query

    return made


def _fixed(*addresses: str) -> Callable[[Stock, random.Random], Iterator[str]]:
    return lambda _stock, _chance: iter(addresses)


def _lists(path: str, *more: str) -> Callable[[Stock, random.Random], Iterator[str]]:
    """A list whole, of one practice, further down, and otherwise narrowed."""

    def made(stock: Stock, _chance: random.Random) -> Iterator[str]:
        yield path
        for query in (f"practice={stock.practices[0]}", f"before={max(stock.file_count // 2, 1)}", *more):
            yield f"{path}?{query}"

    return made


_OVERVIEWS = ("/overview", "/api/overview")
"""What shows figures, for which they are counted first."""


def _overview(path: str) -> Callable[[Stock, random.Random], Iterator[str]]:
    """The usual days and a year, of all practices and of one."""

    def made(stock: Stock, _chance: random.Random) -> Iterator[str]:
        year = utc_now().date() - timedelta(days=364)
        for query in ("", f"practice={stock.practices[0]}", f"from={year}"):
            yield f"{path}?{query}"

    return made


def _behind(path: str) -> Callable[[Stock, random.Random], Iterator[str]]:
    """Lists behind figures: what a rule held, what came in, what is held."""

    def made(stock: Stock, _chance: random.Random) -> Iterator[str]:
        for query in (f"measure=found&key={stock.rules[0]}", "measure=entered", "measure=held&key=0-2"):
            yield f"{path}?{query}"
            yield f"{path}?{query}&practice={stock.practices[0]}"

    return made


def _people(path: str) -> Callable[[Stock, random.Random], Iterator[str]]:
    return _fixed(path.format("biller"), path.format("person 0004"))


_ADDRESSES: Mapping[str, Callable[[Stock, random.Random], Iterator[str]]] = {
    "/static/{file}": _fixed("/static/app.css", "/static/app.js"),
    "/overview": _overview("/overview"),
    "/overview/behind": _behind("/overview/behind"),
    "/api/overview": _overview("/api/overview"),
    "/api/overview/behind": _behind("/api/overview/behind"),
    "/queue": _queue("/queue"),
    "/queue/groups": _queue("/queue/groups"),
    "/queue/export.csv": lambda stock, _: iter(
        [f"/queue/export.csv?rule={stock.rules[-1]}&provider={stock.providers[-1]}"]
    ),
    "/queue/corrections": _fixed("/queue/corrections", "/queue/corrections?after=1000"),
    "/charges/{number}": lambda stock, chance: iter(
        [
            *_numbered("/charges/{}", "billed")(stock, chance),
            *_numbered("/charges/{}", "held", "", f"?rule={stock.rules[0]}&provider={stock.providers[0]}")(
                stock, chance
            ),
        ]
    ),
    "/charges/{number}/here": _numbered("/charges/{}/here", "held", "?seen=0"),
    "/files": _lists("/files", "state=accepted", "state=rejected"),
    "/files/{number}": _numbered("/files/{}", "files"),
    "/files/{number}/content": _numbered("/files/{}/content", "files"),
    "/files/replies": _lists("/files/replies"),
    "/files/replies/{number}": _numbered("/files/replies/{}", "files"),
    "/rules": _fixed("/rules", "/rules?search=modifier"),
    "/rules/{rule}": _numbered("/rules/{}", "rules"),
    "/rules/payer/{code}/{name}": _numbered("/rules/payer/{}/new", "practices"),
    "/sources/{code}": _numbered("/sources/{}", "practices"),
    "/roll-out/{code}": _numbered("/roll-out/{}", "practices"),
    "/telling/{code}/{name}": _numbered(f"/telling/{{}}/{ENDPOINT}", "practices"),
    "/users": _fixed("/users", "/users?after=person+0003"),
    "/users/{name}": _people("/users/{}"),
    "/api/queue": _queue("/api/queue"),
    "/api/queue/groups": _queue("/api/queue/groups"),
    "/api/queue/corrections": _fixed("/api/queue/corrections", "/api/queue/corrections?after=1000"),
    "/api/charges/{number}": _numbered("/api/charges/{}", "held"),
    "/api/files": _lists("/api/files", "state=accepted", "limit=500"),
    "/api/files/{number}": _numbered("/api/files/{}", "files"),
    "/api/files/{number}/claims": _numbered("/api/files/{}/claims", "files", "", "?limit=500"),
    "/api/files/{number}/content": _numbered("/api/files/{}/content", "files"),
    "/api/replies": _lists("/api/replies"),
    "/api/replies/{number}/content": _numbered("/api/replies/{}/content", "files"),
    "/api/users": _fixed("/api/users", "/api/users?limit=500"),
    "/api/users/{name}/events": _people("/api/users/{}/events"),
}
"""What is asked of the routes whose address needs something, or can be asked in several ways."""
