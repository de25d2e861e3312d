"""A file of rows and columns, read row by row: delimited text, fixed width, or an Excel workbook.

What a cell holds is given on as it stands. A workbook's numbers stay numbers, so that a reader can tell where Excel took
a leading zero away; its dates become ``YYYY-MM-DD``.
"""

import csv
import zipfile
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from io import TextIOWrapper
from itertools import islice
from typing import Any, BinaryIO

from charges.errors import Unreadable
from charges.practice.layout import Layout
from charges.sources.flatfile.header import missing, sentence, unused

Cell = str | int | float

_CHUNK = 1 << 20
_WORKBOOK = b"PK\x03\x04"
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_LARGEST_WORKBOOK = 2 << 30
"""So many bytes a workbook may have when it is unpacked."""
_DELIMITERS = {"tab": "\t"}
_GUESSED = (",", "\t", ";", "|")
_GUARDED = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``number`` is its place in the file, counted from 1; ``fault`` says why its cells cannot be trusted."""

    number: int
    cells: tuple[Cell, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a file by name, and its rows, each to be taken once; ``delimiter`` parts them in text."""

    columns: tuple[str, ...]
    rows: Iterator[Row]
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a file before it is read: the encoding of its text, or that it is a workbook."""

    encoding: str
    is_workbook: bool


def examine(file: BinaryIO, layout: Layout) -> Facts:
    """Look at all bytes of a file once; raises Unreadable when it can be no table."""
    file.seek(0)
    start = file.read(8)
    if start.startswith(_OLD_WORKBOOK):
        raise Unreadable("The file is an old .xls workbook or has a password. Save it as .xlsx or CSV without one.")
    is_workbook = start.startswith(_WORKBOOK)
    encoding: str = layout.encoding
    is_wide = start.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    if encoding == "auto" and is_wide:
        encoding = "utf-16"
    decoder, is_utf8 = getincrementaldecoder("utf-8")(), encoding == "auto" and not is_workbook
    file.seek(0)
    while chunk := file.read(_CHUNK):
        if not is_workbook and encoding != "utf-16" and b"\0" in chunk:
            raise Unreadable("The file holds null bytes, so it is neither text nor an .xlsx workbook.")
        if is_utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf8 = False
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    if encoding == "auto":
        encoding = "utf-8" if is_utf8 else "cp1252"
    if encoding == "utf-8" and start.startswith(BOM_UTF8):
        encoding = "utf-8-sig"
    return Facts(encoding, is_workbook)


@contextmanager
def opened(file: BinaryIO, facts: Facts, layout: Layout) -> Iterator[Table]:
    """A file as a table; raises Unreadable, also while its rows are taken, when it cannot be read or lacks a column."""
    file.seek(0)
    if facts.is_workbook:
        with _workbook(file, layout) as table:
            yield table
        return
    text = TextIOWrapper(file, encoding=facts.encoding, newline="")
    try:
        yield _fixed(text, layout) if layout.positions else _delimited(text, layout)
    except UnicodeError:
        raise Unreadable(
            f"The file's text is not {facts.encoding}; name its encoding in the layout, or save it as UTF-8."
        ) from None
    except csv.Error as error:
        what = "a cell that is too long or " if "field larger" in str(error) else ""
        raise Unreadable(
            f"The file has {what}a quotation mark out of place, so its rows cannot be told apart."
        ) from None
    finally:
        text.detach()


def text_of(cell: Cell) -> str:
    """A cell as text, numbers as people write them.

    >>> text_of(99213), text_of(150.5), text_of(" DOE ")
    ('99213', '150.5', 'DOE')
    """
    if isinstance(cell, str):
        return cell.strip()
    return str(cell) if isinstance(cell, int) else format(cell, ".15g")


def _delimited(text: TextIOWrapper, layout: Layout) -> Table:
    delimiter = _delimiter(text, layout)
    lines = enumerate(csv.reader(text, delimiter=delimiter, strict=True), 1)
    if layout.columns:
        return Table(layout.columns, _aligned(lines, len(layout.columns)), delimiter)
    header = next((cells for number, cells in lines if number == layout.header_row), None)
    if header is None:
        raise Unreadable("The file has no header: it ends before the row where one belongs.")
    columns = _named(header)
    _demand(layout, columns)
    return Table(columns, _aligned(lines, len(header)), delimiter)


def _delimiter(text: TextIOWrapper, layout: Layout) -> str:
    """What parts the columns: given, or the sign by which the header has most of the columns that the layout wants."""
    if layout.delimiter != "auto":
        return _DELIMITERS.get(layout.delimiter, layout.delimiter)
    start = text.tell()
    line = next(islice(iter(text.readline, ""), layout.header_row - 1, None), "")
    text.seek(start)

    def columns(delimiter: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            return 0, 0
        if layout.columns:
            return -abs(len(cells) - len(layout.columns)), len(cells)
        return -len(missing(layout, _named(cells))), len(cells)

    return max(_GUESSED, key=columns)


def _aligned(lines: Iterable[tuple[int, Sequence[str]]], width: int) -> Iterator[Row]:
    """Rows under their columns; one that has more or fewer cells is not to be trusted."""
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        fault = ""
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            fault = f"The row has {len(cells)} cells where the header has {width}"
        padded = (*cells[:width], *("" for _ in range(width - len(cells))))
        yield Row(number, tuple(map(_unguarded, padded)), fault)


def _unguarded(cell: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _GUARDED else cell


def _fixed(text: TextIOWrapper, layout: Layout) -> Table:
    spans = [(first - 1, last) for first, last in layout.positions.values()]

    def rows() -> Iterator[Row]:
        for number, line in enumerate(text, 1):
            whole = line.rstrip("\r\n")
            if number >= layout.header_row and whole.strip():
                yield Row(number, tuple(whole[first:last].strip() for first, last in spans))

    columns = tuple(layout.positions)
    _demand(layout, columns)
    return Table(columns, rows())


@contextmanager
def _workbook(file: BinaryIO, layout: Layout) -> Iterator[Table]:
    import openpyxl  # noqa: PLC0415 - half a second that text does not need

    book: Any = None
    try:
        _check_size(file)
        book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
        sheet = _sheet(book, layout.sheet)
        sheet.reset_dimensions()
        lines = enumerate(sheet.iter_rows(), 1)
        header = next((cells for number, cells in lines if number == layout.header_row), ())
        columns = layout.columns or _named([str(cell.value or "") for cell in header])
        _demand(layout, columns)
        yield Table(columns, _sheet_rows(lines, len(columns)))
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever its parsers do
        raise Unreadable(f"The workbook cannot be read ({type(error).__name__}); open and save it again.") from None
    finally:
        if book is not None:
            book.close()


def _check_size(file: BinaryIO) -> None:
    with zipfile.ZipFile(file) as parts:
        if sum(each.file_size for each in parts.infolist()) > _LARGEST_WORKBOOK:
            raise Unreadable("The workbook is too large; export it as CSV.")
    file.seek(0)


def _sheet(book: Any, name: str) -> Any:  # noqa: ANN401 - openpyxl's
    if name and name not in book.sheetnames:
        raise Unreadable(f"The workbook has no sheet named {name}.")
    return book[name] if name else book.worksheets[0]


def _sheet_rows(lines: Iterable[tuple[int, Sequence[Any]]], width: int) -> Iterator[Row]:
    for number, cells in lines:
        values: list[Cell] = []
        faults = []
        for index, cell in enumerate(cells[:width], 1):
            value = cell.value
            if value is not None and cell.data_type in ("f", "e"):
                faults.append(f"column {index} holds a formula or an error of Excel; save the sheet with values only")
                value = None
            values.append(_cell(value))
        if not faults and not any(value != "" for value in values):
            continue
        values += [""] * (width - len(values))
        if any(cell.value is not None for cell in cells[width:]):
            faults.append(f"The row has more cells than the header, which has {width}")
        yield Row(number, tuple(values), "; ".join(faults))


def _cell(value: object) -> Cell:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return int(value) if isinstance(value, int) or value.is_integer() else value
    if isinstance(value, datetime):
        return str(value.date()) if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date):
        return str(value)
    return _unguarded(str(value).strip())


def _named(header: Sequence[str]) -> tuple[str, ...]:
    """The names of columns: those without one by their place, those that stand twice counted."""
    while header and not header[-1].strip():
        header = header[:-1]
    seen: Counter[str] = Counter()
    names = []
    for place, name in enumerate(header, 1):
        given = " ".join(name.split()) or f"column {place}"
        seen[given.casefold()] += 1
        count = seen[given.casefold()]
        names.append(given if count == 1 else f"{given} ({count})")
    return tuple(names)


def _demand(layout: Layout, columns: Sequence[str]) -> None:
    """Refuse a file that lacks a column."""
    absent = missing(layout, columns)
    if absent:
        raise Unreadable(sentence(absent, unused(layout, columns)))
