"""Stage 4, clean to claimed: claims are routed and batched; ``filing`` makes each batch a stored file."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from charges import documents, filing, lifecycle
from charges.completion import complete
from charges.db import Database
from charges.filing import ACTOR, LAST_CONTROL_NUMBER, Batch, Generated, control_scope, is_sent
from charges.model import Claim
from charges.practice import Mode, Practice
from charges.tables import ChargeRow, ChargeStatus
from charges.x12.kinds import Kind, kind_of

__all__ = ["LAST_CONTROL_NUMBER", "Generated", "control_scope", "generate", "is_sent"]


def generate(
    database: Database,
    practice_id: int,
    practice: Practice,
    judged_with: str,
    clock: Callable[[], datetime],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Generated:
    """Build files of all clean charges of a practice. Several workers may try; one per trading partner works."""
    generated = Generated()
    if practice.roll_out.mode is Mode.OBSERVE:
        return generated
    scope = control_scope(practice)
    with database.alone_at(f"claims {scope}") as is_mine:
        if not is_mine:
            return generated
        _judge_again(database, practice_id, judged_with, clock())
        for is_shadow in (False, True):
            while batch := _next_batch(database, practice_id, practice, scope, is_shadow=is_shadow):
                built = filing.build(database, practice_id, practice, batch, clock)
                generated += built
                progress(built.claims + built.shadow + built.held)
    return generated


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
    database: Database, practice_id: int, practice: Practice, scope: str, *, is_shadow: bool
) -> Batch | None:
    scope = f"shadow {scope}" if is_shadow else scope
    claims: dict[ChargeRow, Claim] = {}
    kind: Kind | None = None
    after = 0
    wanted = practice.trading_partner.claims_per_file
    with database.transaction() as session:
        number = filing.next_number(session, scope)
        while len(claims) < wanted:
            rows = session.scalars(
                select(ChargeRow)
                .where(
                    ChargeRow.practice_id == practice_id,
                    ChargeRow.status == ChargeStatus.CLEAN,
                    ChargeRow.id > after,
                )
                .order_by(ChargeRow.id)
                .limit(wanted)
            ).all()
            if not rows:
                break
            after = rows[-1].id
            earlier = filing.claims_so_far(session, rows)
            for row, captured in documents.read(session, database.keyring, rows).items():
                charge = complete(practice, captured)
                # A file holds claims of one kind: those of the other wait for the next batch.
                fits = kind is None or kind_of(charge) is kind
                if fits and is_sent(practice.roll_out, charge) is not is_shadow and len(claims) < wanted:
                    kind = kind_of(charge)
                    clm01 = practice.trading_partner.number_of_claim(row.id, earlier.get(row.id, 0) + 1)
                    claims[row] = Claim(number=clm01, charge=charge)
    return Batch(scope, number, claims, is_shadow) if claims else None
