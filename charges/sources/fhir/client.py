"""Speaking FHIR with a tenant: discovery, the token in time, pages by next links, patience, leave for each request.

What the tenant answers is told by its number and by OperationOutcome codes, never by text, for a text may repeat a
patient's data.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from charges.errors import Refused, Unavailable
from charges.practice.connections import FhirServer
from charges.sources.allowance import Allowance, Unlimited
from charges.sources.fhir.auth import demand_scopes, token_form
from charges.sources.patience import TIMEOUT, TOKEN_MARGIN, Answer, Busy, Turns, authorities, patiently

Resource = dict[str, Any]
Query = Mapping[str, str | list[str]]
"""What to search for; where a parameter has several values, each must hold."""
NOT_SHOWN = (403, 404, 410)
GONE = (404, 410)
"""What a tenant answers for what it does not show us, and for what it has no more."""


@dataclass
class FhirClient:
    """One connection to one tenant; use as a context manager. ``attempts`` and ``first_wait`` bound the patience.

    ``scopes`` are asked for; those of the settings when not given.
    """

    settings: FhirServer
    allowance: Allowance = field(default_factory=Unlimited)
    scopes: tuple[str, ...] = ()
    attempts: int = 5
    first_wait: float = 0.5
    clock: Callable[[], float] = time.monotonic
    _token: str = field(default="", init=False, repr=False)
    _token_ends: float = field(default=0.0, init=False, repr=False)
    _token_endpoint: str = field(default="", init=False, repr=False)

    def __enter__(self) -> "FhirClient":
        self._base = self.settings.base_url.rstrip("/")
        self._http = httpx2.Client(verify=authorities(), timeout=TIMEOUT, follow_redirects=False)
        self._turns = Turns(self.host, self.allowance)
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def host(self) -> str:
        """The tenant's host, for sentences."""
        return httpx2.URL(self.settings.base_url).host

    def search(self, kind: str, query: Query) -> Iterator[Resource]:
        """All resources of a kind that a search finds, page after page.

        Raises Refused when a page leads elsewhere than to this tenant, and Unavailable when pages go round in a circle.
        """
        url = str(httpx2.URL(f"{self._base}/{kind}", params={**query, "_count": str(self.settings.page_size)}))
        seen: set[str] = set()
        while url:
            if url in seen:
                raise Unavailable(f"{self.host} leads from page to page in a circle. The next run asks again.")
            seen.add(url)
            bundle = self._asked(url)
            if bundle is None or bundle.get("resourceType") != "Bundle":
                raise Refused(f"{self.host} does not answer a search for {kind} with a Bundle. Check base_url.")
            for entry in bundle.get("entry") or ():
                resource = entry.get("resource") or {}
                if resource.get("resourceType") == kind:
                    yield resource
            url = self._next(bundle, url)

    def read(self, name: str, absent: tuple[int, ...] = NOT_SHOWN) -> Resource | None:
        """A resource by ``Type/id``; None where the tenant answers with a status of ``absent``."""
        return self._asked(f"{self._base}/{name}", absent)

    def capabilities(self) -> Resource:
        """The tenant's CapabilityStatement."""
        return self._asked(f"{self._base}/metadata") or {}

    def answer(self, method: str, url: str, query: Query | None = None, prefer: str = "") -> Answer:
        """What the tenant answers, whatever it is; a token that was taken back before its time is renewed.

        ``url`` is an address of the tenant, or a path in its base.
        """

        def ask() -> httpx2.Response:
            headers = self._headers() | ({"Prefer": prefer} if prefer else {})
            return self._http.request(method, httpx2.URL(f"{self._base}/").join(url), params=query, headers=headers)

        answer = patiently(lambda: self._turns.answer(ask), self.attempts, self.first_wait)
        if answer.status == httpx2.codes.UNAUTHORIZED:
            self._token = ""
            answer = patiently(lambda: self._turns.answer(ask), self.attempts, self.first_wait)
        return answer

    def lines(self, url: str, take: Callable[[bytes], None], *, with_token: bool) -> int:
        """Give each line of a file to ``take`` as it comes, and return the status; raises Busy when it breaks off."""
        headers = {"Accept": "application/fhir+ndjson"}
        if with_token:
            headers = self._headers() | headers
        request = self._http.build_request("GET", url, headers=headers)
        response = self._turns.response(lambda: self._http.send(request, stream=True))
        try:
            if response.status_code == httpx2.codes.OK:
                for line in response.iter_lines():
                    if line.strip():
                        take(line.encode())
        except httpx2.TransportError:
            raise Busy(f"{self.host} broke off in the middle of a file.") from None
        finally:
            response.close()
        return response.status_code

    def is_ours(self, url: str) -> bool:
        """Whether an address is of this tenant, so that our token may go there."""
        there, ours = httpx2.URL(url), httpx2.URL(self._base)
        is_same_host = (there.scheme, there.host, there.port) == (ours.scheme, ours.host, ours.port)
        return is_same_host and f"{there.path}/".startswith(f"{ours.path.rstrip('/')}/")

    def _next(self, bundle: Resource, here: str) -> str:
        link = next(
            (str(each.get("url", "")) for each in bundle.get("link") or () if each.get("relation") == "next"), ""
        )
        if not link:
            return ""
        there = str(httpx2.URL(here).join(link))
        if not self.is_ours(there):
            raise Refused(
                f"{self.host} names a next page on another host or of another practice. It was not asked, for our token "
                "would go there. Tell the vendor."
            )
        return there

    def _asked(self, url: str, absent: tuple[int, ...] = ()) -> Resource | None:
        answer = self.answer("GET", url)
        if answer.status == httpx2.codes.OK:
            return answer.content if isinstance(answer.content, dict) else {}
        if answer.status in absent:
            return None
        kind = httpx2.URL(url).path.removeprefix(httpx2.URL(self._base).path).strip("/").partition("/")[0]
        raise Refused(
            f"{self.host} refuses to give {kind} (status {answer.status}{codes_of(answer.content)}). Ask the vendor whether "
            "the client may read it at this practice."
        )

    def _headers(self) -> dict[str, str]:
        if not self._token or self.clock() >= self._token_ends:
            self._fetch_token()
        return {"Authorization": f"Bearer {self._token}", "Accept": "application/fhir+json"}

    def _fetch_token(self) -> None:
        if not self._token_endpoint:
            found = self._turns.answer(lambda: self._http.get(f"{self._base}/.well-known/smart-configuration"))
            said = found.content if found.status == httpx2.codes.OK else None
            endpoint = said.get("token_endpoint") if isinstance(said, dict) else None
            if not isinstance(endpoint, str) or not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", endpoint):
                raise Refused(
                    f"{self.host} has no SMART configuration with a safe token endpoint (status {found.status}). "
                    "base_url must be that of the practice, with its code at the end."
                )
            self._token_endpoint = endpoint
        form = token_form(self.settings, self._token_endpoint, self.scopes or self.settings.scopes)
        answer = self._turns.answer(lambda: self._http.post(self._token_endpoint, data=form))
        token = answer.content if answer.status == httpx2.codes.OK else {}
        if not isinstance(token, dict) or not isinstance(token.get("access_token"), str):
            raise Refused(
                f"{self.host} gives no token to client {self.settings.client_id} (status {answer.status}). Check "
                "client_id, key_id and scopes in the practice's profile; one scope that is not allowed refuses all."
            )
        demand_scopes(str(token.get("scope") or ""), self.settings.needed, self.host)
        seconds = token.get("expires_in")
        self._token = token["access_token"]
        self._token_ends = self.clock() + max((seconds if isinstance(seconds, int) else 300) - TOKEN_MARGIN, 1.0)


def codes_of(content: Any) -> str:  # noqa: ANN401 - whatever was answered
    """The codes of an OperationOutcome, as far as they are codes, to be put after a status."""
    try:
        codes = (
            [str(each["code"]) for each in content["issue"]] if content["resourceType"] == "OperationOutcome" else []
        )
    except (KeyError, TypeError):
        return ""
    return "".join(f", {each}" for each in codes[:3] if re.fullmatch(r"[a-z\-]{1,30}", each))
