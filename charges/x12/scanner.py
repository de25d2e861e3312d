"""Bytes into segments: any delimiters, any number of interchanges, line breaks after segments, memory flat.

The delimiters stand in each ISA, which is why ISA has a fixed length: the element separator is its fourth character, the
repetition separator ISA11, the component separator ISA16, and the segment terminator what follows.
"""

import io
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from charges.errors import Unreadable

Segment = list[str]
"""The elements of a segment, its name first, filled up with ``""`` so that every place of any guide can be asked."""

CHUNK = 1 << 16
LONGEST = 1 << 16
"""A segment of the guides has some hundred characters; where this many have no end, the bytes are not X12."""

PLACES = 26
"""The places of a scanned segment at least: one more than the longest of the guides, MIA, has."""

_ISA_LENGTH = 106
_BREAKS = b"\r\n"


@dataclass(frozen=True, slots=True)
class Delimiters:
    """What an interchange is cut with."""

    element: str
    component: str
    repetition: str
    segment: str


def scan(content: bytes | BinaryIO) -> Iterator[tuple[Segment, Delimiters]]:
    """Every segment of a file with the delimiters of its interchange; raises Unreadable where there is no X12."""
    file = io.BytesIO(content) if isinstance(content, bytes) else content
    rest = b""
    while True:
        rest = _filled(file, rest, _ISA_LENGTH + 2)
        if not rest:
            return
        delimiters = _delimiters(rest)
        rest = yield from _interchange(file, rest, delimiters)


def _filled(file: BinaryIO, rest: bytes, wanted: int) -> bytes:
    rest = rest.lstrip()
    while len(rest) < wanted and (more := file.read(CHUNK)):
        rest = (rest + more).lstrip()
    return rest


def _delimiters(head: bytes) -> Delimiters:
    if head.startswith(b"\xef\xbb\xbf"):
        raise Unreadable("The file begins with a byte order mark; save it as plain text, X12 begins with ISA.")
    if not head.startswith(b"ISA"):
        raise Unreadable("This is not X12: it does not begin with an ISA segment.")
    if len(head) < _ISA_LENGTH:
        raise Unreadable("The file ends within its ISA segment.")
    marks = head[:_ISA_LENGTH].decode("latin-1")
    found = Delimiters(element=marks[3], repetition=marks[82], component=marks[104], segment=marks[105])
    if marks.count(found.element) != 16 or marks[103] != found.element:
        raise Unreadable("The ISA segment does not have its 16 elements in their fixed lengths.")
    different = {found.element, found.component, found.segment}
    if len(different) != 3 or any(each.isalnum() for each in different):
        raise Unreadable("The ISA segment does not name three different delimiters.")
    return found


def _interchange(
    file: BinaryIO, rest: bytes, delimiters: Delimiters
) -> Generator[tuple[Segment, Delimiters], None, bytes]:
    """The segments of one interchange; returns the bytes after it."""
    end = delimiters.segment.encode("latin-1")
    separator = delimiters.element
    padding = separator * PLACES
    while True:
        *whole, rest = rest.split(end)
        for place, raw in enumerate(whole):
            text = _text(raw.strip(_BREAKS))
            if not text:
                continue
            yield (text + padding).split(separator), delimiters
            if text.startswith("IEA") and text[3:4] == separator:
                return end.join((*whole[place + 1 :], rest))
        if len(rest) > LONGEST:
            raise Unreadable(f"{LONGEST} characters have no segment terminator {delimiters.segment!r} among them.")
        more = file.read(CHUNK)
        if not more:
            if rest.strip():
                raise Unreadable("The file ends within a segment.")
            raise Unreadable("The file ends without an IEA segment; a part of it is missing.")
        rest += more


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
