"""Speaking HTTP with a tenant: the token, pages of charges, patience with a server that is busy.

Every request asks for leave first, tokens too, so that all workers together stay within what the tenant allows in a minute
of its own clock, which is known from the ``Date`` of its answers.

What the tenant answers is told by its number and never by its text, for a vendor's error may repeat a patient's data.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import httpx2
from pydantic import ValidationError

from charges.connections import EclinicalWorks, read_secret
from charges.errors import NotOffered, Refused
from charges.sources.allowance import Allowance, Unlimited
from charges.sources.eclinicalworks.contract import (
    CHARGE_PATH,
    CHARGES_PATH,
    DAYS_PATH,
    MOST_NUMBERS,
    NUMBERS_PATH,
    TOKEN_PATH,
    UNKNOWN,
    Token,
)
from charges.sources.eclinicalworks.paging import RawPage, Record
from charges.sources.patience import TIMEOUT, TOKEN_MARGIN, Answer, answer_of, patiently, response_of, seconds_named

_WILDEST_CLOCK = 900.0
"""Seconds by which the tenant's clock may differ from ours and still be believed."""
_DENIED = "access_denied"
"""The error of OAuth 2.0 (RFC 6749, 4.1.2.1) that this vendor is known to send with status 500."""
_NOT_ALLOWED = (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN, httpx2.codes.INTERNAL_SERVER_ERROR)
"""Of 500 only that one comes so far; any other is asked again."""


@dataclass
class Client:
    """One connection to one tenant; use as a context manager. ``attempts`` and ``wait`` bound the patience."""

    settings: EclinicalWorks
    allowance: Allowance = field(default_factory=Unlimited)
    attempts: int = 5
    first_wait: float = 0.5
    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    _token: str = field(default="", init=False, repr=False)
    _token_ends: float = field(default=0.0, init=False, repr=False)
    _ahead: float = field(default=0.0, init=False)

    def __enter__(self) -> "Client":
        self._http = httpx2.Client(base_url=self.settings.base_url, timeout=TIMEOUT, follow_redirects=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def charges(self, modified_since: str, page: int, size: int = 0) -> RawPage:
        """One page of the charges changed at or after a moment of the practice's wall clock, oldest change first."""
        query = {"modifiedSince": modified_since, "page": str(page), "pageSize": str(size or self.settings.page_size)}
        return self._page(CHARGES_PATH, query, "charges")

    def charges_of_days(self, first: date, last: date, after: str) -> RawPage:
        """One page of the charges of days of service after a number, in the order of numbers."""
        return self._page(DAYS_PATH, _window(first, last, after, self.settings.page_size), "charges")

    def numbers_of_days(self, first: date, last: date, after: str) -> RawPage:
        """One page of the numbers of the charges of days of service after a number, in their order."""
        return self._page(NUMBERS_PATH, _window(first, last, after, MOST_NUMBERS), "numbers")

    def charge(self, number: str) -> Record | None:
        """One charge as it is now; None when the tenant says that it has none of this number."""
        answer = self._asked(CHARGE_PATH, {}, number=quote(number, safe=""))
        return None if answer.status == httpx2.codes.NOT_FOUND else answer.content

    def _page(self, path: str, query: dict[str, str], what: str) -> RawPage:
        content = self._asked(path, query).content
        items, has_more = (content.get(what), content.get("hasMore")) if isinstance(content, dict) else (None, None)
        if not isinstance(items, list) or not isinstance(has_more, bool):
            raise Refused(
                f"{self._host} does not answer with a page of {what} as docs/eclinicalworks-api.json describes it. "
                "Compare the tenant's interface with the contract before anything else is pulled."
            )
        return RawPage(items, has_more)

    @property
    def _host(self) -> str:
        return httpx2.URL(self.settings.base_url).host

    def _asked(self, path: str, query: dict[str, str], **places: str) -> Answer:
        """The answer to a question of ours, with a token that the tenant takes; 404 only where it says ``UNKNOWN``."""
        address = path.format(code=self.settings.practice_code, **places)

        def ask() -> httpx2.Response:
            return self._http.get(address, params=query, headers={"Authorization": f"Bearer {self._valid_token()}"})

        for attempt in ("kept", "fresh"):
            answer = patiently(lambda: self._once(ask), self.attempts, self.first_wait)
            if answer.status == httpx2.codes.OK or _is_unknown(answer):
                return answer
            if answer.status == httpx2.codes.UNAUTHORIZED and attempt == "kept":
                self._token = ""  # it was taken back before its time
                continue
            break
        if answer.status in _NOT_ALLOWED:
            raise Refused(
                f"{self._host} does not let this client read the charges of practice {self.settings.practice_code} "
                f"(status {answer.status}). Ask the vendor whether the client is enabled for it."
            )
        if answer.status == httpx2.codes.NOT_FOUND and path != CHARGES_PATH:
            raise NotOffered(
                f"{self._host} does not answer for days of service (status 404). Ask the vendor for the paths under days of "
                "docs/eclinicalworks-api.json; without them late edits that move no moment of change are not seen."
            )
        raise Refused(
            f"{self._host} refuses the request for charges (status {answer.status}). Check base_url and "
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
            "client_secret": read_secret(self.settings.client_secret, "client secret"),
        }
        answer = self._once(lambda: self._http.post(TOKEN_PATH, data=form))
        if answer.status != httpx2.codes.OK:
            raise Refused(
                f"{self._host} gives no token to client {self.settings.client_id} (status {answer.status}). Check "
                "client_id and client_secret in the practice's profile, and that the vendor has not disabled them."
            )
        try:
            token = Token.model_validate(answer.content)
        except ValidationError:
            raise Refused(f"{self._host} answers the token request with something else than a token.") from None
        self._token = token.access_token
        self._token_ends = self.clock() + max(token.expires_in - TOKEN_MARGIN, 1.0)

    def _once(self, ask: Callable[[], httpx2.Response]) -> Answer:
        self.allowance.take(self._ahead)
        response = response_of(self._host, ask)
        self._set_clock(response)
        wait = seconds_named(response)
        if response.status_code == httpx2.codes.TOO_MANY_REQUESTS:
            self.allowance.exhaust(self._ahead)
            wait = wait or self._seconds_of_the_minute()
        if response.status_code == httpx2.codes.INTERNAL_SERVER_ERROR and _error_of(response) == _DENIED:
            return Answer(response.status_code, None)  # to ask again would change nothing
        return answer_of(self._host, response, wait)

    def _set_clock(self, answer: httpx2.Response) -> None:
        """Learn by how many seconds the tenant's clock is ahead; its answer names whole seconds only."""
        with suppress(TypeError, ValueError):
            said = parsedate_to_datetime(answer.headers["Date"]).timestamp() if "Date" in answer.headers else None
            if said is not None and abs(said - self.wall_clock()) < _WILDEST_CLOCK:
                self._ahead = said + 0.5 - self.wall_clock()

    def _seconds_of_the_minute(self) -> float:
        """What is left of the tenant's minute, for which it counts requests."""
        return 60.0 - (self.wall_clock() + self._ahead) % 60.0


def _window(first: date, last: date, after: str, size: int) -> dict[str, str]:
    return {"firstDay": first.isoformat(), "lastDay": last.isoformat(), "after": after, "pageSize": str(size)}


def _error_of(response: httpx2.Response) -> object:
    """The error that an answer names, if it does."""
    try:
        content = response.json()
    except ValueError:
        return None
    return content.get("error") if isinstance(content, dict) else None


def _is_unknown(answer: Answer) -> bool:
    """Whether the tenant says that it has no such charge."""
    is_error = isinstance(answer.content, dict) and answer.content.get("error") == UNKNOWN
    return answer.status == httpx2.codes.NOT_FOUND and is_error
