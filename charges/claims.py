"""Stage 4, clean to claimed: claims are routed and batched; ``filing`` makes each batch a stored file.

Among them are the replacements and voids that a person decided on (``differences``): a replacement is made of a charge that
is clean again, a void repeats what was sent and is made of a charge that is still held.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from charges import documents, filing, lifecycle
from charges.amending import differences
from charges.db import Database
from charges.drift import breakers
from charges.filing import ACTOR, LAST_CONTROL_NUMBER, Batch, Generated, control_scope
from charges.model import Claim
from charges.practice.completion import complete
from charges.practice.profile import Practice
from charges.rollout import modes
from charges.rollout.modes import Standing
from charges.tables import ChargeRow, ChargeStatus, Mode
from charges.x12.kinds import Kind, kind_of

__all__ = ["LAST_CONTROL_NUMBER", "Generated", "control_scope", "generate"]


def generate(
    database: Database,
    practice_id: int,
    practice: Practice,
    standing: Standing,
    judged_with: str,
    clock: Callable[[], datetime],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Generated:
    """Build files of all clean charges of a practice, as it stands in the roll-out.

    Several workers may try; one per trading partner works.
    """
    generated = Generated()
    if standing.mode is Mode.OBSERVE:
        return generated
    scope = control_scope(practice)
    with database.alone_at(f"claims {scope}") as is_mine:
        if not is_mine:
            return generated
        _judge_again(database, practice_id, judged_with, clock())
        for is_shadow in (False, True):
            while batch := _next_batch(database, practice_id, practice, standing, scope, is_shadow=is_shadow):
                built = _file(database, practice_id, practice, batch, clock)
                generated += built
                progress(built.claims + built.shadow + built.held)
    return generated


def _file(
    database: Database, practice_id: int, practice: Practice, batch: Batch, clock: Callable[[], datetime]
) -> Generated:
    def retire(session: Session, rows: Iterable[ChargeRow]) -> None:
        differences.retire(session, [batch.amends[row.id] for row in rows if row.id in batch.amends])

    def made(session: Session, rows: Iterable[ChargeRow]) -> None:
        differences.made(session, {row.id: batch.amends[row.id] for row in rows if row.id in batch.amends}, clock())

    return filing.build(database, practice_id, practice, batch, clock, then=made, first=retire)


def _judge_again(database: Database, practice_id: int, judged_with: str, now: datetime) -> None:
    """A charge is claimed as it was judged: if profile or payer rules changed since, it is judged again first."""
    with database.transaction() as session:
        stale = session.scalars(
            select(ChargeRow)
            .where(
                ChargeRow.practice_id == practice_id,
                ChargeRow.status == ChargeStatus.CLEAN,
                ChargeRow.judged_with != judged_with,
            )
            .with_for_update(skip_locked=True)
        ).all()
        deed = lifecycle.Deed("rules changed", ACTOR, now, database.keyring)
        lifecycle.move(session, stale, ChargeStatus.CAPTURED, deed)


def _next_batch(
    database: Database, practice_id: int, practice: Practice, standing: Standing, scope: str, *, is_shadow: bool
) -> Batch | None:
    scope = f"shadow {scope}" if is_shadow else scope
    claims: dict[ChargeRow, Claim] = {}
    amends: dict[int, differences.Approved] = {}
    fit: tuple[Kind, int, bool] | None = None
    after = 0
    wanted = practice.trading_partner.claims_per_file
    with database.transaction() as session:
        if not modes.stands(session, practice_id, standing):
            return None  # the next run builds what is to be built by now
        number = filing.next_number(session, scope)
        while len(claims) < wanted:
            rows = session.scalars(
                select(ChargeRow)
                .where(
                    ChargeRow.practice_id == practice_id,
                    or_(ChargeRow.status == ChargeStatus.CLEAN, differences.is_due_void()),
                    ChargeRow.id > after,
                    breakers.is_routed(),
                )
                .order_by(ChargeRow.id)
                .limit(wanted)
            ).all()
            if not rows:
                break
            after = rows[-1].id
            earlier = filing.claims_so_far(session, rows)
            decided = differences.approved(session, database.keyring, rows)
            for row, captured in documents.read(session, database.keyring, rows).items():
                clm01 = practice.trading_partner.number_of_claim(row.id, earlier.get(row.id, 0) + 1)
                amend = decided.get(row.id)
                claim = Claim(number=clm01, charge=complete(practice, captured))
                if amend is not None:
                    claim = amend.claim(session, database.keyring, clm01, claim.charge)
                # A file holds claims of one kind, to payers at one place of their order; and those that amend apart from
                # first ones, which a retreat withdraws: what does not fit waits for the next batch.
                own = kind_of(claim.charge), amend.payer_rank if amend is not None else 1, amend is not None
                fits = fit is None or own == fit
                # What amends a claim that was sent is sent, wherever the roll-out stands by now.
                goes_out = amend is not None or standing.sends(claim.charge, row.patient_key)
                if fits and goes_out is not is_shadow and len(claims) < wanted:
                    fit = own
                    claims[row] = claim
                    if amend is not None:
                        amends[row.id] = amend
    if fit is None:
        return None
    return Batch(scope, number, claims, standing, is_shadow, payer_rank=fit[1], amends=amends)
