"""Asking a system over HTTP with patience: what is no answer yet, how long to wait, and when to leave it to the next run.

What a system answers is told by its number and never by its text, for a text may repeat a patient's data.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import stamina

from charges.errors import Unavailable

TIMEOUT = httpx2.Timeout(30.0, connect=10.0)
TOKEN_MARGIN = 30.0
"""Seconds before its end at which a token is no longer used."""
_LONGEST_WAIT = 60.0
"""Seconds that an answer may ask us to wait within one run; a longer wait is left to the next run."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and what the JSON beside it says, if there is any."""

    status: int
    content: Any = field(repr=False)


class Busy(Exception):
    """The system asks for patience; ``wait`` is how many seconds it names, if any."""

    def __init__(self, sentence: str, wait: float | None = None) -> None:
        self.sentence, self.wait = sentence, wait
        super().__init__()


def patiently(once: Callable[[], Answer], attempts: int, first_wait: float) -> Answer:
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


def response_of(host: str, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
    """What a host responds; raises Busy when it is not reached."""
    try:
        return ask()
    except httpx2.TimeoutException:
        raise Busy(f"{host} does not answer in time.") from None
    except httpx2.TransportError as error:
        raise Busy(f"{host} cannot be reached ({type(error).__name__}).") from None


def answer_of(host: str, response: httpx2.Response, wait: float | None) -> Answer:
    """What a response says; raises Busy when that is to ask again, after ``wait`` seconds if they are given."""
    if response.status_code == httpx2.codes.TOO_MANY_REQUESTS:
        raise Busy(f"{host} asks for fewer requests (status 429).", wait)
    if response.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR:
        raise Busy(f"{host} has a fault of its own (status {response.status_code}).", wait)
    try:
        content = response.json()
    except ValueError:
        if response.status_code == httpx2.codes.OK:
            raise Busy(f"{host} broke off in the middle of its answer.") from None
        content = None
    return Answer(response.status_code, content)


def seconds_named(response: httpx2.Response) -> float | None:
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
