"""What `charges check` reads beside 837 files: HL7 v2 messages, FHIR bundles, and tables by a layout.

Each kind is read as its source reads it, so what is found here is what would be found in the pipeline. ``parts`` of a
charge are the pieces of the file that it was read from, each with its place, for people to see a fault where it stands.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from charges.errors import Unreadable
from charges.model import Charge
from charges.practice.dialect import Hl7, Sender
from charges.practice.layout import Layout
from charges.sources import RawRecord

Format = Literal["x12", "hl7", "fhir", "table"]

_HEAD = 4096
_HL7 = re.compile(rb"(MSH|FHS|BHS)[^\w\s]")
_TABLES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_TABLE_NAMES = (".csv", ".tsv", ".xlsx", ".xls")
_NO_LAYOUT = (
    "This is a table. Say with --map LAYOUT.yaml what its columns hold; docs/connecting-flat-files.md shows how."
)
_UNKNOWN = (
    "This is none of the files that are read: an 837 begins with ISA, HL7 v2 with MSH, a FHIR bundle with a brace. Of any "
    "other table say with --map LAYOUT.yaml what its columns hold."
)
_ANY_SENDER = Sender(code="any", takes_test_messages=True)


@dataclass(frozen=True, slots=True)
class Seen:
    """A charge of a file, or why it cannot be read.

    ``faults`` are sentences with the place of the part that each is about; 0 where it is about no part alone.
    """

    number: str
    charge: Charge
    faults: Sequence[tuple[int, str]] = ()
    parts: Sequence[tuple[int, str]] = field(default=(), repr=False)
    line_parts: Sequence[int] = ()
    note: str = ""
    """What is noticed of the file as a whole, with its first charge."""

    def position(self, origin: str, line: int | None) -> int:
        """The part in which a field stands: that of its line, or of its segment, else the first."""
        if line is not None and line <= len(self.line_parts):
            return self.line_parts[line - 1]
        segment = origin.partition("-")[0]
        named = [place for place, text in self.parts if segment and text.startswith(f"{segment}|")]
        return named[0] if named else self.parts[0][0] if self.parts else 0


Charges = Callable[[], Iterator[Seen]]
"""The charges of a file, from the beginning at each call."""


def format_of(file: Path) -> Format:
    """What a file is by its first bytes, and a table also by its name; raises OSError, and Unreadable for any other."""
    with file.open("rb") as content:
        head = content.read(_HEAD)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x0b")
    if _HL7.match(start):
        return "hl7"
    if start.startswith((b"{", b"[")):
        return "fhir"
    if head.startswith(_TABLES) or (file.suffix.lower() in _TABLE_NAMES and not start.startswith(b"ISA")):
        return "table"
    if not start.startswith(b"ISA"):
        raise Unreadable(_UNKNOWN)
    return "x12"


def charges_of(file: Path, format: Format, layout: Layout | None, hl7: Hl7 | None) -> Charges:
    """How the charges of a file are read; raises Unreadable, also while they are, when it cannot be."""
    if format == "table":
        if layout is None:
            raise Unreadable(_NO_LAYOUT)
        return lambda: _of_table(file, layout)
    if format == "hl7":
        return lambda: _of_messages(file, hl7)
    return lambda: _of_bundles(file)


def _of_table(file: Path, layout: Layout) -> Iterator[Seen]:
    from charges.sources.flatfile.groups import groups  # noqa: PLC0415 - only the kind in use is loaded
    from charges.sources.flatfile.header import unused  # noqa: PLC0415
    from charges.sources.flatfile.rows import RowReader  # noqa: PLC0415
    from charges.sources.flatfile.tables import examine, text_of  # noqa: PLC0415

    reader, is_first = RowReader(layout), True
    with file.open("rb") as content:
        for group in groups(content, examine(content, layout), layout):
            reading = reader.read(group.cells())
            numbers = [row.number for row in group.rows]
            columns = unused(layout, group.columns) if is_first else []
            is_first = False
            yield Seen(
                group.key,
                reading.charge,
                [(numbers[index], f"{sentence}.") for index, sentence in reading.faults],
                [(row.number, " | ".join(map(text_of, row.cells))) for row in group.rows],
                [numbers[index] for index in reading.line_rows],
                f"The layout does not say what these columns hold: {', '.join(columns)}." if columns else "",
            )


def _of_messages(file: Path, settings: Hl7 | None) -> Iterator[Seen]:
    """The visits of a file of messages, by way of an inbox that holds it alone."""
    from charges.sources.hl7 import Hl7Source  # noqa: PLC0415
    from charges.sources.hl7.message import Message, unframed  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "checked.hl7").symlink_to(file.resolve())
        known = settings or Hl7(kind="hl7", folder=file.parent, senders=(_ANY_SENDER,))
        source = Hl7Source(known.model_copy(update={"folder": Path(folder)}))
        place, cursor = 0, None
        for _ in range(2):  # a file that ends within a line is doubtful until it is seen again
            for page in source.changed_since(cursor):
                for record in page.records:
                    seen = _of_record(source.to_charge, record)
                    parts = []
                    for content in unframed(record.body):
                        try:
                            segments = Message(content).segments
                        except Unreadable:
                            continue
                        for segment in segments:
                            place += 1
                            fields = [each for number, each in enumerate(segment.content) if number != 1]
                            shown = fields if segment.name in ("MSH", "BHS", "FHS") else segment.content
                            parts.append((place, "|".join(shown)))
                    lines = [at for at, text in parts if text.startswith(("FT1|", "PR1|"))]
                    same = len(lines) == len(seen.charge.lines)
                    yield Seen(seen.number, seen.charge, seen.faults, parts, lines if same else ())
                cursor = page.cursor if page.cursor is not None else cursor


def _of_record(to_charge: Callable[[RawRecord], Charge], record: RawRecord) -> Seen:
    try:
        return Seen(record.key, to_charge(record))
    except Unreadable as fault:
        return Seen(record.key, Charge(key=record.key), [(0, str(fault))])


def _of_bundles(file: Path) -> Iterator[Seen]:
    """The encounters of a bundle, or of resources or bundles line by line."""
    from charges.sources.fhir import read_bundle  # noqa: PLC0415

    place = 0
    for body in _bundles(file):
        for charge in read_bundle(body):
            place += 1
            yield Seen(charge.key, charge, parts=[(place, f"Encounter/{charge.key}")])
    if not place:
        raise Unreadable("There is no Encounter in the file, so nothing in it is a charge.")


def _bundles(file: Path) -> Iterator[bytes]:
    content = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        whole: Any = json.loads(content)
    except RecursionError:
        raise Unreadable("The file is JSON of a depth that no bundle has.") from None
    except ValueError:
        lines = [_json(line, number) for number, line in enumerate(content.splitlines(), 1) if line.strip()]
        yield from (json.dumps(each).encode() for each in lines if each.get("resourceType") == "Bundle")
        alone = [each for each in lines if each.get("resourceType") != "Bundle"]
        if alone:
            yield json.dumps({"resourceType": "Bundle", "entry": [{"resource": each} for each in alone]}).encode()
        return
    if isinstance(whole, Mapping) and whole.get("resourceType") not in ("Bundle", None):
        content = json.dumps({"resourceType": "Bundle", "entry": [{"resource": whole}]}).encode()
    yield content


def _json(line: bytes, number: int) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unreadable(f"Line {number} is not a JSON object, so the file is neither a FHIR bundle nor NDJSON.")
    return found
