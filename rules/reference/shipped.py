"""The tables that come with the software, so that it can be tried without a download.

ICD-10-CM is the edition that the package simple-icd-10-cm carries (MIT; the code set is in the public domain), places of
service are whole, and the others are examples: a few facts about common codes of the third quarter of 2024, as numbers.
All are marked as samples: a practice that demands tables is not content with them, and a published release for the date
goes before them.
"""

import csv
import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from functools import lru_cache, partial
from importlib.resources import files
from importlib.util import find_spec
from mmap import mmap
from pathlib import Path

from charges.errors import Unavailable, Unreadable
from rules.reference import loaders, rows, store
from rules.reference.drafts import Dates, Draft
from rules.reference.files import Document, sha256_of
from rules.reference.library import SUFFIX, Content, Reference, file_name
from rules.reference.loaders.icd import edition_dates, load_tabular
from rules.reference.rows import TABLES
from rules.reference.store import Release, map_file, read_release, write

EXAMPLES_SINCE = date(2024, 7, 1)
"""The examples say nothing of earlier services."""

_FACTS = files("rules.reference") / "shipped_facts"


def shipped() -> Reference:
    """The shipped tables in memory, each made when it is first asked."""
    return Reference.of(_contents())


def ensure(folder: Path) -> None:
    """Put the shipped tables that a folder has not yet into it, so that all workers share them."""
    for release, content in _contents().items():
        if not (folder / file_name(release)).exists():
            write(folder, content(), file_name(release))


@lru_cache(maxsize=1)
def _contents() -> dict[Release, Content]:
    contents: dict[Release, Content] = {}
    for made in _examples():
        release, packed = made.pack()
        contents[release] = partial(bytes, packed)
    source = _tabular_list()
    if source is not None:
        for table in ("icd", "icd_notes"):
            dates = _icd_dates(source)
            assert dates.since is not None
            release = Release(table=table, name=dates.name, since=dates.since, sample=True)
            contents[release] = partial(_icd_content, table, source)
    return contents


def _examples() -> Iterator[Draft]:
    pos = _sample("pos", "2024-08", date(2003, 10, 1))
    for code, since, facility, name in _facts("pos"):
        pos.add(code, since=date.fromisoformat(since) if since else None, facility=facility == "1", name=name)
    ptp = _sample("ptp", "2024Q3-sample", EXAMPLES_SINCE)
    for column1, column2, indicator in _facts("ptp"):
        ptp.add(column1, column2, modifier_indicator=indicator, rationale="")
    mue = _sample("mue", "2024Q3-sample", EXAMPLES_SINCE)
    for code, units, indicator in _facts("mue"):
        mue.add(code, units=units, adjudication_indicator=indicator, rationale="")
    add_on = _sample("add_on", "2024Q3-sample", EXAMPLES_SINCE)
    for code, kind, primary in _facts("add_on"):
        add_on.add(code, type=kind, primary=primary, note="")
    yield from (pos, ptp, mue, add_on)


def _sample(table: str, name: str, since: date) -> Draft:
    return Draft(TABLES[table], name, since, None, sample=True)


def _facts(name: str) -> Iterator[list[str]]:
    """The rows of a file of facts, without its header."""
    rows = csv.reader((_FACTS / f"{name}.csv").read_text(encoding="utf-8").splitlines())
    next(rows)
    return rows


def _tabular_list() -> Path | None:
    """The tabular list in the installed package, found without importing it: its import reads the whole list."""
    spec = find_spec("simple_icd_10_cm")
    folders = spec.submodule_search_locations if spec else None
    lists = sorted(Path(folders[0], "data").glob("icd10c*tabular*.xml")) if folders else []
    return lists[-1] if lists else None


def _icd_dates(source: Path) -> Dates:
    """The package's edition, named as what it is; its end is left open, for no other is at hand."""
    edition = edition_dates(source.name)
    assert edition.until is not None
    return Dates(f"{edition.name}-sample", date(edition.until.year - 1, 10, 1))


def _icd_content(table: str, source: Path) -> bytes | mmap:
    """A table of the tabular list, kept in the user's cache because making it takes seconds; else made in memory."""
    folder = _cache(source)
    path = folder / f"{table}{SUFFIX}"
    with suppress(OSError, Unavailable, Unreadable):
        if not path.exists():
            for name, content in _icd_packed(source).items():
                write(folder, content, f"{name}{SUFFIX}")
        read_release(path)
        return map_file(path)
    return _icd_packed(source)[table]


def _cache(source: Path) -> Path:
    """Where the tables of a list are kept: another list, and another way to read it, have another folder."""
    told = hashlib.sha256(f"{source} {source.stat().st_size} {source.stat().st_mtime_ns}".encode())
    for code in (loaders.icd, rows, store):
        told.update(Path(code.__file__ or "").read_bytes())
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home else Path.home() / ".cache") / "chargerouter" / told.hexdigest()[:16]


@lru_cache(maxsize=1)
def _icd_packed(source: Path) -> dict[str, bytes]:
    document = Document(source.name, lambda: source.open("rb"), sha256_of(source))
    packed = {}
    for each in load_tabular(document, _icd_dates(source), codes=True):
        each.sample = True
        packed[each.table.name] = each.pack()[1]
    return packed
