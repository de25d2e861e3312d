"""All resources of a tenant at once: the export in bulk, asked for, waited for, fetched (FHIR Bulk Data Access).

The tenant prepares an export for minutes or hours, so a run asks for it, another finds that it is ready, and a third may go
on where the second was stopped: the address of its progress is all that has to be remembered.

An export that lacks anything gives nothing, for a charge without one of its items would be billed short.
"""

import json
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from charges.errors import Refused, Unavailable
from charges.sources.fhir.auth import readable
from charges.sources.fhir.client import GONE, FhirClient, Query, Resource, codes_of
from charges.sources.fhir.mapping import name_of
from charges.sources.patience import Busy, patiently

_LONGEST_WAIT = 60.0
"""Seconds that one run waits for an export; a longer wait is left to the next run."""
_USUAL_WAIT = 10.0
_HELD_BY = {
    "ChargeItem": "context",
    "Condition": "encounter",
    "Coverage": "beneficiary",
    "PractitionerRole": "practitioner",
}
"""The element by which resources of a kind are searched."""


def ask_for(client: FhirClient, group: str | None, scopes: tuple[str, ...]) -> str:
    """Ask for an export of a group, or of all patients; returns the address at which its progress is told."""
    kinds = sorted(readable(scopes) - {"Group", "*"})
    query: Query = {"_outputFormat": "application/fhir+ndjson"} | ({"_type": ",".join(kinds)} if kinds else {})
    path = f"Group/{group}/$export" if group else "Patient/$export"
    answer = client.answer("GET", path, query, prefer="respond-async")
    place = answer.headers.get("content-location", "")
    if answer.status != httpx2.codes.ACCEPTED or not place:
        raise Refused(
            f"{client.host} refuses the export {path} (status {answer.status}{codes_of(answer.content)}). Ask the vendor "
            "whether the client may export and what the group's number is; a second export is refused while one is made."
        )
    if not client.is_ours(place):
        raise Refused(
            f"{client.host} tells the progress of an export on another host or of another practice. It was not asked, for "
            "our token would go there. Tell the vendor."
        )
    return place


def resources(client: FhirClient, place: str, sleep: Callable[[float], None] = time.sleep) -> "Shelf | None":
    """What was exported; None when the tenant has no such export any more.

    Raises Unavailable while the export is being made, and Refused when it lacks anything.
    """
    waited = 0.0
    while True:
        answer = client.answer("GET", place)
        if answer.status == httpx2.codes.OK:
            return _fetched(client, answer.content if isinstance(answer.content, dict) else {})
        if answer.status in GONE:
            return None
        if answer.status != httpx2.codes.ACCEPTED:
            raise Refused(
                f"{client.host} does not tell the progress of its export (status {answer.status}"
                f"{codes_of(answer.content)}). Ask the vendor what became of it."
            )
        named = answer.headers.get("retry-after", "")
        wait = float(named) if named.isascii() and named.isdigit() else _USUAL_WAIT
        if waited + wait > _LONGEST_WAIT:
            done = re.search(r"\d{1,3} ?%", answer.headers.get("x-progress", ""))
            raise Unavailable(
                f"{client.host} is still preparing the export{f' ({done[0]})' if done else ''}. Nothing is lost; the next "
                "run asks for it again."
            )
        sleep(wait)
        waited += wait


def forget(client: FhirClient, place: str) -> None:
    """Let the tenant remove an export that was read; whatever it answers, it will by itself."""
    client.answer("DELETE", place)


@dataclass
class Shelf:
    """Resources that are found as a tenant's searches find them; each is kept compressed, in memory alone."""

    _packed: dict[str, bytes] = field(default_factory=dict, repr=False)
    _held: dict[tuple[str, str], list[str]] = field(default_factory=dict, repr=False)

    def put(self, line: bytes) -> None:
        """Take a resource; raises Busy when it is none, for then the file broke off."""
        try:
            resource = json.loads(line)
            kind, name = resource["resourceType"], f"{resource['resourceType']}/{resource['id']}"
        except (ValueError, KeyError, TypeError):
            raise Busy("An exported file has a line that is no resource.") from None
        if name not in self._packed and kind in _HELD_BY:
            self._held.setdefault((kind, name_of(resource.get(_HELD_BY[kind]))), []).append(name)
        self._packed[name] = zlib.compress(line, 1)

    def read(self, name: str) -> Resource | None:
        """A resource by ``Type/id``."""
        packed = self._packed.get(name)
        if packed is None:
            return None
        resource: Resource = json.loads(zlib.decompress(packed))
        return resource

    def search(self, kind: str, query: Query) -> Iterator[Resource]:
        """The resources of a kind that name another by the one element by which they are searched; all without one."""
        if query:
            (target,) = query.values()
            names = self._held.get((kind, str(target)), [])
        else:
            names = [name for name in self._packed if name.startswith(f"{kind}/")]
        yield from filter(None, map(self.read, names))


def _fetched(client: FhirClient, manifest: Mapping[str, Any]) -> Shelf:
    with_token = manifest.get("requiresAccessToken") is not False
    faults: list[bytes] = []
    for file in manifest.get("error") or ():
        _read(client, file, faults.append, with_token=with_token)
    codes = {code for line in faults for code in _serious(line)}
    if codes:
        raise Refused(
            f"The export of {client.host} lacks some resources ({', '.join(sorted(codes))}). Nothing of it was taken, for "
            "charges would be half. Ask the vendor what could not be exported."
        )
    shelf = Shelf()
    for file in manifest.get("output") or ():
        count = _read(client, file, shelf.put, with_token=with_token)
        if file.get("count", count) != count:
            raise Unavailable(
                f"{client.host} exported {file['count']} resources of {file.get('type')} and gave {count}. Nothing of it "
                "was taken; the next run fetches the files again."
            )
    return shelf


def _read(client: FhirClient, file: Mapping[str, Any], take: Callable[[bytes], None], *, with_token: bool) -> int:
    """Give the lines of a file to ``take``; returns how many there are."""
    url = str(file.get("url", ""))
    if with_token and not client.is_ours(url):
        raise Refused(
            f"{client.host} wants our token for a file on another host or of another practice. It was not asked. Tell the "
            "vendor."
        )
    if not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", url):
        raise Refused(f"{client.host} exports to an address that is not https. Nothing was fetched. Tell the vendor.")

    def once() -> int:
        count = 0

        def counted(line: bytes) -> None:
            nonlocal count
            count += 1
            take(line)

        status = client.lines(url, counted, with_token=with_token)
        if status != httpx2.codes.OK:
            raise Unavailable(
                f"{client.host} does not give a file of its export (status {status}). The next run asks for it again."
            )
        return count

    return patiently(once, client.attempts, client.first_wait)


def _serious(line: bytes) -> Iterator[str]:
    """The codes of an OperationOutcome that are no mere remarks; ``unknown`` for what cannot be read."""
    try:
        for issue in json.loads(line)["issue"]:
            if issue.get("severity") not in ("information", "warning", "success"):
                code = str(issue.get("code", ""))
                yield code if re.fullmatch(r"[a-z\-]{1,30}", code) else "unknown"
    except (ValueError, KeyError, TypeError, AttributeError):
        yield "unknown"
