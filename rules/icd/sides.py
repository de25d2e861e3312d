"""Which side of the body a diagnosis is of, told by its title and by its sisters.

The left and the right code of a disease differ in one character, and their titles in one word. A title may speak of a
side where the disease has none to choose, as in failure of the left ventricle; such a code has no sister.
"""

from collections.abc import Iterator
from datetime import date

from rules.reference import Reference

RIGHT, LEFT, OPEN = "right", "left", "open"

_MIRRORED = (
    (RIGHT, "right", ("left",)),
    (RIGHT, "r", ("l",)),
    (LEFT, "left", ("right",)),
    (LEFT, "l", ("r",)),
    (OPEN, "unspecified", ("right",)),
    (OPEN, "unsp", ("right", "r")),
)
"""What a title says, also as the order file shortens it, and what a sister's title says instead."""
_DIGITS = "1234567890"
"""What may stand for the side in a sister's code; 1 is right and 2 is left nearly everywhere."""


def side_of(tables: Reference, code: str, on: date) -> str:
    """``right``, ``left``, ``open`` where the code leaves it unspecified though its sisters do not, or ````.

    ``code`` is undotted. Raises TableMissing.

    >>> from rules.examples import SERVICE_DATE, TABLES
    >>> [side_of(TABLES(), code, SERVICE_DATE) for code in ("M1711", "M1712", "M25569", "S8390XA", "I501", "I10")]
    ['right', 'left', 'open', 'open', '', '']
    """
    known = tables.icd(code, on)
    words = _words(known.title) if known else []
    for side, word, mirrored in _MIRRORED:
        if word in words:
            return side if any(_has_sister(tables, code, on, _instead(words, word, each)) for each in mirrored) else ""
    return ""


def _has_sister(tables: Reference, code: str, on: date, title: str) -> bool:
    for sister in _sisters(code):
        known = tables.icd(sister, on)
        found = " ".join(_words(known.title)) if known else ""
        shared = min(len(found), len(title))  # titles are cut off in tables
        if shared and found[:shared] == title[:shared]:
            return True
    return False


def _sisters(code: str) -> Iterator[str]:
    """The codes that differ in one character where a side may be told, the fourth to the sixth."""
    for place in range(min(len(code), 6) - 1, 2, -1):
        for digit in _DIGITS:
            if code[place] != digit:
                yield f"{code[:place]}{digit}{code[place + 1 :]}"


def _words(title: str) -> list[str]:
    return title.lower().replace(",", " ").split()


def _instead(words: list[str], word: str, other: str) -> str:
    """A title with the last of a word exchanged: the side stands behind what else may be unspecified."""
    place = len(words) - 1 - words[::-1].index(word)
    return " ".join((*words[:place], other, *words[place + 1 :]))
