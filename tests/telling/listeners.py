"""Who is told, as far as a test needs them: receivers of webhooks on this machine, and an installation that tells them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from charges.db import Database
from charges.pipeline import Pipeline
from charges.settings import Settings
from charges.tables import BreakerRow, BreakerStatus, Topic
from charges.telling import delivering, endpoints, webhooks
from tests.conftest import NOON
from tests.practice import Workplace

HERE = "127.0.0.0/8"


@dataclass
class Message:
    """What a receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A web server that takes messages; it gives its ``answers`` in turn, the last one for ever."""

    answers: list[int] = field(default_factory=lambda: [204])
    redirect_to: str = ""
    got: list[Message] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    """While an answer of 0 is given, nothing is answered until this is set."""
    url: str = ""

    def take(self, message: Message) -> int:
        self.got.append(message)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def ids(self) -> list[str]:
        return [each.headers["webhook-id"] for each in self.got]


@contextmanager
def listening(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version: ClassVar[str] = "HTTP/1.1"  # type: ignore[misc]

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.take(Message(self.path, headers, body))
            if not status:
                receiver.hold.wait(30)
                return
            self.send_response(status)
            if receiver.redirect_to:
                self.send_header("Location", receiver.redirect_to)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield receiver
    finally:
        receiver.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()


class Post:
    """An installation whose clock the test winds, that may tell receivers on this machine."""

    def __init__(self, workplace: Workplace, **settings: object) -> None:
        self.now = NOON
        self.workplace = workplace
        self.database: Database = workplace.database
        self.settings = Settings(webhook_networks=HERE, web_url="https://charges.example", **settings)  # type: ignore[arg-type]
        self.pipeline = Pipeline(self.database, self.settings, self.clock)

    def clock(self) -> datetime:
        return self.now

    def add(self, receiver: Receiver, *topics: Topic, name: str = "vendor", practice: str = "lakeside") -> str:
        return endpoints.add(
            self.database,
            practice,
            name,
            receiver.url,
            topics,
            networks=webhooks.read_networks(HERE),
            by="engineer",
            clock=self.clock,
        )

    def notice(self, practice: str = "lakeside") -> int:
        return self.pipeline.notice(self.pipeline.practice(practice))

    def tell(self) -> delivering.Told:
        return delivering.deliver(self.database, self.settings, self.clock, lambda: 0.5)

    def later(self, **span: float) -> delivering.Told:
        """Some time on, what is new is noticed and what is due is told."""
        self.now += timedelta(**span)
        for applied in self.pipeline.practices():
            self.pipeline.notice(applied)
        return self.tell()

    def open_breaker(self, number: int = 1, practice: str = "lakeside") -> None:
        """The records of the practice's source changed."""
        with self.database.transaction() as session:
            row = BreakerRow(
                practice_id=self.pipeline.practice(practice).id,
                source="eclinicalworks",
                number=number,
                status=BreakerStatus.OPEN,
                since=self.now,
                noticed_at=self.now,
                changed_at=self.now,
            )
            row.seal(self.database.keyring, document=b"{}")
            session.add(row)

    def close_breakers(self) -> None:
        with self.database.transaction() as session:
            for row in session.query(BreakerRow):
                row.status = BreakerStatus.CLOSED
