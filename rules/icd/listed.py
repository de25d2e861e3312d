"""The diagnoses of a charge as the rules of ICD-10-CM ask about them: on the day of service, found once."""

import re
from datetime import date
from functools import cache
from typing import NamedTuple

from charges.model import undotted
from rules.engine import Facts
from rules.icd.effects import causes_of, is_effect
from rules.icd.wrong_revision import CHANGE
from rules.reference import Reference, TableMissing
from rules.reference.icd import references

_ALWAYS_THERE = re.compile(r"code to (?:identify|specify|indicate) (?:the )?(?:stage|severity|site|type|outcome)\b")
_IF = re.compile(r"\b(?:if|applicable|any)\b")


class Listed(NamedTuple):
    """A diagnosis: its place in the charge's list, as it is written there and as tables hold it, and the day it counts."""

    place: int
    shown: str
    code: str
    day: date


def listed(facts: Facts) -> tuple[Listed, ...]:
    """The diagnoses of ICD-10-CM that are told; none where the services have no day or another revision's."""
    day = facts.service_date
    if day is None or day < CHANGE:
        return ()
    return tuple(
        Listed(index, each.code, code, day)
        for index, each in enumerate(facts.charge.diagnoses)
        if not each.icd9 and (code := undotted(each.code))
    )


def in_question(facts: Facts) -> bool:
    """Whether tables have more to say of the diagnoses than that each is a whole code. Raises TableMissing."""
    day, tables = facts.service_date, facts.tables
    if day is None or day < CHANGE:
        return False
    known = tables.known(_alone, day, "icd icd_notes mce")
    seen: list[tuple[str, Alone]] = []
    for each in facts.charge.diagnoses:
        if each.icd9:
            continue
        alone = known[each.code]
        if alone is None:
            return True
        for code, other in seen:
            # Most diagnoses are of another chapter than all that the other excludes.
            meet = alone.chapter in other.excluded or other.chapter in alone.excluded
            if meet and tables.excludes1(code, each.code, day):
                return True
        seen.append((each.code, alone))
    return False


class Alone(NamedTuple):
    """A diagnosis that is whole and needs no other: the first letter of its code, and those of the codes it excludes."""

    chapter: str
    excluded: frozenset[str]


@cache  # the tabular list has some hundred such texts
def asks_for_more(text: str) -> bool:
    """Whether a note "use additional code" names codes for what is always there to tell.

    >>> asks_for_more("code to identify type of heart failure (I50.-)"), asks_for_more("tobacco use (Z72.0)")
    (True, False)
    """
    return bool(references(text) and _ALWAYS_THERE.search(text) and not _IF.search(text))


def _alone(tables: Reference, code: str, on: date) -> Alone | None:
    """What a diagnosis is by itself; ``None`` of one that is not whole, or may want another before it or beside it."""
    bare = undotted(code)
    if not bare:
        return Alone("", frozenset())
    known = tables.icd(bare, on)
    if known is None or not known.billable or causes_of(tables, bare, on) or _may_be_effect(tables, bare, on):
        return None
    if any(asks_for_more(note.text) for note in tables.icd_notes(bare, on, "useadditionalcode")):
        return None
    return Alone(bare[0], tables.excluded_chapters(bare, on))


def _may_be_effect(tables: Reference, code: str, on: date) -> bool:
    try:
        return is_effect(tables, code, on)
    except TableMissing:
        return True  # the rule that asks tells of it
