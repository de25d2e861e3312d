"""The measurement of the page: on a small stock, and that no route can be forgotten."""

import json
from collections.abc import Callable

import pytest
from fastapi import FastAPI

from charges.bench import web as bench_web
from charges.bench.stock import Stock
from charges.errors import Refused
from charges.web.app import create_app
from tests.web.conftest import Hall

STOCK = Stock(
    practices=("practice-0", "practice-1", "practice-2"),
    payers=("PAY00", "PAY19"),
    providers=("1000000004", "1000000145"),
    rules=tuple(f"XXX-{number:03}" for number in range(10)),
    held=(1, 2),
    billed=(3,),
    file_count=2,
    patient="0" * 32,
    charges=3,
    items=3,
)


@pytest.mark.services
def test_pages_are_asked_by_people_of_each_role(charges: Callable[..., tuple[int, str, str]]) -> None:
    code, said, _ = charges("bench", "web", "--items", "1000", "--times", "1", "--only", "/files", "--json")
    measured = json.loads(said)
    assert code == 0
    assert measured["items"] == 1000
    assert {"/files", "/files/{number}", "/files/replies"} <= {each["route"] for each in measured["timings"]}
    assert all(each["asked"] >= each["addresses"] > 0 for each in measured["timings"])
    assert all(0 < each["p50"] <= each["p95"] for each in measured["timings"])


@pytest.mark.services
def test_a_route_over_the_limit_is_a_failure(charges: Callable[..., tuple[int, str, str]]) -> None:
    code, _, said = charges("bench", "web", "--items", "1000", "--times", "1", "--only", "/healthz", "--limit", "0.001")
    assert code == 1
    assert "Over 0.001 ms: /healthz." in said


def test_every_route_is_asked(hall: Hall) -> None:
    app = create_app(hall.database, hall.settings, hall.clock)
    asked = bench_web.addresses(app, STOCK, seed=1)
    assert {"/queue", "/api/queue/groups", "/metrics", "/healthz", "/roll-out/{code}"} <= asked.keys()
    assert all(asked.values())
    assert not any("{" in address for some in asked.values() for address in some)


def test_a_route_of_which_nobody_said_what_to_ask_ends_the_measurement() -> None:
    app = FastAPI()
    app.get("/new/{thing}")(lambda thing: thing)
    with pytest.raises(Refused, match=r"Nobody said what to ask of /new/\{thing\}"):
        bench_web.addresses(app, STOCK, seed=1)
