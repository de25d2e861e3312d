"""A table being made of a published file, before it is a release."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from charges.errors import Refused
from rules.reference.files import Document
from rules.reference.rows import TABLES, Table
from rules.reference.store import Acceptance, Builder, Release, Source


@dataclass
class Draft:
    """Rows of one table, and the name and dates of the release they will be, as the file tells them."""

    table: Table
    name: str
    since: date
    until: date | None
    sample: bool = False
    builder: Builder = field(init=False)

    def __post_init__(self) -> None:
        self.builder = Builder(pairs=self.table.pairs)

    def add(self, *key: str, since: date | None = None, until: date | None = None, **fields: object) -> None:
        """Add a row; without dates of its own it is in force as long as the release."""
        first = self.since if since is None and until is None else since or date.min
        last = self.until if since is None and until is None else until
        self.builder.add(("".join(key),) if self.table.joined else key, self.table.encode(first, last, fields))

    def pack(
        self,
        sources: Sequence[Source] = (),
        *,
        name: str = "",
        variant: str = "",
        acceptance: Acceptance | None = None,
    ) -> tuple[Release, bytes]:
        """The release and its file; ``variant`` tells a practice's own table from another's."""
        release = Release(
            table=f"{self.table.name}.{variant}" if variant else self.table.name,
            name=name or self.name,
            since=self.since,
            until=self.until,
            rows=len(self.builder),
            sources=tuple(sources),
            acceptance=acceptance,
            sample=self.sample,
        )
        return release, self.builder.pack(release)


@dataclass(frozen=True, slots=True)
class Dates:
    """What a release is called and the dates of service it answers for, where the user says so."""

    name: str = ""
    since: date | None = None
    until: date | None = None


def draft(table: str, document: Document, told: Dates, named: Dates) -> Draft:
    """A draft with the dates that the user told, else those in the file's name; raises Refused when there are none."""
    since, name = told.since or named.since, told.name or named.name
    if since is None or not name:
        raise Refused(
            f"{document.name} does not say in its name which release of {table} it is. "
            "Say it: --release NAME --from YYYY-MM-DD --to YYYY-MM-DD."
        )
    until = told.until if told.until or told.since else named.until
    if until is not None and until < since:
        raise Refused(f"{document.name}: the last date of service {until} is before the first, {since}.")
    return Draft(TABLES[table], name, since, until)


def quarter(year: int, number: int) -> Dates:
    """A quarter of a year as a release.

    >>> quarter(2026, 3)
    Dates(name='2026Q3', since=datetime.date(2026, 7, 1), until=datetime.date(2026, 9, 30))
    """
    following = date(year + number // 4, number * 3 % 12 + 1, 1)
    return Dates(f"{year}Q{number}", date(year, number * 3 - 2, 1), following - timedelta(days=1))


def fiscal_year(year: int, *, april: bool = False) -> Dates:
    """A federal fiscal year, in which ICD-10-CM is valid, or its second half, for which it is published anew in April.

    >>> fiscal_year(2027)
    Dates(name='FY2027', since=datetime.date(2026, 10, 1), until=datetime.date(2027, 9, 30))
    >>> fiscal_year(2026, april=True).name
    'FY2026-April'
    """
    since = date(year, 4, 1) if april else date(year - 1, 10, 1)
    return Dates(f"FY{year}" + ("-April" if april else ""), since, date(year, 9, 30))


def found(pattern: str, name: str) -> re.Match[str] | None:
    """A pattern anywhere in a file's name, whatever its case."""
    return re.search(pattern, name, re.IGNORECASE)
