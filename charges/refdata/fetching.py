"""Fetching published tables: downloads that go on where they were cut, and are whole before they are named so."""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx2

from charges.errors import Refused, Unavailable, Unreadable
from charges.refdata.publishers import PUBLISHERS, links_on
from rules.reference.files import sha256_of

TIMEOUT = httpx2.Timeout(60.0, connect=15.0)
ATTEMPTS = 4
"""Times a download that was cut is taken up again before the next run has to."""
LARGEST = 1 << 30
"""Bytes of the largest file that is taken; the largest that is published has 20 MB."""
_BLOCK = 1 << 16
_HOME = ("127.0.0.1", "localhost", "::1")

Advance = Callable[[int], None]


def addresses(table: str, on: date, given: Sequence[str] = ()) -> list[str]:
    """Where the files of a table's release for a date are: as given, else as the publisher's page links to them.

    Raises Refused when the table is not published as a file, Unavailable when the page does not answer.
    """
    for each in given:
        _check_address(each)
    if given:
        return list(given)
    publisher = PUBLISHERS.get(table)
    if publisher is None:
        raise Refused(
            f"The table {table} is not published as a file that can be fetched. Make the CSV and use "
            f"`charges refdata load FILE --table {table}`."
        )
    page = publisher.page(on)
    with _client() as client:
        try:
            answer = client.get(page)
        except httpx2.HTTPError as error:
            raise _unreachable(page, error) from None
    if answer.status_code != httpx2.codes.OK:
        raise Unavailable(f"{page} answers {answer.status_code}. {_BY_HAND}")
    return links_on(answer.text, str(answer.url), publisher.links(on))


def download(address: str, folder: Path, advance: Advance = lambda _: None, *, sha256: str = "") -> Path:
    """The file of an address in a folder, taken up where an earlier download was cut.

    What is there under its own name is whole. A file that changed at the publisher while it was cut is begun anew.
    Raises Unavailable when it is cut again and again, Refused when the address is wrong, Unreadable when the digest is.
    """
    _check_address(address)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / _name(address)
    partial = _Partial(target)
    with _client() as client:
        for attempt in range(ATTEMPTS):
            try:
                _take_up(client, address, partial, advance)
                break
            except httpx2.HTTPError as error:
                if attempt + 1 == ATTEMPTS:
                    raise _unreachable(address, error) from None
    return partial.finish(sha256)


class _Partial:
    """A file on its way: its bytes so far, and by what mark the publisher knows the version they are of."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self.mark_path = target.with_name(target.name + ".part.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def mark(self) -> str:
        """The ETag or date of the version begun; empty when the publisher gave none, so that it is begun anew."""
        with suppress(OSError, ValueError):
            return str(json.loads(self.mark_path.read_text(encoding="utf-8"))["mark"])
        return ""

    def begin(self, mark: str) -> None:
        self.path.write_bytes(b"")
        self.mark_path.write_text(json.dumps({"mark": mark}), encoding="utf-8")

    def finish(self, sha256: str) -> Path:
        found = sha256_of(self.path)
        self.mark_path.unlink(missing_ok=True)
        if sha256 and found != sha256.lower():
            self.path.unlink()
            raise Unreadable(
                f"{self.target.name} has the SHA-256 {found} and not {sha256}: the publisher changed it, or it is another "
                "file. It is not kept."
            )
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        return self.path.rename(self.target)


def _take_up(client: httpx2.Client, address: str, partial: _Partial, advance: Advance) -> None:
    have, mark = partial.size, partial.mark
    resume = {"Range": f"bytes={have}-", "If-Range": mark} if have and mark else {}
    with client.stream("GET", address, headers={"Accept-Encoding": "identity", **resume}) as answer:
        _check_address(str(answer.url))
        if answer.status_code == httpx2.codes.RANGE_NOT_SATISFIABLE and have:
            if answer.headers.get("Content-Range") == f"bytes */{have}":
                return
            partial.begin("")
            raise httpx2.ReadError("the file changed while it was cut")
        if answer.status_code == httpx2.codes.PARTIAL_CONTENT and resume:
            whole = int(answer.headers["Content-Range"].rpartition("/")[2])
        elif answer.status_code == httpx2.codes.OK:
            have, whole = 0, int(answer.headers.get("Content-Length", -1))
            partial.begin(_mark(answer))
        elif answer.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR:
            raise httpx2.ReadError("the publisher's server is in trouble")
        else:
            raise Refused(f"{address} answers {answer.status_code}. {_BY_HAND}")
        if whole > LARGEST:
            raise Refused(f"{address} has {whole:,} bytes, more than any published table.")
        if "text/html" in answer.headers.get("Content-Type", ""):
            raise Refused(f"{address} answers with a page and not a file. {_BY_HAND}")
        with partial.path.open("ab") as file:
            for block in answer.iter_bytes(_BLOCK):
                file.write(block)
                have += len(block)
                advance(len(block))
                if have > LARGEST:
                    raise Refused(f"{address} sends more than any published table.")
        if whole >= 0 and have != whole:
            raise httpx2.ReadError("the answer was cut short")


def _mark(answer: httpx2.Response) -> str:
    """The strong mark of a version: only by such a one may a server go on in the middle (RFC 9110, section 13.1.5)."""
    tag = str(answer.headers.get("ETag", ""))
    return tag if tag and not tag.startswith("W/") else str(answer.headers.get("Last-Modified", ""))


_BY_HAND = "Download the file with a browser and use `charges refdata load FILE`."


def _client() -> httpx2.Client:
    return httpx2.Client(timeout=TIMEOUT, follow_redirects=True, headers={"User-Agent": "Chargerouter"})


def _unreachable(address: str, error: httpx2.HTTPError) -> Unavailable:
    return Unavailable(
        f"{urlsplit(address).hostname} cannot be reached or ends the connection ({type(error).__name__}). What is "
        f"downloaded is kept; run again to go on. Or: {_BY_HAND}"
    )


def _check_address(address: str) -> None:
    """Only encrypted, except on this machine; also where a redirect leads."""
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HOME):
        return
    raise Refused(f"{address} is no address that begins with https://.")


def _name(address: str) -> str:
    name = unquote(urlsplit(address).path).replace("\\", "/").rpartition("/")[2]
    if not name or name.startswith("."):
        raise Refused(f"{address} names no file.")
    return name
