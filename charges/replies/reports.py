"""Replies in plain words: a vendor's text report is kept and shown with the file it names, and decides nothing.

What a person is meant to read cannot be carried out by a program, so a report changes no state, whatever it says.
"""

import re
from collections.abc import Sequence
from pathlib import PurePath

from charges.tables import ClaimFileRow

_ENDINGS = frozenset((".txt", ".rpt", ".log", ".lst", ".csv", ".htm", ".html"))
_INTERCHANGE = re.compile(rb"ISA[^A-Za-z0-9]00")
_WORD = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_CONTROL_NUMBER = re.compile(r"(?<![0-9])[0-9]{9}(?![0-9])")


def is_report(name: str, content: bytes) -> bool:
    """Whether a reply is text for people: by the ending of its name, unless it holds X12 after all."""
    is_x12 = _INTERCHANGE.match(content.lstrip()) is not None
    return PurePath(name.lower()).suffix in _ENDINGS and bool(content.strip()) and not is_x12


def named(name: str, content: bytes, files: Sequence[ClaimFileRow]) -> Sequence[ClaimFileRow]:
    """Those files that a report names: by their whole name or its stem, or else by the nine digits of ISA13.

    The report's own name counts as part of it.
    """
    text = f"{name} {content.decode('latin-1')}"
    words = {word.rstrip(".") for word in _WORD.findall(text)}
    words |= {PurePath(word).stem for word in words}
    found = [file for file in files if file.name in words or PurePath(file.name).stem in words]
    numbers = {int(each) for each in _CONTROL_NUMBER.findall(text)}
    return found or [file for file in files if file.control_number in numbers]
