"""Days of a practice and its vendor, whose workers are killed between every two writes: nothing lost, nothing billed twice.

The practice's system, the clearinghouse and its payers are simulated and know the truth; the person who works the review
queue is simulated too. Every pair of neighbouring writes that a worker comes by is died at once, and others by chance.
``CHARGES_SOAK=month`` makes it 30 days of a small practice, ``CHARGES_SOAK=full`` of one with 5,000 claims, each with either
database both by folder and by SFTP.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select, text

from charges import delivery, review
from charges.amending.deciding import Decision
from charges.db import Database
from charges.demo import prepared, source_at
from charges.errors import Refused, Stale
from charges.lifecycle import broken_chains
from charges.pipeline import Applied, Pipeline
from charges.reconcile import reconcile
from charges.replies import unmatched
from charges.simulator import SimulatedPractice, build_practice, running, simulator_app
from charges.simulator.clearinghouse import Habits, SimulatedClearinghouse
from charges.simulator.postbox import Mail
from charges.tables import (
    Amendment,
    ChargeRow,
    ChargeStatus,
    ClaimFileRow,
    ClaimRow,
    DifferenceRow,
    FileStatus,
    ItemState,
    PaymentRow,
    ResponseRow,
    ReviewItemRow,
)
from tests.clearinghouses.ssh import openssh
from tests.services import postgres_database
from tests.soak.mortal import STAGES, UNAVAILABLE, Job, work

WANTED = os.environ.get("CHARGES_SOAK", "")
IS_LONG = WANTED in ("month", "full")
LAST_DAY = date(2026, 11, 20)
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.soak.warm"])


@dataclass(frozen=True)
class Size:
    """How long and how large, and how often workers die.

    ``fresh`` is the chance of death where nobody died before, ``used`` elsewhere; ``most`` bounds the deaths at a stage.
    ``impatience`` is the chance each day that a file without an answer is sent again.
    """

    days: int
    patients: int
    claims_per_file: int
    habits: Habits
    fresh: float
    used: float
    most: int
    impatience: float = 0.02


_SERVICE = {"cptOrder": "1", "Code": "99213", "Units": "1.00", "BilledFee": "150.00", "ICD1": "1"}
"""What is charged for a visit after all."""
MONTH = Size(30, 160, 5, Habits(strangers=0.1), fresh=1, used=0.025, most=1000)
FULL = Size(30, 4200, 40, Habits(strangers=0.03), fresh=1, used=0.003, most=1000)
_SOON = Mail(within=timedelta(hours=30), lost=0.1, repeated=0.2)
_OFTEN = Habits(0.06, 0.06, 0.06, 0.06, 0.06, 0.06, 0.06, strangers=0.3, decides_within=timedelta(days=2), mail=_SOON)
SMALL = Size(2, 14, 5, _OFTEN, fresh=0.4, used=0, most=2)


@dataclass
class Clock:
    """The moment that it is for everybody."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """A practice, its vendor, the person between them, and workers that die."""

    pipeline: Pipeline
    applied: Applied
    folder: Path
    database_url: str
    base_url: str
    practice: SimulatedPractice
    vendor: SimulatedClearinghouse
    size: Size
    seed: int
    clock: Clock
    deaths: Counter[str] = field(default_factory=Counter)
    resent: Counter[int] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.log = self.folder / "points"
        self.log.touch()

    @property
    def now(self) -> datetime:
        return self.clock.now

    @property
    def database(self) -> Database:
        return self.pipeline.database

    # Workers

    def points(self, word: str) -> set[str]:
        """The points that workers ``met``, or ``died`` at."""
        lines = self.log.read_text().splitlines()
        return {line.removeprefix(f"{word} ") for line in lines if line.startswith(f"{word} ")}

    def do(self, stage: str) -> None:
        """Have a stage done, by as many workers as it takes."""
        while True:
            worker = CONTEXT.Process(target=work, args=(self._job(stage),))
            worker.start()
            worker.join()
            if worker.exitcode == -signal.SIGKILL:
                self.deaths[stage] += 1
                self._until_the_dead_are_gone()
                if self.chance.random() < 0.3:
                    self.vendor.work(self.now)  # which may take away what the dead worker had just put there
            else:
                assert worker.exitcode in (0, UNAVAILABLE), f"a worker failed at {stage}"
                return

    def _job(self, stage: str) -> Job:
        may_die = self.deaths[stage] < self.size.most
        return Job(
            self.database_url,
            self.folder,
            self.base_url,
            stage,
            self.now,
            self.log,
            used=frozenset(self.points("died")),
            fresh=self.size.fresh if may_die else 0,
            again=self.size.used if may_die else 0,
            seed=self.chance.randrange(2**32),
        )

    def _until_the_dead_are_gone(self) -> None:
        """PostgreSQL notices a moment later that nobody is there any more, and then gives back what was locked."""
        if self.database.is_sqlite:
            return
        others = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        self.database.close()
        while True:
            with self.database.engine.connect() as connection:
                if not connection.scalar(others):
                    return

    # Days

    def day(self, *, dies: bool = True) -> None:
        """A day: new charges and edits, every stage, the vendor, the person."""
        for stage in STAGES:
            if dies:
                self.do(stage)
            elif stage == "pull":
                self.pipeline.pull(self.applied, source=source_at(self.applied, self.base_url))
            else:
                getattr(self.pipeline, stage)(self.applied)
        for hours in (3, 9, 15):
            self.vendor.work(self.now + timedelta(hours=hours))
        self._person()
        self.pipeline.overdue(self.applied)
        self.clock.now += timedelta(days=1)

    def let_it_end(self) -> None:
        """Days without new charges, until nobody has anything more to say."""
        for _ in range(90):
            is_said, before = self.vendor.is_idle, self._states()
            self.day(dies=False)
            if is_said and self.vendor.is_idle and self._states() == before and not self._is_remittance_missed():
                return
        pytest.fail("there is no end of it")

    def _is_remittance_missed(self) -> bool:
        """Whether the bank has payments of which no remittance came; the office asks for them."""
        return self.vendor.postbox.ask_again("835", self.now) > 0

    def _states(self) -> Sequence[object]:
        with self.database.transaction() as session:
            return [
                session.execute(select(table.id, table.status).order_by(table.id)).all()
                for table in (ChargeRow, ClaimFileRow)
            ]

    def _person(self) -> None:
        """What the people at the practice do in the evening.

        They ask the vendor about doubtful files, send again what nobody answered, see to visits without a charge and to
        payments of nothing sent from here, and work the review queue.
        """
        with self.database.transaction() as session:
            files = session.scalars(select(ClaimFileRow).order_by(ClaimFileRow.id)).all()
        for file in files:
            if file.status is FileStatus.UNCERTAIN:
                received = self.vendor.has(file.control_number)
                delivery.settle(
                    self.database, file.id, received=received, by="ada", why="asked by telephone", clock=self.clock
                )
            elif file.status is FileStatus.SENT and self._is_impatient(file):
                try:
                    delivery.resend(self.database, file.id, by="ada", why="no answer for days", clock=self.clock)
                    self.resent[file.control_number] += 1
                except Refused:
                    continue  # some of it was answered
        self._visits()
        self._strangers()
        self._differences()
        self._refusals()

    def _is_impatient(self, file: ClaimFileRow) -> bool:
        """Whether somebody has a file sent again that was not answered: after days, and sometimes at once."""
        return (
            self.now - file.changed_at > timedelta(days=6)
            or not self.resent
            or self.chance.random() < self.size.impatience
        )

    def _visits(self) -> None:
        """Half of the visits without a charge are entered after all, of the others somebody says that nothing is billed."""
        found = reconcile(self.database, self.applied.id, self.applied.practice, self.now.date())
        for visit in found.visits:
            with self.database.transaction() as session:
                charge = session.get_one(ChargeRow, visit.charge)
            if self.chance.random() < 0.5:
                self.practice.edit(charge.key, cpt=[_SERVICE | {"Id": f"{charge.key}1"}], InvoiceAmount="150.00")
                self.done["entered"] += 1
            else:
                review.void(self.database, visit.charge, by="ada", reason="nothing to bill", clock=self.clock)
                self.done["not billed"] += 1

    def _strangers(self) -> None:
        """Somebody finds out who sent the claims that were not sent from here."""
        for each in unmatched.unmatched(self.database):
            unmatched.settle(self.database, each.number, by="ada", reason="sent by the old system", clock=self.clock)
            self.done["settled"] += 1

    def _differences(self) -> None:
        with self.database.transaction() as session:
            unresolved = session.scalars(select(DifferenceRow).where(DifferenceRow.unresolved)).all()
        for difference in unresolved:
            amendment = self.chance.choice((Amendment.REPLACE, Amendment.VOID, Amendment.NOTHING))
            try:
                self.pipeline.decide(difference.charge_id, Decision(amendment, "ada", "as the change asks"))
            except (Refused, Stale):
                continue  # the payer's number is not known yet, or the payer takes none; it waits

    def _refusals(self) -> None:
        with self.database.transaction() as session:
            items = session.scalars(
                select(ReviewItemRow)
                .where(ReviewItemRow.state == ItemState.OPEN, ReviewItemRow.rule.in_(("TA1", "999", "277CA", "835")))
                .order_by(ReviewItemRow.id)
            ).all()
        for item in items:
            if self.chance.random() < 0.7:
                review.waive(self.database, item.id, by="ada", reason="looked at", clock=self.clock)


@dataclass
class Truth:
    """What the database says, beside what the vendor and the practice know."""

    world: World

    def __post_init__(self) -> None:
        with self.world.database.transaction() as session:
            self.charges = session.scalars(select(ChargeRow).order_by(ChargeRow.id)).all()
            self.files = {row.id: row for row in session.scalars(select(ClaimFileRow).order_by(ClaimFileRow.id))}
            self.claims = session.scalars(select(ClaimRow).order_by(ClaimRow.id)).all()
            self.payments = session.scalars(select(PaymentRow).order_by(PaymentRow.id)).all()
            self.replies = session.scalar(select(func.count()).select_from(ResponseRow))
            open_items = select(ReviewItemRow).where(ReviewItemRow.state == ItemState.OPEN)
            self.holding = {item.charge_id for item in session.scalars(open_items) if item.severity.holds}
        self.vendor = self.world.vendor

    def compare(self) -> None:
        """Everything that was promised."""
        self._every_charge_is_here()
        self._every_file_came_as_it_was_stored()
        self._numbers_are_unique_and_without_gaps()
        self._no_payer_has_two_claims_of_one_charge()
        self._every_claim_is_what_was_told_of_it()
        self._every_charge_is_where_its_claims_are()
        with self.world.database.transaction() as session:
            assert list(broken_chains(session, self.world.database.keyring)) == []
        code, said = self._reconcile()
        assert code == 0, said

    def _reconcile(self) -> tuple[int, str]:
        """What the command says of the whole time, and its exit code."""
        first = min(row.service_date for row in self.charges if row.service_date is not None)
        today = f"{self.world.now:%Y-%m-%d}"
        command = [sys.executable, "-m", "charges", "reconcile", "--from", f"{first}", "--to", today, "--as-of", today]
        key_file = self.world.folder / "chargerouter.key"
        where = {"CHARGES_DATABASE_URL": self.world.database_url, "CHARGES_KEY_FILE": str(key_file)}
        done = subprocess.run(command, env=os.environ | where, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def _every_charge_is_here(self) -> None:
        assert sorted(int(row.key) for row in self.charges) == sorted(
            int(each.key) for each in self.world.practice.visible
        )

    def _every_file_came_as_it_was_stored(self) -> None:
        for file in self.files.values():
            assert file.status not in (FileStatus.BUILT, FileStatus.SENDING, FileStatus.UNCERTAIN)
            came = self.vendor.files[file.control_number]
            assert set(came.digests) == {file.sha256}
            assert len(came.digests) <= 1 + self.world.resent[file.control_number]

    def _numbers_are_unique_and_without_gaps(self) -> None:
        numbers = [file.control_number for file in self.files.values()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert sorted(self.vendor.files) == numbers
        for came in self.vendor.files.values():
            assert came.transactions == [f"{number:04d}" for number in range(1, len(came.transactions) + 1)]
        partner = self.world.applied.practice.trading_partner
        by_charge: dict[int, list[str]] = {}
        for claim in self.claims:
            by_charge.setdefault(claim.charge_id, []).append(claim.number)
        for charge, given in by_charge.items():
            assert given == [partner.number_of_claim(charge, attempt) for attempt in range(1, len(given) + 1)]
        assert self.vendor.claims.keys() == {claim.number for claim in self.claims}

    def _no_payer_has_two_claims_of_one_charge(self) -> None:
        assert {truth.times for truth in self.vendor.claims.values()} <= {0, 1}
        charge_of = {claim.number: claim.charge_id for claim in self.claims}
        standing: Counter[tuple[int, str]] = Counter()
        for number, known in self.vendor.payers.known.items():
            if not known.is_withdrawn and known.claim.frequency != "8":
                standing[charge_of[number], self.vendor.payers.payer_of(number)] += 1
        assert [key for key, count in standing.items() if count > 1] == []

    def _every_claim_is_what_was_told_of_it(self) -> None:
        posted: dict[int, Counter[tuple[str, object]]] = {}
        for payment in self.payments:
            posted.setdefault(payment.claim_id, Counter())[payment.decision, payment.paid] += 1
        for claim in self.claims:
            told = self.vendor.claims[claim.number].told
            paid = [each.payment for each in told if each.payment is not None]
            is_refused = any(each.refuses for each in told)
            is_taken = bool(paid) or any(each.kind == "277CA" and not each.refuses for each in told)
            assert posted.get(claim.id, Counter()) == Counter((each.decision, each.paid) for each in paid), claim.number
            assert not (claim.live and is_refused), claim.number
            assert not claim.live or claim.accepted is is_taken, claim.number

    def _every_charge_is_where_its_claims_are(self) -> None:
        live: dict[int, ClaimRow] = {}
        for claim in self.claims:
            last = live.get(claim.charge_id)
            if claim.live and (last is None or claim.payer_rank > last.payer_rank):
                live[claim.charge_id] = claim
        for row in self.charges:
            standing = live.get(row.id)
            if row.id in self.holding and row.status is not ChargeStatus.VOID:
                expected = {ChargeStatus.HELD}
            elif standing is not None:
                expected = {ChargeStatus.ACCEPTED if standing.accepted else ChargeStatus.CLAIMED}
            else:
                expected = {ChargeStatus.VOID, ChargeStatus.SELF_PAY}
            assert row.status in expected, (row.id, row.status, expected)

    def told(self) -> str:
        """The figures of the run."""
        states = ", ".join(
            f"{many} {state}" for state, many in sorted(Counter(row.status for row in self.charges).items())
        )
        fates = ", ".join(
            f"{many} {fate}" for fate, many in Counter(each.fate for each in self.vendor.claims.values()).items()
        )
        acts = ", ".join(f"{many} {act}" for act, many in sorted(self.world.done.items()))
        put = ", ".join(f"{many} {kind}" for kind, many in sorted(self.vendor.postbox.put.items()))
        return (
            f"{len(self.charges)} charges ({states}); {len(self.claims)} claims ({fates}) in {len(self.files)} files, "
            f"{sum(self.world.resent.values())} of them sent again; {put} put out, {self.vendor.postbox.lost} lost, "
            f"{self.vendor.postbox.repeated} repeated; {self.replies} replies stored, {len(self.payments)} payments posted; "
            f"by people: {acts}; {self.world.deaths.total()} workers killed at {len(self.world.points('died'))} different "
            "points"
        )


@contextmanager
def _world(folder: Path, database_url: str, transport: str, size: Size, seed: int) -> Iterator[World]:
    practice = build_practice(seed=seed, patients=size.patients, today=LAST_DAY)
    practice.advance(-24 * size.days)
    clock = Clock(datetime.combine(practice.now.date(), time(18), tzinfo=UTC))
    with ExitStack() as stack:
        base_url = stack.enter_context(running(simulator_app(practice)))
        pipeline, applied = stack.enter_context(prepared(folder, clock, database_url, base_url))
        partner = applied.practice.trading_partner
        if transport == "sftp":
            server = folder / "server"
            server.mkdir()
            vendor = stack.enter_context(openssh(server))
            partner = partner.model_copy(update={"transport": vendor.transport(after_fetching="remove")})
            outbound, inbound = vendor.outbound, vendor.inbound
        else:
            outbound, inbound = folder / "outbound", folder / "inbound"
        partner = partner.model_copy(
            update={
                "claims_per_file": size.claims_per_file,
                "claims_per_transaction": max(size.claims_per_file // 3, 2),
                "acknowledgment_requested": True,
            }
        )
        stand_in = SimulatedClearinghouse(outbound, inbound, seed, size.habits)
        world = World(pipeline, applied, folder, database_url, base_url, practice, stand_in, size, seed, clock)
        pipeline.apply(applied.practice.model_copy(update={"trading_partner": partner}), by="engineer")
        world.applied = pipeline.practice(applied.practice.code)
        yield world


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'soak.db'}"
    else:
        with postgres_database() as found:
            yield found


WAYS = [
    ("sqlite", "folder"),
    pytest.param("postgresql", "sftp", marks=pytest.mark.services),
    *([("sqlite", "sftp"), pytest.param("postgresql", "folder", marks=pytest.mark.services)] if IS_LONG else []),
]


@pytest.mark.timeout(7200 if IS_LONG else 300)
@pytest.mark.parametrize(("kind", "transport"), WAYS)
def test_nothing_is_lost_and_nothing_billed_twice(kind: str, transport: str, tmp_path: Path) -> None:
    size = {"month": MONTH, "full": FULL}.get(WANTED, SMALL)
    seed = {"folder": 11, "sftp": 12}[transport]
    with _database(kind, tmp_path) as url, _world(tmp_path, url, transport, size, seed) as world:
        for _ in range(size.days):
            world.practice.advance(24)
            world.day()
        world.let_it_end()
        truth = Truth(world)
        truth.compare()
        assert all(world.deaths[stage] for stage in STAGES)
        assert world.resent
        if IS_LONG:
            assert world.points("died") == world.points("met")
            assert world.deaths.total() >= 200
            assert world.done["settled"]
        if WANTED == "full":
            assert world.done["entered"]
            assert world.done["not billed"]
        print(truth.told())  # noqa: T201 - the figures, for who runs it with -s
