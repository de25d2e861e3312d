"""Speaking FHIR with a tenant: discovery, the token in time, pages by next links, patience.

What the tenant answers is told by its number and by OperationOutcome codes, never by text, for a text may repeat a
patient's data.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from charges.connections import Fhir
from charges.errors import Refused, Unavailable
from charges.sources.fhir.auth import demand_scopes, token_form
from charges.sources.patience import TIMEOUT, TOKEN_MARGIN, Answer, answer_of, patiently, response_of, seconds_named

Resource = dict[str, Any]


@dataclass
class FhirClient:
    """One connection to one tenant; use as a context manager. ``attempts`` and ``first_wait`` bound the patience."""

    settings: Fhir
    attempts: int = 5
    first_wait: float = 0.5
    clock: Callable[[], float] = time.monotonic
    _token: str = field(default="", init=False, repr=False)
    _token_ends: float = field(default=0.0, init=False, repr=False)
    _token_endpoint: str = field(default="", init=False, repr=False)

    def __enter__(self) -> "FhirClient":
        self._base = self.settings.base_url.rstrip("/")
        self._http = httpx2.Client(timeout=TIMEOUT, follow_redirects=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def search(self, kind: str, query: Mapping[str, str]) -> Iterator[Resource]:
        """All resources of a kind that a search finds, page after page.

        Raises Refused when a page leads elsewhere than to this tenant, and Unavailable when pages go round in a circle.
        """
        url = str(httpx2.URL(f"{self._base}/{kind}", params={**query, "_count": str(self.settings.page_size)}))
        seen: set[str] = set()
        while url:
            if url in seen:
                raise Unavailable(f"{self._host} leads from page to page in a circle. The next run asks again.")
            seen.add(url)
            bundle = self._asked(url)
            if bundle is None or bundle.get("resourceType") != "Bundle":
                raise Refused(f"{self._host} does not answer a search for {kind} with a Bundle. Check base_url.")
            for entry in bundle.get("entry") or ():
                resource = entry.get("resource") or {}
                if resource.get("resourceType") == kind:
                    yield resource
            url = self._next(bundle, url)

    def read(self, name: str) -> Resource | None:
        """A resource by ``Type/id``; None where the tenant has none or does not show it."""
        return self._asked(f"{self._base}/{name}", absent=(403, 404, 410))

    def capabilities(self) -> Resource:
        """The tenant's CapabilityStatement."""
        return self._asked(f"{self._base}/metadata") or {}

    @property
    def _host(self) -> str:
        return httpx2.URL(self.settings.base_url).host

    def _next(self, bundle: Resource, here: str) -> str:
        link = next(
            (str(each.get("url", "")) for each in bundle.get("link") or () if each.get("relation") == "next"), ""
        )
        if not link:
            return ""
        there, ours = httpx2.URL(here).join(link), httpx2.URL(self._base)
        if (there.scheme, there.host, there.port) != (ours.scheme, ours.host, ours.port) or not (
            there.path + "/"
        ).startswith(ours.path.rstrip("/") + "/"):
            raise Refused(
                f"{self._host} names a next page on another host or of another practice. It was not asked, for our token "
                "would go there. Tell the vendor."
            )
        return str(there)

    def _asked(self, url: str, absent: tuple[int, ...] = ()) -> Resource | None:
        def ask() -> httpx2.Response:
            return self._http.get(url, headers=self._headers())

        for attempt in ("kept", "fresh"):
            answer = patiently(lambda: self._once(ask), self.attempts, self.first_wait)
            if answer.status == httpx2.codes.OK:
                return answer.content if isinstance(answer.content, dict) else {}
            if answer.status != httpx2.codes.UNAUTHORIZED or attempt == "fresh":
                break
            self._token = ""  # it was taken back before its time
        if answer.status in absent:
            return None
        kind = httpx2.URL(url).path.removeprefix(httpx2.URL(self._base).path).strip("/").partition("/")[0]
        raise Refused(
            f"{self._host} refuses to give {kind} (status {answer.status}{_codes(answer.content)}). Ask the vendor whether "
            "the client may read it at this practice."
        )

    def _headers(self) -> dict[str, str]:
        if not self._token or self.clock() >= self._token_ends:
            self._fetch_token()
        return {"Authorization": f"Bearer {self._token}", "Accept": "application/fhir+json"}

    def _fetch_token(self) -> None:
        if not self._token_endpoint:
            found = self._once(lambda: self._http.get(f"{self._base}/.well-known/smart-configuration"))
            said = found.content if found.status == httpx2.codes.OK else None
            endpoint = said.get("token_endpoint") if isinstance(said, dict) else None
            if not isinstance(endpoint, str) or not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", endpoint):
                raise Refused(
                    f"{self._host} has no SMART configuration with a safe token endpoint (status {found.status}). "
                    "base_url must be that of the practice, with its code at the end."
                )
            self._token_endpoint = endpoint
        form = token_form(self.settings, self._token_endpoint)
        answer = self._once(lambda: self._http.post(self._token_endpoint, data=form))
        token = answer.content if answer.status == httpx2.codes.OK else {}
        if not isinstance(token, dict) or not isinstance(token.get("access_token"), str):
            raise Refused(
                f"{self._host} gives no token to client {self.settings.client_id} (status {answer.status}). Check "
                "client_id, key_id and scopes in the practice's profile; one scope that is not allowed refuses all."
            )
        demand_scopes(str(token.get("scope") or ""), self._host)
        seconds = token.get("expires_in")
        self._token = token["access_token"]
        self._token_ends = self.clock() + max((seconds if isinstance(seconds, int) else 300) - TOKEN_MARGIN, 1.0)

    def _once(self, ask: Callable[[], httpx2.Response]) -> Answer:
        response = response_of(self._host, ask)
        return answer_of(self._host, response, seconds_named(response))


def _codes(content: Any) -> str:  # noqa: ANN401 - whatever was answered
    """The codes of an OperationOutcome, as far as they are codes."""
    try:
        codes = (
            [str(each["code"]) for each in content["issue"]] if content["resourceType"] == "OperationOutcome" else []
        )
    except (KeyError, TypeError):
        return ""
    return "".join(f", {each}" for each in codes[:3] if re.fullmatch(r"[a-z\-]{1,30}", each))
