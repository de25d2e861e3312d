"""What stands in an inbox: which message belongs to which visit and patient, so that a pull need not read all again.

A file of JSON lines beside the messages, made from them alone: it may be deleted at any time and is then made anew, under
another name in the cursor, so that everything is given again and intake finds nothing new in it. It is only appended to; one
that a crash left with half a line is made anew.
"""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from charges.errors import Unavailable, Unreadable
from charges.practice.dialect import Hl7
from charges.sources.hl7.inbox import Found, Inbox
from charges.sources.hl7.mapping import days_of
from charges.sources.hl7.message import Message, counted, find
from charges.sources.hl7.screening import BEGINS, Role, prior_number, record_number, screen, visit_of

NAME = ".index.jsonl"
_FORMAT = 2
FAULT, FILE = "fault", "file"
"""What stands for a role where a message, or what a file says of its messages, cannot be read."""
_ENDINGS = (b"\r", b"\n", b"\x1c")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message: where it stands, what it does, whose it is. ``begins`` says that it registers the beginning of a visit.

    ``role`` is a ``Role``, ``FAULT`` or ``FILE``. ``visit`` begins with the sender's code. ``stays`` is
    the number that a merge keeps, ``patient`` the one it gives up.
    """

    file: str
    start: int
    end: int
    at: int
    role: str
    digest: str
    visit: str = ""
    days: tuple[str, ...] = ()
    patient: str = ""
    stays: str = ""
    insures: bool = False
    begins: bool = False

    @property
    def order(self) -> tuple[int, str, int]:
        """Messages in the order in which they came."""
        return self.at, self.file, self.start


@dataclass(slots=True)
class Index:
    """The messages of an inbox as far as they were read. ``id`` names this index in cursors."""

    inbox: Inbox
    settings: Hl7
    id: str = ""
    entries: list[Entry | None] = field(default_factory=list)
    """In the order of reading; ``None`` is the place of one whose file was written anew without it."""

    _marks: dict[str, str] = field(default_factory=dict)
    _doubtful: dict[str, str] = field(default_factory=dict)
    _known: dict[str, int] = field(default_factory=dict)
    _visits: dict[str, list[int]] = field(default_factory=dict)
    _registered: dict[str, list[int]] = field(default_factory=dict)
    _patients: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, inbox: Inbox, settings: Hl7) -> "Index":
        """The index of an inbox as it is now; raises Refused or Unavailable."""
        index = cls(inbox, settings)
        files = sorted(inbox.files(), key=lambda each: (each.at, each.name))
        index._open()
        index._read_new(files)
        return index

    def visit(self, visit: str) -> list[Entry]:
        """The messages that charge for a visit, in order."""
        return self._sorted(self._visits.get(visit, []))

    def registered(self, visit: str) -> list[Entry]:
        """The registrations of a visit that has begun and for which nothing was charged, in order; else none."""
        found = [] if self._visits.get(visit) else self._sorted(self._registered.get(visit, []))
        return found if any(each.begins for each in found) else []

    def of_patient(self, number: str) -> list[Entry]:
        """The registrations, merges and charges in which a patient's number stands, in order."""
        return self._sorted(self._patients.get(number, []))

    def content(self, entry: Entry) -> bytes:
        """The message's bytes; raises Unavailable when its file is gone."""
        return self.inbox.read(entry.file, entry.start, entry.end)

    def _sorted(self, numbers: list[int]) -> list[Entry]:
        found = [entry for number in numbers if (entry := self.entries[number]) is not None]
        return sorted(found, key=lambda each: each.order)

    @property
    def _path(self) -> Path:
        return self.inbox.folder / NAME

    def _open(self) -> None:
        """Take up what was read before under the same dialects; begin anew otherwise."""
        settings = json.dumps(self.settings.model_dump(mode="json", exclude={"folder"}), sort_keys=True)
        dialects = hashlib.sha256(settings.encode()).hexdigest()[:16]
        header = {"format": _FORMAT, "dialects": dialects}
        before = self._stored()
        if before and {name: before[0].get(name) for name in header} == header:
            self.id = before[0]["id"]
            for each in before[1:]:
                self._take(each)
            return
        self.id = uuid.uuid4().hex
        self._write([header | {"id": self.id}], anew=True)

    def _stored(self) -> list[dict[str, Any]]:
        """The lines of the file; none where it is no index, or where a crash cut the last line short."""
        try:
            if not self._path.exists():
                return []
            *whole, rest = self._path.read_bytes().split(b"\n")
            return [] if rest else [json.loads(line) for line in whole]
        except ValueError:
            return []
        except OSError as error:
            raise self._unavailable(error) from None

    def _read_new(self, files: list[Found]) -> None:
        news: list[dict[str, Any]] = []
        for found in files:
            if self._marks.get(found.name) == found.mark:
                continue
            content = self.inbox.read(found.name)
            # A file of another program may still be growing: one that ends amid a line is read when it stays so.
            if not found.is_ours and not content.endswith(_ENDINGS) and self._doubtful.get(found.name) != found.mark:
                news.append({"doubtful": found.name, "mark": found.mark})
                continue
            if found.name in self._marks:
                news.append({"anew": found.name})
            news += [_as_json(each) for each in read(found, content, self.settings)]
            news.append({"file": found.name, "mark": found.mark})
        if news:
            self._write(news)
            for each in news:
                self._take(each)

    def _take(self, each: dict[str, Any]) -> None:
        if "doubtful" in each:
            self._doubtful[each["doubtful"]] = each["mark"]
        elif "anew" in each:  # what the file said before counts no more
            for number, entry in enumerate(self.entries):
                if entry is not None and entry.file == each["anew"]:
                    self.entries[number] = None
                    self._known.pop(entry.digest, None)
        elif "role" in each:
            self._add(Entry(**(each | {"days": tuple(each.get("days", ()))})))
        else:
            self._marks[each["file"]] = each["mark"]

    def _add(self, entry: Entry) -> None:
        number = len(self.entries)
        known = self._known.get(entry.digest)
        if known is not None:
            # The same message again, in another file: where it came first it counts, as long as it is there.
            first = self.entries[known]
            if first is None or (self.inbox.folder / first.file).exists():
                self.entries.append(None)
                return
            self.entries[known] = None
        self.entries.append(entry)
        self._known[entry.digest] = number
        if entry.role == Role.CHARGE and entry.visit:
            self._visits.setdefault(entry.visit, []).append(number)
        elif entry.visit:
            self._registered.setdefault(entry.visit, []).append(number)
        for patient in {entry.patient, entry.stays} - {""}:
            self._patients.setdefault(patient, []).append(number)

    def _write(self, news: list[dict[str, Any]], *, anew: bool = False) -> None:
        said = "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in news)
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if anew else os.O_APPEND)
        try:
            with os.fdopen(os.open(self._path, flags, 0o600), "w", encoding="utf-8") as file:
                file.write(said)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unavailable(error) from None

    def _unavailable(self, error: OSError) -> Unavailable:
        return Unavailable(f"{self._path} cannot be written or read ({error.strerror}). Messages stay in the folder.")


def read(found: Found, content: bytes, settings: Hl7) -> Iterator[Entry]:
    """The messages of one file; a file without any, or with others than it says, is a fault of its own."""
    places = find(content)
    for start, end in places:
        yield _entry(found, content, start, end, settings)
    if not places or counted(content) not in (None, len(places)):
        yield Entry(found.name, 0, len(content), found.at, FILE, _digest(b"file" + content))


def _entry(found: Found, content: bytes, start: int, end: int, settings: Hl7) -> Entry:
    body = content[start:end].strip(b" \t\r\n\x0b\x1c")
    where = (found.name, start, start + len(body), found.at)
    digest = _digest(body)
    try:
        message = Message(body)
        screened = screen(message, settings)
    except Unreadable:
        return Entry(*where, FAULT, digest)
    sender, role = screened.sender, screened.role
    if role is Role.IGNORED:
        return Entry(*where, role, digest)
    number, visit = record_number(message, sender), visit_of(message, sender)
    if role is Role.MERGE:
        return Entry(*where, role, digest, patient=prior_number(message, sender), stays=number)
    if role is Role.PATIENT:
        insures, begins = message.first("IN1") is not None, message.event in BEGINS
        key = f"{sender.visits_of}-{visit}" if sender.visits_of and visit else ""
        return Entry(*where, role, digest, visit=key, patient=number, insures=insures, begins=begins)
    by_day = days_of(message, sender) if visit and sender.charge_per == "day" else ()
    return Entry(*where, role, digest, visit=f"{sender.code}-{visit}" if visit else "", days=by_day, patient=number)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _as_json(entry: Entry) -> dict[str, Any]:
    return {name: value for name, value in asdict(entry).items() if value or name in ("start", "role")}
