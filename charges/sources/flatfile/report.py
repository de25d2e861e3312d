"""The file that goes back: the rows that could not be read, as they came, each with the reason."""

import csv
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from charges.errors import Unavailable
from charges.sources.flatfile.groups import Group
from charges.sources.flatfile.tables import Cell, text_of

ERROR = "error"
"""The column with the reasons."""
_WITH_ANOTHER = "Nothing is wrong with this row, but another one of the same charge has a fault"
_NUMBER = re.compile(r"[+-]?\d*\.?\d+")
_GUARDED = ("=", "+", "-", "@", "\t", "\r")


class Report:
    """Rows with reasons, written to ``path`` when the first one comes; nobody else may read the file."""

    def __init__(self, path: Path, delimiter: str) -> None:
        self._path, self._delimiter = path, delimiter
        self._file: TextIO | None = None
        self._writer: Any = None
        self._places: Sequence[int] = ()

    def add(self, group: Group, faults: Sequence[tuple[int, str]]) -> None:
        """Take the rows of a charge that could not be read; raises Unavailable when they cannot be written."""
        reasons: Mapping[int, list[str]] = {index: [] for index in range(len(group.rows))}
        for index, sentence in faults:
            reasons[index].append(sentence)
        try:
            if self._writer is None:
                self._begin(group.columns)
            for index, row in enumerate(group.rows):
                said = "; ".join(reasons[index]) or _WITH_ANOTHER
                self._writer.writerow([*(guarded(row.cells[place]) for place in self._places), guarded(said)])
        except OSError as error:
            raise self._unavailable(error) from None

    def finish(self) -> None:
        """Give the file its own name."""
        if self._file is None:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self._path)
        except OSError as error:
            raise self._unavailable(error) from None
        self._file = None

    def drop(self) -> None:
        """Take an unfinished file away."""
        if self._file is not None:
            self._file.close()
            with suppress(OSError):
                self._temporary.unlink()
            self._file = None

    @property
    def _temporary(self) -> Path:
        return self._path.with_name(f".{self._path.name}.tmp")

    def _begin(self, columns: Sequence[str]) -> None:
        # A file that comes back once more has the reasons of the last time, which count no more.
        self._places = [place for place, name in enumerate(columns) if name != ERROR]
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file, delimiter=self._delimiter)
        self._writer.writerow([*(guarded(columns[place]) for place in self._places), ERROR])

    def _unavailable(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"{self._path.parent} cannot be written to ({error.strerror}). The rows that cannot be read are returned there; "
            "the file is read again in the next run."
        )


def guarded(cell: Cell) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> guarded("=1+1"), guarded("-25.00"), guarded("DOE, JANE")
    ("'=1+1", '-25.00', 'DOE, JANE')
    """
    text = text_of(cell)
    return f"'{text}" if text.startswith(_GUARDED) and not _NUMBER.fullmatch(text) else text
