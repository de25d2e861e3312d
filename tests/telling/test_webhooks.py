"""Webhooks at real receivers: signed, tried again, never led elsewhere, and checked by the sample for receivers."""

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from charges.errors import Missing, Refused, Unavailable
from charges.keyring import KEYRING_BYTES, Keyring
from charges.tables import DeliveryRow, DeliveryState, EndpointRow, NoticeRow, Topic
from charges.telling import delivering, endpoints, webhooks
from charges.telling.delivering import Told
from charges.telling.webhooks import checked_url, read_networks
from tests.conftest import KEYRING
from tests.telling.listeners import HERE, Message, Post, Receiver, listening

DOCUMENT = Path(__file__).parents[2] / "docs" / "telling.md"
Verify = Callable[..., dict[str, object]]


@pytest.fixture(scope="module")
def verify() -> Verify:
    """The sample for receivers, as it stands in the documentation; it uses nothing of ours and no library for webhooks."""
    (sample,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Verify] = {}
    exec(compile(sample, str(DOCUMENT), "exec"), names)
    return names["verify"]


def check(verify: Verify, message: Message, secret: str, now: datetime) -> dict[str, object]:
    return verify(message.headers, message.body, secret, now=now.timestamp())


def test_an_open_breaker_is_told_signed_and_once(posts: Post, receiver: Receiver, verify: Verify) -> None:
    secret = posts.add(receiver)
    posts.open_breaker()
    assert posts.later(minutes=1) == Told(delivered=1)
    assert posts.later(minutes=1) == Told()
    (message,) = receiver.got
    said = check(verify, message, secret, posts.now)
    assert said["type"] == "breaker.open"
    data = said["data"]
    assert isinstance(data, dict)
    assert data["practice"] == "lakeside"
    assert data["link"] == "https://charges.example/sources/lakeside"
    assert message.headers["content-type"] == "application/json"


def test_a_tampered_message_is_refused_by_the_sample(post: Post, receiver: Receiver, verify: Verify) -> None:
    secret = post.add(receiver)
    post.open_breaker()
    post.later()
    (message,) = receiver.got
    tampered = message.body.replace(b"lakeside", b"hillside")
    for body, headers in (
        (tampered, message.headers),
        (message.body, message.headers | {"webhook-id": "msg_another"}),
        (message.body, message.headers | {"webhook-timestamp": str(int(post.now.timestamp()) + 1)}),
        (message.body, message.headers | {"webhook-signature": "v1,AAAA"}),
    ):
        with pytest.raises(ValueError, match="signature"):
            verify(headers, body, secret, now=post.now.timestamp())
    with pytest.raises(ValueError, match="signature"):
        check(verify, message, endpoints.new_secret(), post.now)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_replayed_message_is_refused_by_the_sample(
    post: Post, receiver: Receiver, verify: Verify, minutes: int
) -> None:
    secret = post.add(receiver)
    post.open_breaker()
    post.later()
    with pytest.raises(ValueError, match="minutes"):
        check(verify, receiver.got[0], secret, post.now + timedelta(minutes=minutes))


def test_a_receiver_that_fails_is_tried_again_under_the_same_id(
    posts: Post, receiver: Receiver, verify: Verify
) -> None:
    receiver.answers = [500, 503, 204]
    secret = posts.add(receiver)
    posts.open_breaker()
    assert posts.later() == Told(postponed=1)
    assert posts.later(seconds=29) == Told(), "not yet"
    assert posts.later(seconds=1) == Told(postponed=1)
    assert posts.later(seconds=60) == Told(delivered=1)
    assert len(receiver.got) == 3
    assert len(set(receiver.ids)) == 1
    check(verify, receiver.got[2], secret, posts.now)
    shown = endpoints.endpoint(posts.database, "lakeside", "vendor")
    assert (shown.state, shown.waiting) == ("answers", 0)


def test_a_receiver_that_never_answers_costs_no_more_than_the_limit(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "SECONDS", 0.3)
    receiver.answers = [0]
    post.add(receiver)
    post.open_breaker()
    assert post.later() == Told(postponed=1)
    (sent,) = endpoints.sent(post.database, "lakeside", "vendor")
    assert "did not answer within" in sent.fault
    receiver.answers = [200]
    assert post.later(minutes=1) == Told(delivered=1)
    assert len(set(receiver.ids)) == 1


def test_an_answer_that_trickles_on_and_on_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def trickle() -> None:
            connection, _ = server.accept()
            with connection:
                while not ended.wait(0.1):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        began = time.monotonic()
        with pytest.raises(Unavailable):
            webhooks.post(url, [endpoints.new_secret()], "msg_1", "{}", datetime.now(UTC), read_networks(HERE))
        ended.set()
        thread.join()
    assert time.monotonic() - began < 5


def test_a_redirect_is_not_followed(post: Post, receiver: Receiver) -> None:
    with listening(Receiver()) as elsewhere:
        receiver.answers, receiver.redirect_to = [307], elsewhere.url
        post.add(receiver)
        post.open_breaker()
        assert post.later() == Told(postponed=1)
        assert (len(receiver.got), elsewhere.got) == (1, [])
    (sent,) = endpoints.sent(post.database, "lakeside", "vendor")
    assert "not followed" in sent.fault


def test_after_the_hours_a_message_is_given_up_and_that_is_an_alarm(posts: Post, receiver: Receiver) -> None:
    with listening(Receiver()) as other:
        receiver.answers = [500]
        posts.add(receiver)
        posts.add(other, Topic.ENDPOINT_SILENT, name="pager")
        posts.open_breaker()
        posts.later()
        told = [posts.later(hours=2) for _ in range(12)]
        assert (told[-1].given_up, sum(each.given_up for each in told)) == (1, 1)
        posts.later(minutes=1)
        assert [json.loads(each.body)["type"] for each in other.got] == ["endpoint.silent"]
        assert json.loads(other.got[0].body)["data"]["endpoint"] == "vendor"
        shown = endpoints.endpoint(posts.database, "lakeside", "vendor")
        assert (shown.state, shown.waiting, shown.given_up) == ("silent", 0, 1)
        assert "charges telling show lakeside vendor" in shown.sentence
        receiver.answers = [204]
        posts.close_breakers()
        posts.open_breaker(2)
        posts.later(minutes=1)
        assert endpoints.endpoint(posts.database, "lakeside", "vendor").state == "answers"
        with posts.database.transaction() as session:
            silence = session.scalars(select(NoticeRow).where(NoticeRow.topic == Topic.ENDPOINT_SILENT)).one()
            assert silence.ended_at is not None


def test_a_receiver_that_is_gone_is_asked_no_more(post: Post, receiver: Receiver) -> None:
    receiver.answers = [410]
    post.add(receiver)
    post.open_breaker()
    assert post.later() == Told(given_up=1)
    post.close_breakers()
    post.open_breaker(2)
    assert post.later(hours=1) == Told()
    assert len(receiver.got) == 1
    assert endpoints.endpoint(post.database, "lakeside", "vendor").state == "stopped"


def test_an_endpoint_that_is_away_does_not_keep_the_others_waiting(post: Post, receiver: Receiver) -> None:
    with listening(Receiver([500])) as away:
        post.add(away, name="away")
        post.add(receiver)
        for number in range(1, 4):
            post.close_breakers()
            post.open_breaker(number)
            post.notice()
        assert post.tell() == Told(delivered=3, postponed=1)
        assert len(away.got) == 1, "its other messages rest too"


def test_of_a_backlog_that_is_too_old_one_message_is_tried_in_a_run(post: Post) -> None:
    with listening(Receiver([500])) as away:
        post.add(away)
        for number in range(1, 4):
            post.close_breakers()
            post.open_breaker(number)
            post.notice()
        post.now += timedelta(hours=25)
        assert post.tell() == Told(given_up=1)
        assert len(away.got) == 1


def test_an_endpoint_is_told_what_it_asked_for_of_its_practice(post: Post, receiver: Receiver) -> None:
    from tests.web.conftest import with_second_practice

    with_second_practice(post.workplace)
    post.add(receiver, Topic.FILE_REJECTED)
    post.add(receiver, name="neighbour", practice="hillside")
    post.open_breaker()
    post.later()
    assert receiver.got == []


def test_a_mistake_of_ours_with_one_message_does_not_keep_the_others(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening(Receiver()) as other:
        post.add(receiver, name="a")
        post.add(other, name="b")
        send = webhooks.post

        def fails_at_one(url: str, *rest: Any) -> None:
            if url == receiver.url:
                raise ValueError("Doe, Jane")
            send(url, *rest)

        monkeypatch.setattr(webhooks, "post", fails_at_one)
        post.open_breaker()
        assert post.later() == Told(delivered=1, postponed=1)
    (sent,) = endpoints.sent(post.database, "lakeside", "a")
    assert sent.fault.startswith("Chargerouter made a mistake (ValueError in ")
    assert "Jane" not in sent.fault + "".join(capsys.readouterr())


def test_two_workers_that_tell_at_once_send_nothing_twice(posts: Post, receiver: Receiver) -> None:
    posts.add(receiver)
    for number in range(1, 7):
        posts.close_breakers()
        posts.open_breaker(number)
        posts.notice()
    with ThreadPoolExecutor(2) as workers:
        told = list(workers.map(lambda _: posts.tell(), range(2)))
    assert sum(each.delivered for each in told) == 6
    assert len(receiver.ids) == len(set(receiver.ids)) == 6


def test_while_a_secret_is_changed_both_sign(post: Post, receiver: Receiver, verify: Verify) -> None:
    before = post.add(receiver)
    after = endpoints.rotate(post.database, "lakeside", "vendor", hours=48, clock=post.clock)
    post.open_breaker()
    post.later()
    for secret in (before, after):
        check(verify, receiver.got[0], secret, post.now)
    post.close_breakers()
    post.open_breaker(2)
    post.later(hours=48)
    check(verify, receiver.got[1], after, post.now)
    with pytest.raises(ValueError, match="signature"):
        check(verify, receiver.got[1], before, post.now)


def test_a_removed_endpoint_is_told_nothing_more_and_keeps_no_secret(post: Post, receiver: Receiver) -> None:
    receiver.answers = [500]
    post.add(receiver)
    post.open_breaker()
    post.later()
    assert endpoints.remove(post.database, "lakeside", "vendor", by="engineer", clock=post.clock) == 1
    assert post.later(hours=1) == Told()
    assert len(receiver.got) == 1
    assert endpoints.listed(post.database) == []
    with pytest.raises(Missing, match="no endpoint vendor"):
        endpoints.sent(post.database, "lakeside", "vendor")
    with post.database.transaction() as session:
        row = session.scalars(select(EndpointRow)).one()
        assert (row.secret, row.former, row.removed_by) == (None, None, "engineer")
        assert session.scalars(select(DeliveryRow.state)).one() is DeliveryState.NEEDLESS
    post.add(receiver)


def test_secrets_are_sealed_and_follow_a_rotation_of_the_key(post: Post, receiver: Receiver) -> None:
    from charges.db import Database
    from charges.rotation import reseal_all

    secret = post.add(receiver)
    path = post.database.engine.url.database
    assert path is not None
    assert secret.encode() not in Path(path).read_bytes()
    rotated = Database(post.database.engine, KEYRING.with_new_key())
    reseal_all(rotated, lambda _: None)
    newest = Database(post.database.engine, Keyring({2: rotated.keyring.keys[2]}, b"i" * KEYRING_BYTES))
    assert endpoints.target(newest, "lakeside", "vendor", post.now)[1] == [secret]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://vendor.example/hook", "https://"),
        ("ftp://vendor.example/hook", "https://"),
        ("https://user:word@vendor.example/", "without a user"),
        ("https://vendor.example/#here", "fragment"),
        ("https:///hook", "https://NAME/PATH"),
        ("https://vendor..example/", "no name"),
        ("https://vendor.example:99999/", "no address"),
        ("https://vendor.example/a b", "ASCII"),
        ("https://vendor.example/\r\nX: y", "ASCII"),
        ("https://10.0.0.7/hook", "private address"),
        ("https://192.168.1.1/", "private address"),
        ("https://169.254.169.254/latest", "private address"),
        ("https://127.0.0.1/", "private address"),
        ("http://localhost:8000/", "private address"),
        ("https://[::1]/", "private address"),
        ("https://[fd00::1]/", "private address"),
        ("https://[::ffff:10.0.0.1]/", "private address"),
        ("https://[64:ff9b::a00:1]/", "private address"),
        ("https://[2002:a00:1::]/", "private address"),
        ("https://0.0.0.0/", "private address"),
        ("https://100.64.0.1/", "private address"),
        ("https://224.0.0.1/", "private address"),
    ],
)
def test_nothing_is_sent_in_the_clear_or_to_the_neighbours(url: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        checked_url(url, ())


def test_a_private_network_can_be_allowed_and_no_other() -> None:
    networks = read_networks("10.20.0.0/16, 127.0.0.0/8")
    assert checked_url("https://10.20.3.4/hook", networks)
    assert checked_url("http://127.0.0.1:8000/hook", networks)
    assert checked_url("https://vendor.example/hook", ())
    with pytest.raises(Refused, match="private"):
        checked_url("https://10.21.0.1/", networks)
    with pytest.raises(Refused, match="https://"):
        checked_url("http://10.20.3.4/hook", networks)


def test_a_name_that_leads_to_this_machine_is_found_out_when_it_is_called(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leads_here(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", leads_here)
    for scheme in ("https", "http"):
        with pytest.raises(Refused):
            webhooks.post(f"{scheme}://vendor.example/", ["whsec_AAAA"], "msg_1", "{}", datetime.now(UTC))
    assert receiver.got == []


def test_tls_is_checked_against_the_name_though_the_address_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.telling.certificates import certificate_for

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate_for("vendor.example", tmp_path)))

    def leads_here(host: str, port: int, *_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", leads_here)
    with _tls_server(tmp_path) as (port, got):
        now = datetime.now(UTC)
        webhooks.post(f"https://vendor.example:{port}/a", ["whsec_AAAA"], "msg_1", "{}", now, read_networks(HERE))
        assert b"Host: vendor.example:%d" % port in got[0]
        with pytest.raises(Unavailable, match="certificate"):
            webhooks.post(f"https://other.example:{port}/a", ["whsec_AAAA"], "msg_1", "{}", now, read_networks(HERE))


@contextmanager
def _tls_server(folder: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Two connections are taken, and what the first bytes of each say."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            for _ in range(2):
                connection, _address = server.accept()
                connection.settimeout(5)
                try:
                    with context.wrap_socket(connection, server_side=True) as secure:
                        taken = b""
                        while not taken.endswith(b"{}"):  # what is closed before all is read may lose the answer
                            taken += secure.recv(65536)
                        got.append(taken)
                        secure.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
                except OSError:
                    connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        yield server.getsockname()[1], got
        thread.join(timeout=10)


def test_a_test_message_says_that_it_is_one(post: Post, receiver: Receiver, verify: Verify) -> None:
    secret = post.add(receiver)
    delivering.send_test(post.database, post.settings, "lakeside", "vendor", post.clock)
    assert check(verify, receiver.got[0], secret, post.now)["type"] == "test"
    receiver.answers = [500]
    with pytest.raises(Unavailable, match="answered 500"):
        delivering.send_test(post.database, post.settings, "lakeside", "vendor", post.clock)


def test_two_endpoints_of_one_name_and_a_topic_that_is_none_are_refused(post: Post, receiver: Receiver) -> None:
    post.add(receiver)
    with pytest.raises(Refused, match="already"):
        post.add(receiver)
    with pytest.raises(Refused, match="nothing that can be told"):
        post.add(receiver, "patients", name="other")  # type: ignore[arg-type]
