"""What a source's records are made of, kept against an accepted baseline: a vendor's change stops before it is billed.

The first records make the baseline by themselves. After that each page is compared with it, in the transaction that
stores the page. A field that nobody saw before is noted. A code or kind of value that nobody saw holds the charges that
have it. A contract that is broken (``census.broken``) opens a breaker: of that practice and source nothing is judged and
nothing claimed, while everything is still pulled and stored; ``breakers`` says how it closes.

The last few records tell soon that something is gone which always was there, the last many what only some have.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from charges import lifecycle
from charges.drift import census
from charges.drift.census import Census, Shape, Surveyor, Verdict
from charges.keyring import Keyring
from charges.model import Finding, Severity
from charges.sources import ChargeSource, RawRecord
from charges.tables import BreakerRow, BreakerStatus, CensusRow, PracticeRow

ACTOR = "drift"
NOVEL = "SRC-003"
"""The finding of a charge whose record has a code or a kind of value that no record had before."""
BASELINE_RECORDS = 200
"""So many records make the first baseline where nobody says otherwise."""
BASELINE = "baseline"
"""The role of the accepted census."""
_WINDOWS = {"few": 10, "many": 100}
"""A window grows by pages; when it has so many records the next page begins a new one."""
_WAITING = (BreakerStatus.NOTICED, BreakerStatus.OPEN)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was accepted: everything ``known``, and the records whose ``rates`` the next ones are held against."""

    known: Census = field(default_factory=Census)
    rates: Census = field(default_factory=Census)

    def grown(self, known: Census, rates: Census) -> "Baseline":
        """With more of both."""
        return Baseline(self.known + known, self.rates + rates)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a breaker's document says.

    ``verdicts`` is what is broken, ``novel`` the part of the census that is new, ``since`` the census since it broke.
    """

    verdicts: tuple[Verdict, ...] = ()
    novel: Census = field(default_factory=Census)
    since: Census = field(default_factory=Census)

    def told(self, baseline: Baseline) -> tuple[Verdict, ...]:
        """All of it as verdicts, what is broken first."""
        return (*self.verdicts, *census.novelties(baseline.known, self.novel))

    def to_bytes(self) -> bytes:
        """For the sealed column."""
        verdicts = [each.to_json() for each in self.verdicts]
        return _bytes({"verdicts": verdicts, "novel": self.novel.to_json(), "since": self.since.to_json()})

    @classmethod
    def of(cls, row: BreakerRow, keyring: Keyring) -> "Waiting":
        """What the row of a breaker says."""
        given = json.loads(row.unseal(keyring, "document"))
        verdicts = tuple(Verdict.from_json(each) for each in given["verdicts"])
        return cls(verdicts, Census.from_json(given["novel"]), Census.from_json(given["since"]))


def watch(
    session: Session,
    keyring: Keyring,
    practice_id: int,
    source: ChargeSource,
    records: Sequence[RawRecord],
    now: datetime,
    baseline_records: int = BASELINE_RECORDS,
) -> Mapping[str, Sequence[Finding]]:
    """Count the records of a page that is being stored; returns the findings that hold their charges, by key.

    Opens the breaker when they break the contract. A record that is not of its source's language is not counted: reading
    it tells what is wrong with it.
    """
    codes = codes_of(source)
    shapes = {record.key: shape for record in records if (shape := shape_of(source, record)) is not None}
    page = Census.of(list(shapes.values()))
    if not page.records:
        return {}
    kept = Kept(session, keyring, practice_id, source.kind, now)
    baseline = kept.baseline()
    if baseline.known.records < baseline_records:
        kept.accept(baseline.grown(page, page))
        return {}
    windows = [kept.grow(role, size, page) for role, size in _WINDOWS.items()]
    verdicts: dict[str, Verdict] = {}
    broken_in = Census()
    for window in windows:
        found = census.broken(baseline.known, baseline.rates, window)
        broken_in = window if found and not verdicts else broken_in
        verdicts = {each.path: each for each in found} | verdicts
    different = census.novel(baseline.known, page, codes)
    is_novel = bool(different.kinds or different.values)
    row = kept.waiting()
    if verdicts or is_novel or (row is not None and row.status is BreakerStatus.OPEN):
        kept.wait(row, verdicts, different if is_novel else Census(), page, broken_in, is_broken=bool(verdicts))
    elif baseline.rates.records < baseline_records:
        kept.accept(baseline.grown(Census(), page))
    return _findings(baseline.known, shapes, different, codes)


def codes_of(source: ChargeSource) -> Mapping[str, frozenset[str]]:
    """The paths of a source that hold codes, each with the values its contract documents; none where it names none."""
    found: Mapping[str, frozenset[str]] = getattr(source, "codes", {})
    return found


def shape_of(source: ChargeSource, record: RawRecord) -> Shape | None:
    """The shape of a record: as its source tells it, or else as JSON."""
    tell: Callable[[RawRecord], Shape | None] | None = getattr(source, "shape", None)
    return tell(record) if tell else census.shape_of_json(_surveyor(frozenset(codes_of(source))), record.body)


@lru_cache(maxsize=16)
def _surveyor(codes: frozenset[str]) -> Surveyor:
    return Surveyor(codes)


def _findings(
    known: Census, shapes: Mapping[str, Shape], different: Census, codes: Mapping[str, frozenset[str]]
) -> Mapping[str, Sequence[Finding]]:
    """For each record what of the difference holds its charge."""
    if not census.holding(census.novelties(known, different)):
        return {}
    found = {}
    for key, shape in shapes.items():
        own = census.novel(known, Census.of([shape]), codes)
        if doubts := census.holding(census.novelties(known, own)):
            found[key] = [
                Finding(
                    rule=NOVEL,
                    severity=Severity.HOLD,
                    at="",  # a path is the vendor's word, and this column is not sealed
                    message=f"The record of this charge is unlike all before it: {each.says}",
                    evidence={"path": each.path, "value": each.value},
                    fix="Ask the practice or the vendor what it means, and have the mapping changed if it matters. "
                    "Accept it for all charges with `charges drift accept`, or waive this finding for this charge alone.",
                )
                for each in doubts
            ]
    return found


class Kept:
    """The census rows of a source, locked for this transaction."""

    def __init__(self, session: Session, keyring: Keyring, practice_id: int, source: str, now: datetime) -> None:
        self.session, self.keyring, self.practice_id, self.source, self.now = session, keyring, practice_id, source, now
        self.rows = self._read()
        if BASELINE not in self.rows:
            # Nothing is there to lock yet, so whoever comes first locks the practice.
            session.get_one(PracticeRow, practice_id, with_for_update={"key_share": True})
            self.rows = self._read()

    def _read(self) -> dict[str, CensusRow]:
        found = self.session.scalars(
            select(CensusRow)
            .where(CensusRow.practice_id == self.practice_id, CensusRow.source == self.source)
            .order_by(CensusRow.id)
            .with_for_update()
        )
        return {row.role: row for row in found}

    def baseline(self) -> Baseline:
        """What was accepted; empty before the first record."""
        row = self.rows.get(BASELINE)
        return baseline_of(row, self.keyring) if row else Baseline()

    def accept(self, baseline: Baseline) -> None:
        """Keep a baseline."""
        known = baseline.known.to_json()
        rates = None if baseline.rates == baseline.known else baseline.rates.to_json()
        self._write(BASELINE, {"known": known, "rates": rates}, baseline.known.records, is_begun=False)

    def grow(self, role: str, size: int, page: Census) -> Census:
        """The window with a page more, or begun anew where it was full."""
        row = self.rows.get(role)
        is_begun = row is None or row.records >= size
        grown = page if is_begun or row is None else self.window(role) + page
        self._write(role, grown.to_json(), grown.records, is_begun=is_begun)
        return grown

    def window(self, role: str) -> Census:
        """A window as it stands."""
        row = self.rows.get(role)
        return Census.from_json(json.loads(row.unseal(self.keyring, "document"))) if row else Census()

    def empty_windows(self) -> None:
        """Begin all windows anew with the next page."""
        for role in _WINDOWS:
            if role in self.rows:
                self._write(role, Census().to_json(), 0, is_begun=True)

    def _write(self, role: str, document: object, records: int, *, is_begun: bool) -> None:
        row = self.rows.get(role)
        if row is None:
            row = CensusRow(practice_id=self.practice_id, source=self.source, role=role, since=self.now)
            self.rows[role] = row
            self.session.add(row)
        row.records, row.changed_at = records, self.now
        if is_begun:
            row.since = self.now
        row.seal(self.keyring, document=_bytes(document))

    def waiting(self) -> BreakerRow | None:
        """What waits for a person, locked."""
        return self.session.scalar(
            select(BreakerRow)
            .where(
                BreakerRow.practice_id == self.practice_id,
                BreakerRow.source == self.source,
                BreakerRow.status.in_(_WAITING),
            )
            .with_for_update()
        )

    def wait(
        self,
        row: BreakerRow | None,
        verdicts: Mapping[str, Verdict],
        different: Census,
        page: Census,
        broken_in: Census,
        *,
        is_broken: bool,
    ) -> None:
        """Have a person look at a difference; when the contract is broken the breaker is open from now on."""
        before = Waiting.of(row, self.keyring) if row else Waiting()
        if row is not None and row.status is BreakerStatus.OPEN:
            since = before.since + page
        else:
            since = broken_in if is_broken else Census()
        told = {each.path: each for each in before.verdicts}
        after = Waiting(tuple((dict(verdicts) | told).values()), before.novel + different, since)
        deed = lifecycle.Deed("breaker opened" if is_broken else "difference noticed", ACTOR, self.now, self.keyring)
        if row is None:
            row = self._new(after, is_broken=is_broken)
            lifecycle.note(self.session, [row], deed)
        else:
            row.seal(self.keyring, document=after.to_bytes())
            if is_broken and row.status is BreakerStatus.NOTICED:
                row.since = min(row.since, self._broken_since())
                lifecycle.move(self.session, [row], BreakerStatus.OPEN, deed)

    def _broken_since(self) -> datetime:
        """When the first record came that may be broken too: all that a window counts."""
        return min((row.since for role, row in self.rows.items() if role in _WINDOWS), default=self.now)

    def _new(self, waiting: Waiting, *, is_broken: bool) -> BreakerRow:
        before = self.session.scalar(
            select(func.count()).where(BreakerRow.practice_id == self.practice_id, BreakerRow.source == self.source)
        )
        row = BreakerRow(
            practice_id=self.practice_id,
            source=self.source,
            number=(before or 0) + 1,
            status=BreakerStatus.OPEN if is_broken else BreakerStatus.NOTICED,
            since=self._broken_since() if is_broken else self.now,
            event_count=0,
            event_head="",
            noticed_at=self.now,
            changed_at=self.now,
        )
        row.seal(self.keyring, document=waiting.to_bytes())
        self.session.add(row)
        return row


def baseline_of(row: CensusRow, keyring: Keyring) -> Baseline:
    """The baseline of its row."""
    given = json.loads(row.unseal(keyring, "document"))
    known = Census.from_json(given["known"])
    return Baseline(known, Census.from_json(given["rates"]) if given["rates"] else known)


def _bytes(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
