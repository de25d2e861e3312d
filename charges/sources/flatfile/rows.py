"""The rows of one charge as a charge: pure, and each field with the column it came from.

The order of rows and of columns has no meaning: lines stand in the order of their number where a column gives one, else
by day, the dearest first. What the rows say of the charge as a whole they must say alike.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from charges.model import Charge, Coverage, Diagnosis, Record, ServiceLine, undotted
from charges.practice.layout import (
    LINE_NUMBER,
    NTH,
    POINTERS,
    ROOTS,
    UNIT_PRICE,
    Column,
    Headers,
    Kind,
    Layout,
    field_type,
    kind_of,
    plain,
)
from charges.sources.flatfile.tables import Cell, text_of
from charges.sources.flatfile.values import Fault, convert

Cells = Mapping[str, Cell]
"""What a row says, by the name of the column; empty cells are left out."""
FAULT = ""
"""The column under which a row carries what is wrong with it as a whole."""
LAYOUT = "layout"
"""The origin of a field that the layout says of every row."""

_COVERAGES = tuple(name for name in ROOTS if name.startswith("coverage"))
_LETTERS = "ABCDEFGHIJKL"
_ROW_OF_CHARGE = "says something else than another row of the same charge"
_NEGATIVE = "is negative; a reversal is not read, so give the charge as it stands now, or mark it void"


@dataclass(frozen=True, slots=True)
class Reading:
    """A charge as read, with what is wrong by the place of the row among those given, and the row of each line."""

    charge: Charge
    faults: Sequence[tuple[int, str]] = ()
    line_rows: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where one field stands: its columns by their plain names."""

    path: str
    kind: Kind
    column: Column
    names: tuple[tuple[str, ...], ...]


@dataclass(slots=True)
class _Line:
    """A line being read."""

    row: int
    values: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def order(self) -> tuple[Any, ...]:
        values = self.values
        number, charge = values.get(LINE_NUMBER), values.get("line.charge") or Decimal(0)
        day = values.get("line.service_date") or date.max
        others = json.dumps(values, default=str, sort_keys=True)
        return (number is None, number or Decimal(0), day, -charge, values.get("line.code", ""), others)


class RowReader:
    """Reads rows by a layout."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        fields = layout.fields.items()
        self._of_charge = [_plan(path, column) for path, column in fields if not path.startswith("line.")]
        self._of_line = [
            [_plan(path, column, number) for path, column in fields if path.startswith("line.")]
            for number in range(1, layout.services_per_row + 1)
        ]
        self._custom = [
            (name, _Plan(name, Kind.TEXT, column, _names(column.columns, 1))) for name, column in layout.custom.items()
        ]

    def read(self, rows: Sequence[Cells]) -> Reading:
        """The charge of the rows, which are all of it."""
        return _Charge(self._layout, [_by_plain_name(row) for row in rows]).read(
            self._of_charge, self._of_line, self._custom
        )


def _plan(path: str, column: Column, number: int = 1) -> _Plan:
    kind = kind_of(path)
    assert kind is not None, path
    return _Plan(path, kind, column, _names(column.columns, number))


def _names(columns: Sequence[Headers], number: int) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(plain(name.replace(NTH, str(number))) for name in names) for names in columns)


def _by_plain_name(row: Cells) -> dict[str, tuple[Cell, str]]:
    return {plain(name): (cell, name) for name, cell in row.items()}


class _Charge:
    """One charge being read."""

    def __init__(self, layout: Layout, rows: Sequence[Mapping[str, tuple[Cell, str]]]) -> None:
        self.layout, self.rows = layout, rows
        self.faults: dict[tuple[int, str], None] = {}
        self.origins: dict[str, str] = {}

    def read(
        self,
        of_charge: Sequence[_Plan],
        of_line: Sequence[Sequence[_Plan]],
        custom: Sequence[tuple[str, _Plan]],
    ) -> Reading:
        """All of it."""
        for index, row in enumerate(self.rows):
            if FAULT in row:
                self._fault(index, str(row[FAULT][0]))
        lines = sorted(
            (line for index in range(len(self.rows)) for plans in of_line if (line := self._line(index, plans))),
            key=_Line.order,
        )
        in_order = list(dict.fromkeys([*(line.row for line in lines), *range(len(self.rows))]))
        values: dict[str, Any] = {}
        given: set[str] = set()
        origins: dict[str, str] = {}
        for plan in of_charge:
            value, header = self._agreed(plan, in_order)
            if value is not None:
                values[plan.path] = value
                if header:
                    given.add(plan.path.partition(".")[0])
                origins[plan.path] = header or LAYOUT
        diagnoses = self._diagnoses(values.get("diagnoses"), lines)
        services = [self._service(line, number, diagnoses, values, origins) for number, line in enumerate(lines)]
        insured = [name for name in _COVERAGES if name in given]
        for path, header in origins.items():
            self._origin(path, header, values[path], insured)
        facts = {tuple(path.split(".")): value for path, value in values.items()}
        facts = {path: value for path, value in facts.items() if path[0] not in ROOTS and path != ("diagnoses",)}
        charge: Charge = _assembled(Charge, facts)
        custom_values = {name: self._agreed(plan, in_order) for name, plan in custom}
        if headers := [header or LAYOUT for text, header in custom_values.values() if text]:
            self.origins["custom"] = ", ".join(dict.fromkeys(headers))
        charge = charge.model_copy(
            update={
                "coverages": tuple(_assembled(Coverage, _under(values, name)) for name in insured),
                "lines": tuple(services),
                "diagnoses": tuple(Diagnosis(code=code) for code in diagnoses),
                "custom": {name: text for name, (text, _) in custom_values.items() if text},
                "origins": self.origins,
            }
        )
        return Reading(charge, tuple(self.faults), tuple(line.row for line in lines))

    def _fault(self, row: int, sentence: str) -> None:
        self.faults[row, sentence] = None

    def _origin(self, path: str, header: str, value: object, insured: Sequence[str] = ()) -> None:
        head, _, rest = path.partition(".")
        if head in insured:
            path = f"coverages[{insured.index(head)}].{rest}"
        elif head in _COVERAGES:
            return
        if isinstance(value, dict):  # a whole name
            for name in value:
                self.origins[f"{path.removesuffix('name')}{name}"] = header
        else:
            self.origins[path] = header

    def _value(self, index: int, plan: _Plan) -> tuple[Any, str]:
        """What a row says of a field, and in which column; a fault is told and nothing returned."""
        column, row = plan.column, self.rows[index]
        found: list[tuple[Any, str]] = []
        for names in plan.names:
            cell, header = next((row[name] for name in names if name in row), ("", ""))
            if text_of(cell) == "":
                continue
            try:
                value = convert(cell, plan.path, plan.kind, column, self.layout)
            except Fault as fault:
                self._fault(index, f"{header} {fault}")
                continue
            if value not in (None, "", ()):
                found.append((value, header))
        if not found:
            otherwise = column.constant or column.when_empty
            if not otherwise:
                return None, ""
            bare = column.model_copy(update={"values": {}})
            try:
                return convert(otherwise, plan.path, plan.kind, bare, self.layout), ""
            except Fault as fault:
                self._fault(index, f"The layout's own value of {plan.path} {fault}")
                return None, ""
        if plan.kind in (Kind.CODES, Kind.DIAGNOSES):
            codes = tuple(dict.fromkeys(each for value, _ in found for each in value))
            return codes, ", ".join(dict.fromkeys(header for _, header in found))
        return found[0]

    def _agreed(self, plan: _Plan, in_order: Sequence[int]) -> tuple[Any, str]:
        """What the rows say of a field of the charge; lists are put together, all else must be alike."""
        agreed, origin = None, ""
        for index in in_order:
            value, header = self._value(index, plan)
            if value is None or value == "":
                continue
            if agreed is None or (header and not origin):
                agreed, origin = value, header
            elif plan.kind in (Kind.CODES, Kind.DIAGNOSES):
                agreed = tuple(dict.fromkeys((*agreed, *value)))
            elif value != agreed and header:
                self._fault(index, f"{header} {_ROW_OF_CHARGE}")
        return agreed, origin

    def _line(self, index: int, plans: Sequence[_Plan]) -> _Line | None:
        """A service of a row; ``None`` where a row of several has none at this place."""
        line, is_there = _Line(index), self.layout.services_per_row == 1
        for plan in plans:
            counted = any(NTH in name for names in plan.column.columns for name in names)
            if counted and any(name in self.rows[index] for names in plan.names for name in names):
                is_there = True
        if not is_there:
            return None
        for plan in plans:
            value, header = self._value(index, plan)
            if value is None:
                continue
            line.values[plan.path] = value
            line.headers[plan.path] = header or LAYOUT
            if isinstance(value, Decimal) and value < 0 and plan.path in ("line.charge", "line.units", UNIT_PRICE):
                self._fault(index, f"{header} {_NEGATIVE}")
        return line

    def _diagnoses(self, given: Sequence[str] | None, lines: Sequence[_Line]) -> list[str]:
        """The charge's diagnoses: as given, else those of its lines in their order."""
        codes = (
            given if given is not None else [each for line in lines for each in line.values.get("line.diagnoses", ())]
        )
        if given is None and codes:
            self.origins["diagnoses"] = next(h for line in lines if (h := line.headers.get("line.diagnoses")))
        return list({undotted(each): each for each in reversed(codes)}.values())[::-1] if codes else []

    def _service(
        self, line: _Line, number: int, diagnoses: Sequence[str], charge: Mapping[str, Any], origins: Mapping[str, str]
    ) -> ServiceLine:
        values = dict(line.values)
        values.pop(LINE_NUMBER, None)
        pointers, price = values.pop(POINTERS, ()), values.pop(UNIT_PRICE, None)
        headers = dict(line.headers)
        if pointers and not values.get("line.diagnoses"):
            values["line.diagnoses"] = tuple(_pointed(each, diagnoses) for each in _single(pointers))
            headers["line.diagnoses"] = headers.get(POINTERS, "")
        if price is not None and values.get("line.charge") is None and values.get("line.units") is not None:
            values["line.charge"] = price * values["line.units"]
            headers["line.charge"] = headers.get(UNIT_PRICE, "")
        if values.get("line.service_date") is None and charge.get("encounter.start_date"):
            values["line.service_date"] = charge["encounter.start_date"]
            headers["line.service_date"] = origins.get("encounter.start_date", "")
        for path, header in headers.items():
            if header and path not in (POINTERS, UNIT_PRICE, LINE_NUMBER):
                self._origin(f"lines[{number}].{path.removeprefix('line.')}", header, values.get(path))
        service: ServiceLine = _assembled(ServiceLine, _under(values, "line"))
        return service


def _single(pointers: Sequence[str]) -> Iterator[str]:
    """Pointers one by one, for some write AB for A and B."""
    for each in pointers:
        yield from each if each.isalpha() else (each,)


def _pointed(pointer: str, diagnoses: Sequence[str]) -> str:
    """The diagnosis at a place; where there is none the pointer stays visible as such and is found by a rule."""
    letter = _LETTERS.find(pointer)
    place = letter if letter >= 0 else int(pointer) - 1 if pointer.isascii() and pointer.isdigit() else -1
    return diagnoses[place] if 0 <= place < len(diagnoses) else f"#{pointer}"[:20]


def _under(values: Mapping[str, Any], head: str) -> dict[tuple[str, ...], Any]:
    return {tuple(path.split(".")[1:]): value for path, value in values.items() if path.partition(".")[0] == head}


def _assembled(model: type[Record], values: Mapping[tuple[str, ...], Any]) -> Any:  # noqa: ANN401 - of the model
    """A record with the values at their paths."""
    facts: dict[str, Any] = {}
    below: dict[str, dict[tuple[str, ...], Any]] = {}
    for (name, *rest), value in values.items():
        if rest:
            below.setdefault(name, {})[tuple(rest)] = value
        elif isinstance(value, dict):  # a whole name, of which columns of their own know better
            facts = value | facts
        else:
            facts[name] = value
    for name, inner in below.items():
        facts[name] = _assembled(field_type(model, name), inner)
    return model(**facts)
