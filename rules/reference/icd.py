"""The instructions of ICD-10-CM's tabular list: what stands under a code, and which codes it speaks of.

Instructions are inherited: what stands at a chapter, section or category holds for every code below it.
References are kept as words: ``E11`` all codes that begin so, ``E08-E13`` a range, ``F10-F19~17~27`` a range of which only
the codes that go on so after the category (``(F10-F19, with .17, .27)``).

Source: ICD-10-CM Official Guidelines for Coding and Reporting, section I.A; the tabular list's own introduction.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from rules.reference.store import Release


def undotted(code: str) -> str:
    """A diagnosis code as tables hold it.

    >>> undotted("e11.9")
    'E119'
    """
    return code.replace(".", "").upper()


@dataclass(frozen=True)
class Instruction:
    """One instruction and the code, section or chapter at which it stands. ``kind``: as in ``IcdText``."""

    kind: str
    at: str
    text: str
    references: str
    release: Release

    def names(self, code: str) -> bool:
        """Whether the instruction speaks of an (undotted) code.

        >>> from datetime import date
        >>> release = Release(table="icd_notes", name="FY2026", since=date(2025, 10, 1))
        >>> note = Instruction("excludes1", "E10", "", "E08-E09 O24 F10-F19~17 Q6111-Q613", release)
        >>> [note.names(code) for code in ("E0965", "E11", "O2441", "F1417", "F141", "Q613", "Q61")]
        [True, False, True, True, False, True, False]
        """
        return any(_within(code, *each) for each in self._ranges)

    @cached_property
    def letters(self) -> frozenset[str]:
        """The first letters of the codes it speaks of."""
        return frozenset(
            chr(each) for first, last, _ in self._ranges for each in range(ord(first[0]), ord(last[0]) + 1)
        )

    @cached_property
    def _ranges(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        found = []
        for word in self.references.split():
            span, *endings = word.split("~")
            first, _, last = span.partition("-")
            found.append((first, last or first, tuple(endings)))
        return tuple(found)


def _within(code: str, first: str, last: str, endings: tuple[str, ...]) -> bool:
    if not (first <= code and code[: len(last)] <= last):
        return False
    return not endings or code[3:].startswith(endings)


def standings(code: str) -> list[str]:
    """Where instructions for a code may stand below its section: itself and each shorter code, longest first.

    >>> standings("E11649")
    ['E11649', 'E1164', 'E116', 'E11']
    """
    return [code[:length] for length in range(len(code), 2, -1)]


_CODE = r"[A-Z](?:[0-9][0-9A-Z]|A[0-9])(?:\.[0-9A-Z]{0,4})?"
_REFERENCE = re.compile(rf"({_CODE})(?:[-.]*\s*-\s*({_CODE}))?")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_ENDING = re.compile(r"(?<![0-9A-Z])\.([0-9A-Z]{1,4})")


def references(text: str) -> str:
    """The codes that an instruction's text names in brackets, as words.

    >>> references("alcohol abuse (F10.1-) with diabetes (E08-E13), influenza (J09.X2, J10.1)")
    'F101 E08-E13 J09X2 J101'
    >>> references("drug dependence (F10-F19, with .17, .27)")
    'F10-F19~17~27'
    >>> references("disorder of a genetic variant (QA0.0-), in the MRI (MRI) of the head")
    'QA00'
    >>> references("code, if known, the cause")
    ''
    """
    words: list[str] = []
    for inside in _BRACKETS.findall(text):
        given, _, endings = inside.partition("with ")
        ended = "".join(f"~{ending}" for ending in _ENDING.findall(endings))
        for first, last in _REFERENCE.findall(given):
            word = undotted(first) + (f"-{undotted(last)}" if last else "") + ended
            if word not in words:
                words.append(word)
    return " ".join(words)
