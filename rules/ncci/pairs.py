"""The procedure-to-procedure edits between the lines of a charge.

An edit says that the column 2 code is not paid beside the column 1 code when one provider gives both to a patient on one
day. The table has each pair in one order, so both are looked up; what is denied is always the column 2 line.
"""

from itertools import combinations
from typing import NamedTuple

from charges.model import ServiceLine
from rules.codes.groups import listed
from rules.days import Lines, by_day_and_provider
from rules.engine import Facts
from rules.lines import glance
from rules.reference.rows import PtpEdit

SEPARATE = frozenset({"59", "XE", "XP", "XS", "XU"})
"""Modifiers that say a procedure was apart from the other, and nothing more."""

SITES = listed("E1 E2 E3 E4 FA F1 F2 F3 F4 F5 F6 F7 F8 F9 TA T1 T2 T3 T4 T5 T6 T7 T8 T9 LT RT LC LD LM RC RI")
PARTING = SITES | SEPARATE | {"24", "25", "27", "57", "58", "78", "79", "91"}
"""The modifiers that part a pair whose edit allows it (NCCI Policy Manual, chapter I, section E)."""


class Pair(NamedTuple):
    """Two lines between which an edit stands, each with its index: the one that is paid and the one that is not."""

    paid: tuple[int, ServiceLine]
    denied: tuple[int, ServiceLine]
    edit: PtpEdit


def sessions(facts: Facts) -> list[Lines]:
    """The billed lines of each day and rendering provider."""
    if facts.once(glance).are_of_one_session:
        return [facts.billed]
    return list(by_day_and_provider(facts.charge))


def pairs(facts: Facts) -> list[Pair]:
    """Every pair of lines for which an edit is in force on their day, and no modifier parts them. Raises TableMissing."""
    found = []
    for lines in facts.once(sessions):
        day = lines[0][1].service_date
        if day is None or len(lines) == 1:
            continue
        tables = facts.tables
        if tables.known_apart(day).issuperset(combinations([line.code for _, line in lines], 2)):
            continue
        for one, other in combinations(lines, 2):
            if one[1].code == other[1].code:
                continue
            for edit in tables.edits_between(one[1].code, other[1].code, day):
                if edit.modifier_indicator == "1" and _says_apart(one[1], other[1]):
                    continue
                paid, denied = (one, other) if edit.column1 == one[1].code else (other, one)
                found.append(Pair(paid, denied, edit))
    return found


def _says_apart(one: ServiceLine, other: ServiceLine) -> bool:
    """Whether a modifier on either line says that the edit does not apply, where the edit listens to one."""
    return not (PARTING.isdisjoint(one.modifiers) and PARTING.isdisjoint(other.modifiers))
