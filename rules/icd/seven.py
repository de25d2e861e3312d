"""Which codes have seven characters, and which may be the last."""

import re
from datetime import date

from rules.reference import Reference

SEVEN = 7

WHOLE_CATEGORIES = re.compile(
    r"[SV]|T0|T1|T2[0-8]|T3[3-9]|T[4-7]|T8[0-58]|M1A|M80|W|X|Y0[0-48]|Y2[1-9]|Y3[0-8]"
    r"|O3[125-9]|O4[01]|O64|O69"
)
"""Categories of which every billable code has seven characters (CMS's order file of April 2026)."""


def needs_seven(code: str) -> bool:
    """Whether a code without dot is of a category whose codes all have seven characters.

    >>> needs_seven("S52501"), needs_seven("T3110"), needs_seven("E119")
    (True, False, False)
    """
    return WHOLE_CATEGORIES.match(code) is not None


def ends_like_seventh(code: str) -> bool:
    """Whether a code too short for it ends in a letter that can only be its seventh character.

    S02, S06 and M1A have letters within; X is the placeholder.

    >>> ends_like_seventh("W19A"), ends_like_seventh("S134XX"), ends_like_seventh("S06A")
    (True, False, False)
    """
    return len(code) > 3 and code[-1] in "ABCDEFGHJKMNPQRS" and not code.startswith(("S02", "S06", "M1A"))


def seventh_not_allowed(tables: Reference, code: str, on: date) -> bool:
    """Whether a code without dot is none only for its seventh character: without it, it is a code that takes others.

    Raises TableMissing.

    >>> from rules.examples import SERVICE_DATE, TABLES
    >>> [seventh_not_allowed(TABLES(), code, SERVICE_DATE) for code in ("S06317D", "W19XXXB", "S06317A", "S06399A")]
    [True, True, False, False]
    """
    if len(code) != SEVEN or tables.icd(code, on):
        return False
    stem = tables.icd(code[:-1].rstrip("X"), on)
    return stem is not None and not stem.billable and any(tables.icd(f"{code[:-1]}{each}", on) for each in _SEVENTH)


_SEVENTH = "ADSBCGKPEFHJMNQR0123459"
"""What codes may end in: of encounters, fractures, comas, glaucoma, children in the womb, and gout."""
