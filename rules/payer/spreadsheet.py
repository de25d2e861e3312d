"""The simple form of payer rules: a spreadsheet saved as CSV, one rule a row.

=============== ==================================================================================
column          what stands in it
=============== ==================================================================================
id title reason as in the other form
life            ``draft 2026-11-02 Imogen Vale; shadow 2026-11-05 Imogen Vale``
payers          ids, blanks between them; so ``payer_classes`` and ``codes``
since until     dates of service
if, if_2, if_3  a fact, what is asked, values: ``line.modifiers has_none 95 GT``; all must hold
severity        ``info``, ``warn`` or ``hold``
message fix     sentences
at require      as in the other form
suggest         ``line.modifiers add 95``
fires passes    lines of a charge, each a code, modifiers and ``name=value``: ``99213 25 place=10; 20610 RT``;
                several charges are parted by ``|``
=============== ==================================================================================
"""

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

from charges.yamlfile import Document, Place

COLUMNS = (
    "id", "title", "reason", "life", "payers", "payer_classes", "codes", "since", "until", "if", "if_2", "if_3",
    "severity", "message", "fix", "at", "require", "suggest", "fires", "passes",
)  # fmt: skip
NEEDED = frozenset({"id", "title", "reason", "life", "message", "fires", "passes"})

_LISTS = frozenset({"in", "not_in", "has_any", "has_all", "has_none", "begins", "shape"})
_OF_A_LINE = {
    "place": "place_of_service",
    "units": "units",
    "charge": "charge",
    "date": "service_date",
    "note": "note",
    "authorization": "prior_authorization",
    "referral": "referral_number",
}


def read(text: str) -> tuple[list[Document], list[str]]:
    """Each row as a rule with its line, and the faults of what is no row."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), restkey="beyond", strict=True)
    try:
        names = [name.strip() for name in reader.fieldnames or ()]
        unknown = sorted(set(names) - set(COLUMNS))
        missing = sorted(NEEDED - set(names))
        faults = [f"line 1: {name or 'a column without a name'} is no column of payer rules" for name in unknown]
        faults += [f"line 1: the column {name} is missing" for name in missing]
        faults += [
            f"line 1: the column {name} stands twice" for name in sorted({n for n in names if names.count(n) > 1})
        ]
        if faults:
            return [], faults
        reader.fieldnames = names
        found = []
        for row in reader:
            line = reader.line_num
            if "beyond" in row:
                faults.append(f"line {line}: the row has more cells than there are columns")
            elif any(row.values()):
                found.append(_document(row, line, faults))
    except csv.Error as error:
        return [], [f"line {reader.line_num}: is not CSV: {error}"]
    return found, faults


def _document(row: Mapping[str, str | None], line: int, faults: list[str]) -> Document:
    cells = {name: (value or "").strip() for name, value in row.items()}
    rule: dict[str, Any] = {name: cells[name] for name in ("id", "title", "reason") if cells.get(name)}
    then = {name: cells[name] for name in ("severity", "message", "fix", "at", "require") if cells.get(name)}

    def read_cell(name: str, parse: Callable[[str], Any]) -> Any:  # noqa: ANN401 - whatever the cell says
        try:
            return parse(cells.get(name, ""))
        except ValueError as error:
            faults.append(f"line {line}: {name}: {error}")
            return None

    if cells.get("suggest"):
        then["suggest"] = read_cell("suggest", _suggestion)
    for name in ("payers", "payer_classes", "codes"):
        rule[name] = cells.get(name, "").replace(",", " ").split()
    for name in ("since", "until"):
        rule[name] = cells.get(name) or None
    asked = [read_cell(name, _condition) for name in ("if", "if_2", "if_3") if cells.get(name)]
    rule |= {
        "life": read_cell("life", _life),
        "when": {"all": asked} if asked else None,
        "then": then,
        "cases": {kind: read_cell(kind, _cases) for kind in ("fires", "passes")},
    }
    lines: dict[Place, int] = {(): line}
    return Document(rule, lines, ())


def _life(cell: str) -> list[dict[str, str]]:
    steps = []
    for step in cell.split(";"):
        stage, day, by = (*step.split(maxsplit=2), "", "")[:3]
        steps.append({"stage": stage, "date": day, "by": by})
    return steps


def _condition(cell: str) -> dict[str, Any]:
    fact, asked, *values = (*cell.split(), "")[: max(3, len(cell.split()))]
    if not asked or not values[0]:
        raise ValueError("needs a fact, what is asked of it, and a value: line.modifiers has_none 95")
    return {fact: {asked: values if asked in _LISTS else " ".join(values)}}


def _suggestion(cell: str) -> dict[str, Any]:
    words = cell.split(maxsplit=2)
    if len(words) != 3:
        raise ValueError("needs a fact, add, remove or set, and a value: line.modifiers add 95")
    return {words[0]: {words[1]: words[2]}}


def _cases(cell: str) -> dict[str, Any]:
    return {case.strip(): {"charge": _charge(case)} for case in cell.split("|") if case.strip()}


def _charge(case: str) -> dict[str, Any]:
    charge: dict[str, Any] = {"lines": []}
    for words in (part.split() for part in case.split(";")):
        if not words:
            continue
        line: dict[str, Any] = {"code": words[0], "modifiers": [each for each in words[1:] if "=" not in each]}
        for name, _, value in (each.partition("=") for each in words[1:] if "=" in each):
            if name == "payer":
                charge["coverages"] = [{"payer": {"payer_id": value}}]
            elif name == "dx":
                line["diagnoses"] = value.split("/")
                charge["diagnoses"] = list(dict.fromkeys([*charge.get("diagnoses", ()), *value.split("/")]))
            elif name in _OF_A_LINE:
                line[_OF_A_LINE[name]] = value
            else:
                raise ValueError(f"{name} is not known; a line knows payer, dx, {', '.join(_OF_A_LINE)}")
        charge["lines"].append(line)
    return charge
