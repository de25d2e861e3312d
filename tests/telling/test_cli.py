"""The commands of telling as operators meet them."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from charges.telling import outbox
from charges.telling.delivering import Told
from tests.conftest import Charges
from tests.practice import Workplace
from tests.telling.listeners import HERE, Post, Receiver, listening
from tests.telling.mailboxes import Mailbox, receiving


@pytest.fixture
def office(charges: Charges, installed_workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> Post:
    """An installation whose commands may tell receivers on this machine."""
    monkeypatch.setenv("CHARGES_WEBHOOK_NETWORKS", HERE)
    monkeypatch.setenv("LAKESIDE_SECRET", "x")
    return Post(installed_workplace)


def test_an_endpoint_is_added_tested_shown_and_removed(charges: Charges, office: Post, receiver: Receiver) -> None:
    assert "No endpoint yet" in charges("telling", "list")[1]
    code, out, _ = charges("telling", "add", "lakeside", "pager", receiver.url, "--topic", "breaker.open")
    assert code == 0
    assert "whsec_" in out
    code, out, _ = charges("telling", "test", "lakeside", "pager")
    assert (code, out) == (0, "pager took the test message.\n")
    (shown,) = json.loads(charges("telling", "list", "--json")[1])
    assert (shown["name"], shown["state"], shown["topics"]) == ("pager", "answers", ["breaker.open"])
    assert "secret" not in json.dumps(shown)
    before = json.loads(charges("telling", "rotate", "lakeside", "pager", "--json")[1])
    assert before["secret"].startswith("whsec_")
    assert "two secrets sign until" in charges("telling", "show", "lakeside", "pager")[1]
    assert "told nothing more" in charges("telling", "remove", "lakeside", "pager")[1]
    assert json.loads(charges("telling", "list", "--json")[1]) == []


def test_work_tells_although_the_source_is_away(charges: Charges, office: Post, receiver: Receiver) -> None:
    charges("telling", "add", "lakeside", "pager", receiver.url)
    office.open_breaker()
    receiver.answers = [500, 204]
    code, _, err = charges("work")
    assert code == 3
    assert "1 message did not arrive" in err
    assert [json.loads(each.body)["type"] for each in receiver.got] == ["breaker.open"]
    code, out, _ = charges("telling", "list")
    assert code == 1
    assert "silent" in out
    shown = json.loads(charges("telling", "show", "lakeside", "pager", "--json")[1])
    (message,) = shown["messages"]
    assert (message["state"], message["tries"], message["fault"]) == ("waiting", 1, "127.0.0.1 answered 500.")


def test_an_endpoint_that_takes_no_test_is_an_exit_code(charges: Charges, office: Post, receiver: Receiver) -> None:
    charges("telling", "add", "lakeside", "pager", receiver.url)
    receiver.answers = [503]
    code, _, err = charges("telling", "test", "lakeside", "pager")
    assert (code, err) == (3, "127.0.0.1 answered 503.\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "nowhere", "x", "https://a.example/"), "No practice is called nowhere"),
        (("add", "lakeside", "x", "http://a.example/"), "begins with https://"),
        (("add", "lakeside", "x", "https://10.0.0.1/"), "CHARGES_WEBHOOK_NETWORKS"),
        (("add", "lakeside", "x", "https://a.example/", "--topic", "weather"), "weather is nothing that can be told"),
        (("show", "lakeside", "x"), "no endpoint x"),
        (("test", "lakeside", "x"), "no endpoint x"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    charges: Charges, office: Post, words: tuple[str, ...], says: str
) -> None:
    code, _, err = charges("telling", *words)
    assert code == 2
    assert says in err


def test_the_topics_are_listed(charges: Charges) -> None:
    assert "file.rejected" in charges("telling", "topics")[1]
    listed = json.loads(charges("telling", "topics", "--json")[1])
    assert {
        "topic": "queue.long",
        "urgent": False,
        "meaning": "more charges are held than the practice's limit",
    } in listed


def test_a_user_is_told_by_mail_through_the_commands(
    charges: Charges, office: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    charges("users", "add", "Ann", "--role", "lead", "--practice", "lakeside")
    code, out, err = charges("telling", "subscribe", "Ann", "--to", "ann@lakeside.example", "--topic", "breaker.open")
    assert (code, out) == (0, "ann is told breaker.open at ann@lakeside.example.\n")
    assert "CHARGES_SMTP_HOST" in err
    assert charges("telling", "test-mail", "Ann")[0] == 2
    with receiving(Mailbox()) as mailbox:
        for name, value in (("HOST", "127.0.0.1"), ("PORT", str(mailbox.port)), ("TLS", "none")):
            monkeypatch.setenv(f"CHARGES_SMTP_{name}", value)
        monkeypatch.setenv("CHARGES_MAIL_FROM", "charges@lakeside.example")
        assert charges("telling", "test-mail", "Ann")[0] == 0
        office.open_breaker()
        charges("work")
        assert "nothing happened" in mailbox.text(0)
        assert "records of eclinicalworks" in mailbox.text(1)
        assert charges("telling", "people")[0] == 0
        mailbox.answers = ["550 no"]
        office.close_breakers()
        office.open_breaker(2)
        charges("work")
        code, out, _ = charges("telling", "people", "--json")
        (shown,) = json.loads(out)
        assert (code, shown["given_up"], shown["user"]) == (1, 1, "ann")
    assert charges("telling", "unsubscribe", "Ann")[0] == 0
    assert json.loads(charges("telling", "people", "--json")[1]) == []
    assert charges("telling", "unsubscribe", "Ann")[0] == 2


def test_doctor_asks_the_mail_server_and_the_endpoints_and_sends_nothing(
    charges: Charges, office: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def says() -> dict[str, tuple[bool, str]]:
        found = json.loads(charges("doctor", "--json")[1])
        return {each["what"]: (each["ok"], each["says"]) for each in found}

    charges("telling", "add", "lakeside", "pager", receiver.url)
    assert says()["mail server"] == (True, "none: nobody is told by mail")
    charges("users", "add", "Ann", "--role", "lead", "--practice", "lakeside")
    charges("telling", "subscribe", "Ann", "--to", "ann@lakeside.example")
    assert says()["mail server"] == (False, "1 user wants mail, and CHARGES_SMTP_HOST is not set")
    with receiving(Mailbox()) as mailbox:
        for name, value in (("HOST", "127.0.0.1"), ("PORT", str(mailbox.port)), ("TLS", "none")):
            monkeypatch.setenv(f"CHARGES_SMTP_{name}", value)
        monkeypatch.setenv("CHARGES_MAIL_FROM", "charges@lakeside.example")
        found = says()
        assert found["mail server"] == (True, "127.0.0.1 lets us in")
        assert found["endpoint pager of lakeside"] == (True, "every message arrived")
        assert (mailbox.mails, receiver.got) == ([], [])
    found = says()
    assert not found["mail server"][0]
    monkeypatch.setenv("CHARGES_WEBHOOK_NETWORKS", "")
    assert "private address" in says()["endpoint pager of lakeside"][1]


def test_doctor_says_which_endpoint_is_away(charges: Charges, office: Post) -> None:
    with listening(Receiver()) as closed:
        charges("telling", "add", "lakeside", "pager", closed.url)
    found = json.loads(charges("doctor", "--json")[1])
    (endpoint,) = [each for each in found if each["what"] == "endpoint pager of lakeside"]
    assert not endpoint["ok"]
    assert "does not let itself be connected" in endpoint["says"]


def test_a_worker_that_is_killed_while_it_sends_is_made_up_for_under_the_same_id(
    charges: Charges, office: Post, receiver: Receiver
) -> None:
    charges("telling", "add", "lakeside", "pager", receiver.url)
    office.open_breaker()
    receiver.answers = [0]
    worker = subprocess.Popen(
        [sys.executable, "-m", "charges", "work"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            if receiver.got:
                break
            time.sleep(0.05)
    finally:
        worker.kill()
        worker.wait()
    assert len(receiver.got) == 1
    receiver.answers = [204]
    office.now = datetime.now(UTC)
    assert office.tell() == Told(), "it is the dead worker's as long as it is lent"
    office.now += outbox.LEASE
    assert office.tell() == Told(delivered=1)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1
