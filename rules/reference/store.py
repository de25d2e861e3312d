"""The file of one table in one release: sorted keys and numbered entries, mapped into memory.

A file is read where it lies: all workers of a machine share its pages, opening it reads the header alone, and a look-up
is a binary search. It consists of::

    magic, 8 bytes | length of the header, 4 bytes | SHA-256 of the header, 32 bytes
    header, JSON: the release and the place and digest of each section
    sections, each beginning at a multiple of 8

An *entry* is what a row says beside its key: the first and last date it is in force and its fields, as text separated by
tabs. Equal entries are stored once, so 2.5 million pairs share a few thousand. A *code* table finds entries by one code; a
*pair* table finds them by two, the first leading to a slice of the rows in which the second is searched.

Entries are numbered latest first, so the first that covers a date is the one to follow where rows overlap.
"""

import hashlib
import mmap
import os
import sys
import tempfile
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import accumulate, groupby
from pathlib import Path
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from charges.errors import Unavailable, Unreadable

MAGIC = b"CHRGREF1"
LONGEST_CODE = 12
"""Characters of the longest code that fits a key of 64 bits."""

_NUMBERS: dict[str, Literal["H", "I", "Q"]] = {"H": "H", "I": "I", "Q": "Q"}
_PREAMBLE = len(MAGIC) + 4 + 32
_KEPT_ENTRIES = 4096
"""Entries kept decoded; beyond that all are forgotten, so that a worker's memory stays small."""
_KEPT_ANSWERS = 16_384
"""Codes and pairs whose entries are remembered; a practice bills the same few hundred codes."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Record):
    """A published file that a release was made of."""

    name: str
    sha256: str


class Acceptance(_Record):
    """Who agreed to the publisher's terms, and when."""

    licence: str
    by: str
    at: datetime


class Release(_Record):
    """One table as published once, and the dates of service it answers for (both included; no ``until``: not yet ended).

    ``sample`` marks what ships with the software: facts to try it with, never a whole table of the day.
    """

    table: str
    name: str
    since: date
    until: date | None = None
    rows: int = 0
    sources: tuple[Source, ...] = ()
    acceptance: Acceptance | None = None
    sample: bool = False

    def covers(self, on: date) -> bool:
        """Whether the release answers for a date of service."""
        return self.since <= on and (self.until is None or on <= self.until)


class _Section(_Record):
    at: int
    size: int
    sha256: str


class _Header(_Record):
    release: Release
    byte_order: str
    kind: str
    entry_type: str
    sections: dict[str, _Section]


def key_of(code: str) -> int:
    """A code of up to 12 letters and digits as a number; -1, which no table holds, for any other text.

    >>> key_of("A0") != key_of("00A0")
    True
    >>> key_of("E11.9"), key_of("")
    (-1, -1)
    """
    if code.isalnum() and code.isascii() and len(code) <= LONGEST_CODE:
        return int("1" + code, 36)  # the leading 1 tells A0 from 00A0
    return -1


class Builder:
    """Gathers the rows of a table in any order and writes its file, the same bytes for the same rows."""

    def __init__(self, *, pairs: bool = False) -> None:
        self._pairs = pairs
        self._codes: dict[str, int] = {}
        self._entries: dict[str, int] = {}
        self._rows: list[int] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, key: tuple[str, ...], entry: str) -> None:
        """Add a row: its code or codes, and its entry as ``Entries`` decode it."""
        number = self._entries.setdefault(entry, len(self._entries))
        if self._pairs:
            first, second = key
            codes = self._codes
            left, right = codes.setdefault(first, len(codes)), codes.setdefault(second, len(codes))
            self._rows.append(left << 64 | right << 32 | number)
        else:
            (code,) = key
            key_number = key_of(code)
            assert key_number >= 0, code
            self._rows.append(key_number << 32 | number)

    def pack(self, release: Release) -> bytes:
        """The file's bytes. Rows that say the same are stored once."""
        in_order = sorted(self._entries, reverse=True)
        renumbered = array("I", [0]) * len(in_order)
        for place, entry in enumerate(in_order):
            renumbered[self._entries[entry]] = place
        sections: dict[str, bytes] = {}
        entry_type = _smallest(len(in_order))
        if self._pairs:
            codes = sorted(self._codes)
            ids = array("I", [0]) * len(codes)
            for place, code in enumerate(codes):
                ids[self._codes[code]] = place
            mask = 0xFFFFFFFF
            rows = _in_order(ids[r >> 64] << 64 | ids[r >> 32 & mask] << 32 | renumbered[r & mask] for r in self._rows)
            counts = array("I", [0]) * (len(codes) + 1)
            for row in rows:
                counts[(row >> 64) + 1] += 1
            sections["codes"] = "\t".join(codes).encode()
            sections["starts"] = array("I", accumulate(counts)).tobytes()
            sections["keys"] = array(_smallest(len(codes)), (row >> 32 & mask for row in rows)).tobytes()
        else:
            rows = _in_order(r >> 32 << 32 | renumbered[r & 0xFFFFFFFF] for r in self._rows)
            sections["keys"] = array("Q", (row >> 32 for row in rows)).tobytes()
        sections["entries"] = array(entry_type, (row & 0xFFFFFFFF for row in rows)).tobytes()
        texts = [entry.encode() for entry in in_order]
        sections["texts"] = b"".join(texts)
        sections["text_starts"] = array("I", accumulate(map(len, texts), initial=0)).tobytes()
        kind = f"pairs:{_smallest(len(self._codes))}" if self._pairs else "codes:Q"
        return _pack(release.model_copy(update={"rows": len(rows)}), kind, entry_type, sections)


def _in_order(rows: Iterable[int]) -> list[int]:
    """The rows sorted, each once."""
    return [row for row, _ in groupby(sorted(rows))]


def _smallest(count: int) -> str:
    return "H" if count <= 0x10000 else "I"


def _pack(release: Release, kind: str, entry_type: str, sections: dict[str, bytes]) -> bytes:
    placed: dict[str, _Section] = {}
    body = bytearray()
    for name, content in sections.items():
        body += bytes(-len(body) % 8)
        placed[name] = _Section(at=len(body), size=len(content), sha256=hashlib.sha256(content).hexdigest())
        body += content
    header = _Header(
        release=release, byte_order=sys.byteorder, kind=kind, entry_type=entry_type, sections=placed
    ).model_dump_json()
    encoded = header.encode()
    encoded += b" " * (-(_PREAMBLE + len(encoded)) % 8)
    return b"".join((MAGIC, len(encoded).to_bytes(4, "big"), hashlib.sha256(encoded).digest(), encoded, body))


def write(folder: Path, content: bytes, name: str) -> Path:
    """Put a file in its place whole or not at all; a reader of the file it replaces is not disturbed.

    Raises Unavailable when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            target = Path(temporary).rename(folder / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync(folder)
    except OSError as error:
        raise Unavailable(
            f"The folder of the tables, {folder}, cannot be written ({os.strerror(error.errno or 0)}). "
            "What was loaded before is untouched."
        ) from None
    return target


def _sync(folder: Path) -> None:
    """Make the folder's entries last, too."""
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


E = TypeVar("E")


class Store(Generic[E]):
    """The rows of one release. ``decode`` makes of an entry's text what look-ups give; it is called once per entry."""

    def __init__(self, content: bytes | mmap.mmap, decode: Callable[[str], E], name: str) -> None:
        self.name = name
        self._view = memoryview(content)
        header, self._body = _read_header(self._view, name)
        self.release = header.release
        self._header = header
        self._decode = decode
        self._decoded: dict[int, E] = {}
        self._answers: dict[str | tuple[str, str], tuple[E, ...]] = {}
        kind, _, key_type = header.kind.partition(":")
        self._keys = self._section("keys").cast(_NUMBERS[key_type])
        self._entries = self._section("entries").cast(_NUMBERS[header.entry_type])
        self._texts = self._section("texts")
        self._text_starts = self._section("text_starts").cast("I")
        self._codes: dict[str, int] = {}
        if kind == "pairs":
            named = bytes(self._section("codes")).decode()
            codes = named.split("\t") if named else []
            self._names = codes
            self._codes = {code: place for place, code in enumerate(codes)}
            self._starts = self._section("starts").cast("I")

    def find(self, code: str) -> tuple[E, ...]:
        """The entries of a code, latest first."""
        known = self._answers.get(code)
        return self._remembered(code, self._find(code)) if known is None else known

    def find_pair(self, first: str, second: str) -> tuple[E, ...]:
        """The entries of a pair of codes in this order, latest first."""
        known = self._answers.get((first, second))
        return self._remembered((first, second), self._find_pair(first, second)) if known is None else known

    def _remembered(self, asked: str | tuple[str, str], found: Iterator[E]) -> tuple[E, ...]:
        if len(self._answers) >= _KEPT_ANSWERS:
            self._answers.clear()
        known = self._answers[asked] = tuple(found)
        return known

    def _find(self, code: str) -> Iterator[E]:
        key, keys, entries = key_of(code), self._keys, self._entries
        place = bisect_left(keys, key) if key >= 0 else len(keys)
        while place < len(keys) and keys[place] == key:
            yield self.entry(entries[place])
            place += 1

    def _find_pair(self, first: str, second: str) -> Iterator[E]:
        left, right = self._codes.get(first), self._codes.get(second)
        if left is None or right is None:
            return
        end, keys = self._starts[left + 1], self._keys
        place = bisect_left(keys, right, self._starts[left], end)
        while place < end and keys[place] == right:
            yield self.entry(self._entries[place])
            place += 1

    def find_first(self, first: str) -> Iterator[tuple[str, E]]:
        """All pairs that begin with a code: the second code and the entry."""
        left = self._codes.get(first)
        if left is None:
            return
        for place in range(self._starts[left], self._starts[left + 1]):
            yield self._names[self._keys[place]], self.entry(self._entries[place])

    def entry(self, number: int) -> E:
        """An entry by its number, decoded."""
        known = self._decoded.get(number)
        if known is None:
            text = bytes(self._texts[self._text_starts[number] : self._text_starts[number + 1]]).decode()
            if len(self._decoded) >= _KEPT_ENTRIES:
                self._decoded.clear()
            known = self._decoded[number] = self._decode(text)
        return known

    def changes(self) -> set[date]:
        """The days from which an entry is in force, or no longer in force."""
        texts, starts = bytes(self._texts), self._text_starts[:-1]
        begun = {texts[at : at + 10] for at in starts}
        ended = {texts[at + 11 : at + 21] for at in starts if texts[at + 11 : at + 12].isdigit()}
        return {date.fromisoformat(each.decode()) for each in begun} | {
            date.fromisoformat(each.decode()) + timedelta(days=1) for each in ended
        }

    def verify(self) -> None:
        """Read all and compare the digests; raises Unreadable when the file was damaged after it was written."""
        for name in self._header.sections:
            if hashlib.sha256(self._section(name)).hexdigest() != self._header.sections[name].sha256:
                raise Unreadable(f"{self.name} is damaged: its {name} are not what was written. Load the table again.")

    def _section(self, name: str) -> memoryview:
        section = self._header.sections[name]
        start = self._body + section.at
        return self._view[start : start + section.size]


def read_release(path: Path) -> Release:
    """What release a file holds, by its header alone; raises Unreadable."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(len(MAGIC) + 4)[len(MAGIC) :], "big")
        file.seek(0)
        start = file.read(_PREAMBLE + size)
    return _read_header(memoryview(start), path.name, path.stat().st_size)[0].release


def map_file(path: Path) -> mmap.mmap:
    """A file's bytes, mapped for reading."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _read_header(view: memoryview, name: str, whole: int | None = None) -> tuple[_Header, int]:
    """The header and where the sections begin; ``whole`` is the file's size where ``view`` is but its start."""
    damaged = Unreadable(f"{name} is damaged or no reference table. Remove it and load the table again.")
    if bytes(view[: len(MAGIC)]) != MAGIC:
        raise damaged
    size = int.from_bytes(view[len(MAGIC) : len(MAGIC) + 4], "big")
    text = bytes(view[_PREAMBLE : _PREAMBLE + size])
    if hashlib.sha256(text).digest() != bytes(view[len(MAGIC) + 4 : _PREAMBLE]):
        raise damaged
    try:
        header = _Header.model_validate_json(text)
    except ValidationError:
        raise Unreadable(f"{name} was written by another version. Load the table again.") from None
    end = max(section.at + section.size for section in header.sections.values())
    if (len(view) if whole is None else whole) != _PREAMBLE + size + end:
        raise Unreadable(f"{name} is cut short. Load the table again.")
    if header.byte_order != sys.byteorder:
        raise Unreadable(f"{name} was written on a machine of another byte order. Load the table again.")
    return header, _PREAMBLE + size
