"""Invented exports of an invented practice, for tests of the flat-file source."""

import csv
import os
from collections.abc import Sequence
from importlib.resources import files
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import openpyxl

from charges import yamlfile
from charges.model import Charge
from charges.practice.connections import FlatFiles
from charges.practice.layout import Layout
from charges.sources import RawRecord
from charges.sources.flatfile import FlatFileSource

EXAMPLE = Path(str(files("charges").joinpath("practice/examples/harbor-export.yaml")))
ROW = {
    "Claim No": "1001", "Type": "Charge", "Status": "Billable", "Account": "100234", "Patient": "LARKSPUR, ODETTE Q",
    "DOB": "04/03/1961", "Sex": "Female", "Address": "12 Willow Lane", "City": "Springfield", "State": "IL", "ZIP": "62704",
    "Insurance": "Prairie Mutual", "Policy No": "PMH8812345", "Relation": "", "Provider NPI": "1245319599", "CPT": "99213",
    "Mod 1": "25", "Mod 2": "", "Dx 1": "I10", "Dx 2": "E11.9", "Dx 3": "", "Dx 4": "", "Units": "1", "Amount": "150.00",
    "DOS": "11/16/2026", "Location": "Office",
}  # fmt: skip
"""One row of the documented example's export, clean."""


def row(**changes: str) -> dict[str, str]:
    """The row with other values; ``claim_no="7"`` changes the column Claim No."""
    names = {name.lower().replace(" ", "_"): name for name in ROW}
    return ROW | {names.get(name, name): value for name, value in changes.items()}


def layout(**changes: Any) -> Layout:
    """The documented example, with other settings."""
    return Layout.model_validate(yamlfile.read(EXAMPLE.read_text()).values | changes)


def small(**changes: Any) -> Layout:
    """A layout of few columns; keywords are settings, and ``fields`` are put beside its own."""
    fields = {"line.code": "CPT", "line.charge": "Amount", "line.units": "Units", "patient.birth_date": "DOB"}
    given = {"key": "No"} | changes | {"fields": fields | changes.get("fields", {})}
    return Layout.model_validate(given)


def text(*rows: dict[str, str], delimiter: str = ",", columns: Sequence[str] = ()) -> str:
    """Rows as delimited text under their header."""
    out = StringIO()
    writer = csv.DictWriter(out, columns or list(rows[0]), delimiter=delimiter, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def workbook(*rows: Sequence[object]) -> bytes:
    """Rows of values as a workbook."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for each in rows:
        book.active.append(list(each))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


class Inbox:
    """A folder of exports and the source that reads it."""

    def __init__(self, folder: Path, given: Layout | None = None, **settings: Any) -> None:
        self.folder, self.returned = folder / "in", folder / "returned"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings = FlatFiles(
            kind="flatfile", folder=self.folder, layout=given or layout(), settle_seconds=0, **settings
        )
        self.cursor: str | None = None
        self.count = 0

    @property
    def source(self) -> FlatFileSource:
        return FlatFileSource(self.settings)

    def put(self, name: str, content: str | bytes) -> Path:
        """A file that is newer than those before."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.count += 1
        os.utime(path, ns=(self.count * 10**9,) * 2)
        return path

    def pull(self) -> list[RawRecord]:
        records: list[RawRecord] = []
        for page in self.source.changed_since(self.cursor):
            records += page.records
            self.cursor = page.cursor if page.cursor is not None else self.cursor
        return records

    def charges(self) -> dict[str, Charge]:
        return {each.key: self.source.to_charge(each) for each in self.pull()}

    def one(self) -> Charge:
        (found,) = self.charges().values()
        return found


def read(folder: Path, content: str | bytes, given: Layout, name: str = "a.csv") -> Charge:
    """The one charge of a file."""
    inbox = Inbox(folder, given)
    inbox.put(name, content)
    return inbox.one()
