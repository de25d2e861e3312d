"""HL7 v2 messages (ER7): parted into segments, fields, repetitions, components and subcomponents, and read by place.

Tolerant of what senders do and the standard does not: any line end, framing bytes in files, fields in excess, segments in
any order, line ends within a text. No structure is enforced, for hardly any sender keeps to one; what a fact needs is asked
of its place. Chapter 2 of HL7 v2.5.1 has the rules, table 0211 the character sets.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from charges.errors import Unreadable

FRAME_START, FRAME_END = b"\x0b", b"\x1c\r"
"""What stands around a message on the wire (MLLP)."""

_BEGINS = re.compile(rb"(?:^|(?<=[\r\n\x0b\x1c]))[ \t]*MSH(?=[^\w\s])")
_BATCH = re.compile(rb"(?:^|(?<=[\r\n\x0b\x1c]))[ \t]*(?:BTS|FTS|BHS|FHS)[^\w\s]")
_COUNT = re.compile(rb"(?:^|(?<=[\r\n\x0b\x1c]))[ \t]*BTS[^\w\s](\d{1,9})")
_NEWLINE = re.compile("\r\n|\r|\n")
_SEGMENT = re.compile("[A-Z][A-Z0-9]{2}")
_LONGEST_NAME = 3
_LATIN_1 = "cp1252"
_CHARACTER_SETS = {
    "": "",
    "ASCII": "",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    **{f"8859/{number}": f"iso8859-{number}" for number in (*range(2, 10), 15)},
    "8859/1": _LATIN_1,
}


@dataclass(frozen=True, slots=True)
class Marks:
    """The five signs that part a message, as its own MSH gives them (MSH-1, MSH-2)."""

    field: str
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


@lru_cache(maxsize=1024)
def parse_place(place: str) -> tuple[str, int, int, int]:
    """Segment, field, component and subcomponent of a place; 1 where it does not say.

    >>> parse_place("PV1-3.4"), parse_place("FT1-25")
    (('PV1', 3, 4, 1), ('FT1', 25, 1, 1))
    """
    segment, _, numbers = place.partition("-")
    field, component, subcomponent, *_ = (*map(int, numbers.split(".")), 1, 1)
    return segment, field, component, subcomponent


class Segment:
    """One segment. Fields are counted as the standard does, so that MSH-1 is the sign between fields."""

    __slots__ = ("_fields", "_marks", "name")

    def __init__(self, text: str, marks: Marks) -> None:
        fields = text.split(marks.field)
        self.name = fields[0].strip()
        if self.name in ("MSH", "BHS", "FHS"):
            fields.insert(1, marks.field)
        self._fields, self._marks = fields, marks

    def field(self, number: int) -> str:
        """A field as it stands there."""
        return self._fields[number] if number < len(self._fields) else ""

    @property
    def content(self) -> tuple[str, ...]:
        """All fields as they stand there."""
        return tuple(self._fields)

    def repetitions(self, number: int) -> Sequence["Repetition"]:
        """What a field holds, empty repetitions left out."""
        text = self.field(number)
        parts = text.split(self._marks.repetition) if self._marks.repetition else [text]
        return [Repetition(part, self._marks) for part in parts if part.strip()]

    def text(self, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """One value of a field's first repetition that has it."""
        found = (each.text(component, subcomponent) for each in self.repetitions(number))
        return next(filter(None, found), "")


class Repetition:
    """One of a field's values, of components that may have subcomponents."""

    __slots__ = ("_components", "_marks")

    def __init__(self, text: str, marks: Marks) -> None:
        self._components, self._marks = text.split(marks.component), marks

    def text(self, component: int = 1, subcomponent: int = 1) -> str:
        """One value, without blanks around it; ``""`` is what the standard writes for a value that was taken away."""
        parts = self.parts(component)
        return parts[subcomponent - 1] if subcomponent <= len(parts) else ""

    def parts(self, component: int) -> Sequence[str]:
        """The subcomponents of a component."""
        text = self._components[component - 1] if component <= len(self._components) else ""
        parts = text.split(self._marks.subcomponent) if self._marks.subcomponent else [text]
        return [_value(part, self._marks) for part in parts]


class Message:
    """One message. Its text may be a patient's, so it shows none of it."""

    def __init__(self, content: bytes) -> None:
        content = content.strip(b" \t\r\n\x0b\x1c\x00")
        self.marks = _marks(content)
        text = _decoded(content, self.marks)
        self.segments = tuple(_segments(text, self.marks))
        self.header = self.segments[0]
        if len(self.all("MSH")) > 1:
            raise Unreadable("Several messages stand in one; each needs a frame of its own.")

    def __repr__(self) -> str:
        return f"Message({self.kind!r})"

    @cached_property
    def kind(self) -> str:
        """Type and event (MSH-9): ``DFT^P03``."""
        code, event = self.header.text(9, 1), self.header.text(9, 2)
        event = event or self.text("EVN-1")
        return f"{code}^{event}" if event else code

    @property
    def type(self) -> str:
        """The type of message alone: ``DFT``."""
        return self.header.text(9, 1)

    @property
    def event(self) -> str:
        """The event alone: ``P03``."""
        return self.kind.partition("^")[2]

    def all(self, name: str) -> Sequence[Segment]:
        """The segments of a name, in order."""
        return [each for each in self.segments if each.name == name]

    def first(self, name: str) -> Segment | None:
        """The first segment of a name."""
        return next((each for each in self.segments if each.name == name), None)

    def text(self, place: str) -> str:
        """The value at a place of the first segment that has one."""
        name, *numbers = parse_place(place)
        return next(filter(None, (each.text(*numbers) for each in self.all(name))), "")

    def same_news(self, other: "Message") -> bool:
        """Whether another message says the same under another number or at another time."""
        return self._news == other._news  # noqa: SLF001 - of the same class

    @cached_property
    def _news(self) -> tuple[tuple[str, ...], ...]:
        return (
            (self.header.field(3), self.header.field(4), self.kind),
            *(each.content for each in self.segments[1:] if each.name not in ("EVN", "SFT")),
        )


def find(content: bytes) -> list[tuple[int, int]]:
    r"""Where each message of a file stands: from byte to byte. What surrounds messages (FHS, BHS, framing) is left out.

    >>> find(b"FHS|x\rMSH|a\rPID|1\rMSH|b\rFTS|1\r")
    [(6, 18), (18, 24)]
    """
    starts = [each.end() - len("MSH") for each in _BEGINS.finditer(content)]
    found = []
    for start, following in pairwise([*starts, len(content)]):
        batch = _BATCH.search(content, start, following)
        found.append((start, batch.start() if batch else following))
    return found


def counted(content: bytes) -> int | None:
    """How many messages a file says it has (BTS-1), when it says so."""
    counts = [int(each[1]) for each in _COUNT.finditer(content)]
    return sum(counts) if counts else None


def frame(content: bytes) -> bytes:
    """A message as it travels (MLLP); what would end the frame early is left out, for no message may hold it."""
    return FRAME_START + content.translate(None, b"\x0b\x1c") + FRAME_END


def unframed(content: bytes) -> list[bytes]:
    """The messages of framed bytes."""
    return [each.lstrip(b"\r\n \t\x0b") for each in content.split(FRAME_END) if each.strip(b"\r\n \t\x0b")]


def _marks(content: bytes) -> Marks:
    if not content.startswith(b"MSH"):
        raise Unreadable("This is not HL7: it does not begin with an MSH segment.")
    head = content[3:9].decode("ascii", "replace")
    field = head[:1]
    others = head[1:].partition(field)[0] if field else ""
    signs = field + others
    if len(others) < 2 or any(each.isalnum() or each.isspace() or not each.isprintable() for each in signs):
        raise Unreadable("MSH-2 does not say which signs part the message; ^~\\& is usual.")
    if len(set(signs)) != len(signs) or not signs.isascii():
        raise Unreadable("MSH-2 gives one sign two meanings.")
    return Marks(field, others[0], others[1], others[2:3], others[3:4])


def _decoded(content: bytes, marks: Marks) -> str:
    head = re.split(rb"[\r\n]", content, maxsplit=1)[0].decode("latin-1").split(marks.field)
    named = (head[17] if len(head) > 17 else "").split(marks.repetition)[0].strip().upper()
    if named not in _CHARACTER_SETS:
        raise Unreadable("MSH-18 names a character set that is not read here; have it sent as UNICODE UTF-8.")
    encoding = _CHARACTER_SETS[named]
    try:
        return content.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        if encoding:
            raise Unreadable("The message is not in the character set that MSH-18 names.") from None
        return content.decode("latin-1")


def _segments(text: str, marks: Marks) -> Iterator[Segment]:
    lines: list[str] = []
    for line in _NEWLINE.split(text):
        name, found, _ = line.partition(marks.field)
        if _SEGMENT.fullmatch(name.strip()) and (found or len(line.strip()) == _LONGEST_NAME):
            lines.append(line)
        elif line.strip() and lines:
            lines[-1] += f" {line}"  # a text with a line end in it
    for line in lines:
        yield Segment(line.lstrip(), marks)


def _value(text: str, marks: Marks) -> str:
    if marks.escape and marks.escape in text:
        text = _unescaped(text, marks)
    if not text.isprintable():
        text = "".join(each if each.isprintable() else " " for each in text)
    text = text.strip()
    return "" if text == '""' else text


def _unescaped(text: str, marks: Marks) -> str:
    """Escape sequences by what they stand for; one that is not known stays as it is."""
    meanings = {
        "F": marks.field,
        "S": marks.component,
        "T": marks.subcomponent,
        "R": marks.repetition,
        "E": marks.escape,
    }
    meanings |= {"H": "", "N": "", ".br": " ", ".sp": " "}

    def meant(found: re.Match[str]) -> str:
        said = found[1]
        if said in meanings:
            return meanings[said]
        if re.fullmatch("X([0-9A-Fa-f]{2})+", said):
            return bytes.fromhex(said[1:]).decode("utf-8", "replace")
        return found[0]

    sign = re.escape(marks.escape)
    return re.sub(f"{sign}([^{sign}]*){sign}", meant, text)
