"""The units of a code on one day, as the medically unlikely edits count them.

The payer counts what one provider did for a patient on a day, on whatever claim it stands; so lines of earlier charges
count, too. A procedure on both sides is one unit, whether it is said with modifier 50 or with a line for each side; so the
lines of the right side alone and those of the left are added up apart, and the greater sum counts.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from charges.model import HistoryLine, ServiceLine
from rules.duplicates.sameness import REPEATS
from rules.engine import Facts, rendering_npi
from rules.lines import MINUTES, glance
from rules.ncci.pairs import sessions
from rules.reference.rows import MueLimit

MOST = 9999
"""The most units that a line can mean."""
SIDES = frozenset({"LT", "RT"})


class Total(NamedTuple):
    """The units of a code on a day by one provider, over all its lines, and the limit.

    ``last`` is the last line of the charge with the code. Broken units are another rule's matter. Of lines that repeat
    each other exactly ``apart`` counts the greatest: the others are held as duplicates, and are said once. ``earlier``
    are the charges that bill some of the units.
    """

    code: str
    day: date
    last: int
    units: Decimal
    apart: Decimal
    limit: MueLimit
    earlier: tuple[str, ...]

    @property
    def said(self) -> str:
        """The total as a sentence goes on from the line."""
        beside = f" with charge {' and '.join(self.earlier)}" if self.earlier else ""
        return f"{self.code} comes to {self.apart} units on {self.day}{beside}"


def totals(facts: Facts) -> list[Total]:
    """The total of each code that has a limit on its day, where it is more than one unit; raises TableMissing."""
    found = []
    for lines in facts.once(sessions):
        day, npi = lines[0][1].service_date, rendering_npi(facts.charge, lines[0][1])
        if day is None:
            continue
        if not facts.history and facts.once(glance).are_single:
            facts.tables.release("mue", day)
            continue
        by_code: dict[str, list[ServiceLine | HistoryLine]] = defaultdict(list)
        last: dict[str, int] = {}
        for index, line in lines:
            if line.unit != MINUTES and _is_counted(line.units):
                by_code[line.code].append(line)
                last[line.code] = index
        for known in facts.history:
            if (
                known.code in last
                and known.service_date == day
                and known.rendering_npi == npi
                and _is_counted(known.units)
            ):
                by_code[known.code].append(known)
        if by_code:
            facts.tables.release("mue", day)
        for code, same in by_code.items():
            if len(same) == 1 and (same[0].units or 0) <= 1:
                continue
            limit = facts.tables.mue(code, day)
            if limit:
                earlier = tuple(dict.fromkeys(each.charge_key for each in same if isinstance(each, HistoryLine)))
                found.append(Total(code, day, last[code], counted(same), counted(_apart(same)), limit, earlier))
    return found


def _is_counted(units: Decimal | None) -> bool:
    return units == 1 or (units is not None and 0 < units <= MOST and not units % 1)


def _apart(lines: Sequence[ServiceLine | HistoryLine]) -> Iterable[ServiceLine | HistoryLine]:
    """The lines of one code, day and provider without those that another of as many units or more repeats exactly."""
    greatest: dict[object, ServiceLine | HistoryLine] = {}
    for place, line in enumerate(lines):
        modifiers = frozenset(line.modifiers)
        same = modifiers if REPEATS.isdisjoint(modifiers) else place
        known = greatest.setdefault(same, line)
        if (line.units or 0) > (known.units or 0):
            greatest[same] = line
    return greatest.values()


def counted(lines: Iterable[ServiceLine | HistoryLine]) -> Decimal:
    """The units of lines of one code.

    >>> from rules.examples import line
    >>> counted([line("27447", "LT"), line("27447", "RT")]), counted([line("11721"), line("11721", "59")])
    (Decimal('1'), Decimal('2'))
    """
    sums = {"LT": Decimal(0), "RT": Decimal(0), "": Decimal(0)}
    for line in lines:
        said = SIDES.intersection(line.modifiers)
        side = min(said) if len(said) == 1 and "50" not in line.modifiers else ""
        sums[side] += line.units or 0
    return sums[""] + max(sums["LT"], sums["RT"])
