"""The tables at hand, and how rules ask them: always by the date of service, and never silently without a table.

>>> from datetime import date
>>> from rules.reference.shipped import shipped
>>> tables = shipped()
>>> tables.pos("11", date(2026, 11, 16)).facility
False
>>> print(tables.ptp("43239", "43235", date(2026, 11, 16)).modifier_indicator)
0
>>> tables.mue("99999", date(1990, 1, 1))
Traceback (most recent call last):
...
rules.reference.library.TableMissing: No table of NCCI medically unlikely edits (practitioner) is loaded for 1990-01-01. \
`charges refdata list` shows what is loaded, `charges refdata load` adds to it.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from charges.errors import Refused
from rules.reference.icd import Instruction, standings, undotted
from rules.reference.rows import (
    AddOnEdit,
    Entry,
    FeeIndicators,
    HcpcsCode,
    IcdCode,
    IcdEdit,
    IcdText,
    MueLimit,
    PlaceOfService,
    PolicyDiagnosis,
    Price,
    PtpEdit,
    Row,
    Taxonomy,
    Telehealth,
    Waived,
    table_of,
)
from rules.reference.store import Release, Store, map_file, read_release

SUFFIX = ".ref"


class TableMissing(Refused):
    """No release of a table answers for a date of service; nothing can be said of any code then."""

    def __init__(self, table: str, on: date) -> None:
        super().__init__(table, on)
        self.table, self.on = table, on

    def __str__(self) -> str:
        known = table_of(self.table)
        return (
            f"No table of {known.title if known else self.table} is loaded for {self.on}. "
            "`charges refdata list` shows what is loaded, `charges refdata load` adds to it."
        )


@dataclass(frozen=True, slots=True)
class AddOn:
    """What is known of an add-on code: its type and the codes beside which it may be billed.

    ``type`` 1: only beside ``primaries``; 2: the contractor decides, ``primaries`` is empty; 3: beside these or others.
    """

    code: str
    type: int
    primaries: frozenset[str]
    edits: tuple[AddOnEdit, ...]


@dataclass(frozen=True, slots=True)
class DiagnosisEdits:
    """What the Medicare Code Editor expects of the patient of a diagnosis. ``ages`` in years, both included."""

    code: str
    ages: tuple[int, int] | None
    sex: str
    manifestation: bool
    rows: tuple[IcdEdit, ...]


AGES: Mapping[str, tuple[int, int]] = {
    "newborn": (0, 0),
    "pediatric": (0, 17),
    "maternity": (9, 64),
    "adult": (15, 124),
}
"""The age groups of the Medicare Code Editor (Definitions of Medicare Code Edits, chapter 1, section 4)."""

_KEPT, _MANY_KEPT = 16_384, 65_536
"""The answers of each sort, and the pairs of codes without an edit, that are remembered."""

Content = Callable[[], Any]
R = TypeVar("R")
K = TypeVar("K")
T = TypeVar("T")


@dataclass(slots=True)
class _Shelved:
    """A release and its store, opened when it is first asked."""

    release: Release
    content: Content
    name: str
    store: Store[Entry] | None = None

    def opened(self) -> Store[Entry]:
        if self.store is None:
            table = table_of(self.release.table)
            assert table is not None
            self.store = Store(self.content(), table.decode, self.name)
        return self.store


class _Known(dict[str, T]):
    """By code, what a function finds of it on a date."""

    def __init__(self, find: Callable[[str], T]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, code: str) -> T:
        found = self[code] = self._find(code)
        return found


class Reference:
    """Tables by release. Look-ups take the date of service and raise TableMissing where no release covers it.

    ``None`` always means: the table for the date is there and has no row in force.
    """

    def __init__(self, shelved: Iterable[_Shelved]) -> None:
        self._shelved = sorted(shelved, key=lambda each: (each.release.table, _newest(each.release)), reverse=True)
        self._by_date: dict[tuple[str, date], Store[Entry] | None] = {}
        self._above: dict[tuple[str, date], tuple[Instruction, ...]] = {}
        self._found: dict[tuple[str, str, date], Any] = {}
        self._notes: dict[tuple[str, date, str], tuple[Instruction, ...]] = {}
        self._paired: dict[tuple[str, str, date], tuple[PtpEdit, ...]] = {}
        self._apart: dict[date, set[tuple[str, str]]] = {}
        self._changes: dict[Store[Entry], Sequence[date]] = {}
        self._apart_kept = 0
        self._excluded: dict[tuple[str, str, date], Instruction | None] = {}
        self._edits: dict[tuple[str, date], DiagnosisEdits | None] = {}
        self._once: dict[tuple[Any, date], Any] = {}
        self._once_kept = 0

    @classmethod
    def open(cls, folder: Path, *, samples: bool = True) -> Self:
        """The tables of a folder; an absent folder has none. Without ``samples`` the shipped ones do not count.

        Raises Unreadable when a file is damaged.
        """
        found = []
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            release = read_release(path)
            if table_of(release.table) is not None and (samples or not release.sample):
                found.append(_Shelved(release, _mapping(path), path.name))
        return cls(found)

    @classmethod
    def of(cls, contents: Mapping[Release, Content]) -> Self:
        """Tables that are made when first asked: by release, what gives the bytes of its file."""
        return cls(
            _Shelved(release, content, f"{release.table} {release.name}") for release, content in contents.items()
        )

    def __or__(self, other: "Reference") -> "Reference":
        """The tables of both."""
        return Reference([*self._shelved, *other._shelved])

    @property
    def releases(self) -> tuple[Release, ...]:
        """Every release, by table, latest first."""
        return tuple(sorted((each.release for each in self._shelved), key=lambda release: release.table))

    def only(self, names: Collection[tuple[str, str]]) -> "Reference":
        """These tables and releases alone, to judge again with what was known then."""
        return Reference(each for each in self._shelved if (each.release.table, each.release.name) in names)

    def without_samples(self, tables: Collection[str]) -> "Reference":
        """These tables, of some (by name, ``prices`` being every practice's) only what was published."""
        if not tables:
            return self
        return Reference(
            each
            for each in self._shelved
            if not (each.release.sample and each.release.table.partition(".")[0] in tables)
        )

    def has(self, table: str, on: date) -> bool:
        """Whether a release of the table answers for the date."""
        return any(each.release.table == table and each.release.covers(on) for each in self._shelved)

    def release(self, table: str, on: date) -> Release:
        """The release that answers for the date: published before sample, then the newest. Raises TableMissing."""
        return self._store(table, on).release

    def verify(self) -> Iterator[Release]:
        """Read every table whole; yields each that is as it was written, raises Unreadable at one that is not."""
        for each in self._shelved:
            each.opened().verify()
            yield each.release

    def once(self, find: Callable[["Reference", str, date], T], code: str, on: date, of: str) -> T:
        """What a function finds of a code in these tables, found once; see ``known``."""
        return self.known(find, on, of)[code]

    def known(self, find: Callable[["Reference", str, date], T], on: date, of: str) -> Mapping[str, T]:
        """What a function finds on a date in these tables, by code; found when it is first asked for.

        ``of`` names the tables it asks, with blanks between: it is asked once for all days on which they say the same.
        """
        known: _Known[T] | None = self._once.get((find, on))
        return self._knowing(find, on, of) if known is None else known

    def _knowing(self, find: Callable[["Reference", str, date], T], on: date, of: str) -> _Known[T]:
        first = max(self.unchanged_since(table, on) for table in of.split())

        def found(code: str) -> T:
            if self._once_kept >= _MANY_KEPT:
                self._once.clear()
                self._once_kept = 0
            self._once_kept += 1
            return find(self, code, first)

        known: _Known[T] = self._once.setdefault((find, first), _Known(found))
        self._once[find, on] = known
        return known

    def unchanged_since(self, table: str, on: date) -> date:
        """The first of the days up to a date on which a table says the same; that date where no release answers for it."""
        try:
            store = self._store(table, on)
        except TableMissing:
            return on
        changes = self._changes.get(store)
        if changes is None:
            releases = [each.release for each in self._shelved if each.release.table == table]
            bounds = {each.since for each in releases}
            bounds |= {each.until + timedelta(days=1) for each in releases if each.until and each.until < date.max}
            changes = self._changes[store] = sorted(bounds | store.changes())
        return changes[bisect_right(changes, on) - 1]

    # The look-ups, one for each table.

    def ptp(self, column1: str, column2: str, on: date) -> PtpEdit | None:
        """The NCCI edit of two codes in this order, if one is in force; one that never applied (9) is not."""
        store = self._store("ptp", on)
        for entry in store.find_pair(column1, column2):
            if entry.since <= on <= entry.until and entry.fields[0] != "9":
                return entry.row(PtpEdit, store.release, column1, column2)
        return None

    def edits_between(self, one: str, other: str, on: date) -> tuple[PtpEdit, ...]:
        """The NCCI edits of two codes that are in force, in either order; remembered, as is that most have none."""
        if (one, other) in self.known_apart(on):
            return ()
        known = self._paired.get((one, other, on))
        if known is None:
            known = tuple(filter(None, (self.ptp(one, other, on), self.ptp(other, one, on))))
            if known:
                return _kept(self._paired, (one, other, on), known)
            if self._apart_kept >= _MANY_KEPT:
                self._apart.clear()
                self._apart_kept = 0
            self.known_apart(on).add((one, other))
            self._apart_kept += 1
        return known

    def known_apart(self, on: date) -> set[tuple[str, str]]:
        """The pairs of codes of which ``edits_between`` found before that there is none on the date."""
        known = self._apart.get(on)
        if known is None:
            known = self._apart[on] = self._apart.setdefault(self.unchanged_since("ptp", on), set())
        return known

    def mue(self, code: str, on: date) -> MueLimit | None:
        """The medically unlikely edit of a code; some are confidential and in no table."""
        return self._row(MueLimit, "mue", code, on)

    def add_on(self, code: str, on: date) -> AddOn | None:
        """What is known of an add-on code; ``None``: the code is none."""
        return self.once(Reference._add_on, code, on, "add_on")

    def _add_on(self, code: str, on: date) -> AddOn | None:
        edits = tuple(self._rows(AddOnEdit, "add_on", code, on))
        if not edits:
            return None
        primaries = frozenset(edit.primary for edit in edits if edit.primary)
        return AddOn(code, max(edit.type for edit in edits), primaries, edits)

    def icd(self, code: str, on: date) -> IcdCode | None:
        """A diagnosis code, dotted or not; ``billable`` is false of a header."""
        return self._row(IcdCode, "icd", undotted(code), on)

    def icd_notes(self, code: str, on: date, kind: str = "") -> tuple[Instruction, ...]:
        """The instructions of a kind, or of all, that hold for a diagnosis code: its own first, then those it inherits."""
        asked = (code, on, kind)
        known = self._notes.get(asked)
        if known is None:
            bare = undotted(code)
            found: list[Instruction] = []
            for place in (*standings(bare), *self._within(bare, on)):
                found.extend(each for each in self._standing_at(place, on) if kind in ("", each.kind))
            known = _kept(self._notes, asked, tuple(found))
        return known

    def excludes1(self, code: str, other: str, on: date) -> Instruction | None:
        """The Excludes1 note by which two diagnoses are not coded together, standing at either."""
        one, two = undotted(code)[:1], undotted(other)[:1]
        if two not in self.excluded_chapters(code, on) and one not in self.excluded_chapters(other, on):
            return None  # most diagnoses are of another chapter than all that the other excludes
        asked = (code, other, on)
        if asked in self._excluded:
            return self._excluded[asked]
        return _kept(self._excluded, asked, self._exclusion(code, other, on))

    def excluded_chapters(self, code: str, on: date) -> frozenset[str]:
        """The first letters of the codes that the Excludes1 notes of a code name."""
        return self.once(Reference._letters, code, on, "icd_notes")

    def _letters(self, code: str, on: date) -> frozenset[str]:
        return frozenset().union(*[note.letters for note in self.icd_notes(code, on, "excludes1")])

    def _exclusion(self, code: str, other: str, on: date) -> Instruction | None:
        for this, that in ((code, undotted(other)), (other, undotted(code))):
            for note in self.icd_notes(this, on, "excludes1"):
                if note.names(that):
                    return note
        return None

    def seventh(self, code: str, on: date) -> frozenset[str]:
        """The 7th characters that a diagnosis may end in; none when its category takes none."""
        for place in standings(undotted(code)):
            for note in self._standing_at(place, on):
                if note.kind == "seventh":
                    return frozenset(note.references.split())
        return frozenset()

    def mce(self, code: str, on: date) -> DiagnosisEdits | None:
        """What is expected of the patient of a diagnosis; ``None``: nothing."""
        if (code, on) in self._edits:
            return self._edits[code, on]
        rows = tuple(self._rows(IcdEdit, "mce", undotted(code), on))
        if not rows:
            return _kept(self._edits, (code, on), None)
        kinds = {row.kind for row in rows}
        ages = next((AGES[kind] for kind in AGES if kind in kinds), None)
        sex = "F" if "female" in kinds else "M" if "male" in kinds else ""
        edits = DiagnosisEdits(undotted(code), ages, sex, "manifestation" in kinds, rows)
        return _kept(self._edits, (code, on), edits)

    def hcpcs(self, code: str, on: date) -> HcpcsCode | None:
        """A HCPCS level II code, or modifier of level II, in force on the date."""
        return self._row(HcpcsCode, "hcpcs", code, on)

    def fee(self, code: str, on: date, modifier: str = "") -> FeeIndicators | None:
        """The Medicare physician fee schedule of a code: global days, PC/TC, bilateral and the other indicators."""
        asked = ("fees", code + modifier, on)
        if asked in self._found:
            return cast("FeeIndicators | None", self._found[asked])
        store = self._store("fees", on)
        rows = (
            entry.row(FeeIndicators, store.release, code, modifier)
            for entry in store.find(code + modifier)
            if entry.since <= on <= entry.until
        )
        row = next(rows, None)
        _kept(self._found, asked, row)
        return row

    def pos(self, code: str, on: date) -> PlaceOfService | None:
        """A place of service code in force on the date."""
        return self._row(PlaceOfService, "pos", code, on)

    def taxonomy(self, code: str, on: date) -> Taxonomy | None:
        """A provider taxonomy code."""
        return self._row(Taxonomy, "taxonomy", code, on)

    def telehealth(self, code: str, on: date) -> Telehealth | None:
        """A code on CMS's list of telehealth services for the date."""
        return self._row(Telehealth, "telehealth", code, on)

    def waived(self, code: str, on: date) -> Waived | None:
        """A CLIA waived test."""
        return self._row(Waived, "waived", code, on)

    def price(self, practice: str, code: str, on: date, modifier: str = "") -> Price | None:
        """What a practice charges for one unit of a code, with the modifier if it has a price of its own."""
        table = f"prices.{practice}"
        asked = (table, f"{code} {modifier}", on)
        if asked in self._found:
            return cast("Price | None", self._found[asked])
        store = self._store(table, on)
        rows = (
            entry.row(Price, store.release, code, key)
            for key in dict.fromkeys((modifier, ""))
            for entry in store.find(code + key)
            if entry.since <= on <= entry.until
        )
        row = next(rows, None)
        _kept(self._found, asked, row)
        return row

    def policies(self, procedure: str, on: date) -> frozenset[str]:
        """The coverage policies that speak of a procedure; none: any diagnosis will do."""
        return frozenset(row.policy for row in self._policy_rows(procedure, on))

    def covered_diagnoses(self, policy: str, procedure: str, on: date) -> frozenset[str]:
        """The (undotted) diagnoses that a policy covers a procedure for."""
        return frozenset(
            row.diagnosis for row in self._policy_rows(procedure, on) if row.policy == policy and row.covered
        )

    def coverage(self, procedure: str, diagnosis: str, on: date) -> tuple[PolicyDiagnosis, ...]:
        """What the policies say of a procedure for a diagnosis, each policy that names it in a row."""
        store = self._store("policies", on)
        bare = undotted(diagnosis)
        return tuple(
            entry.row(PolicyDiagnosis, store.release, procedure, bare)
            for entry in store.find_pair(procedure, bare)
            if entry.since <= on <= entry.until
        )

    def history(self, table: str, code: str, on: date) -> tuple[Row, ...]:
        """Every row of a code whether in force on the date or not, latest first: to say since when, or until when."""
        kind = table_of(table)
        assert kind is not None
        assert len(kind.keys) == 1, table
        store = self._store(table, on)
        key = undotted(code) if table.startswith(("icd", "mce")) else code
        return tuple(cast("Row", entry.row(kind.row, store.release, key)) for entry in store.find(key))

    def _store(self, table: str, on: date) -> Store[Entry]:
        if (table, on) in self._by_date:
            found = self._by_date[table, on]
        else:
            answering = (each for each in self._shelved if each.release.table == table and each.release.covers(on))
            shelved = next(answering, None)
            found = _kept(self._by_date, (table, on), shelved.opened() if shelved else None)
        if found is None:
            raise TableMissing(table, on)
        return found

    def _rows(self, row: Callable[..., R], table: str, code: str, on: date) -> Iterator[R]:
        store = self._store(table, on)
        for entry in store.find(code):
            if entry.since <= on <= entry.until:
                yield entry.row(row, store.release, code)

    def _row(self, row: Callable[..., R], table: str, code: str, on: date) -> R | None:
        known = self._found.get((table, code, on), self)
        if known is not self:
            return cast("R | None", known)
        found = next(self._rows(row, table, code, on), None)
        _kept(self._found, (table, code, on), found)
        return found

    def _policy_rows(self, procedure: str, on: date) -> Iterator[PolicyDiagnosis]:
        store = self._store("policies", on)
        for diagnosis, entry in store.find_first(procedure):
            if entry.since <= on <= entry.until:
                yield entry.row(PolicyDiagnosis, store.release, procedure, diagnosis)

    def _standing_at(self, place: str, on: date) -> tuple[Instruction, ...]:
        known = self._above.get((place, on))
        if known is None:
            known = tuple(
                Instruction(row.kind, row.code, row.text, row.references, row.release)
                for row in self._rows(IcdText, "icd_notes", place, on)
                if row.kind != "within"
            )
            known = _kept(self._above, (place, on), known)
        return known

    def _within(self, code: str, on: date) -> list[str]:
        """The section and chapter of a code's category."""
        return [
            above
            for row in self._rows(IcdText, "icd_notes", code[:3], on)
            if row.kind == "within"
            for above in row.references.split()
        ]


def _kept(known: dict[K, R], key: K, value: R) -> R:
    """Remember what was found; beyond that many all is forgotten, so that a worker's memory stays small."""
    if len(known) >= _KEPT:
        known.clear()
    known[key] = value
    return value


def file_name(release: Release) -> str:
    """The file of a release in the folder."""
    return f"{release.table}-{release.name}{SUFFIX}"


def _newest(release: Release) -> tuple[bool, date, date, str]:
    return not release.sample, release.since, release.until or date.max, release.name


def _mapping(path: Path) -> Content:
    return lambda: map_file(path)


def reference(folder: Path, *, samples: bool = True) -> Reference:
    """The tables of a folder, opened again only when a file came, went or changed: what a worker asks before each run."""
    state = tuple(
        (path.name, status.st_mtime_ns, status.st_size)
        for path in sorted(folder.glob(f"*{SUFFIX}"))
        if (status := path.stat())
    )
    return _opened(folder, state, samples)


@lru_cache(maxsize=4)
def _opened(folder: Path, state: tuple[tuple[str, int, int], ...], samples: bool) -> Reference:  # noqa: ARG001, FBT001
    return Reference.open(folder, samples=samples)
