"""The simulated tenant behind its paths: who may ask, how often, what goes wrong with an answer.

Requests are counted by the minute of the tenant's clock, tokens too, as vendors count them.
"""

import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from email.utils import formatdate
from random import Random
from typing import Any

from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from charges.simulator.faults import Fate, Fault
from charges.simulator.life import Life
from charges.simulator.practice import Deed, SimulatedPractice, Version

TOKEN_SECONDS = 300


class Tenant:
    """The state behind the paths: the practice and its days, the tokens given out, the requests of each minute.

    ``requests_per_minute`` is the limit, none where it is 0; ``wall_clock`` gives the tenant's own time in seconds since
    1970, which its answers tell.
    """

    def __init__(
        self,
        practice: SimulatedPractice,
        fate: Fate | None = None,
        *,
        requests_per_minute: int = 0,
        slow_seconds: float = 1.0,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.practice, self.fate = practice, fate or Fate()
        self.life = Life(practice, self.fate)
        self.limit, self.slow_seconds, self.wall_clock = requests_per_minute, slow_seconds, wall_clock
        self.requests: Counter[int] = Counter()
        """By minute, those beyond the limit too."""
        self.lock = threading.RLock()
        self._tokens: dict[str, float] = {}
        self._last_pages: dict[str, bytes] = {}
        self._chance = Random(f"edits {self.fate.seed}")  # noqa: S311 - repeatable, and no secret

    def token(self) -> bytes:
        """A new token, as JSON."""
        token = secrets.token_urlsafe(24)
        self._tokens[token] = time.monotonic() + TOKEN_SECONDS
        return json.dumps({"access_token": token, "token_type": "bearer", "expires_in": TOKEN_SECONDS}).encode()

    def refusal(self, authorization: str | None = None) -> Response | None:
        """What goes wrong with a request now, if anything does; without an authorization it is one for a token."""
        minute = int(self.wall_clock() // 60)
        with self.lock:
            self.requests[minute] += 1
            if self.limit and self.requests[minute] > self.limit:
                return self.mishap(429, "too many requests")
            if authorization is not None:
                if self._befalls(Fault.EXPIRED_TOKEN):
                    self._tokens.clear()
                if self._tokens.get(authorization.removeprefix("Bearer "), 0.0) <= time.monotonic():
                    return self.mishap(401, "invalid_token")
            if self._befalls(Fault.BUSY):
                return self.mishap(429, "too many requests")
            if self._befalls(Fault.DENIED):
                return self.mishap(500, "access_denied")
            if self._befalls(Fault.SERVER_ERROR):
                return self.mishap(500, "server error")
            is_slow = self._befalls(Fault.SLOW)
        if is_slow:
            time.sleep(self.slow_seconds)
        return None

    def page(self, authorization: str, since: str, number: int, size: int) -> bytes:
        """A page of charges by their change, as JSON."""
        with self.lock:
            if self._befalls(Fault.EDIT_BETWEEN_PAGES):
                self._edit()
            if authorization in self._last_pages and self._befalls(Fault.REPEATED_PAGE):
                return self._last_pages[authorization]
            listed = self._listed()
            start = sum(version.modified_on < since for version in listed) + (number - 1) * size
            if start and self._befalls(Fault.SHIFTED_PAGE):
                start -= 1
            page = self.charge_page(listed[start : start + size], has_more=len(listed) > start + size)
            self._last_pages[authorization] = page
            return page

    def of_days(self, first: str, last: str, after: str) -> Sequence[Version]:
        """The charges of days of service after a number, in the order of numbers."""
        chosen = [version for version in self._listed() if first <= version.service_date <= last]
        return sorted((each for each in chosen if int(each.key) > int(after or 0)), key=lambda each: int(each.key))

    def charge_page(self, versions: Sequence[Version], *, has_more: bool) -> bytes:
        """Some charges as JSON."""
        more = b"true" if has_more else b"false"
        return b'{"hasMore":' + more + b',"charges":[' + b",".join(map(self.practice.wire, versions)) + b"]}"

    def answer(self, content: bytes) -> Response:
        """JSON: whole, broken off, or on a connection that ends."""
        with self.lock:
            if self._befalls(Fault.DROPPED):
                return _Dropped(content, headers=self._headers(), media_type="application/json")
            if self._befalls(Fault.TRUNCATED):
                content = content[: len(content) // 2]
        return Response(content, headers=self._headers(), media_type="application/json")

    def mishap(self, status: int, error: str) -> Response:
        """An error as the contract writes it."""
        content = json.dumps({"error": error})
        return Response(content, status, headers=self._headers(), media_type="application/json")

    def truth(self, *, with_records: bool) -> dict[str, Any]:
        """What the practice really has, what happened to it beside the plan, and how often each fault happened."""
        with self.lock:
            charges = self.practice.truth()
            if with_records:
                records = {each.key: self.practice.record(each) for each in self.practice.visible}
                charges = [each | {"record": records[each["key"]]} for each in charges]
            return {
                "charges": charges,
                "day": self.life.day,
                "deeds": [
                    {"at": each.moment.isoformat(), "fault": each.fault, "key": each.key}
                    for each in self.practice.deeds
                ],
                "updates": [
                    {"fault": each.fault, "path": each.path, "became": each.became} for each in self.life.updates
                ],
                "happened": dict(self.fate.happened),
                "most_requests_in_a_minute": max(self.requests.values(), default=0),
            }

    def _befalls(self, fault: Fault) -> bool:
        return self.fate.befalls(fault)

    def _listed(self) -> Sequence[Version]:
        return () if self.life.is_empty else self.practice.visible

    def _edit(self) -> None:
        edited = [each for each in self.practice.visible if not each.voided]
        if edited:
            key = self._chance.choice(edited).key
            self.practice.edit(key, copay=f"{self._chance.randint(100, 199)}.00")
            self.practice.deeds.append(Deed(self.practice.now, Fault.EDIT_BETWEEN_PAGES, key))

    def _headers(self) -> dict[str, str]:
        return {"Date": formatdate(self.wall_clock(), usegmt=True)}


class _Dropped(Response):
    """Half of an answer; the server then ends the connection, because the rest never comes."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
