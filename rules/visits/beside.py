"""Visits that stand beside another service of the same provider on the same day."""

from collections.abc import Iterator

from charges.model import Change, Charge, ServiceLine
from rules.engine import billed, rendering_npi


def unmarked_visits(
    charge: Charge, visits: frozenset[str], others: frozenset[str], marks: frozenset[str]
) -> Iterator[tuple[int, ServiceLine, ServiceLine]]:
    """Each of ``visits`` without any of ``marks``, and the first of ``others`` beside it: index, visit, other."""
    lines = billed(charge)
    unmarked = [each for each in lines if each[1].code in visits and marks.isdisjoint(each[1].modifiers)]
    if not unmarked:
        return
    beside: dict[tuple[object, str], ServiceLine] = {}
    for _, line in lines:
        if line.code in others:
            beside.setdefault((line.service_date, rendering_npi(charge, line)), line)
    for index, line in unmarked:
        other = beside.get((line.service_date, rendering_npi(charge, line)))
        if other:
            yield index, line, other


def marked(index: int, visit: ServiceLine, modifier: str = "25") -> tuple[Change, ...]:
    """The remedy that marks a visit as separate, where a modifier still has room on the line."""
    return (Change(at=f"lines[{index}].modifiers", op="add", value=modifier),) if len(visit.modifiers) < 4 else ()
