"""Charges from 837 files that another system wrote into a folder, so that its claims are judged and routed from here.

Files are only read, never moved or changed; which of them were read is remembered by name, size and time of change, so
clocks and the order of arrival do not matter. A claim is known by the number its submitter gave it (CLM01), the day of
service and whether it goes to a later payer, so the same claim sent again, corrected or not, is a new version of the same
charge, and a number used for two visits loses neither.

A replacement or void (frequency 7, 8) is never sent on by itself: what it replaces is for a person to settle.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from charges.drift.census import Shape, shape_of_segments
from charges.errors import Refused, Unavailable, Unreadable
from charges.model import Charge, Claim
from charges.practice.connections import ClaimFiles
from charges.sources import Page, Probe, RawRecord
from charges.sources.claimplaces import PLACES
from charges.sources.seen import moment_of_file, probe_by_reading
from charges.x12 import reader
from charges.x12.parting import Part, part
from charges.x12.scanner import scan

_PAGE = 200
_FAULT = b"FAULT "
"""How the record of a file that cannot be read begins; no X12 does."""
_TOLD_APART = frozenset({"DTP", "NM1", "PER", "REF"})
"""The segments that mean something else with another first element."""
_UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")
_LONGEST_NUMBER = 50


@dataclass(frozen=True, slots=True)
class _Seen:
    """Files by their marks: ``read`` to the end, ``doubtful`` those that could not be, perhaps because they still grow."""

    read: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()

    @classmethod
    def of(cls, cursor: str | None) -> "_Seen":
        if not cursor:
            return cls()
        known = json.loads(cursor)
        return cls(frozenset(known["read"]), frozenset(known["doubtful"]))

    def cursor(self) -> str:
        return json.dumps({"read": sorted(self.read), "doubtful": sorted(self.doubtful)}, separators=(",", ":"))


class ClaimFilesSource:
    """A folder of 837 files as a source of charges."""

    kind = "x12"

    def __init__(self, settings: ClaimFiles) -> None:
        self._folder = settings.folder

    def changed_since(self, cursor: str | None) -> Iterator[Page]:
        """The claims of files not read before, oldest file first; see ``ChargeSource``."""
        before = _Seen.of(cursor)
        files = self._files()
        read, doubtful = set(before.read & files.keys()), set()
        for mark, path in files.items():
            if mark in read:
                continue
            try:
                yield from _pages(path)
            except Unreadable as fault:
                # A file may still be growing: it is told only when the next pull finds it no different.
                if mark not in before.doubtful:
                    doubtful.add(mark)
                    continue
                yield Page((RawRecord(f"file-{mark}", _FAULT + f"{path.name}: {fault}".encode()),))
            read.add(mark)
        seen = _Seen(frozenset(read), frozenset(doubtful))
        if seen != before:
            yield Page((), cursor=seen.cursor())

    def to_charge(self, record: RawRecord) -> Charge:
        """The facts of one claim; see ``ChargeSource``."""
        if record.body.startswith(_FAULT):
            raise Unreadable(f"A file of the claim folder cannot be read. {record.body.removeprefix(_FAULT).decode()}")
        claims = list(reader.read(record.body))
        if len(claims) != 1:
            raise Unreadable(f"The record holds {len(claims)} claims instead of one; tell the engineer.")
        return _charge(claims[0])

    def shape(self, record: RawRecord) -> Shape | None:
        """Which elements of which segments say something, for the watch over drift; a fault has no shape."""
        if record.body.startswith(_FAULT):
            return None
        try:
            segments = [each for each, _ in scan(record.body)]
        except Unreadable:
            return None
        return shape_of_segments((f"{e[0]}:{e[1]}" if e[0] in _TOLD_APART else e[0], e[1:]) for e in segments)

    def probe(self) -> Probe:
        """What the claims of the first files hold; see ``ChargeSource``."""
        return probe_by_reading(self, moment_of_file(path.stat().st_mtime_ns for path in self._files().values()))

    def _files(self) -> dict[str, Path]:
        """The finished files of the folder by their marks, oldest first."""
        try:
            if not self._folder.is_dir():
                raise Refused(
                    f"The claim folder {self._folder} does not exist. Make it, or correct the practice's source.folder."
                )
            found = []
            for path in self._folder.iterdir():
                if path.is_file() and not path.name.startswith(".") and not path.name.endswith(_UNFINISHED):
                    facts = path.stat()
                    mark = f"{path.name}|{facts.st_size}|{facts.st_mtime_ns}"
                    found.append((facts.st_mtime_ns, path.name, hashlib.sha256(mark.encode()).hexdigest()[:16], path))
        except OSError as error:
            raise _unavailable(self._folder, error) from None
        return {mark: path for _, _, mark, path in sorted(found)}


def _pages(path: Path) -> Iterator[Page]:
    """The claims of one file; raises Unreadable for one that holds none, or after the claims before its fault."""
    known: Counter[str] = Counter()
    records: list[RawRecord] = []
    fault: Unreadable | None = None
    try:
        with path.open("rb") as file:
            try:
                for each in part(file):
                    records.append(_record(each, known))
                    if len(records) == _PAGE:
                        yield Page(tuple(records))
                        records = []
            except Unreadable as error:
                fault = error
            if records:
                yield Page(tuple(records))
            if fault is not None:
                raise fault
            if not known:
                file.seek(0)
                if not list(reader.read(file)):
                    raise Unreadable("The file holds no claims.")
    except OSError as error:
        raise _unavailable(path, error) from None


def _record(claim: Part, known: Counter[str]) -> RawRecord:
    """A claim under its key; one whose key stands in the file before is told apart by its order."""
    number = claim.number
    if not 0 < len(number) <= _LONGEST_NUMBER or not number.isascii() or not number.isprintable():
        number = f"without-number-{hashlib.sha256(claim.content).hexdigest()[:16]}"
    later = f".{claim.responsibility}" if claim.responsibility not in ("", "P") else ""
    key = f"{number}.{claim.first_day[:8]}{later}"
    known[key] += 1
    return RawRecord(key if known[key] == 1 else f"{key}.{known[key]}", claim.content)


def _charge(claim: Claim) -> Charge:
    charge = claim.charge
    patient, first = charge.patient, charge.coverages[0]
    number = {"record_number": charge.references.medical_record_number}
    if not number["record_number"]:
        known_as = (first.payer.payer_id, first.member_id, patient.first_name, str(patient.birth_date or ""))
        number = {"record_number": " ".join(known_as), "assigner": "policy"}
    unread = charge.unread
    if claim.frequency != "1":
        what = {"7": "a replacement", "8": "a void"}[claim.frequency]
        unread = (*unread, f"CLM05-3 is {claim.frequency}: the claim is {what} of an earlier one")
    known = charge.model_copy(
        update={
            "patient": patient.model_copy(update=number),
            "encounter": charge.encounter.model_copy(update={"record_number": claim.number}),
            "unread": unread,
        }
    )
    return known.model_copy(update={"origins": PLACES.of(known)})


def _unavailable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{path} cannot be read ({error.strerror}). Claims stay in the folder; the next run reads them.")
