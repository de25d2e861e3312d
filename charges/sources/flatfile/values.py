"""The text of a cell as a date, an amount, a code: what cannot be understood is told by the column's name alone."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from charges.practice.layout import Column, Kind, Layout, date_pattern
from charges.sources.flatfile.tables import Cell, text_of

_DIGITS: Mapping[str, tuple[int, ...]] = {
    "place_of_service": (2,),
    "postal_code": (5, 9),
    "code": (5,),
    "ndc": (11,),
    "ssn": (9,),
    "tax_id": (9,),
    "npi": (10,),
    "relationship": (2,),
    "revenue_code": (4,),
    "modifiers": (2,),
}
"""How many digits a number has that may begin with zeros, by the last name of its path."""
_CAPITALS = frozenset(
    {
        "code",
        "modifiers",
        "state",
        "diagnoses",
        "pointers",
        "relationship",
        "claim_filing_code",
        "taxonomy",
        "clia",
        "unit",
    }
)
_SEXES = {"FEMALE": "F", "MALE": "M", "UNKNOWN": "U"}
_RELATIONSHIPS = {"SELF": "18", "SPOUSE": "01", "CHILD": "19", "OTHER": "G8"}
_FLAGS = {
    **dict.fromkeys(("y", "yes", "true", "t", "1", "x"), True),
    **dict.fromkeys(("n", "no", "false", "f", "0"), False),
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SUFFIXES = frozenset({"JR", "SR", "II", "III", "IV", "V"})
_ISO = "YYYY-MM-DD"
_SCIENTIFIC = re.compile(r"\d(\.\d+)?E\+\d+")
_ZERO_DATE = re.compile(r"[0\-/. ]+")
_MOST_DIGITS = 10**15
_AT_MOST = 10**12


class Fault(ValueError):
    """What is wrong with a cell, to be put behind its column's name."""


def convert(cell: Cell, path: str, kind: Kind, column: Column, layout: Layout) -> Any:  # noqa: ANN401 - by its kind
    """The value of a cell that is not empty; raises Fault."""
    text = text_of(cell)
    if column.values and kind not in (Kind.CODES, Kind.DIAGNOSES):
        text = mapped(text, column)
        cell = text
        if not text:
            return None
    if kind in (Kind.CODES, Kind.DIAGNOSES):
        parts = [each for each in re.split(rf"[\s{re.escape(column.separators)}]+", text) if each]
        if column.values:
            parts = [each for each in (mapped(part, column) for part in parts) if each]
        return tuple(_code(part, cell if len(parts) == 1 else part, path) for part in parts)
    readers: Mapping[Kind, Callable[[], Any]] = {
        Kind.TEXT: lambda: _code(text, cell, path),
        Kind.DATE: lambda: _date(text, column.dates or layout.dates),
        Kind.AMOUNT: lambda: _amount(cell, text, layout.decimal_mark),
        Kind.FLAG: lambda: _flag(text),
        Kind.NAME: lambda: _name(text, layout.name_order),
    }
    return readers[kind]()


def mapped(text: str, column: Column) -> str:
    """What a layout makes of a text; raises Fault for one that it does not know."""
    known = _known(tuple(column.values.items()))
    found = known.get(text.casefold())
    if found is None and column.others == "refuse":
        raise Fault("has a value that the layout does not list")
    return text if found is None else found


@lru_cache(maxsize=256)
def _known(values: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return {said.strip().casefold(): meant for said, meant in values}


def _code(text: str, cell: Cell, path: str) -> str:
    name = path.rpartition(".")[2]
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        lengths = _DIGITS.get(name, ())
        if lengths and text.isdigit() and len(text) not in lengths and len(text) < max(lengths):
            raise Fault(
                "is kept as a number by Excel, which takes leading zeros away; format the column as text and export again"
            )
        if abs(cell) >= _MOST_DIGITS:
            raise Fault("is a number of more digits than Excel keeps; format the column as text and export again")
    elif _SCIENTIFIC.fullmatch(text.upper()):
        raise Fault("was rounded by Excel (1.2E+11); format the column as text and export again")
    if name in _CAPITALS:
        text = text.upper()
    if name == "sex":
        return _SEXES.get(text.upper(), text.upper())
    if name == "relationship":
        return _RELATIONSHIPS.get(text, text)
    return text


def _date(text: str, formats: tuple[str, ...]) -> date | None:
    if _ZERO_DATE.fullmatch(text):
        return None
    for written in (*formats, _ISO):
        found = date_pattern(written).match(text)
        if not found or text[found.end() : found.end() + 1] not in ("", " ", "T"):
            continue  # a time of day may follow
        given = found.groupdict()
        month = given.get("month") or str(_month(given["name"]))
        year = int(given["year"]) if given.get("year") else 2000 + int(given["short"])
        try:
            return date(year, int(month), int(given["day"]))
        except ValueError:
            continue
    raise Fault(f"is not a date; {' or '.join(formats)} is expected")


def _month(name: str) -> int:
    return _MONTHS.index(name.lower()) + 1 if name.lower() in _MONTHS else 0


def _amount(cell: Cell, text: str, mark: str) -> Decimal:
    thousands = "," if mark == "." else "."
    if isinstance(cell, int | float):
        plain = text
    else:
        plain = text.replace("$", "").replace(" ", "").replace("\u00a0", "")
        if plain.startswith("(") and plain.endswith(")"):
            plain = f"-{plain[1:-1]}"
        whole, point, fraction = plain.partition(mark)
        if thousands in whole and not re.fullmatch(rf"[+-]?\d{{1,3}}({re.escape(thousands)}\d{{3}})+", whole):
            raise Fault(f"is not a number; {mark} is expected before cents")
        plain = whole.replace(thousands, "") + ("." if point else "") + fraction
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", plain, re.ASCII):
        raise Fault("is not a number")
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise Fault("is not a number") from None
    if abs(number) >= _AT_MOST:
        raise Fault("is not a number that a charge can have")
    return number


def _flag(text: str) -> bool:
    found = _FLAGS.get(text.casefold())
    if found is None:
        raise Fault("is neither yes nor no")
    return found


def _name(text: str, order: str) -> Mapping[str, str]:
    if order == "last, first":
        last, comma, rest = text.replace("^", ",").partition(",")
        if not comma:
            raise Fault("is not LAST, FIRST: it has no comma")
        words, last_words = rest.replace(",", " ").split(), last.split()
    else:
        words = text.replace(",", " ").split()
        cut = -2 if len(words) > 2 and words[-1].strip(".").upper() in _SUFFIXES else -1
        last_words, words = words[cut:], words[:cut]
    suffix = ""
    for part in (last_words, words):
        if len(part) > 1 and part[-1].strip(".").upper() in _SUFFIXES:
            suffix = part.pop().strip(".")
    first, *middle = words or [""]
    return {"last_name": " ".join(last_words), "first_name": first, "middle_name": " ".join(middle), "suffix": suffix}
