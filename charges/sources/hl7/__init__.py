"""Charges from HL7 v2 messages in a folder, which ``charges listen`` or another program fills.

A charge is put together from all messages of its visit, so its record is those messages, as they came and in order, with
the registration and the merges that complete it. Every message that adds to it makes a new version of the same charge.
A visit that was registered and for which nothing is charged yet is a charge without lines, where the dialect asks for it.
Keys are the sender's code and its number of the visit. A message without such a number is a charge of its own, under the
digest of its content, and what takes it back in another message waits for a person.

Messages are only read, never moved or changed.
"""

import json
from collections.abc import Iterable, Iterator, Sequence

from charges.drift.census import Shape, shape_of_segments
from charges.errors import Unavailable, Unreadable
from charges.model import Charge
from charges.practice.dialect import Hl7
from charges.sources import Page, Probe, RawRecord
from charges.sources.hl7.inbox import Inbox
from charges.sources.hl7.index import FAULT, FILE, Entry, Index
from charges.sources.hl7.mapping import to_charge
from charges.sources.hl7.message import Message, counted, find, frame, unframed
from charges.sources.hl7.screening import Role, screen, visit_of
from charges.sources.seen import moment_of_file, probe_by_reading

_PAGE = 200
_ALONE = "message-"
"""How the key of a message begins that belongs to no visit, or cannot be read."""
_INCOMPLETE = b"INCOMPLETE "
_FILE = b"FILE "
_DAY_IN_NANOSECONDS = 86_400 * 10**9


class Hl7Source:
    """A folder of HL7 v2 messages as a source of charges."""

    kind = "hl7"

    def __init__(self, settings: Hl7) -> None:
        self._settings, self._inbox = settings, Inbox(settings.folder)

    def changed_since(self, cursor: str | None) -> Iterator[Page]:
        """The visits of which messages came that were not read before, oldest first; see ``ChargeSource``."""
        index = Index.of(self._inbox, self._settings)
        known = json.loads(cursor) if cursor else {}
        seen = known["seen"] if known.get("index") == index.id else 0
        news = sorted(filter(None, index.entries[seen:]), key=lambda each: each.order)
        records: list[RawRecord] = []
        touched = {key: charge for entry in news for key, charge in self._touched(index, entry)}
        for key, entry in touched.items():
            records.append(RawRecord(key, self._body(index, entry)))
            if len(records) == _PAGE:
                yield Page(tuple(records))
                records = []
        if records or seen != len(index.entries):
            yield Page(tuple(records), cursor=json.dumps({"index": index.id, "seen": len(index.entries)}))

    def to_charge(self, record: RawRecord) -> Charge:
        """The facts of one record; see ``ChargeSource``."""
        if record.body.startswith(_INCOMPLETE):
            raise Unreadable(record.body.removeprefix(_INCOMPLETE).decode())
        if record.body.startswith(_FILE):
            raise Unreadable(_fault_of_file(record.body.removeprefix(_FILE)))
        messages = [Message(each) for each in unframed(record.body)]
        if not messages:
            raise Unreadable("This is not HL7: it does not begin with an MSH segment.")
        newest = next((each for each in reversed(messages) if each.type == "DFT"), messages[-1])
        sender = screen(newest, self._settings).sender
        if record.key.startswith(_ALONE) and visit_of(newest, sender):
            # What could not be read was mended by another dialect, and is read under its visit now.
            return Charge(voided=True)
        by_day = sender.charge_per == "day" and not record.key.startswith(_ALONE)
        day = record.key.rpartition(".")[2] if by_day else ""
        return to_charge(messages, self._settings, day)

    def shape(self, record: RawRecord) -> Shape | None:
        """Which fields of which segments say something, for the watch over drift; a fault has no shape."""
        if record.body.startswith((_INCOMPLETE, _FILE)):
            return None
        try:
            segments = [segment for each in unframed(record.body) for segment in Message(each).segments]
        except Unreadable:
            return None
        return shape_of_segments((each.name, each.content[1:]) for each in segments) if segments else None

    def probe(self) -> Probe:
        """What the first visits hold; see ``ChargeSource``."""
        return probe_by_reading(self, moment_of_file(found.at for found in self._inbox.files()))

    def _touched(self, index: Index, entry: Entry) -> Iterable[tuple[str, Entry]]:
        """The keys of the records that a message makes new, each with a message of it."""
        if entry.role == Role.IGNORED:
            return []
        if entry.role not in (Role.PATIENT, Role.MERGE):
            return [(key, entry) for key in _keys(index, entry)]
        earliest = entry.at - self._settings.registration_days * _DAY_IN_NANOSECONDS
        concerned = (each for number in _numbers(index, entry.patient) for each in index.of_patient(number))
        return [
            (key, each)
            for each in concerned
            if (each.role == Role.CHARGE or index.registered(each.visit)) and _newest(index, each).at >= earliest
            for key in _keys(index, each)
        ]

    def _body(self, index: Index, entry: Entry) -> bytes:
        """The messages of the record to which a message belongs; where one is gone, the sentence that says so."""
        try:
            if entry.role == FILE:
                return _FILE + index.content(entry)
            if entry.role == FAULT:
                return frame(index.content(entry))
            own = _of_visit(index, entry)
            others = [each for each in self._registrations(index, own[-1]) if each not in own]
            return b"".join(frame(index.content(each)) for each in (*own, *others))
        except Unavailable as fault:
            return _INCOMPLETE + str(fault).encode()

    def _registrations(self, index: Index, newest: Entry) -> Sequence[Entry]:
        """What completes a charge: its patient's merges, the newest registration, and the newest with insurances."""
        latest = newest.at + self._settings.registration_days * _DAY_IN_NANOSECONDS
        numbers = _numbers(index, newest.patient)
        entries = {each.order: each for number in numbers for each in index.of_patient(number) if each.at <= latest}
        ordered = [entries[order] for order in sorted(entries)]
        statements = [each for each in ordered if each.role == Role.PATIENT]
        chosen = {each.order for each in statements[-1:]}
        chosen |= {each.order for each in [each for each in statements if each.insures][-1:]}
        return [each for each in ordered if each.role == Role.MERGE or each.order in chosen]


def _numbers(index: Index, number: str) -> list[str]:
    """A patient's number with those that were merged into it and those it was merged into."""
    found = [number] if number else []
    for each in found:  # grows while it is walked
        for entry in index.of_patient(each):
            if entry.role == Role.MERGE:
                found += [other for other in (entry.patient, entry.stays) if other not in found]
    return found


def _of_visit(index: Index, entry: Entry) -> list[Entry]:
    """The messages that charge for a message's visit, or where none does, those that register it."""
    if not entry.visit:
        return [entry]
    return index.visit(entry.visit) or index.registered(entry.visit)


def _newest(index: Index, entry: Entry) -> Entry:
    return _of_visit(index, entry)[-1]


def _keys(index: Index, entry: Entry) -> list[str]:
    """The keys of a visit: its own, or one for each day on which anything was charged."""
    if not entry.visit:
        return [f"{_ALONE}{entry.digest}"]
    days = dict.fromkeys(day for each in index.visit(entry.visit) for day in each.days)
    return [f"{entry.visit}.{day}" for day in days] or [entry.visit]


def _fault_of_file(content: bytes) -> str:
    found, said = find(content), counted(content)
    if not found:
        return "A file of the message folder holds no HL7 message: nothing in it begins with MSH."
    there = len(found)
    return f"A batch says that it has {said} messages (BTS-1); {there} are there and are read. Have it sent again."
