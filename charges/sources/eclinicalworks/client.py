"""Speaking HTTP with a tenant: the token, pages of charges, patience with a server that is busy.

What the tenant answers is told by its number and never by its text, for a vendor's error may repeat a patient's data.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import stamina
from pydantic import ValidationError

from charges.connections import EclinicalWorks, Secret
from charges.errors import Refused, Unavailable
from charges.sources.eclinicalworks.contract import CHARGES_PATH, TOKEN_PATH, Token
from charges.sources.eclinicalworks.paging import RawPage

TIMEOUT = httpx2.Timeout(30.0, connect=10.0)
_TOKEN_MARGIN = 30.0
"""Seconds before its end at which a token is no longer used."""
_LONGEST_WAIT = 60.0
"""Seconds that an answer may ask us to wait within one run; a longer wait is left to the next run."""


class _Busy(Exception):
    """The tenant asks for patience; ``wait`` is how many seconds it names, if any."""

    def __init__(self, sentence: str, wait: float | None = None) -> None:
        self.sentence, self.wait = sentence, wait
        super().__init__()


@dataclass
class Client:
    """One connection to one tenant; use as a context manager. ``attempts`` and ``wait`` bound the patience."""

    settings: EclinicalWorks
    attempts: int = 5
    first_wait: float = 0.5
    clock: Callable[[], float] = time.monotonic
    _token: str = field(default="", init=False, repr=False)
    _token_ends: float = field(default=0.0, init=False, repr=False)

    def __enter__(self) -> "Client":
        self._http = httpx2.Client(base_url=self.settings.base_url, timeout=TIMEOUT, follow_redirects=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def charges(self, modified_since: str, page: int) -> RawPage:
        """One page of the charges changed at or after a moment of the practice's wall clock, oldest change first."""
        answer = self._asked(
            CHARGES_PATH.format(code=self.settings.practice_code),
            {"modifiedSince": modified_since, "page": str(page), "pageSize": str(self.settings.page_size)},
        )
        content = _object(answer)
        charges = content.get("charges")
        has_more = content.get("hasMore")
        if not isinstance(charges, list) or not isinstance(has_more, bool):
            raise Refused(
                f"{self._host} does not answer with a page of charges as docs/eclinicalworks-api.json describes it. "
                "Compare the tenant's interface with the contract before anything else is pulled."
            )
        return RawPage(charges, has_more)

    @property
    def _host(self) -> str:
        return httpx2.URL(self.settings.base_url).host

    def _asked(self, path: str, query: dict[str, str]) -> httpx2.Response:
        """The answer to a question of ours, with a token that the tenant takes."""
        for attempt in ("kept", "fresh"):
            answer = self._patiently(
                lambda: self._http.get(path, params=query, headers={"Authorization": f"Bearer {self._valid_token()}"})
            )
            if answer.status_code == httpx2.codes.OK:
                return answer
            if answer.status_code == httpx2.codes.UNAUTHORIZED and attempt == "kept":
                self._token = ""  # it was taken back before its time
                continue
            break
        if answer.status_code in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
            raise Refused(
                f"{self._host} does not let this client read the charges of practice {self.settings.practice_code} "
                f"(status {answer.status_code}). Ask the vendor whether the client is enabled for it."
            )
        raise Refused(
            f"{self._host} refuses the request for charges (status {answer.status_code}). Check base_url and "
            "practice_code in the practice's profile."
        )

    def _valid_token(self) -> str:
        if not self._token or self.clock() >= self._token_ends:
            self._fetch_token()
        return self._token

    def _fetch_token(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.settings.client_id,
            "client_secret": secret_of(self.settings.client_secret),
        }
        answer = self._once(lambda: self._http.post(TOKEN_PATH, data=form))
        if answer.status_code != httpx2.codes.OK:
            raise Refused(
                f"{self._host} gives no token to client {self.settings.client_id} (status {answer.status_code}). Check "
                "client_id and client_secret in the practice's profile, and that the vendor has not disabled them."
            )
        try:
            token = Token.model_validate(_object(answer))
        except ValidationError:
            raise Refused(f"{self._host} answers the token request with something else than a token.") from None
        self._token = token.access_token
        self._token_ends = self.clock() + max(token.expires_in - _TOKEN_MARGIN, 1.0)

    def _patiently(self, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
        """Ask again while the tenant is busy or does not answer, with waits that grow or that it names itself."""
        retrying = stamina.retry_context(
            on=_wait_for, attempts=self.attempts, timeout=None, wait_initial=self.first_wait, wait_max=20.0
        )
        try:
            for attempt in retrying:
                with attempt:
                    return self._once(ask)
        except _Busy as busy:
            raise Unavailable(f"{busy.sentence} Nothing is lost; the next run goes on from here.") from None
        raise AssertionError("retrying ends with an answer or an error")

    def _once(self, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
        try:
            answer = ask()
        except httpx2.TimeoutException:
            raise _Busy(f"{self._host} does not answer in time.") from None
        except httpx2.TransportError as error:
            raise _Busy(f"{self._host} cannot be reached ({type(error).__name__}).") from None
        if answer.status_code == httpx2.codes.TOO_MANY_REQUESTS:
            raise _Busy(f"{self._host} asks for fewer requests (status 429).", _seconds(answer))
        if answer.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR:
            raise _Busy(f"{self._host} has a fault of its own (status {answer.status_code}).", _seconds(answer))
        if answer.status_code == httpx2.codes.OK and not _is_whole(answer):
            raise _Busy(f"{self._host} broke off in the middle of its answer.")
        return answer


def _wait_for(error: Exception) -> bool | float:
    """For stamina: whether to ask again, after its own wait or the one the tenant names."""
    if not isinstance(error, _Busy):
        return False
    if error.wait is None:
        return True
    return error.wait if error.wait <= _LONGEST_WAIT else False


def _is_whole(answer: httpx2.Response) -> bool:
    try:
        answer.json()
    except ValueError:
        return False
    return True


def _object(answer: httpx2.Response) -> dict[str, Any]:
    content = answer.json()
    return content if isinstance(content, dict) else {}


def _seconds(answer: httpx2.Response) -> float | None:
    """What Retry-After says, where it says seconds."""
    named = answer.headers.get("Retry-After", "")
    return float(named) if named.isascii() and named.isdigit() else None


def secret_of(place: Secret) -> str:
    """The secret, read when it is needed; raises Refused naming the place where it should be."""
    if place.env is not None:
        secret = os.environ.get(place.env, "")
        where = f"the environment variable {place.env}"
    else:
        assert place.file is not None
        where = f"the file {place.file}"
        try:
            secret = place.file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            secret = ""
    if not secret:
        raise Refused(f"The client secret is expected in {where}, and nothing is there. Put it there and run again.")
    return secret
