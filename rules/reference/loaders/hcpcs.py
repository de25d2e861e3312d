"""HCPCS level II: ``HCPC2026_OCT_ANWEB``, of fixed width 320 or as a spreadsheet.

Descriptions are read for one thing, whether a code stands for what is not listed elsewhere, and not kept.
"""

import re
from collections.abc import Iterator
from datetime import date

from charges.errors import Unreadable
from rules.reference.drafts import Dates, Draft, draft, found, quarter
from rules.reference.files import Document, compact_day, fault

_MONTHS = {"JAN": 1, "APR": 2, "JUL": 3, "OCT": 4}
_UNLISTED = re.compile(
    r"not otherwise (classified|specified|listed)|unlisted|unclassified|unspecified|\bnoc\b|\bnos\b|miscellaneous",
    re.IGNORECASE,
)
_CODE = re.compile(r"[A-Z][0-9]{4}|[A-Z][0-9A-Z]")
_FIRST_LINES, _CONTINUATIONS = ("3", "7"), ("4", "8")
_HEADS = {
    "code": "hcpc", "long": "long description", "price": "price1", "coverage": "cov", "betos": "betos",
    "service": "tos1", "added": "add dt", "ended": "term dt",
}  # fmt: skip


def load_hcpcs(document: Document, told: Dates) -> Iterator[Draft]:
    """Table ``hcpcs``: codes and modifiers, each with the day it was added and its last usable day."""
    made = draft("hcpcs", document, told, _dates(document.label))
    for number, row in _sheet(document) if document.suffix == ".xlsx" else _records(document):
        since, until = compact_day(row["added"]), compact_day(row["ended"])
        if not _CODE.fullmatch(row["code"]) or since is None or (row["ended"] and until is None):
            raise fault(document, number, "is no HCPCS code with the days it was added and ended (YYYYMMDD).")
        made.add(
            row["code"],
            since=since,
            until=until,
            coverage=row["coverage"],
            price_indicator=row["price"],
            betos=row["betos"],
            type_of_service=row["service"],
            lab_certifications=row["laboratory"],
            unlisted=bool(_UNLISTED.search(row["long"])),
        )
    if not len(made.builder):
        raise Unreadable(f"{document.name} holds no HCPCS code; it is another file.")
    yield made


def _dates(name: str) -> Dates:
    named = found(r"HCPC(20\d\d)_?(JAN|APR|JUL|OCT)?", name)
    if not named:
        return Dates()
    year = int(named[1])
    if named[2]:
        return quarter(year, _MONTHS[named[2].upper()])
    return Dates(str(year), date(year, 1, 1), date(year, 12, 31))


def _records(document: Document) -> Iterator[tuple[int, dict[str, str]]]:
    """Each code with the text of all its lines: 1-5 code (a modifier's at 4-5), 6-10 sequence, 11 kind of line, fields."""
    at, row = 0, dict[str, str]()
    for number, line in document.lines():
        kind, sequence = line[10:11], line[5:10]
        is_record = sequence.strip().isdecimal() and kind in _FIRST_LINES + _CONTINUATIONS and len(line) >= 293
        if not is_record:
            if row and line.strip():
                raise fault(document, number, "is no HCPCS record of 320 characters; the file is cut short or another.")
            continue
        code = line[:5].strip()
        if kind in _CONTINUATIONS:
            if code != row.get("code"):
                raise fault(document, number, f"continues {code}, whose first line is not above it.")
            row["long"] += " " + line[11:91].strip()
            continue
        if row:
            yield at, row
        at, row = number, {
            "code": code,
            "long": line[11:91].strip(),
            "price": line[119:121].strip(),
            "coverage": line[229:230].strip(),
            "laboratory": " ".join(filter(None, (line[place : place + 3].strip() for place in range(180, 204, 3)))),
            "betos": line[256:259].strip(),
            "service": line[260:261].strip(),
            "added": line[268:276].strip(),
            "ended": line[284:292].strip(),
        }  # fmt: skip
    if row:
        yield at, row


def _sheet(document: Document) -> Iterator[tuple[int, dict[str, str]]]:
    places: dict[str, int] = {}
    laboratory: list[int] = []
    for number, cells in document.cells():
        if not places:
            heads = [cell.lower() for cell in cells]
            if heads[:1] != ["hcpc"]:
                continue
            missing = [head for head in _HEADS.values() if head not in heads]
            if missing:
                raise fault(document, number, f"the columns {', '.join(missing)} are not in the heading.")
            places = {name: heads.index(head) for name, head in _HEADS.items()}
            laboratory = [place for place, head in enumerate(heads) if head.startswith("labcert")]
        elif any(cells):
            row = {name: cells[place] if place < len(cells) else "" for name, place in places.items()}
            row["laboratory"] = " ".join(filter(None, (cells[place] for place in laboratory if place < len(cells))))
            yield number, row
