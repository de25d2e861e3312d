"""Charges from flat files in a folder: CSV, fixed width or XLSX exports, read by the layout of the practice's profile.

A charge is all rows of a file that have its key, so its record is those rows by column, as they came. A file that comes
later replaces a charge by its key. A charge of which one row cannot be read is held whole, and its rows are returned with
the reason; the others go on. Files are known by their content, so the same one under another name brings nothing, and they
are only read, never moved or changed.

A file that cannot be read as a whole stands as a record of its own, held with the reason, until a file of that name can.
"""

import base64
import hashlib
import json
import os
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from charges.drift.census import NUMBER, TEXT, Shape
from charges.errors import Refused, Unavailable, Unreadable
from charges.model import Charge
from charges.practice.connections import FlatFiles
from charges.sources import Page, Probe, RawRecord
from charges.sources.flatfile.groups import columns_of, groups
from charges.sources.flatfile.report import ERROR, Report
from charges.sources.flatfile.rows import RowReader
from charges.sources.flatfile.tables import Facts, examine
from charges.sources.seen import moment_of_file, probe_of

_PAGE = 200
_FAULT = b"FAULT "
_MENDED = b"MENDED "
_GONE = b"GONE "
"""How records begin that hold no rows; those that do are JSON."""
_UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")
_NO_NAME = re.compile(r"[.\[\]]")
"""What in a census says that a path lies in another."""
_SECOND = 10**9
_AT_MOST_REMEMBERED = 20_000
_STATED_DAYS = 400
_MAY_BE_GONE = 5
"""So many charges may be missing from a file that states all; beyond, no more than a fifth of what it should state."""


@dataclass(slots=True)
class _Memory:
    """The cursor: files by mark and digest, which were read, which refused under which layout, and what was stated."""

    marks: dict[str, str] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)
    stated: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: str | None) -> "_Memory":
        if not cursor:
            return cls()
        known: dict[str, Any] = json.loads(cursor)
        stated = known.pop("stated", "")
        if stated:
            known["stated"] = json.loads(zlib.decompress(base64.b85decode(stated)))
        return cls(**known)

    def cursor(self) -> str:
        said: dict[str, Any] = {"marks": self.marks, "read": self.read[-_AT_MOST_REMEMBERED:], "refused": self.refused}
        if self.stated:
            said["stated"] = base64.b85encode(zlib.compress(json.dumps(self.stated).encode())).decode()
        return json.dumps(said, separators=(",", ":"))


class FlatFileSource:
    """A folder of exports as a source of charges."""

    kind = "flatfile"

    def __init__(self, settings: FlatFiles, now: Callable[[], int] = time.time_ns) -> None:
        self._settings, self._now = settings, now
        self._reader = RowReader(settings.layout)
        self._layout = hashlib.sha256(settings.layout.model_dump_json().encode()).hexdigest()[:16]

    def changed_since(self, cursor: str | None) -> Iterator[Page]:
        """The charges of files not read before, oldest file first; see ``ChargeSource``."""
        memory = _Memory.of(cursor)
        files = self._files()
        memory.marks = {mark: digest for mark, digest in memory.marks.items() if mark in files}
        for mark, path in files.items():
            digest, name = memory.marks.get(mark, ""), f"file-{_short(path.name)}"
            if digest and (digest in memory.read or memory.refused.get(name) == [digest, self._layout]):
                continue
            try:
                with path.open("rb") as file:
                    yield from self._file(file, path, name, mark, memory)
            except OSError as error:
                raise _unavailable(path, error) from None
            yield Page((), cursor=memory.cursor())

    def to_charge(self, record: RawRecord) -> Charge:
        """The facts of one record; see ``ChargeSource``."""
        if record.body.startswith(_FAULT):
            raise Unreadable(record.body.removeprefix(_FAULT).decode())
        if record.body.startswith((_MENDED, _GONE)):
            return Charge(voided=True)
        reading = self._reader.read(json.loads(record.body))
        if reading.faults:
            sentences = dict.fromkeys(sentence for _, sentence in reading.faults)
            raise Unreadable(f"{'; '.join(sentences)}.")
        return reading.charge.model_copy(update={"key": record.key})

    def shape(self, record: RawRecord) -> Shape | None:
        """Which columns say something, for the watch over drift; what stands for a whole file has no shape."""
        if record.body.startswith((_FAULT, _MENDED, _GONE)):
            return None
        kinds: dict[str, int] = {}
        for row in json.loads(record.body):
            for column, cell in row.items():
                if not column:  # what is wrong with the row
                    continue
                name = _NO_NAME.sub(" ", column)
                kinds[name] = kinds.get(name, 0) | (TEXT if isinstance(cell, str) else NUMBER)
        return Shape(kinds)

    def probe(self) -> Probe:
        """What the charges of the newest file hold; nothing is returned to its sender. See ``ChargeSource``."""
        paths = list(self._files().values())
        newest = moment_of_file(path.stat().st_mtime_ns for path in paths)
        return probe_of(self, ("changes",), newest, self._newest(paths[-1]) if paths else ())

    def _newest(self, path: Path) -> Iterator[RawRecord]:
        try:
            with path.open("rb") as file:
                for group in groups(file, examine(file, self._settings.layout), self._settings.layout):
                    yield RawRecord(group.key, _body(group.cells()))
        except Unreadable as fault:
            yield RawRecord(f"file-{_short(path.name)}", _FAULT + f"{path.name}: {fault}".encode())
        except OSError as error:
            raise _unavailable(path, error) from None

    def _file(self, file: BinaryIO, path: Path, name: str, mark: str, memory: _Memory) -> Iterator[Page]:
        """The records of one file; remembers how it went."""
        size = os.fstat(file.fileno()).st_size
        digest = _digest(file)
        memory.marks[mark] = digest
        if digest in memory.read:
            return
        try:
            facts = examine(file, self._settings.layout)
            yield from self._charges(file, facts, path, digest, memory)
        except Unreadable as fault:
            memory.refused[name] = [digest, self._layout]
            yield Page((RawRecord(name, _FAULT + f"{path.name}: {fault}".encode()),))
            return
        if os.fstat(file.fileno()).st_size != size:
            raise Unavailable(f"{path} was changed while it was read; the next run reads it again.")
        memory.read.append(digest)
        if memory.refused.pop(name, None):
            yield Page((RawRecord(name, _MENDED + digest.encode()),))

    def _charges(self, file: BinaryIO, facts: Facts, path: Path, digest: str, memory: _Memory) -> Iterator[Page]:
        layout = self._settings.layout
        columns, delimiter = columns_of(file, facts, layout)
        states_all = layout.states == "all" and ERROR not in columns  # what was returned and mended states little
        report = Report(self._settings.returns / f"{path.stem}.{digest[:8]}.csv", delimiter)
        stated: dict[str, str] = {}
        records: list[RawRecord] = []
        try:
            for group in groups(file, facts, layout):
                cells = group.cells()
                reading = self._reader.read(cells)
                if reading.faults:
                    report.add(group, reading.faults)
                if states_all:
                    stated[group.key] = str(reading.charge.service_date or "")
                records.append(RawRecord(group.key, _body(cells)))
                if len(records) == _PAGE:
                    yield Page(tuple(records))
                    records = []
            report.finish()
        finally:
            report.drop()
        if states_all:
            records += _gone(stated, memory, digest)
        for start in range(0, len(records), _PAGE):
            yield Page(tuple(records[start : start + _PAGE]))

    def _files(self) -> Mapping[str, Path]:
        """The finished files of the folder by their marks, oldest first."""
        folder = self._settings.folder
        settled = self._now() - self._settings.settle_seconds * _SECOND
        try:
            if not folder.is_dir():
                raise Refused(
                    f"The folder of exports {folder} does not exist. Make it, or correct the practice's source.folder."
                )
            found = []
            for path in folder.iterdir():
                if path.is_file() and not path.name.startswith((".", "~$")) and not path.name.endswith(_UNFINISHED):
                    facts = path.stat()
                    if facts.st_mtime_ns <= settled:
                        mark = _short(f"{path.name}|{facts.st_size}|{facts.st_mtime_ns}")
                        found.append((facts.st_mtime_ns, path.name, mark, path))
        except OSError as error:
            raise _unavailable(folder, error) from None
        return {mark: path for _, _, mark, path in sorted(found)}


def _body(cells: list[Any]) -> bytes:
    """The rows of a charge, alike however its rows and columns were ordered."""
    rows = sorted(json.dumps(row, sort_keys=True, ensure_ascii=False) for row in cells)
    return f"[{','.join(rows)}]".encode()


def _gone(stated: dict[str, str], memory: _Memory, digest: str) -> list[RawRecord]:
    """The charges stated before that a file of all charges lacks, within the days that it covers."""
    days = [day for day in stated.values() if day]
    if not days:
        return []
    first, last = min(days), max(days)
    expected = [key for key, day in memory.stated.items() if first <= day <= last]
    gone = [key for key in expected if key not in stated]
    if len(gone) > _MAY_BE_GONE and len(gone) * 5 > len(expected):
        sentence = (
            f"Of {len(expected)} charges that were stated before, a file of all charges lacks {len(gone)}. None was made "
            "void, for the file may be cut short. Have it exported again; if they are gone, void them one by one."
        )
        memory.stated |= stated
        return [RawRecord(f"gone-{digest}", _FAULT + sentence.encode())]
    oldest = str(date.fromisoformat(last) - timedelta(_STATED_DAYS))
    kept = memory.stated | stated
    memory.stated = {key: day for key, day in kept.items() if key not in gone and day >= oldest}
    return [RawRecord(key, _GONE + digest.encode()) for key in gone]


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()[:16]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]


def _unavailable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{path} cannot be read ({error.strerror}). Files stay in the folder; the next run reads them.")
