"""The stages put together for the practices of a database: what the tasks, ``charges work`` and the demo call.

Nothing here knows Celery or the terminal. ``Pipeline`` holds what a run needs; each method is one stage for one practice.
"""

import gc
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from charges import acknowledgements, claims, delivery, intake, kept, lifecycle, overview, scrub, secondary
from charges.amending import deciding as amending
from charges.amending import noticing as after_billing
from charges.clearinghouses import Clearinghouse
from charges.clearinghouses.folder import Folder
from charges.db import Database
from charges.drift import breakers, canaries
from charges.drift.census import Verdict
from charges.errors import Refused, Unavailable
from charges.feeds import budget, probing
from charges.figures.counting import count_figures
from charges.practice.connections import ClaimFiles, EclinicalWorks, Fhir, FhirServer, FlatFiles
from charges.practice.dialect import Hl7
from charges.practice.partner import SftpTransport
from charges.practice.profile import Practice
from charges.replies.overdue import Watched, watch
from charges.revisit import Days, Loop, Revisit
from charges.rollout import acts as rollout
from charges.rollout import modes
from charges.rollout.modes import Standing
from charges.settings import Settings
from charges.sources import ChargeSource, Revisitable
from charges.sources.allowance import Allowance, Unlimited
from charges.tables import ChargeRow, ChargeStatus, Mode, PracticeRow
from charges.telling import delivering, digests, noticing
from rules.engine import Facts, Rule, load
from rules.index import Catalogue
from rules.payer.book import Book, read_texts, texts_of
from rules.reference import Reference, reference
from rules.reference.shipped import shipped

Progress = Callable[[int], None]
Leave = Callable[[EclinicalWorks | FhirServer], Allowance]


def no_progress(_: int) -> None:
    """Progress nobody watches."""


def utc_now() -> datetime:
    """The clock of a running program; everything below takes it as a parameter."""
    return datetime.now(UTC)


def settle() -> None:
    """Let the collector of memory pass over all that is loaded now, for it stays.

    Else it looks through the whole program again and again while a pull makes many new objects, a fifth of the time.
    """
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Applied:
    """A practice of the database with its profile and where it stands in the roll-out, as they were when it was read.

    ``digest`` tells the profile from any other.
    """

    id: int
    digest: str
    practice: Practice
    standing: Standing


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

    @cached_property
    def catalogue(self) -> Catalogue:
        """The same by what they are about, for judging single charges."""
        return Catalogue(self.rules)

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
            rows = session.scalars(select(PracticeRow).order_by(PracticeRow.id)).all()
            return [self._applied(session, row) for row in rows]

    def practice(self, code: str) -> Applied:
        """One practice by its code; raises Refused when it was never applied."""
        with self.database.transaction() as session:
            row = session.scalar(select(PracticeRow).where(PracticeRow.code == code))
            if row is None:
                raise Refused(
                    f"No practice is called {code}. Apply its profile with `charges practice apply FILE.yaml`."
                )
            return self._applied(session, row)

    def _applied(self, session: Session, row: PracticeRow) -> Applied:
        practice, _ = modes.read_stored(row.unseal(self.database.keyring, "profile"))
        standing = modes.of(modes.row_of(session, self.database.keyring, row), practice)
        return Applied(row.id, row.digest, practice, standing)

    def apply(self, practice: Practice, by: str) -> bool:
        """Store a profile; returns whether anything changed. Held charges are then judged again under the new one.

        A new practice begins in observe. Raises Refused when the source cannot be made of it, for a field of the source's
        contract that does not exist, or when it does not say what the practice's mode of the roll-out needs.
        """
        source_of(practice)
        text = practice.model_dump_json().encode()
        digest = hashlib.sha256(text).hexdigest()
        now = self.clock()
        with self.database.transaction() as session:
            row = session.scalar(select(PracticeRow).where(PracticeRow.code == practice.code).with_for_update())
            begun = lifecycle.Deed("begun", by, now, self.database.keyring)
            if row is None:
                row = PracticeRow(code=practice.code, name=practice.name, digest=digest, applied_at=now)
                row.seal(self.database.keyring, profile=text)
                session.add(row)
                session.flush()
                modes.begin(session, row.id, Mode.OBSERVE, begun)
                return True
            if row.digest == digest:
                return False
            roll_out = modes.row_of(session, self.database.keyring, row)
            before, _ = modes.read_stored(row.unseal(self.database.keyring, "profile"))
            row.name, row.digest, row.applied_at = practice.name, digest, now
            row.seal(self.database.keyring, profile=text)
            deed = lifecycle.Deed("plan changed", by, now, self.database.keyring)
            rollout.follow_plan(session, roll_out, before, practice, self.database, deed)
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
        source = source or self.source(applied)
        with self.database.alone_at(f"pull {applied.id}") as is_mine:
            if not is_mine:
                return intake.Pulled()
            return intake.pull(
                self.database,
                applied.id,
                source,
                self.clock,
                progress,
                baseline_records=self.settings.baseline_records,
                profile=applied.digest,
            )

    def accept_drift(
        self, applied: Applied, *, by: str, because: str, stream: str = "", source: ChargeSource | None = None
    ) -> tuple[Verdict, ...]:
        """A person takes what changed in a source's records as the new baseline; they are read again, and charges go on.

        ``stream`` is the kind of source, the profile's own when not given. Returns what was accepted; raises Refused.
        """
        source = source or source_of(applied.practice)
        stream = stream or source.kind
        told = breakers.accept(self.database, applied.id, stream, by=by, because=because, clock=self.clock)
        if source.kind == stream:
            intake.read_accepted(self.database, applied.id, source, self.clock(), applied.digest)
        else:  # the practice has another source by now, and nobody can read the records of this one
            breakers.let_go(self.database, applied.id, stream, self.clock)
        return told

    def revisit(
        self, applied: Applied, stream: Loop, progress: Progress = no_progress, *, at_once: bool = False
    ) -> intake.Pulled:
        """Stage 1 for days of service that were read before: when it is due and the source can be asked so, or at once.

        Raises Refused when it is to be done at once and the source cannot be asked for days.
        """
        source = self.source(applied, can_wait=True)
        if not isinstance(source, Revisitable):
            if at_once:
                raise _not_by_days(applied)
            return intake.Pulled()
        with self.database.alone_at(f"{stream} {applied.id}") as is_mine:
            if not is_mine:
                return intake.Pulled()
            if stream == "trailing":
                every = timedelta(seconds=0 if at_once else self.settings.trailing_every)
                canaries.look(
                    self.database,
                    applied.id,
                    source,
                    every,
                    self.clock,
                    baseline_records=self.settings.baseline_records,
                    profile=applied.digest,
                )
            loops = self._loops(applied, source, progress)
            days = self._days(applied, stream)
            if not at_once:
                seconds = self.settings.trailing_every if stream == "trailing" else self.settings.reconcile_every
                return loops.when_due(stream, timedelta(seconds=seconds), days)
            return loops.reconcile(days) if stream == "reconcile" else loops.read(stream, days)

    def backfill(self, applied: Applied, days: Days, progress: Progress = no_progress) -> intake.Pulled:
        """Stage 1 for a span of days of service, in slices; stopped anywhere, the same span goes on from there.

        Raises Refused when the source cannot be asked for days, Unavailable when another worker is at the same span.
        """
        source = self.source(applied, can_wait=True)
        if not isinstance(source, Revisitable):
            raise _not_by_days(applied)
        with self.database.alone_at(f"backfill {applied.id}") as is_mine:
            if not is_mine:
                raise Unavailable(
                    f"Another worker is reading days of {applied.practice.code}. Run again when it is done."
                )
            return self._loops(applied, source, progress).backfill(days)

    def _loops(self, applied: Applied, source: Revisitable, progress: Progress) -> Revisit:
        wanted = self.settings.baseline_records
        return Revisit(self.database, applied.id, source, self.clock, progress, wanted, applied.digest)

    def _days(self, applied: Applied, stream: Loop) -> Days:
        """The days of service that a loop reads, in the practice's zone; services of tomorrow may be entered today."""
        settings = applied.practice.source
        assert isinstance(settings, EclinicalWorks | Fhir)
        today = self.clock().astimezone(ZoneInfo(applied.practice.time_zone)).date()
        back = settings.trailing_days if stream == "trailing" else settings.reconcile_days
        first = today - timedelta(days=back)
        return Days(max(first, settings.start) if settings.start else first, today + timedelta(days=1))

    def probe(self, applied: Applied) -> probing.Probed:
        """Ask a practice's source what it can give, and keep the answer."""
        return probing.ask(self.database, applied.id, self.source(applied), self.clock)

    def source(self, applied: Applied, *, can_wait: bool = False) -> ChargeSource:
        """The source of a practice's charges; all workers share its requests, and what can wait leaves some to others."""
        return source_of(applied.practice, lambda settings: self._allowance(settings, can_wait=can_wait))

    def _allowance(self, settings: EclinicalWorks | FhirServer, *, can_wait: bool) -> Allowance:
        practice = (settings.practice_code,) if isinstance(settings, EclinicalWorks) else ()
        share = 1 - budget.RESERVED if can_wait else 1
        limit = max(int(settings.requests_per_minute * share), 1)
        return budget.SharedAllowance(self.database, budget.tenant_of(settings.base_url, *practice), limit)

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

    def practice_of(self, charge_number: int) -> Applied:
        """The practice of a charge; raises Refused when there is no such charge."""
        with self.database.transaction() as session:
            row = session.get(ChargeRow, charge_number)
            code = session.get_one(PracticeRow, row.practice_id).code if row else ""
        if not code:
            raise Refused(f"There is no charge {charge_number}. See `charges review list`.")
        return self.practice(code)

    def facts(self, charge_number: int) -> tuple[Applied, Facts]:
        """What the rules are given to judge a charge now, and its practice; raises Refused when there is no such charge."""
        applied = self.practice_of(charge_number)
        return applied, scrub.facts_of(self.database, applied.practice, charge_number, self.clock(), self.tables)

    @property
    def tables(self) -> Reference:
        """The code tables as they are loaded now, and what comes with the software."""
        return _with_shipped(reference(self.settings.reference_dir))

    def generate(self, applied: Applied, progress: Progress = no_progress) -> claims.Generated:
        """Stage 4 for a practice; raises BadRules as ``judge`` does. What changed after billing is compared first."""
        after_billing.compare(self.database, applied.id, applied.practice, self.clock)
        digest = self._judged_with(applied, self.book(applied))
        practice, standing = applied.practice, applied.standing
        first = claims.generate(self.database, applied.id, practice, standing, digest, self.clock, progress=progress)
        return first + secondary.generate(self.database, applied.id, practice, standing, self.clock)

    def decide(self, charge_number: int, decision: amending.Decision) -> ChargeStatus:
        """A person decides about a claim whose charge changed after it left; raises as ``amending.decide`` does."""
        applied = self.practice_of(charge_number)
        return amending.decide(self.database, applied.practice, charge_number, decision, self.clock)

    def deliver(self, applied: Applied) -> delivery.Delivered:
        """Stage 5 for a practice."""
        practice = applied.practice
        return delivery.deliver(
            self.database,
            applied.id,
            clearinghouse_of(practice),
            self.clock,
            practice.trading_partner.sending,
            ZoneInfo(practice.time_zone),
        )

    def queue(self, applied: Applied) -> acknowledgements.Collected:
        """Stage 6 for a practice: what came back; what was refused goes to the review queue."""
        return acknowledgements.collect(self.database, applied.id, clearinghouse_of(applied.practice), self.clock)

    def overdue(self, applied: Applied) -> Watched:
        """Stage 6 again: the alarms of replies that should have come."""
        return watch(self.database, applied.id, applied.practice, self.clock)

    def notice(self, applied: Applied) -> int:
        """What people should know of a practice is written down once, to be told; returns how much is new."""
        return noticing.notice(self.database, applied.id, applied.practice, self.settings.web_url, self.clock)

    def figures(self, applied: Applied) -> int:
        """What managers look at is counted anew where it may have changed; returns how many parts of days were counted.

        So is what pages show of some minutes ago, for a page does not wait until it is counted.
        """
        self.roll_out(applied.practice.code, kept.AGING)
        overview.kept_by_state(self.database, self.clock(), kept.AGING)
        return count_figures(self.database, applied.id, applied.practice, self.rules, self.clock)

    def tell(self) -> delivering.Told:
        """Send the messages that are due, of all practices, by webhook and e-mail."""
        if self.settings.smtp_host:
            zones = {applied.id: applied.practice.time_zone for applied in self.practices()}
            digests.gather(self.database, zones, self.clock)
        return delivering.deliver(self.database, self.settings, self.clock)

    def roll_out(self, code: str, oldest: timedelta = kept.NOW) -> rollout.RollOutShown:
        """How far a practice has come in the roll-out, and what its next mode demands; by counts no older than that."""
        return rollout.show(self.database, code, self.clock, oldest=oldest)

    def advance(self, code: str, *, by: str, reason: str) -> rollout.Moved:
        """A person brings a practice to its next mode; raises Refused while something that is demanded is missing."""
        return rollout.advance(self.database, code, by=by, reason=reason, clock=self.clock)

    def retreat(self, code: str, *, by: str, reason: str, to: Mode | None = None) -> rollout.Moved:
        """A person brings a practice back to an earlier mode, the one before when none is named."""
        return rollout.retreat(self.database, code, by=by, reason=reason, to=to, clock=self.clock)


@lru_cache(maxsize=2)
def _with_shipped(loaded: Reference) -> Reference:
    """The same as long as nothing else is loaded, for it remembers what it found."""
    return loaded | shipped()


@lru_cache(maxsize=8)
def _book(texts: tuple[tuple[str, str], ...], taken: frozenset[str]) -> Book:
    return read_texts("The payer rules", dict(texts), taken)


def _not_by_days(applied: Applied) -> Refused:
    return Refused(
        f"The source of {applied.practice.code} ({applied.practice.source.kind}) cannot be asked for days of service; it "
        "gives what changed, and everything anew when its cursor is lost."
    )


def source_of(practice: Practice, leave: Leave = lambda _: Unlimited()) -> ChargeSource:
    """The source of a practice's charges; ``leave`` gives the allowance of each system that is asked over HTTP."""
    source = _own_source(practice, leave)
    if practice.completed_by is None:
        return source
    from charges.sources.completed import CompletedSource

    return CompletedSource(source, practice.completed_by, leave(practice.completed_by))


def _own_source(practice: Practice, leave: Leave) -> ChargeSource:
    settings = practice.source
    if isinstance(settings, ClaimFiles):
        from charges.sources.claimfiles import ClaimFilesSource

        return ClaimFilesSource(settings)
    if isinstance(settings, Hl7):
        from charges.sources.hl7 import Hl7Source

        return Hl7Source(settings)
    if isinstance(settings, Fhir):
        from charges.sources.fhir import FhirSource

        return FhirSource(settings, leave(settings))
    if isinstance(settings, FlatFiles):
        if settings.server is not None:
            from charges.sources.flatfile.fetched import FetchedFilesSource

            return FetchedFilesSource(settings, settings.server)
        from charges.sources.flatfile import FlatFileSource

        return FlatFileSource(settings)
    from charges.sources.eclinicalworks import EclinicalWorksSource

    return EclinicalWorksSource(settings, practice.time_zone, leave(settings))


def clearinghouse_of(practice: Practice) -> Clearinghouse:
    """The place a practice's claims go to."""
    transport = practice.trading_partner.transport
    if isinstance(transport, SftpTransport):
        from charges.clearinghouses.sftp import Sftp

        return Sftp(transport)
    return Folder(transport.outbound, transport.inbound)
