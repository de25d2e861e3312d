"""The queue as a file for a spreadsheet, in which no cell becomes a formula, and of which it is known who took it away."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace

from charges.db import Database
from charges.desk import queue
from charges.desk import sharing as desk
from charges.desk.queue import Entry, Reader
from charges.desk.views import Wanted

LONGEST = 10_000
"""Charges in one file."""
_AT_ONCE = 500
_HEAD = (
    "charge", "practice", "payer", "provider", "date of service", "dollars", "held since", "file by", "assignee",
    "waits until", "rule", "severity", "what is wrong", "what to do",
)  # fmt: skip


def cell(value: object) -> str:
    """A value as text that a spreadsheet takes for text: what begins like a formula gets an apostrophe before it.

    >>> cell("=cmd|' /C calc'!A0"), cell("-12"), cell("O'Neil"), cell(None)
    ("'=cmd|' /C calc'!A0", "'-12", "O'Neil", '')
    """
    text = "" if value is None else str(value).replace("\0", "")
    return f"'{text}" if text.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", *"=+-@")) else text


def csv_of(database: Database, wanted: Wanted, reader: Reader, names: Mapping[str, str]) -> Iterator[str]:
    """A view of the queue as CSV, one line for each finding, its first charges where it has very many.

    ``names`` has what payers and providers are called by their ids. Each charge is written down as seen by the reader.
    """
    yield _line(_HEAD)
    following = replace(wanted, after="", before="")
    for _ in range(LONGEST // _AT_ONCE):
        page = queue.page(database, following, reader, size=_AT_ONCE)
        numbers = [each.charge_number for each in page.entries]
        desk.saw(database, numbers, desk.Look.EXPORT, by=reader.name, clock=lambda: reader.now)
        for entry in page.entries:
            yield from _lines(entry, names)
        if not page.after:
            return
        following = replace(following, after=page.after)


def _lines(entry: Entry, names: Mapping[str, str]) -> Iterator[str]:
    of_charge = (
        entry.charge_number,
        entry.practice,
        names.get(entry.payer_id, entry.payer_id),
        names.get(entry.provider_npi, entry.provider_npi),
        entry.service_date,
        entry.total,
        entry.held_since.isoformat(timespec="minutes"),
        entry.deadline,
        entry.assignee,
        entry.snoozed_until,
    )
    for said in entry.findings:
        finding = said.finding
        yield _line((*of_charge, finding.rule, finding.severity.value, finding.message, finding.fix))


def _line(values: tuple[object, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow([cell(each) for each in values])
    return text.getvalue()
