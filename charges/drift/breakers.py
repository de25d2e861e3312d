"""What stops the charges of a source whose records changed, and how a person lets them go on.

A breaker is open from the page that broke the contract until a person accepts the new baseline and the records since are
read again. Meanwhile ``is_routed`` is false of its charges, and that condition stands wherever charges are judged or
claimed. Files that were built of such records before anybody noticed wait too (``is_undoubted``).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from charges import lifecycle
from charges.db import Database
from charges.desk import worklist
from charges.drift import census
from charges.drift.baselines import ACTOR, BASELINE, NOVEL, Baseline, Kept, Waiting, baseline_of
from charges.drift.census import Verdict
from charges.errors import Refused, Stale
from charges.keyring import Keyring
from charges.tables import (
    BreakerRow,
    BreakerStatus,
    CensusRow,
    ChargeRow,
    ChargeStatus,
    ChargeVersionRow,
    ClaimFileRow,
    ClaimRow,
    ItemState,
    PracticeRow,
    ReviewItemRow,
)

_STOPPING = (BreakerStatus.OPEN, BreakerStatus.ACCEPTED)


def is_routed() -> ColumnElement[bool]:
    """Holds for charges that no open breaker stops: the condition of all who judge charges or make claims of them."""
    stops = (
        select(BreakerRow.id)
        .where(
            BreakerRow.practice_id == ChargeRow.practice_id,
            BreakerRow.source == ChargeRow.source,
            BreakerRow.status.in_(_STOPPING),
        )
        .exists()
    )
    return ~stops


def demand_routed(session: Session, rows: Iterable[ChargeRow]) -> None:
    """Raise Stale when a breaker opened since these charges were chosen."""
    ids = [row.id for row in rows]
    stopped = session.scalar(select(func.count()).where(ChargeRow.id.in_(ids), ~is_routed()))
    if stopped:
        raise Stale(f"{stopped} of {len(ids)} charges wait for a person since their source changed.")


def is_undoubted() -> ColumnElement[bool]:
    """Holds for files without a claim of a record that came since the drift of an open breaker began."""
    doubts = (
        select(ClaimRow.id)
        .join(ChargeRow, ChargeRow.id == ClaimRow.charge_id)
        .join(
            ChargeVersionRow,
            and_(ChargeVersionRow.charge_id == ClaimRow.charge_id, ChargeVersionRow.version == ClaimRow.version),
        )
        .join(
            BreakerRow,
            and_(BreakerRow.practice_id == ChargeRow.practice_id, BreakerRow.source == ChargeRow.source),
        )
        .where(
            ClaimRow.claim_file_id == ClaimFileRow.id,
            BreakerRow.status.in_(_STOPPING),
            ChargeVersionRow.captured_at >= BreakerRow.since,
        )
        .exists()
    )
    return ~doubts


def accept(
    database: Database, practice_id: int, source: str, *, by: str, because: str, clock: Callable[[], datetime]
) -> tuple[Verdict, ...]:
    """A person takes what is new or broken as the baseline from now on; returns what that was.

    Nothing is routed until ``intake.read_accepted`` has read the records since again. Raises Refused without a name or a
    reason, or when nothing waits.
    """
    if not by.strip():
        raise Refused("Say who you are: a new baseline is accepted by a person.")
    if not because.strip():
        raise Refused("Give a reason: it stands in the breaker's history for whoever asks later.")
    with database.transaction() as session:
        kept = Kept(session, database.keyring, practice_id, source, clock())
        row = kept.waiting()
        if row is None:
            raise Refused(f"Nothing of {source} waits to be accepted. See `charges drift show`.")
        waiting, baseline = Waiting.of(row, database.keyring), kept.baseline()
        told = waiting.told(baseline)
        if row.status is BreakerStatus.OPEN:
            known = baseline.known + waiting.novel + waiting.since
            kept.accept(Baseline(known, census.carried(baseline.rates, waiting.since, {each.path for each in told})))
            kept.empty_windows()
        else:
            kept.accept(baseline.grown(waiting.novel, kept.window("many")))
        deed = lifecycle.Deed("baseline accepted", by, clock(), database.keyring, because)
        lifecycle.move(session, [row], BreakerStatus.ACCEPTED, deed)
    return told


def accepted_since(session: Session, practice_id: int, source: str) -> datetime | None:
    """Since when the records of a source are to be read again, ``None`` where a person accepted nothing new."""
    return session.scalar(select(func.min(BreakerRow.since)).where(*_is_accepted(practice_id, source)))


def release(session: Session, keyring: Keyring, rows: Sequence[ChargeRow], now: datetime) -> None:
    """Let those of these charges go on which nothing holds but what was new in their records."""
    items = session.scalars(
        select(ReviewItemRow).where(
            ReviewItemRow.charge_id.in_([row.id for row in rows]),
            ReviewItemRow.rule == NOVEL,
            ReviewItemRow.state == ItemState.OPEN,
        )
    ).all()
    for item in items:
        item.state, item.closed_at = ItemState.CLOSED, now
    session.flush()
    concerned = {item.charge_id for item in items}
    freed = [
        row
        for row in rows
        if row.id in concerned
        and row.status is ChargeStatus.HELD
        and not any(item.severity.holds for item in worklist.open_items(session, row))
    ]
    lifecycle.move(session, freed, ChargeStatus.CAPTURED, lifecycle.Deed("baseline accepted", ACTOR, now, keyring))


def close(session: Session, keyring: Keyring, practice_id: int, source: str, now: datetime) -> None:
    """Close what was accepted: its records are read again."""
    rows = session.scalars(select(BreakerRow).where(*_is_accepted(practice_id, source)).with_for_update()).all()
    lifecycle.move(session, rows, BreakerStatus.CLOSED, lifecycle.Deed("breaker closed", ACTOR, now, keyring))


def let_go(database: Database, practice_id: int, source: str, clock: Callable[[], datetime]) -> None:
    """Close what was accepted of a source that a practice has no more, without reading its records again."""
    with database.transaction() as session:
        close(session, database.keyring, practice_id, source, clock())


def _is_accepted(practice_id: int, source: str) -> tuple[ColumnElement[bool], ...]:
    return (
        BreakerRow.practice_id == practice_id,
        BreakerRow.source == source,
        BreakerRow.status == BreakerStatus.ACCEPTED,
    )


@dataclass(frozen=True, slots=True)
class Watched:
    """A source of a practice as shown; ``status`` is empty where nothing waits."""

    practice: str
    source: str
    records: int
    status: str
    since: datetime | None
    verdicts: tuple[Verdict, ...]
    baseline: Baseline

    @property
    def stops(self) -> bool:
        """Whether nothing of it is routed."""
        return self.status in _STOPPING

    @property
    def sentence(self) -> str:
        """What stands, and what to do."""
        if not self.status:
            return f"as the baseline of {self.records} records"
        says = " ".join(each.says for each in self.verdicts[:3])
        more = f" And {len(self.verdicts) - 3} more." if len(self.verdicts) > 3 else ""
        if self.status == BreakerStatus.ACCEPTED:
            return "The new baseline is accepted; the next pull reads the records since again, and then charges go on."
        if self.stops:
            return (
                f"The records of {self.source} changed, so none of its charges is judged or claimed, and no file with "
                f"one of them leaves. {says}{more} See "
                f"`charges drift show {self.practice}`; have the mapping changed if it must, then `charges drift accept`."
            )
        return f"{says}{more} See `charges drift show {self.practice}`."


def watched(database: Database, practice: str = "") -> Sequence[Watched]:
    """All sources that were counted, of one practice or of all."""
    with database.transaction() as session:
        query = (
            select(CensusRow, PracticeRow.code)
            .join(PracticeRow, PracticeRow.id == CensusRow.practice_id)
            .where(CensusRow.role == BASELINE)
            .order_by(PracticeRow.id, CensusRow.source)
        )
        if practice:
            query = query.where(PracticeRow.code == practice)
        return [_watched(session, database.keyring, row, code) for row, code in session.execute(query)]


def _watched(session: Session, keyring: Keyring, row: CensusRow, code: str) -> Watched:
    breaker = session.scalar(
        select(BreakerRow)
        .where(
            BreakerRow.practice_id == row.practice_id,
            BreakerRow.source == row.source,
            BreakerRow.status != BreakerStatus.CLOSED,
        )
        .order_by(BreakerRow.id.desc())
        .limit(1)
    )
    baseline = baseline_of(row, keyring)
    if breaker is None:
        return Watched(code, row.source, row.records, "", None, (), baseline)
    told = Waiting.of(breaker, keyring).told(baseline)
    return Watched(code, row.source, row.records, breaker.status.value, breaker.since, told, baseline)
