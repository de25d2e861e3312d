"""The rows of a file by the charge they belong to, in little memory however large the file is.

A file is read twice: first to learn which charges have rows apart from each other, then to give each charge as soon as its
last row was seen. So a file in which the rows of a charge stand together needs memory for one charge at a time, and any
file some bytes for each charge.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from charges.practice.layout import Headers, Layout, plain
from charges.sources.flatfile.rows import FAULT, Cells
from charges.sources.flatfile.tables import Facts, Row, Table, opened, text_of

_KEY = re.compile(r"(?!(key|row|file|gone)-)[!-~]{1,60}")


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one charge under the key by which it is known."""

    key: str
    rows: Sequence[Row]
    columns: tuple[str, ...]

    def cells(self) -> list[Cells]:
        """What each row says by column, with what is wrong with it."""
        found: list[Cells] = []
        for row in self.rows:
            said: dict[str, str | int | float] = {
                name: cell for name, cell in zip(self.columns, row.cells, strict=False) if text_of(cell) != ""
            }
            if row.fault:
                said[FAULT] = row.fault
            found.append(said)
        return found


def groups(file: BinaryIO, facts: Facts, layout: Layout) -> Iterator[Group]:
    """The charges of a file, each once and whole; raises Unreadable before the first when the file cannot be read."""
    apart: Counter[int] = Counter()
    with opened(file, facts, layout) as table:
        keys = _Keys(layout, table)
        seen: set[int] = set()
        scattered: set[int] = set()
        before = 0
        for row in table.rows:
            key = keys.short(row)
            if key != before and key in seen:
                scattered.add(key)
            seen.add(key)
            before = key
    del seen
    if scattered:
        with opened(file, facts, layout) as table:
            apart.update(key for row in table.rows if (key := keys.short(row)) in scattered)
    with opened(file, facts, layout) as table:
        yield from _grouped(table, keys, apart)


def columns_of(file: BinaryIO, facts: Facts, layout: Layout) -> tuple[tuple[str, ...], str]:
    """The names of a file's columns, and the sign between them; raises Unreadable."""
    with opened(file, facts, layout) as table:
        return table.columns, table.delimiter


def _grouped(table: Table, keys: "_Keys", apart: Counter[int]) -> Iterator[Group]:
    waiting: dict[int, list[Row]] = {}
    current: list[Row] = []
    before = 0
    for row in table.rows:
        key = keys.short(row)
        if key == _NOTHING:
            continue
        if key in apart:
            waiting.setdefault(key, []).append(row)
            apart[key] -= 1
            if not apart[key]:
                yield keys.group(waiting.pop(key), table.columns)
            continue
        if key != before and current:
            yield keys.group(current, table.columns)
            current = []
        current.append(row)
        before = key
    if current:
        yield keys.group(current, table.columns)


_NOTHING = 0
"""The short key of a row that is left out."""


class _Keys:
    """To which charge a row belongs."""

    def __init__(self, layout: Layout, table: Table) -> None:
        places = {plain(name): place for place, name in reversed(list(enumerate(table.columns)))}
        self._key = [(names[0], _places(names, places)) for names in layout.key]
        self._left_out = [
            (places[plain(name)], frozenset(value.casefold() for value in values))
            for name, values in layout.left_out.items()
        ]

    def short(self, row: Row) -> int:
        """Eight bytes of the digest of a row's key, ``_NOTHING`` where it is left out."""
        if any(text_of(row.cells[place]).casefold() in values for place, values in self._left_out):
            return _NOTHING
        return int.from_bytes(hashlib.blake2b(self._whole(row).encode(), digest_size=8).digest()) or 1

    def group(self, rows: Sequence[Row], columns: tuple[str, ...]) -> Group:
        """Rows that belong together, under the key by which their charge is known for ever."""
        values, empty = self._values(rows[0])
        if empty:
            sentence = f"{' and '.join(empty)} is empty, so nobody knows which charge this is"
            rows = [Row(row.number, row.cells, sentence) for row in rows]
            return Group(f"row-{_digest(self._whole(rows[0]))}", rows, columns)
        key = values[0] if len(values) == 1 and _KEY.fullmatch(values[0]) else f"key-{_digest(chr(31).join(values))}"
        return Group(key, rows, columns)

    def _values(self, row: Row) -> tuple[list[str], list[str]]:
        values = [next(filter(None, (text_of(row.cells[at]) for at in places)), "") for _, places in self._key]
        return values, [name for (name, _), value in zip(self._key, values, strict=True) if not value]

    def _whole(self, row: Row) -> str:
        values, empty = self._values(row)
        return chr(30).join(map(str, row.cells)) if empty else chr(31).join(values)


def _places(names: Headers, places: Mapping[str, int]) -> list[int]:
    return [places[plain(name)] for name in names if plain(name) in places]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
