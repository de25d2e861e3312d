"""Fetching tables from a publisher that answers on this machine: cut, changed, redirected, licensed, gone."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from charges.errors import Refused, Unavailable, Unreadable
from charges.refdata import fetching as refdata
from charges.refdata.fetching import addresses, download
from charges.refdata.publishers import PUBLISHERS, links_on
from rules.reference import Reference
from rules.reference.loaders import KINDS
from tests.rules.reference import published

CONTENT = bytes(range(256)) * 4000
ON = date(2026, 8, 15)


class Publisher(ThreadingHTTPServer):
    """Serves one file, with ranges; ``cuts`` are the numbers of bytes after which an answer ends too early."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.content, self.etag, self.kind = CONTENT, '"one"', "application/zip"
        self.cuts: list[int] = []
        self.status = 200
        self.location = ""
        self.ranges: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self) -> None:
        publisher = self.server
        asked = self.headers.get("Range", "")
        publisher.ranges.append(asked)
        if publisher.location and self.path.startswith("/license"):
            self.send_response(302)
            self.send_header("Location", publisher.location)
            self.end_headers()
            return
        if publisher.status != 200:
            self.send_response(publisher.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = 0
        if asked and self.headers.get("If-Range") == publisher.etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(publisher.content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(publisher.content)}")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(publisher.content) - 1}/{len(publisher.content)}")
        else:
            self.send_response(200)
        body = publisher.content[start:]
        self.send_header("ETag", publisher.etag)
        self.send_header("Content-Type", publisher.kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = publisher.cuts.pop(0) if publisher.cuts else len(body)
        self.wfile.write(body[:cut])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Publisher]:
    with Publisher() as publisher:
        thread = Thread(target=publisher.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield publisher
        finally:
            publisher.shutdown()
            thread.join()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with serving() as running:
        yield running


def test_a_file_is_downloaded_whole(publisher: Publisher, tmp_path: Path) -> None:
    advanced: list[int] = []
    digest = hashlib.sha256(CONTENT).hexdigest()
    path = download(f"{publisher.address}/files/zip/table.zip", tmp_path, advanced.append, sha256=digest.upper())
    assert (path.name, path.read_bytes()) == ("table.zip", CONTENT)
    assert sum(advanced) == len(CONTENT)
    assert [each.name for each in tmp_path.iterdir()] == ["table.zip"]


def test_a_download_that_was_cut_goes_on_where_it_was(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cuts = [300_000, 200_000]
    path = download(f"{publisher.address}/table.zip", tmp_path)
    assert path.read_bytes() == CONTENT
    first, second, third = publisher.ranges
    assert first == ""
    assert 0 < int(second[6:-1]) <= 300_000 < int(third[6:-1]) <= 500_000


def test_the_next_run_goes_on_where_the_last_gave_up(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cuts = [100_000] * refdata.ATTEMPTS
    with pytest.raises(Unavailable, match="run again to go on") as given_up:
        download(f"{publisher.address}/table.zip", tmp_path)
    assert "127.0.0.1 cannot be reached or ends the connection" in str(given_up.value)
    assert not (tmp_path / "table.zip").exists()
    kept = (tmp_path / "table.zip.part").stat().st_size
    assert kept > 0
    publisher.ranges.clear()
    assert download(f"{publisher.address}/table.zip", tmp_path).read_bytes() == CONTENT
    assert publisher.ranges == [f"bytes={kept}-"]


def test_a_file_that_changed_while_it_was_cut_is_begun_anew(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cuts = [100_000] * refdata.ATTEMPTS
    with pytest.raises(Unavailable):
        download(f"{publisher.address}/table.zip", tmp_path)
    publisher.content, publisher.etag = CONTENT[::-1], '"two"'
    assert download(f"{publisher.address}/table.zip", tmp_path).read_bytes() == CONTENT[::-1]


def test_without_a_mark_of_the_version_nothing_is_continued(publisher: Publisher, tmp_path: Path) -> None:
    publisher.etag, publisher.cuts = 'W/"weak"', [300_000]
    assert download(f"{publisher.address}/table.zip", tmp_path).read_bytes() == CONTENT
    assert publisher.ranges == ["", ""]


def test_all_bytes_there_but_not_yet_named_whole(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "table.zip.part").write_bytes(CONTENT)
    (tmp_path / "table.zip.part.json").write_text(json.dumps({"mark": publisher.etag}))
    assert download(f"{publisher.address}/table.zip", tmp_path).read_bytes() == CONTENT


def test_a_file_of_another_digest_is_not_kept(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="the publisher changed it, or it is another file"):
        download(f"{publisher.address}/table.zip", tmp_path, sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_page_is_no_file(publisher: Publisher, tmp_path: Path) -> None:
    publisher.kind = "text/html; charset=utf-8"
    with pytest.raises(Refused, match="answers with a page and not a file"):
        download(f"{publisher.address}/license/table.zip", tmp_path)


def test_a_file_that_is_gone_is_told(publisher: Publisher, tmp_path: Path) -> None:
    publisher.status = 404
    with pytest.raises(Refused, match=r"answers 404\. Download the file with a browser"):
        download(f"{publisher.address}/table.zip", tmp_path)
    publisher.status = 503
    with pytest.raises(Unavailable):
        download(f"{publisher.address}/table.zip", tmp_path)


def test_a_publisher_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with serving() as gone:
        address = gone.address
    with pytest.raises(Unavailable, match="What is downloaded is kept"):
        download(f"{address}/table.zip", tmp_path)


@pytest.mark.parametrize(
    "address", ["http://www.example.org/a.zip", "ftp://example.org/a.zip", "/etc/passwd", "file:///a"]
)
def test_only_encrypted_addresses_are_asked(address: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is no address that begins with https"):
        download(address, tmp_path)
    with pytest.raises(Refused, match="is no address that begins with https"):
        addresses("mue", ON, [address])


def test_a_name_cannot_leave_the_folder(publisher: Publisher, tmp_path: Path) -> None:
    folder = tmp_path / "downloads"
    for path in ("/a/..%2F..%2Fescaped.zip", "/a/..%5Cescaped.zip"):
        assert download(publisher.address + path, folder).parent == folder
    with pytest.raises(Refused, match="names no file"):
        download(publisher.address + "/a/..%2F", folder)


# The publishers' pages.

QUARTER = {
    "ptp": "/license/ama?file=/files/zip/medicare-ncci-2026-q3-practitioner-ptp-edits-ccipra-v322r0-f1.zip",
    "mue": "/files/zip/medicare-ncci-2026-q3-practitioner-services-mue-table.zip",
    "add_on": "/files/zip/aoc_v2026q3-mcr.zip",
    "icd": "/files/zip/april-1-2026-code-descriptions-tabular-order.zip",
    "icd_notes": "icd10cm-table-and-index-April-1-2026.zip",
    "hcpcs": "/files/zip/july-2026-alpha-numeric-hcpcs-file.zip",
    "fees": "/files/zip/rvu26c-updated-06-30-2026.zip",
    "taxonomy": "/images/stories/CSV/nucc_taxonomy_260.csv",
    "telehealth": "/files/zip/list-telehealth-services-calendar-year-2026.zip",
}


@pytest.mark.parametrize("table", PUBLISHERS)
def test_each_publisher_page_is_read_for_the_release_of_a_date(table: str) -> None:
    others = [
        "/files/zip/medicare-ncci-2026q2-practitioner-ptp-edits-ccipra-v321r0-f1.zip",
        "/files/zip/medicare-ncci-2026q3-hospital-ptp-edits-ccioph-v322r0-f1.zip",
        "/files/zip/medicare-ncci-2026-q2-practitioner-services-mue-table.zip",
        "/files/zip/2025-code-descriptions-tabular-order.zip",
        "/files/zip/april-2026-alpha-numeric-hcpcs-file.zip",
        "/files/zip/rvu26b.zip",
    ]
    html = "".join(f'<a href="{link}">file</a>' for link in [*others, QUARTER[table]])
    publisher = PUBLISHERS[table]
    (found,) = links_on(html, publisher.page(ON), publisher.links(ON))
    assert found.startswith("https://")
    assert found.endswith(QUARTER[table].rpartition("=")[2].lstrip("/"))
    with pytest.raises(Refused, match="links to no file of that release"):
        links_on("<a href='/other.zip'>other</a>", publisher.page(ON), publisher.links(ON))


def test_the_last_revision_of_each_part_counts() -> None:
    names = [
        f"practitioner-ptp-edits-ccipra-v322r{revision}-f{part}.zip" for revision in (0, 1) for part in (1, 2, 3, 4)
    ]
    html = "".join(f'<a href="/license/ama?file=//files/zip/{name}">x</a>' for name in names)
    found = links_on(html, "https://www.cms.gov/page", PUBLISHERS["ptp"].links(ON))
    assert found == [f"https://www.cms.gov/files/zip/{name}" for name in names[4:]]


def test_tables_that_are_not_published_as_files_are_told() -> None:
    assert PUBLISHERS.keys() == {kind.name for kind in KINDS} - {"pos", "waived", "policies", "prices", "mce"}
    with pytest.raises(Refused, match="is not published as a file that can be fetched"):
        addresses("waived", ON)


# The command.


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `charges refdata` as a user would, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHARGES_REFERENCE_DIR", "tables")

    def run_charges(*words: str) -> Done:
        from charges.cli import main

        with pytest.raises(SystemExit) as ended:
            main(["refdata", *words])
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run_charges


MUE = [("97110", "6", "3", "Clinical: Data"), ("36416", "0", "3", "CMS Policy")]


def test_load_list_and_verify(run: Run, tmp_path: Path) -> None:
    nothing = run("verify")
    assert "No table is loaded" in nothing.stdout
    path = published.write_mue(tmp_path, MUE)
    refused = run("load", path.name)
    assert refused.returncode == 2
    assert "its terms are not accepted. Scripts say --accept-licence." in refused.stderr
    loaded = run("load", path.name, "--accept-licence", "--by", "imogen")
    assert loaded.stdout == "mue 2026Q3 is loaded: 2 rows, for services from 2026-07-01 to 2026-09-30.\n"
    (listed,) = json.loads(run("list", "--json").stdout)
    assert (listed["table"], listed["name"], listed["rows"]) == ("mue", "2026Q3", 2)
    assert (listed["acceptance"]["by"], listed["acceptance"]["licence"]) == ("imogen", "AMA CPT terms")
    assert listed["sources"] == [{"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}]
    shown = run("list").stdout
    assert "2026Q3" in shown
    assert "imogen" in shown
    assert "Not loaded: add_on, fees" in shown
    assert run("verify").stdout == "mue 2026Q3: 2 rows, whole.\n"
    store = tmp_path / "tables" / "mue-2026Q3.ref"
    content = bytearray(store.read_bytes())
    content[-3] ^= 1
    store.write_bytes(content)
    damaged = run("verify")
    assert damaged.returncode == 2
    assert "mue-2026Q3.ref is damaged" in damaged.stderr


def test_load_refuses_in_sentences(run: Run, tmp_path: Path) -> None:
    (tmp_path / "waived.csv").write_text("code,needs_qw\n87804,perhaps\n")
    for words, sentence in (
        (["nowhere.csv"], "nowhere.csv is no file that can be read."),
        (["waived.csv"], "waived.csv does not say in its name which release"),
        (["waived.csv", "--release", "1", "--to", "2026-01-01"], "--to needs --from"),
        (["waived.csv", "--release", "1", "--from", "2026-01-01"], "waived.csv, line 2: perhaps under needs_qw"),
        (["waived.csv", "--table", "stars"], "There is no table stars."),
    ):
        done = run("load", *words)
        assert done.returncode == 2
        assert sentence in done.stderr
    assert not (tmp_path / "tables").exists()


def test_fetch_downloads_loads_and_records_who_accepted(run: Run, publisher: Publisher, tmp_path: Path) -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        path = published.write_mue(tmp_path, MUE)
        archive.write(path, path.name)
    publisher.content = zipped.getvalue()
    address = f"{publisher.address}/files/zip/medicare-ncci-2026-q3-practitioner-services-mue-table.zip"
    refused = run("fetch", "mue", "--url", address)
    assert "its terms are not accepted" in refused.stderr
    assert publisher.ranges == [], "nothing is asked of the publisher before"
    publisher.cuts = [100]
    fetched = run("fetch", "mue", "--url", address, "--accept-licence", "--by", "imogen")
    assert fetched.returncode == 0
    assert len(publisher.ranges) == 2
    tables = Reference.open(tmp_path / "tables")
    limit = tables.mue("97110", ON)
    assert limit is not None
    assert limit.units == 6
    (release,) = tables.releases
    assert release.acceptance is not None
    assert release.acceptance.by == "imogen"
    again = run("fetch", "mue", "--url", address, "--accept-licence")
    assert again.returncode == 0


def test_fetch_of_a_publisher_out_of_reach_is_a_sentence(run: Run) -> None:
    with serving() as gone:
        address = gone.address
    done = run("fetch", "icd", "--url", f"{address}/icd10cm_order_2027.txt")
    assert done.returncode == 3
    assert "cannot be reached" in done.stderr
    unknown = run("fetch", "pos")
    assert unknown.returncode == 2
    assert "is not published as a file that can be fetched" in unknown.stderr
