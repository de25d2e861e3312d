"""The Medicare physician fee schedule: ``PPRRVU``, as CSV of 31 columns (to 2025) or 32 (from 2026), or text of width 200.

Column names repeat, so columns are known by their place. From 2026 a price indicator stands before the endoscopic base
and moves all that follows; each row is checked, so that a moved column is refused rather than misread. The description
belongs to the AMA and is not kept.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from charges.errors import Unreadable
from rules.reference.drafts import Dates, Draft, draft, found, quarter
from rules.reference.files import Document, amount, fault

_MONTHS = {"JAN": 1, "APR": 2, "JUL": 3, "OCT": 4}
_PATTERNS: Mapping[str, str] = {
    "code": r"[0-9A-Z]{5}",
    "modifier": r"|26|TC|53",
    "status": r"[A-Z]",
    "pc_tc": r"[0-9]",
    "global_days": r"000|010|090|MMM|XXX|YYY|ZZZ",
    "multiple": r"[0-9]",
    "bilateral": r"[0-9]",
    "assistant": r"[0-9]",
    "co_surgeons": r"[0-9]",
    "team": r"[0-9]",
    "endoscopic_base": r"|[0-9A-Z]{5}",
    "supervision": r"|[0-9A-Z]{2}",
    "imaging_family": r"|[0-9]{2}",
    "office_not_applicable": r"|NA",
    "facility_not_applicable": r"|NA",
}
_TO_TEAM = {
    "code": 0, "modifier": 1, "status": 3, "work": 5, "office_not_applicable": 7, "facility_not_applicable": 9,
    "office_total": 11, "facility_total": 12, "pc_tc": 13, "global_days": 14, "multiple": 18, "bilateral": 19,
    "assistant": 20, "co_surgeons": 21, "team": 22,
}  # fmt: skip
_PLACES = {
    31: {**_TO_TEAM, "endoscopic_base": 23, "factor": 24, "supervision": 25, "imaging_family": 27},
    32: {**_TO_TEAM, "endoscopic_base": 24, "factor": 25, "supervision": 26, "imaging_family": 28},
}
_SPANS = {
    "code": (0, 5), "modifier": (5, 7), "status": (57, 58), "work": (59, 65), "office_not_applicable": (72, 74),
    "facility_not_applicable": (81, 83), "office_total": (90, 96), "facility_total": (96, 102), "pc_tc": (102, 103),
    "global_days": (103, 106), "multiple": (115, 116), "bilateral": (116, 117), "assistant": (117, 118),
    "co_surgeons": (118, 119), "team": (119, 120), "endoscopic_base": (127, 132), "factor": (132, 140),
    "supervision": (141, 143), "imaging_family": (145, 147),
}  # fmt: skip
_AMOUNTS = ("work", "office_total", "facility_total")


def load_fees(document: Document, told: Dates) -> Iterator[Draft]:
    """Table ``fees``: the payment policy indicators and relative values of each code and modifier."""
    made = draft("fees", document, told, _dates(document.label))
    rows = _text_rows(document) if document.suffix == ".txt" else _table_rows(document)
    for number, row in rows:
        fields: dict[str, Any] = {}
        for name, pattern in _PATTERNS.items():
            if not re.fullmatch(pattern, row[name], re.ASCII):
                said = row[name] or "nothing"
                raise fault(
                    document, number, f"{said} cannot be the {name.replace('_', ' ')}; a column is missing or moved."
                )
            fields[name] = row[name] == "NA" if name.endswith("applicable") else row[name]
        for name in _AMOUNTS:
            if (value := amount(row[name])) is None:
                raise fault(document, number, f"{row[name]} is no number; a column is missing or moved.")
            fields[name] = value
        factor = amount(row["factor"])
        if factor is None or (factor and not 10 <= factor <= 100):
            raise fault(
                document, number, f"{row['factor']} cannot be the conversion factor; a column is missing or moved."
            )
        made.add(fields.pop("code"), fields.pop("modifier"), **fields)
    if not len(made.builder):
        raise Unreadable(f"{document.name} holds no row of the physician fee schedule; it is another file.")
    yield made


def _dates(name: str) -> Dates:
    if named := found(r"PPRRVU(?:20)?(\d\d)_?(JAN|APR|JUL|OCT)", name):
        return quarter(2000 + int(named[1]), _MONTHS[named[2].upper()])
    named = found(r"RVU(?:20)?(\d\d)([A-D])", name)
    return quarter(2000 + int(named[1]), "ABCD".index(named[2].upper()) + 1) if named else Dates()


def _table_rows(document: Document) -> Iterator[tuple[int, dict[str, str]]]:
    width = 0
    for number, cells in document.cells():
        if not width:
            if tuple(cell.upper() for cell in cells[:3]) == ("HCPCS", "MOD", "DESCRIPTION"):
                width = len(cells)
                if width not in _PLACES:
                    raise fault(document, number, f"the heading has {width} columns; the known tables have 31 or 32.")
        elif any(cells):
            if len(cells) != width:
                raise fault(
                    document, number, f"has {len(cells)} columns and the heading {width}; the file is cut short."
                )
            yield number, {name: cells[place] for name, place in _PLACES[width].items()}


def _text_rows(document: Document) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in document.lines():
        if line.startswith("HDR") or not line.strip():
            continue
        if len(line) < 147:
            raise fault(
                document, number, "is shorter than a row of the fee schedule; the file is cut short or another."
            )
        yield number, {name: line[first:last].strip() for name, (first, last) in _SPANS.items()}
