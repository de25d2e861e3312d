"""Published files as lines and cells: text, CSV and XLSX, alone or in the zip they come in.

Everything is read as a stream, so a file of a million rows takes no more memory than one of ten. A fault is always told
with the file and the line.
"""

import codecs
import csv
import hashlib
import io
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO

from charges.errors import Unreadable

Cells = tuple[str, ...]

_END_OF_TEXT = "\x1a"
"""What DOS programs end a text with."""
_LARGEST = 4 << 30
"""Bytes that a member of a zip may unfold to; the largest published table has 200 MB."""


def fault(document: "Document", line: int, what: str) -> Unreadable:
    """The error of a line; ``what`` goes on after the place."""
    return Unreadable(f"{document.name}, line {line}: {what}")


@dataclass(frozen=True, slots=True)
class Document:
    """One published file. ``opened`` gives its bytes from the start, ``sha256`` is of the file (or zip) as it came.

    ``archive`` is the name of the zip it came in.
    """

    name: str
    opened: Callable[[], IO[bytes]]
    sha256: str
    archive: str = ""

    @property
    def label(self) -> str:
        """All names that may tell the release; an April edition is at times told by the zip's alone."""
        return f"{self.archive}/{self.name}" if self.archive else self.name

    @property
    def suffix(self) -> str:
        """The kind of file: ``.txt``, ``.csv``, ``.xlsx``, ``.xml``."""
        return Path(self.name).suffix.lower()

    def lines(self, *, ended: bool = True) -> Iterator[tuple[int, str]]:
        """Each line with its number from 1, without its end; raises Unreadable where the last has none.

        Not ``ended``: the last line of what people save may lack its end.
        """
        number, line = 0, "\n"
        with self.opened() as file, io.TextIOWrapper(file, encoding=self._encoding(), newline=None) as text:
            for number, line in enumerate(text, 1):
                yield number, line.rstrip("\n")
        if ended and not line.endswith("\n") and line != _END_OF_TEXT:
            raise fault(self, number, "the file ends in the middle of a line, it is cut short. Download it again.")

    def cells(self) -> Iterator[tuple[int, Cells]]:
        """Each row's cells, stripped, with the number of its first line: tabs in .txt, commas in .csv, a sheet's row."""
        if self.suffix == ".xlsx":
            yield from self._sheet()
        elif self.suffix == ".csv":
            yield from self._comma_separated()
        else:
            for number, line in self.lines(ended=False):
                yield number, tuple(cell.strip() for cell in line.split("\t"))

    def _comma_separated(self) -> Iterator[tuple[int, Cells]]:
        with self.opened() as file, io.TextIOWrapper(file, encoding=self._encoding(), newline="") as text:
            reader = csv.reader(text)
            try:
                line = 1
                for record in reader:
                    yield line, tuple(" ".join(cell.split()) for cell in record)
                    line = reader.line_num + 1
            except csv.Error:
                raise fault(self, reader.line_num, "a quotation does not end, the file is cut short.") from None

    def _sheet(self) -> Iterator[tuple[int, Cells]]:
        from openpyxl import load_workbook  # noqa: PLC0415 - slow to import and needed for spreadsheets alone

        try:
            with self._seekable() as file, closing(load_workbook(file, read_only=True, data_only=True)) as book:
                for number, row in enumerate(book.worksheets[0].iter_rows(values_only=True), 1):
                    yield number, tuple(_cell(value) for value in row)
        except (zipfile.BadZipFile, zlib.error, LookupError, ValueError, OSError, EOFError, SyntaxError):
            raise Unreadable(f"{self.name} is no spreadsheet or is cut short. Download it again.") from None

    def _seekable(self) -> IO[bytes]:
        """The file on disk: a spreadsheet is read from its end, which within a zip would unpack it again and again."""
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - whoever asked closes it
        with self.opened() as file:
            shutil.copyfileobj(file, copy, 1 << 20)
        copy.seek(0)
        return copy

    def _encoding(self) -> str:
        """UTF-8 where the whole file is, else the Windows code page that CMS writes."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        with self.opened() as file:
            try:
                while block := file.read(1 << 20):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                return "latin-1"
        return "utf-8-sig"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y%m%d")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())


def documents(path: Path, wanted: str) -> list[Document]:
    """The file, or the members of a zip whose names match ``wanted`` (a pattern); raises Unreadable."""
    digest = sha256_of(path)
    if path.suffix.lower() != ".zip":
        return [Document(path.name, lambda: path.open("rb"), digest)]
    try:
        with zipfile.ZipFile(path) as archive:
            if (bad := archive.testzip()) is not None:
                raise Unreadable(f"{path.name} is damaged at {bad}. Download it again.")
            members = [each for each in archive.infolist() if re.search(wanted, each.filename, re.IGNORECASE)]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise Unreadable(f"{path.name} is cut short or no zip. Download it again.") from None
    if any(member.file_size > _LARGEST for member in members):
        raise Unreadable(f"{path.name} would unfold to more than any published table.")
    return [
        Document(Path(member.filename).name, _member(path, member.filename), digest, path.name) for member in members
    ]


def _member(path: Path, name: str) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        archive = zipfile.ZipFile(path)
        file = archive.open(name)
        archive.close()  # the open member keeps the file
        return file

    return opened


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compact_day(text: str) -> date | None:
    """A day written YYYYMMDD; ``None`` when it is not one.

    >>> compact_day("20240701"), compact_day("20241301"), compact_day("2024183")
    (datetime.date(2024, 7, 1), None, None)
    """
    return _day(text, r"(\d{4})(\d{2})(\d{2})")


def ordinal_day(text: str) -> date | None:
    """A day written YYYYDDD, by its number in the year.

    >>> ordinal_day("2026091"), ordinal_day("2026366")
    (datetime.date(2026, 4, 1), None)
    """
    if re.fullmatch(r"[0-9]{7}", text) is None or int(text[4:]) == 0:
        return None
    day = date(int(text[:4]), 1, 1) + timedelta(days=int(text[4:]) - 1) if int(text[:4]) else None
    return day if day and day.year == int(text[:4]) else None


def written_day(text: str) -> date | None:
    """A day as people and CMS write it: 2026-07-01, 07/01/2026, 7/1/2026 or 20260701."""
    for pattern in (r"(\d{4})-(\d{2})-(\d{2})", r"(\d{4})(\d{2})(\d{2})"):
        if (day := _day(text, pattern)) is not None:
            return day
    if found := re.fullmatch(r"([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})", text):
        return _day(f"{found[3]}{int(found[1]):02}{int(found[2]):02}", r"(\d{4})(\d{2})(\d{2})")
    return None


def _day(text: str, pattern: str) -> date | None:
    found = re.fullmatch(pattern, text, re.ASCII)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def amount(text: str) -> Decimal | None:
    """A plain number as CMS writes it (``1,234.50``, ``$12``); empty is zero, anything else ``None``.

    >>> amount("1,234.50"), amount(""), amount("NA")
    (Decimal('1234.50'), Decimal('0'), None)
    """
    try:
        value = Decimal(text.replace(",", "").replace("$", "").strip() or "0")
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
