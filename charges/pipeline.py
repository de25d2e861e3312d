"""The stages put together for the practices of a database: what the tasks, ``charges work`` and the demo call.

Nothing here knows Celery or the terminal. ``Pipeline`` holds what a run needs; each method is one stage for one practice.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache

from sqlalchemy import select

from charges import acknowledgements, claims, delivery, intake, lifecycle, scrub, secondary
from charges.clearinghouses import Clearinghouse
from charges.clearinghouses.folder import Folder
from charges.connections import ClaimFiles, Fhir, FlatFiles
from charges.db import Database
from charges.dialect import Hl7
from charges.errors import Refused
from charges.practice import Practice
from charges.settings import Settings
from charges.sources import ChargeSource
from charges.tables import ChargeRow, ChargeStatus, PracticeRow
from rules.engine import Facts, Rule, load
from rules.payer.book import Book, read_texts, texts_of
from rules.reference import Reference, reference
from rules.reference.shipped import shipped

Progress = Callable[[int], None]


def no_progress(_: int) -> None:
    """Progress nobody watches."""


def utc_now() -> datetime:
    """The clock of a running program; everything below takes it as a parameter."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Applied:
    """A practice of the database with its profile. ``digest`` tells the profile from any other."""

    id: int
    digest: str
    practice: Practice


@dataclass(frozen=True)
class Pipeline:
    """The stages on one database."""

    database: Database
    settings: Settings = field(default_factory=Settings)
    clock: Callable[[], datetime] = utc_now

    @cached_property
    def rules(self) -> Sequence[Rule]:
        """All installed rules, found once."""
        return load()

    def book(self, applied: Applied) -> Book:
        """The payer rules of a practice: the installation's and its own; raises BadRules when any has a fault.

        Files are looked at every time and compiled when their text changed.
        """
        paths = [path for path in (self.settings.payer_rules, applied.practice.payer_rules) if path is not None]
        return _book(tuple(sorted(texts_of(paths).items())), frozenset(each.id for each in self.rules))

    def _judged_with(self, applied: Applied, book: Book) -> str:
        """What a charge of a practice is judged with: its profile, the payer rules and the loaded tables, as one digest."""
        loaded = reference(self.settings.reference_dir).releases
        parts = [book.digest, *(f"{each.table} {each.name} {each.rows}" for each in loaded)]
        more = " ".join(filter(None, parts))
        return hashlib.sha256(f"{applied.digest} {more}".encode()).hexdigest() if more else applied.digest

    def practices(self) -> Sequence[Applied]:
        """All practices, in the order they were first applied."""
        with self.database.transaction() as session:
            return [self._applied(row) for row in session.scalars(select(PracticeRow).order_by(PracticeRow.id))]

    def practice(self, code: str) -> Applied:
        """One practice by its code; raises Refused when it was never applied."""
        with self.database.transaction() as session:
            row = session.scalar(select(PracticeRow).where(PracticeRow.code == code))
            if row is None:
                raise Refused(
                    f"No practice is called {code}. Apply its profile with `charges practice apply FILE.yaml`."
                )
            return self._applied(row)

    def _applied(self, row: PracticeRow) -> Applied:
        text = row.unseal(self.database.keyring, "profile")
        return Applied(row.id, row.digest, Practice.model_validate_json(text))

    def apply(self, practice: Practice, by: str) -> bool:
        """Store a profile; returns whether anything changed. Held charges are then judged again under the new one."""
        text = practice.model_dump_json().encode()
        digest = hashlib.sha256(text).hexdigest()
        now = self.clock()
        with self.database.transaction() as session:
            row = session.scalar(select(PracticeRow).where(PracticeRow.code == practice.code).with_for_update())
            if row is None:
                row = PracticeRow(code=practice.code, name=practice.name, digest=digest, applied_at=now)
                session.add(row)
            elif row.digest == digest:
                return False
            row.name, row.digest, row.applied_at = practice.name, digest, now
            row.seal(self.database.keyring, profile=text)
            session.flush()
            waiting = session.scalars(
                select(ChargeRow)
                .where(ChargeRow.practice_id == row.id, ChargeRow.status == ChargeStatus.HELD)
                .with_for_update()
            ).all()
            judged = [each for each in waiting if each.judged_with]
            deed = lifecycle.Deed("profile changed", by, now, self.database.keyring)
            lifecycle.move(session, judged, ChargeStatus.CAPTURED, deed)
        return True

    def pull(
        self, applied: Applied, progress: Progress = no_progress, source: ChargeSource | None = None
    ) -> intake.Pulled:
        """Stage 1 for a practice, unless another worker is at it; ``source`` takes the place of the profile's own."""
        source = source or source_of(applied.practice)
        with self.database.alone_at(f"pull {applied.id}") as is_mine:
            if not is_mine:
                return intake.Pulled()
            return intake.pull(self.database, applied.id, source, self.clock, progress)

    def judge(self, applied: Applied, progress: Progress = no_progress) -> scrub.Scrubbed:
        """Stage 2 for a practice; raises BadRules when its payer rules have a fault, and its charges wait meanwhile."""
        book = self.book(applied)
        return scrub.scrub(
            self.database,
            applied.id,
            applied.practice,
            self._judged_with(applied, book),
            self.rules,
            self.clock,
            book=book,
            tables=self.tables,
            batch_size=self.settings.batch_size,
            progress=progress,
        )

    def facts(self, charge_number: int) -> tuple[Applied, Facts]:
        """What the rules are given to judge a charge now, and its practice; raises Refused when there is no such charge."""
        with self.database.transaction() as session:
            row = session.get(ChargeRow, charge_number)
            code = session.get_one(PracticeRow, row.practice_id).code if row else ""
        if not code:
            raise Refused(f"There is no charge {charge_number}. See `charges review list`.")
        applied = self.practice(code)
        return applied, scrub.facts_of(self.database, applied.practice, charge_number, self.clock(), self.tables)

    @property
    def tables(self) -> Reference:
        """The code tables as they are loaded now, and what comes with the software."""
        return reference(self.settings.reference_dir) | shipped()

    def generate(self, applied: Applied, progress: Progress = no_progress) -> claims.Generated:
        """Stage 4 for a practice; raises BadRules as ``judge`` does."""
        digest = self._judged_with(applied, self.book(applied))
        first = claims.generate(self.database, applied.id, applied.practice, digest, self.clock, progress=progress)
        return first + secondary.generate(self.database, applied.id, applied.practice, self.clock)

    def deliver(self, applied: Applied) -> delivery.Delivered:
        """Stage 5 for a practice."""
        return delivery.deliver(self.database, applied.id, clearinghouse_of(applied.practice), self.clock)

    def queue(self, applied: Applied) -> acknowledgements.Collected:
        """Stage 6 for a practice: what came back; what was refused goes to the review queue."""
        return acknowledgements.collect(self.database, applied.id, clearinghouse_of(applied.practice), self.clock)


@lru_cache(maxsize=8)
def _book(texts: tuple[tuple[str, str], ...], taken: frozenset[str]) -> Book:
    return read_texts("The payer rules", dict(texts), taken)


def source_of(practice: Practice) -> ChargeSource:
    """The source of a practice's charges."""
    if isinstance(practice.source, ClaimFiles):
        from charges.sources.claimfiles import ClaimFilesSource

        return ClaimFilesSource(practice.source)
    if isinstance(practice.source, Hl7):
        from charges.sources.hl7 import Hl7Source

        return Hl7Source(practice.source)
    if isinstance(practice.source, Fhir):
        from charges.sources.fhir import FhirSource

        return FhirSource(practice.source)
    if isinstance(practice.source, FlatFiles):
        from charges.sources.flatfile import FlatFileSource

        return FlatFileSource(practice.source)
    from charges.sources.eclinicalworks import EclinicalWorksSource

    return EclinicalWorksSource(practice.source, practice.time_zone)


def clearinghouse_of(practice: Practice) -> Clearinghouse:
    """The place a practice's claims go to."""
    transport = practice.trading_partner.transport
    return Folder(transport.outbound, transport.inbound)
