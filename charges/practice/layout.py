"""How a practice's exports of charges are laid out: which column holds which fact, and what its values mean.

A part of the practice profile, and by itself what ``charges check --map`` reads. A field is named by its path in the
charge (``patient.birth_date``, ``line.code``, ``coverage.payer.name``, ``coverage_2.member_id``), so every fact that a
charge can hold can come from a column. ``charges/practice/examples/harbor-export.yaml`` is a documented example.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from charges import yamlfile
from charges.errors import BadFile, Unreadable
from charges.model import Charge, Coverage, Diagnosis, Record, ServiceLine
from charges.practice.atoms import Setting

NTH = "{n}"
"""Stands in a header for the number of the service, where a row has several: ``Code{n}``."""
ROOTS: Mapping[str, type[Record]] = {
    "line": ServiceLine,
    "coverage": Coverage,
    "coverage_2": Coverage,
    "coverage_3": Coverage,
}
"""How paths begin that do not begin at the charge."""
POINTERS, UNIT_PRICE, LINE_NUMBER = "line.pointers", "line.unit_price", "line.number"
"""Columns that are no field: diagnoses by place, the price of one unit, and the order of lines."""

_CLOSED = ("practice", "source", "key", "version", "origins", "coverages", "lines", "unread", "custom")
_TOKENS = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short>\d{2})",
    "MON": r"(?P<name>[A-Za-z]{3})",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
}
_TOKEN = re.compile("YYYY|YY|MON|MM|DD")


class Kind(Enum):
    """What a column's text becomes."""

    TEXT = "a text"
    DATE = "a date"
    AMOUNT = "a number"
    FLAG = "yes or no"
    CODES = "a list of codes"
    DIAGNOSES = "a list of diagnoses"
    NAME = "a whole name"


def _text(value: object) -> object:
    """Identifiers are text, though YAML reads 11 as a number and yes as true."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int) else value


def _several(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def _columns(value: object) -> object:
    return [_several(each) for each in value] if isinstance(value, list | tuple) else [[value]]


def _column(value: object) -> object:
    """A column by its header alone, or by several that it may have."""
    return value if isinstance(value, dict | Column) else {"headers": value}


Word = Annotated[str, BeforeValidator(_text), Field(min_length=1)]
Meaning = Annotated[str, BeforeValidator(_text)]
Headers = Annotated[tuple[Word, ...], BeforeValidator(_several), Field(min_length=1)]
"""What a column may be called; the first with a value counts."""
DateFormat = Annotated[str, Field(pattern=r"^(YYYY|YY|MON|MM|DD|[-/. ,])+$")]
"""Of YYYY, YY (20YY), MM, DD and MON (a month's three letters), with what stands between them."""


class Column(Setting):
    """Where one fact stands, and how it is written.

    ``headers`` are the names that its column may have; ``each`` are several columns that together make a list.
    ``constant`` takes the place of a column, ``when_empty`` that of an empty cell. ``values`` turns what the export says
    into what a claim says; another value holds the charge, unless ``others`` keeps it as it is. A column must be there
    unless it is ``optional``. ``separators`` part a list within a cell, beside blanks.
    """

    headers: Annotated[tuple[Word, ...], BeforeValidator(_several)] = ()
    each: tuple[Headers, ...] = ()
    constant: Meaning = ""
    when_empty: Meaning = ""
    values: Mapping[Word, Meaning] = Field(default_factory=dict)
    others: Literal["refuse", "keep"] = "refuse"
    dates: tuple[DateFormat, ...] = ()
    separators: str = ",;|:"
    optional: bool = False

    @model_validator(mode="after")
    def _stands_somewhere(self) -> Self:
        if sum(map(bool, (self.headers, self.each, self.constant))) != 1:
            raise ValueError("needs one of headers, each and constant")
        return self

    @property
    def columns(self) -> tuple[Headers, ...]:
        """The columns, each by the names it may have."""
        return self.each or ((self.headers,) if self.headers else ())


class Layout(Setting):
    """One kind of export.

    ``delimiter`` and ``encoding`` are found out where they are ``auto``. ``columns`` names the columns of a file without a
    header, ``positions`` those of a fixed width by first and last character, counted from 1. ``header_row`` counts from 1;
    what stands above it is not read. ``sheet`` names the one of a workbook, else the first is read.

    ``key`` are the columns that tell one charge from another: rows alike in them are one charge. Rows that have one of the
    values of ``left_out`` in a column (totals, payments) are not read. With ``services_per_row`` a row holds so many
    services, and headers of ``line`` fields count them by ``{n}``.

    A file ``states`` its charges whole: a later one replaces a charge by its key. Where it states ``all`` of the days it
    covers, a charge of these days that is missing from a later file is void.
    """

    delimiter: Literal["auto", ",", ";", "|", "tab"] = "auto"
    encoding: Literal["auto", "utf-8", "cp1252", "utf-16"] = "auto"
    columns: tuple[Word, ...] = ()
    positions: Mapping[Word, tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1, le=100_000)]]] = Field(
        default_factory=dict
    )
    header_row: Annotated[int, Field(ge=1, le=1000)] = 1
    sheet: str = ""
    dates: Annotated[tuple[DateFormat, ...], BeforeValidator(_several), Field(min_length=1)] = ("MM/DD/YYYY",)
    decimal_mark: Literal[".", ","] = "."
    name_order: Literal["last, first", "first last"] = "last, first"
    services_per_row: Annotated[int, Field(ge=1, le=50)] = 1
    key: Annotated[tuple[Headers, ...], BeforeValidator(_columns), Field(min_length=1)]
    states: Literal["charges", "all"] = "charges"
    left_out: Mapping[Word, Annotated[tuple[Meaning, ...], BeforeValidator(_several)]] = Field(default_factory=dict)
    fields: Annotated[Mapping[str, Annotated[Column, BeforeValidator(_column)]], Field(min_length=1)]
    custom: Mapping[Word, Annotated[Column, BeforeValidator(_column)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.columns and self.positions:
            raise ValueError("give columns (without a header) or positions (fixed width), not both")
        for name, (first, last) in self.positions.items():
            if first > last:
                raise ValueError(f"positions: {name} ends before it begins")
        if "line.code" not in self.fields:
            raise ValueError("fields: line.code is missing; without it no service is known")
        for path, column in self.fields.items():
            self._check(path, column)
        return self

    def _check(self, path: str, column: Column) -> None:
        kind = kind_of(path)
        if kind is None:
            raise ValueError(f"fields: {path} is no field of a charge that a column can hold; check the spelling")
        if column.each and kind not in (Kind.CODES, Kind.DIAGNOSES):
            raise ValueError(f"fields: {path} is {kind.value}, so it has one column; `each` is for lists")
        if any(NTH in name for names in column.columns for name in names) and not (
            path.startswith("line.") and self.services_per_row > 1
        ):
            raise ValueError(f"fields: {path} counts services by {NTH}, which needs a line field and services_per_row")
        if kind is Kind.DATE:
            _check_dates(path, column.dates or self.dates)


@lru_cache(maxsize=4096)
def kind_of(path: str) -> Kind | None:
    """What the field at a path becomes; ``None`` where there is no such field."""
    special = {POINTERS: Kind.CODES, UNIT_PRICE: Kind.AMOUNT, LINE_NUMBER: Kind.AMOUNT}.get(path)
    if special:
        return special
    head, *rest = path.split(".")
    model: Any = ROOTS.get(head, Charge)
    names = rest if head in ROOTS else [head, *rest]
    if not names or (model is Charge and names[0] in _CLOSED):
        return None
    for index, name in enumerate(names):
        if not (isinstance(model, type) and issubclass(model, Record)):
            return None
        if name not in model.model_fields:
            whole = name == "name" and index == len(names) - 1 and "last_name" in model.model_fields
            return Kind.NAME if whole else None
        model = field_type(model, name)
    return _KINDS.get(model)


def field_type(model: type[Record], name: str) -> Any:  # noqa: ANN401 - a type, or a generic one
    """The type of a model's field, ``None`` left out."""
    annotation: Any = model.model_fields[name].annotation
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = [each for each in get_args(annotation) if each is not NoneType]
    return annotation


_KINDS: Mapping[Any, Kind] = {
    str: Kind.TEXT,
    date: Kind.DATE,
    Decimal: Kind.AMOUNT,
    bool: Kind.FLAG,
    tuple[str, ...]: Kind.CODES,
    tuple[Diagnosis, ...]: Kind.DIAGNOSES,
}


@lru_cache(maxsize=256)
def date_pattern(written: str) -> re.Pattern[str]:
    """A date format as a pattern with the groups year or short, month or name, and day."""
    between = iter(_TOKEN.split(written))
    pattern = re.escape(next(between))
    adjacent = not any(_TOKEN.split(written)[1:-1])
    for token, after in zip(_TOKEN.findall(written), between, strict=True):
        digits = _TOKENS[token].replace("{1,2}", "{2}") if adjacent else _TOKENS[token]
        pattern += digits + re.escape(after)
    return re.compile(pattern)


def _check_dates(path: str, formats: tuple[str, ...]) -> None:
    orders = set()
    for written in formats:
        tokens = _TOKEN.findall(written)
        parts = sorted({"YY": "YYYY", "MON": "MM"}.get(each, each) for each in tokens)
        if parts != ["DD", "MM", "YYYY"]:
            raise ValueError(f"dates: {written} needs a year, a month and a day, each once")
        if "YY" in tokens and path.endswith("birth_date"):
            raise ValueError(f"fields: {path} cannot have two digits of the year: nobody knows the century")
        orders.add(tuple(each for each in tokens if each in ("MM", "DD")))
    if {("MM", "DD"), ("DD", "MM")} <= orders:
        raise ValueError(f"fields: {path} has dates with the month first and with the day first; one must be wrong")


class BadLayout(BadFile):
    """A layout has faults."""

    verdict = "cannot be used"


def read_layout(path: Path) -> Layout:
    """Read a layout from a YAML file of its own; raises BadLayout with every fault, or Unreadable."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path} cannot be read as a text file ({type(error).__name__}).") from None
    try:
        document = yamlfile.read(text)
    except yamlfile.NotReadable as error:
        raise BadLayout(path.name, [str(error)]) from None
    if not isinstance(document.values, dict):
        raise BadLayout(path.name, ["line 1: a layout is a mapping of names to values"])
    try:
        layout = Layout.model_validate(document.values)
    except ValidationError as error:
        raise BadLayout(path.name, [*document.repeated, *document.faults(error, "the layout")]) from None
    if document.repeated:
        raise BadLayout(path.name, document.repeated)
    return layout


@lru_cache(maxsize=8192)
def plain(header: str) -> str:
    """A header by its letters and digits alone.

    >>> plain("Date_of  Service") == plain("DATE OF SERVICE")
    True
    """
    return "".join(each for each in header.casefold() if each.isalnum() or each in "#%")


def wanted(layout: Layout) -> Iterator[tuple[str, Headers]]:
    """Every column that a file must have, with what it is for and the names it may have."""
    for names in layout.key:
        yield "key", names
    for name in layout.left_out:
        yield "left_out", (name,)
    for path, column in (*layout.fields.items(), *layout.custom.items()):
        for names in () if column.optional else column.columns:
            counted = any(NTH in name for name in names)
            for number in range(1, layout.services_per_row + 1 if counted else 2):
                yield path, tuple(name.replace(NTH, str(number)) for name in names)
