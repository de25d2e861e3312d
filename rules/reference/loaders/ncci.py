"""The NCCI edits for practitioners: procedure-to-procedure, medically unlikely, add-on codes.

Published quarterly by CMS. Lines before the first row are notices and headings of no fixed number; after it every line is
a row, and one that is none is refused with its number.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from charges.errors import Refused, Unreadable
from rules.reference.drafts import Dates, Draft, draft, found, quarter
from rules.reference.files import Document, compact_day, fault, ordinal_day

CODE = re.compile(r"[0-9A-Z]{5}")
_HEADING_LINES = 60
_PTP_SINCE = date(1996, 1, 1)
_PTP_ROW = re.compile(r"([0-9A-Z]{5})\t([0-9A-Z]{5})\t\s*(\*?)\s*\t(\d{8})\t(\d{8}|\*)\t([019])\t(.*)", re.ASCII)
_ADD_ON_SINCE = date(2013, 4, 1)
_PARTS = 4


def load_ptp(documents: Sequence[Document], told: Dates) -> Iterator[Draft]:
    """``ccipra-v322r0-f1`` to ``-f4``, as .TXT or .xlsx: table ``ptp``. The parts make one table and are loaded together.

    A row: column 1, column 2, ``*`` for edits of before 1996, effective and deletion date (YYYYMMDD, ``*`` for none),
    modifier indicator, rationale. Each release holds the edits of all years, so it answers for all dates up to its end.
    """
    _all_parts(documents)
    named = _ptp_quarter(documents[0].label)
    made = draft("ptp", documents[0], told, Dates(named.name, named.since and _PTP_SINCE, named.until))
    entries: dict[tuple[str, ...], str] = {}
    for document in documents:
        before = len(made.builder)
        for number, row in _ptp_rows(document):
            column1, column2, _, *said = row
            key = tuple(said)
            entry = entries.get(key)
            if entry is None:
                entry = entries[key] = _ptp_entry(document, number, made, said)
            made.builder.add((column1, column2), entry)
        if len(made.builder) == before:
            raise Unreadable(f"{document.name} holds no row of NCCI procedure-to-procedure edits; it is another file.")
    yield made


def _ptp_entry(document: Document, number: int, made: Draft, said: list[str]) -> str:
    effective, deletion, indicator, rationale = said
    since, until = compact_day(effective), None if deletion == "*" else compact_day(deletion)
    if since is None or (until is None and deletion != "*"):
        raise fault(document, number, f"{effective} or {deletion} is no date of the form YYYYMMDD.")
    return made.table.encode(since, until, {"modifier_indicator": indicator, "rationale": rationale})


def _ptp_rows(document: Document) -> Iterator[tuple[int, tuple[str, ...]]]:
    begun = False
    for number, text in _tabbed(document):
        row = _PTP_ROW.fullmatch(text)
        if row is not None:
            begun = True
            yield number, row.groups()
        elif begun and text.strip():
            raise fault(
                document, number, "is no row of NCCI edits (two codes, *, two dates, indicator 0, 1 or 9, rationale)."
            )
        elif number > _HEADING_LINES:
            raise fault(
                document, number, "no row of NCCI edits stands above; the file is another or its columns moved."
            )


def _tabbed(document: Document) -> Iterator[tuple[int, str]]:
    """The lines of a text, or a sheet's rows written as such."""
    if document.suffix != ".xlsx":
        yield from document.lines()
        return
    for number, cells in document.cells():
        last = max((place for place, cell in enumerate(cells, 1) if cell), default=0)
        yield number, "\t".join(cells[: max(last, 7)]) if last else ""


def _all_parts(documents: Sequence[Document]) -> None:
    numbers = {int(part[1]) for document in documents if (part := found(r"[-_]f(\d)\b", document.name))}
    if numbers and (missing := set(range(1, max(_PARTS, *numbers) + 1)) - numbers):
        parts = ", ".join(f"f{number}" for number in sorted(missing))
        raise Refused(
            f"The NCCI table comes in {_PARTS} parts that are loaded together; {parts} is not among the files."
        )
    editions = {re.sub(r"[-_]f\d\b.*", "", document.name.lower()) for document in documents}
    if numbers and len(editions) > 1:
        raise Refused(f"These are parts of different releases: {', '.join(sorted(editions))}. Load one at a time.")


def _ptp_quarter(name: str) -> Dates:
    """The quarter that ``ccipra-v322r0`` or ``2026q3`` tells: version 32.2 is the third quarter of 2026.

    >>> _ptp_quarter("ccipra-v313r1-f2.TXT")
    Dates(name='2025Q4r1', since=datetime.date(2025, 10, 1), until=datetime.date(2025, 12, 31))
    """
    if version := found(r"v(\d\d)([0-3])r(\d+)", name):
        dates = quarter(1994 + int(version[1]), 1 + int(version[2]))
        return dates if version[3] == "0" else Dates(f"{dates.name}r{version[3]}", dates.since, dates.until)
    named = found(r"(20\d\d)[-_]?q([1-4])", name)
    return quarter(int(named[1]), int(named[2])) if named else Dates()


def load_mue(document: Document, told: Dates) -> Iterator[Draft]:
    """``MCR_MUE_PractitionerServices_Eff_07-01-2026``, as .csv or .xlsx: table ``mue``.

    The first record is a notice of many lines, the second the heading. The adjudication indicator (MAI) is the first
    character of its column; the rows have no dates, the file's name has.
    """
    made = draft("mue", document, told, _mue_quarter(document.label))
    begun = False
    for number, cells in document.cells():
        if not begun:
            begun = _is_mue_heading(document, number, cells)
            continue
        if not any(cells):
            continue
        code, units, indicator, rationale = (*cells, "", "", "", "")[:4]
        if not (CODE.fullmatch(code) and units.isdecimal() and indicator[:1] in ("1", "2", "3") and len(cells) >= 4):
            raise fault(document, number, "is no row of an MUE table (code, units, indicator 1 to 3, rationale).")
        made.add(code, units=int(units), adjudication_indicator=int(indicator[0]), rationale=rationale)
    if not len(made.builder):
        raise Unreadable(f"{document.name} has no MUE table for practitioners; it is another file or is cut short.")
    yield made


def _is_mue_heading(document: Document, number: int, cells: tuple[str, ...]) -> bool:
    heads = [cell.lower() for cell in cells if cell]
    if len(heads) < 4 or not any("mue" in head for head in heads):
        return False
    wanted = ("code", "practitioner services mue values", "mue adjudication indicator", "mue rationale")
    if not (heads[0].endswith(wanted[0]) and tuple(heads[1:4]) == wanted[1:]):
        raise fault(document, number, "is not the heading of the MUE table for practitioner services.")
    return True


def _mue_quarter(name: str) -> Dates:
    if day := found(r"eff[_-](\d\d)-(\d\d)-(20\d\d)", name):
        return quarter(int(day[3]), (int(day[1]) + 2) // 3) if 1 <= int(day[1]) <= 12 else Dates()
    named = found(r"(20\d\d)[-_]?q([1-4])", name)
    return quarter(int(named[1]), int(named[2])) if named else Dates()


_ADD_ON_HEADS = (
    "add-on_code", "aoc_deldt", "primary_code", "primary_code_deldt", "aoc_edit_effdt", "aoc_edit_deldt",
)  # fmt: skip
_ANY_PRIMARY = "CCCCC"


def load_add_on(document: Document, told: Dates) -> Iterator[Draft]:
    """``AOC_V2026Q2-MCR``, as .xlsx or .txt of fixed width 97: table ``add_on``.

    1 type; 2-6 add-on code; 7-13 its deletion (YYYYDDD); 14-18 primary code, or ``CCCCC`` where the contractor decides;
    19-25 its deletion; 26-32 and 33-39 when the edit begins and ends; 40-97 a note. A release holds all years.
    """
    named = found(r"v?(20\d\d)[-_]?q([1-4])", document.label)
    dates = Dates(f"{named[1]}Q{named[2]}", _ADD_ON_SINCE, date(int(named[1]), 12, 31)) if named else Dates()
    made = draft("add_on", document, told, dates)
    rows = _add_on_sheet(document) if document.suffix == ".xlsx" else _add_on_lines(document)
    for number, cells in rows:
        kind, code, code_end, primary, primary_end, begin, end, note = cells
        days = [None if _open(text) else ordinal_day(text) for text in (begin, code_end, primary_end, end)]
        well_formed = kind in ("1", "2", "3") and CODE.fullmatch(code) and CODE.fullmatch(primary)
        if not well_formed or any(
            day is None and not _open(text) for day, text in zip(days, (begin, code_end, primary_end, end), strict=True)
        ):
            raise fault(document, number, "is no add-on code edit (type 1 to 3, two codes, dates as YYYYDDD).")
        until = min((day for day in days[1:] if day), default=None)
        primary = "" if primary == _ANY_PRIMARY else primary
        made.add(code, since=days[0] or made.since, until=until, type=int(kind), primary=primary, note=note)
    if not len(made.builder):
        raise Unreadable(f"{document.name} holds no add-on code edit; it is another file.")
    yield made


def _open(text: str) -> bool:
    return text in ("", "0", "0000000", "9999999")


def _add_on_lines(document: Document) -> Iterator[tuple[int, tuple[str, ...]]]:
    spans = ((0, 1), (1, 6), (6, 13), (13, 18), (18, 25), (25, 32), (32, 39), (39, 97))
    for number, line in document.lines():
        if line.strip():
            if len(line) > 97:
                raise fault(document, number, "is longer than the 97 characters of an add-on code edit.")
            yield number, tuple(line[first:last].strip() for first, last in spans)


def _add_on_sheet(document: Document) -> Iterator[tuple[int, tuple[str, ...]]]:
    begun = False
    for number, cells in document.cells():
        heads = tuple(cell.lower() for cell in cells)
        if begun and any(cells):
            yield number, (*cells, *("",) * 8)[:8]
        elif heads[:1] == ("aoc_edit_type",):
            if heads[1:7] != _ADD_ON_HEADS:
                raise fault(document, number, "the columns of the add-on table are others, or in another order.")
            begun = True
