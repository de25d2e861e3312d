"""Claims into a stored file: built and checked as a trial, then numbered and stored with their charges, or nothing of it.

The work that takes time (building, and pyx12's opinion of the whole file) is done on a trial with the number that is
next, outside of any transaction. Then one short transaction takes exactly that number, moves exactly those charges in
exactly those versions, and stores exactly those bytes, or does nothing: if a charge or the number moved meanwhile the
trial is thrown away. So what is stored is what was checked, numbers have no gaps, and a crash leaves no trace.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from charges import lifecycle
from charges.amending.differences import Approved
from charges.db import Database
from charges.desk import worklist
from charges.drift import breakers
from charges.errors import Stale
from charges.model import Charge, Claim, Finding
from charges.practice.profile import Practice
from charges.rollout import modes
from charges.rollout.modes import Standing
from charges.tables import ChargeRow, ChargeStatus, ClaimFileRow, ClaimRow, ControlNumberRow, FileStatus, Origin
from charges.x12 import check
from charges.x12.interchange import ControlNumbers, Interchange, write
from charges.x12.options import options_of
from charges.x12.professional import cannot_be_written

ACTOR = "claims"
LAST_CONTROL_NUMBER = 999_999_999
"""ISA13 has nine digits; after the last comes 1 again."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What was built: files and claims to send, claims built as shadow, charges held by the guide."""

    files: int = 0
    claims: int = 0
    shadow: int = 0
    held: int = 0

    def __add__(self, other: "Generated") -> "Generated":
        return Generated(
            self.files + other.files,
            self.claims + other.claims,
            self.shadow + other.shadow,
            self.held + other.held,
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Charges that go into one file, the number that file would have, and the standing in the roll-out that chose them.

    ``versions`` says which version of its charge a claim was made of where that is not the present one; ``payer_rank`` is
    the place in the charge's order of payers of those who are asked. ``amends`` has, by charge, what was decided about the
    claims that some of these amend.
    """

    scope: str
    number: int
    claims: Mapping[ChargeRow, Claim]
    standing: Standing
    is_shadow: bool = False
    payer_rank: int = 1
    versions: Mapping[ChargeRow, str] = field(default_factory=dict)
    faults_from: Origin = Origin.GUIDE
    amends: Mapping[int, Approved] = field(default_factory=dict)


def control_scope(practice: Practice) -> str:
    """Between whom interchange control numbers count: sender, receiver, and test apart from production."""
    ids = practice.trading_partner.ids
    return f"{ids.sender_id}>{ids.receiver_id}:{practice.trading_partner.usage}"


def next_number(session: Session, scope: str) -> int:
    """The control number that the next file of a scope would have."""
    return session.scalar(select(ControlNumberRow.next).where(ControlNumberRow.scope == scope)) or 1


def claims_so_far(session: Session, rows: Sequence[ChargeRow]) -> Mapping[int, int]:
    """How many claims were made of each charge."""
    counted = session.execute(
        select(ClaimRow.charge_id, func.count())
        .where(ClaimRow.charge_id.in_([row.id for row in rows]))
        .group_by(ClaimRow.charge_id)
    )
    return {charge_id: count for charge_id, count in counted}  # noqa: C416 - rows are tuples to us, not to the type checker


def build(
    database: Database,
    practice_id: int,
    practice: Practice,
    batch: Batch,
    clock: Callable[[], datetime],
    then: Callable[[Session, Iterable[ChargeRow]], None] = lambda _session, _rows: None,
    first: Callable[[Session, Iterable[ChargeRow]], None] = lambda _session, _rows: None,
) -> Generated:
    """Build one file of a batch, without the charges that the guide refuses.

    ``then`` is called in the transaction that stores the file and holds the refused, with all charges of the batch;
    ``first`` is called in it before anything is stored, with the charges whose claims are.
    """
    spelt = options_of(practice.trading_partner).text
    faults: dict[ChargeRow, Sequence[Finding]] = {
        row: found for row, claim in batch.claims.items() if (found := cannot_be_written(claim, spelt))
    }
    good = {row: claim for row, claim in batch.claims.items() if row not in faults}
    built_at = clock()
    interchange: Interchange | None = None
    while good:
        interchange = write(
            list(good.values()),
            practice.trading_partner,
            ControlNumbers(batch.number),
            built_at.astimezone(ZoneInfo(practice.time_zone)),
        )
        refused = _refusals(interchange, good)
        if not refused:
            break
        faults.update(refused)
        good = {row: claim for row, claim in good.items() if row not in refused}
    try:
        with database.transaction() as session:
            _hold(session, database, faults, batch.faults_from, clock())
            if good and interchange is not None:
                first(session, good)
                _store(session, database, practice_id, practice, batch, good, interchange, built_at)
            then(session, batch.claims)
    except Stale:
        return Generated()  # somebody was faster; what is still clean is taken up anew
    made = len(good)
    return Generated(
        files=1 if good and not batch.is_shadow else 0,
        claims=0 if batch.is_shadow else made,
        shadow=made if batch.is_shadow else 0,
        held=len(faults),
    )


def _refusals(interchange: Interchange, claims: Mapping[ChargeRow, Claim]) -> dict[ChargeRow, Sequence[Finding]]:
    """The charges for which pyx12 refuses the file; all of them where it names none, because none can be sent so."""
    verdict = check.check(interchange.content)
    if verdict.valid:
        return {}
    named: dict[ChargeRow, Sequence[Finding]] = {
        row: [_of_charge(each, claim.charge) for each in found]
        for row, claim in claims.items()
        if (found := verdict.by_claim.get(claim.number))
    }
    return named or dict.fromkeys(claims, verdict.of_file)


def _of_charge(finding: Finding, charge: Charge) -> Finding:
    """A finding about a line of the claim, which leaves out what the patient pays, as one about the charge's line."""
    if finding.line is None:
        return finding
    billed = [index for index, line in enumerate(charge.lines) if not line.patient_share]
    return finding.model_copy(update={"at": f"lines[{billed[finding.line - 1]}]"})


def _hold(
    session: Session, database: Database, faults: Mapping[ChargeRow, Sequence[Finding]], origin: Origin, now: datetime
) -> None:
    rows = [session.merge(row, load=False) for row in faults]
    found = dict(zip(rows, faults.values(), strict=True))
    worklist.put(session, database.keyring, found, origin=origin, now=now)
    deed = lifecycle.Deed("refused by the guide", ACTOR, now, database.keyring)
    waiting = [row for row in rows if row.status is ChargeStatus.HELD]  # of these a void was to be built
    lifecycle.note(session, waiting, deed)
    lifecycle.move(session, [row for row in rows if row.status is not ChargeStatus.HELD], ChargeStatus.HELD, deed)


def _store(
    session: Session,
    database: Database,
    practice_id: int,
    practice: Practice,
    batch: Batch,
    claims: Mapping[ChargeRow, Claim],
    interchange: Interchange,
    built_at: datetime,
) -> None:
    modes.demand(session, practice_id, batch.standing)
    breakers.demand_routed(session, claims)
    _take_number(session, batch.scope, batch.number)
    digest = hashlib.sha256(interchange.content).hexdigest()
    built_here = built_at.astimezone(ZoneInfo(practice.time_zone))
    name = practice.trading_partner.name_of_file(batch.number, digest, built_here)
    file = ClaimFileRow(
        practice_id=practice_id,
        scope=batch.scope,
        control_number=batch.number,
        name=f"shadow-{name}" if batch.is_shadow else name,
        sha256=digest,
        size=len(interchange.content),
        claim_count=len(claims),
        total=sum((claim.charge.total for claim in claims.values()), Decimal(0)),
        status=FileStatus.SHADOW if batch.is_shadow else FileStatus.BUILT,
        event_count=0,
        event_head="",
        built_at=built_at,
        changed_at=built_at,
    )
    file.seal(database.keyring, content=interchange.content)
    session.add(file)
    session.flush()
    rows = [session.merge(row, load=False) for row in claims]
    lifecycle.move(session, rows, ChargeStatus.CLAIMED, lifecycle.Deed("claimed", ACTOR, built_at, database.keyring))
    for row, claim in claims.items():
        stored = ClaimRow(
            charge_id=row.id,
            claim_file_id=file.id,
            number=claim.number,
            frequency=claim.frequency,
            version=batch.versions.get(row, row.version),
            payer_rank=batch.payer_rank,
            total=claim.charge.total,
            live=True,
            accepted=False,
        )
        stored.seal(database.keyring, answer=None)
        session.add(stored)
    lifecycle.note(session, [file], lifecycle.Deed("built", ACTOR, built_at, database.keyring))


def _take_number(session: Session, scope: str, number: int) -> None:
    """Take the number the trial was built with; raise Stale when it is gone."""
    following = number + 1 if number < LAST_CONTROL_NUMBER else 1
    taken = session.execute(
        update(ControlNumberRow)
        .where(ControlNumberRow.scope == scope, ControlNumberRow.next == number)
        .values(next=following)
    )
    if taken.rowcount == 1:  # type: ignore[attr-defined]
        return
    if session.scalar(select(ControlNumberRow.id).where(ControlNumberRow.scope == scope)) is not None:
        raise Stale(f"Interchange control number {number} was taken by another worker.")
    session.add(ControlNumberRow(scope=scope, next=following))
    session.flush()
