"""The diagnoses of a charge as the rules of ICD-10-CM ask about them: on the day of service, found once."""

import re
from datetime import date
from functools import cache
from itertools import combinations
from typing import NamedTuple

from charges.model import undotted
from rules.engine import Facts
from rules.icd.wrong_revision import CHANGE
from rules.reference import Reference
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
    codes = [code for each in facts.charge.diagnoses if not each.icd9 and (code := undotted(each.code))]
    for code in codes:
        if not tables.once(_stands_alone, code, day):
            return True
    return any(tables.excludes1(one, other, day) for one, other in combinations(codes, 2))


@cache  # the tabular list has some hundred such texts
def asks_for_more(text: str) -> bool:
    """Whether a note "use additional code" names codes for what is always there to tell.

    >>> asks_for_more("code to identify type of heart failure (I50.-)"), asks_for_more("tobacco use (Z72.0)")
    (True, False)
    """
    return bool(references(text) and _ALWAYS_THERE.search(text) and not _IF.search(text))


def _stands_alone(tables: Reference, code: str, on: date) -> bool:
    """Whether a code is whole and no note asks for another before it or beside it."""
    known = tables.icd(code, on)
    if known is None or not known.billable or tables.icd_notes(code, on, "codefirst"):
        return False
    return not any(asks_for_more(note.text) for note in tables.icd_notes(code, on, "useadditionalcode"))
