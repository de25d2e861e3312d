"""Speaking HTTP with a tenant: the token, pages of charges, patience with a server that is busy.

Every request asks for leave first, tokens too (``patience``).

What the tenant answers is told by its number and never by its text, for a vendor's error may repeat a patient's data.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import quote

import httpx2
from pydantic import ValidationError

from charges.errors import NotOffered, Refused
from charges.practice.connections import EclinicalWorks, read_secret
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
from charges.sources.patience import TIMEOUT, TOKEN_MARGIN, Answer, Turns, authorities, patiently

_NOT_ALLOWED = (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN, httpx2.codes.INTERNAL_SERVER_ERROR)
"""Of 500 only ``access_denied`` comes so far; any other is asked again."""


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

    def __enter__(self) -> "Client":
        self._turns = Turns(self._host, self.allowance, self.wall_clock)
        self._http = httpx2.Client(
            base_url=self.settings.base_url, verify=authorities(), timeout=TIMEOUT, follow_redirects=False
        )
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
            answer = patiently(lambda: self._turns.answer(ask), self.attempts, self.first_wait)
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
        answer = self._turns.answer(lambda: self._http.post(TOKEN_PATH, data=form))
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


def _window(first: date, last: date, after: str, size: int) -> dict[str, str]:
    return {"firstDay": first.isoformat(), "lastDay": last.isoformat(), "after": after, "pageSize": str(size)}


def _is_unknown(answer: Answer) -> bool:
    """Whether the tenant says that it has no such charge."""
    is_error = isinstance(answer.content, dict) and answer.content.get("error") == UNKNOWN
    return answer.status == httpx2.codes.NOT_FOUND and is_error
