"""Diagnoses that are the effect of another disease: what ICD-10-CM wants listed before them."""

import re
from datetime import date

from rules.reference import Reference
from rules.reference.icd import Instruction

LEFT_OPEN = re.compile(r"\b(?:if|such as|any|applicable)\b")
"""Words of notes that leave it open whether there is a cause, or which."""
ELSEWHERE = re.compile(r"\bin (?:oth(?:er)? )?dis(?:e(?:a(?:s(?:es?)?)?)?)?(?:$|s? c)", re.IGNORECASE)
"""What the title says of such a code, also shortened as in the order file, or cut off."""


def causes_of(tables: Reference, code: str, day: date) -> tuple[Instruction, ...]:
    """The notes "code first" of a code that name codes; none where one of them leaves it open whether there is a cause."""
    notes = tables.icd_notes(code, day, "codefirst")
    if not any(each.references for each in notes) or any(LEFT_OPEN.search(each.text) for each in notes):
        return ()
    return notes


def is_effect(tables: Reference, code: str, day: date) -> bool:
    """Whether a code names what another disease does, and cannot stand first. Raises TableMissing."""
    if not tables.icd_notes(code, day, "codefirst"):
        return False  # each such code has the note, so that of others nothing more need be asked
    known = tables.icd(code, day)
    if known and ELSEWHERE.search(known.title):
        return True
    edits = tables.mce(code, day)
    return edits is not None and edits.manifestation
