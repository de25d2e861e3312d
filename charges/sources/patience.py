"""Asking a system over HTTP with patience: what is no answer yet, how long to wait, and when to leave it to the next run.

Every request asks for leave first, so that all workers together stay within what the system allows in a minute of its own
clock, which is known from the ``Date`` of its answers.

What a system answers is told by its number and never by its text, for a text may repeat a patient's data.
"""

import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, TypeVar

import httpx2
import stamina

from charges.errors import Unavailable
from charges.sources.allowance import Allowance, Unlimited

T = TypeVar("T")

TIMEOUT = httpx2.Timeout(30.0, connect=10.0)
TOKEN_MARGIN = 30.0
"""Seconds before its end at which a token is no longer used."""
_LONGEST_WAIT = 60.0
"""Seconds that an answer may ask us to wait within one run; a longer wait is left to the next run."""
_DENIED = "access_denied"
"""The error of OAuth 2.0 (RFC 6749, 4.1.2.1) that a vendor is known to send with status 500."""
_WILDEST_CLOCK = 900.0
"""Seconds by which a system's clock may differ from ours and still be believed."""


@cache
def authorities() -> ssl.SSLContext:
    """Whom we trust to say who a host is: this machine's certificates, read once in a process, for that takes long."""
    return httpx2.create_ssl_context()


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and what the JSON beside it says, if there is any."""

    status: int
    content: Any = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Busy(Exception):
    """The system asks for patience; ``wait`` is how many seconds it names, if any."""

    def __init__(self, sentence: str, wait: float | None = None) -> None:
        self.sentence, self.wait = sentence, wait
        super().__init__()


@dataclass
class Turns:
    """Requests to one host, each with leave; ``ahead`` is by how many seconds its clock is before ours, as far as known."""

    host: str
    allowance: Allowance = field(default_factory=Unlimited)
    wall_clock: Callable[[], float] = time.time
    ahead: float = field(default=0.0, init=False)

    def answer(self, ask: Callable[[], httpx2.Response]) -> Answer:
        """What the host answers; raises Busy when that is to ask again."""
        response = self.response(ask)
        try:
            content = response.json()
        except ValueError:
            if response.status_code == httpx2.codes.OK:
                raise Busy(f"{self.host} broke off in the middle of its answer.") from None
            content = None
        return Answer(response.status_code, content, response.headers)

    def response(self, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
        """The same without looking into the answer, which may be read as it comes."""
        self.allowance.take(self.ahead)
        response = _response_of(self.host, ask)
        self._set_clock(response)
        wait = _seconds_named(response)
        if response.status_code == httpx2.codes.TOO_MANY_REQUESTS:
            self.allowance.exhaust(self.ahead)
            raise Busy(f"{self.host} asks for fewer requests (status 429).", wait or self._seconds_of_the_minute())
        if response.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR and not _denies(response):
            raise Busy(f"{self.host} has a fault of its own (status {response.status_code}).", wait)
        return response

    def _set_clock(self, answer: httpx2.Response) -> None:
        """Learn by how many seconds the host's clock is ahead; its answer names whole seconds only."""
        with suppress(TypeError, ValueError):
            said = parsedate_to_datetime(answer.headers["Date"]).timestamp() if "Date" in answer.headers else None
            if said is not None and abs(said - self.wall_clock()) < _WILDEST_CLOCK:
                self.ahead = said + 0.5 - self.wall_clock()

    def _seconds_of_the_minute(self) -> float:
        """What is left of the host's minute, for which it counts requests."""
        return 60.0 - (self.wall_clock() + self.ahead) % 60.0


def patiently(once: Callable[[], T], attempts: int, first_wait: float) -> T:
    """Ask again while it raises Busy, with waits that grow or that the system names; raises Unavailable in the end."""
    retrying = stamina.retry_context(
        on=_wait_for, attempts=attempts, timeout=None, wait_initial=first_wait, wait_max=20.0
    )
    try:
        for attempt in retrying:
            with attempt:
                return once()
    except Busy as busy:
        raise Unavailable(f"{busy.sentence} Nothing is lost; the next run goes on from here.") from None
    raise AssertionError("retrying ends with an answer or an error")


def _response_of(host: str, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
    try:
        return ask()
    except httpx2.TimeoutException:
        raise Busy(f"{host} does not answer in time.") from None
    except httpx2.TransportError as error:
        raise Busy(f"{host} cannot be reached ({type(error).__name__}).") from None


def _denies(response: httpx2.Response) -> bool:
    """Whether a fault is none but a refusal, so that to ask again would change nothing."""
    try:
        content = response.json()
    except (ValueError, httpx2.StreamError):
        return False
    return isinstance(content, dict) and content.get("error") == _DENIED


def _seconds_named(response: httpx2.Response) -> float | None:
    """What Retry-After says, where it says seconds."""
    named = response.headers.get("Retry-After", "")
    return float(named) if named.isascii() and named.isdigit() else None


def _wait_for(error: Exception) -> bool | float:
    """For stamina: whether to ask again, after its own wait or the one the system names."""
    if not isinstance(error, Busy):
        return False
    if error.wait is None:
        return True
    return error.wait if error.wait <= _LONGEST_WAIT else False
