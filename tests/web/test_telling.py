"""Telling in the browser: what one is told oneself, and for operators which other systems are told."""

from collections.abc import Iterator

import pytest

from charges.settings import Settings
from charges.tables import Role, Topic
from charges.telling import subscriptions
from charges.users import accounts
from tests.practice import Workplace
from tests.telling.listeners import HERE, Post, Receiver, listening
from tests.web.conftest import Hall

ADDRESS = {"address": "ann@lakeside.example", "hour": "8"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening(Receiver()) as listener:
        yield listener


@pytest.fixture
def telling_hall(hall: Hall) -> Hall:
    """The installation, which may tell receivers on this machine."""
    return Hall(hall.workplace, Settings(webhook_networks=HERE))


def told(hall: Hall, workplace: Workplace, receiver: Receiver, practice: str = "lakeside") -> Post:
    post = Post(workplace)
    post.add(receiver, practice=practice)
    return post


def test_one_chooses_what_one_is_told(hall: Hall) -> None:
    browser = hall.signed_in("ann", Role.BILLER)
    shown = browser.get("/account/telling").text
    assert "sends no mail yet" in shown
    assert "held charges must be filed soon" in shown
    assert "endpoint does not answer" not in shown, "nothing for a biller"
    assert 'name="topic" value="deadline.near" checked' in shown
    chosen = browser.submit("/account/telling", ADDRESS | {"topic": "deadline.near"})
    assert chosen.status_code == 303
    own = subscriptions.of(hall.database, "ann")
    assert own is not None
    assert (own.address, own.topics, own.at_once, own.hour) == (
        "ann@lakeside.example", (Topic.DEADLINE_NEAR,), False, 8,
    )  # fmt: skip
    shown = browser.get("/account/telling").text
    assert 'name="topic" value="queue.long">' in shown
    assert 'value="8" selected' in shown
    assert browser.submit("/account/telling/stop").status_code == 303
    assert subscriptions.of(hall.database, "ann") is None
    assert accounts.history(hall.database, "ann")[0].what == "told no more"


@pytest.mark.parametrize(
    "fields",
    [
        {"address": "nobody", "topic": "queue.long"},
        ADDRESS | {"topic": "endpoint.silent"},
        ADDRESS | {"topic": "weather"},
        ADDRESS,
        ADDRESS | {"topic": "queue.long", "hour": "25"},
    ],
)
def test_what_cannot_be_told_is_refused(hall: Hall, fields: dict[str, str]) -> None:
    browser = hall.signed_in("ann", Role.BILLER)
    assert browser.submit("/account/telling", fields).status_code == 400
    assert subscriptions.of(hall.database, "ann") is None


def test_an_operator_sees_the_endpoints_of_their_practices_and_sends_a_test(
    telling_hall: Hall, receiver: Receiver
) -> None:
    post = told(telling_hall, telling_hall.workplace, receiver)
    post.add(receiver, name="neighbour", practice="hillside")
    receiver.answers = [500, 204]
    post.open_breaker()
    post.later()
    browser = telling_hall.signed_in("olu", Role.OPERATOR)
    shown = browser.get("/telling").text
    assert "vendor" in shown
    assert "silent" in shown
    assert "neighbour" not in shown
    assert browser.get("/telling/hillside/neighbour").status_code == 404
    shown = browser.get("/telling/lakeside/vendor").text
    assert "127.0.0.1 answered 500." in shown
    assert "breaker.open" in shown
    assert "whsec_" not in shown
    assert browser.submit("/telling/lakeside/vendor/test").status_code == 303
    assert len(receiver.got) == 2
    assert "The test message was taken." in browser.get("/telling/lakeside/vendor").text


def test_a_test_that_is_not_taken_is_said(telling_hall: Hall, receiver: Receiver) -> None:
    told(telling_hall, telling_hall.workplace, receiver)
    receiver.answers = [503]
    browser = telling_hall.signed_in("olu", Role.OPERATOR)
    browser.submit("/telling/lakeside/vendor/test")
    assert "was not taken. 127.0.0.1 answered 503." in browser.get("/telling/lakeside/vendor").text


def test_messages_that_wait_are_numbers_for_prometheus(telling_hall: Hall, receiver: Receiver) -> None:
    receiver.answers = [500]
    post = told(telling_hall, telling_hall.workplace, receiver)
    post.add(receiver, name="neighbour", practice="hillside")
    post.open_breaker()
    post.later()
    numbers = telling_hall.program("metrics:read", role=Role.OPERATOR).get("/metrics").text
    assert 'chargerouter_webhook_messages{endpoint="vendor",practice="lakeside",state="waiting"} 1.0' in numbers
    assert "neighbour" not in numbers


def test_where_nobody_is_told_the_command_is_named(hall: Hall) -> None:
    assert "charges telling add" in hall.signed_in("olu", Role.OPERATOR).get("/telling").text
