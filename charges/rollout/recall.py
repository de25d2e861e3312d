"""What was built for another mode of the roll-out than the present one: called back while it is still here.

A file that is not sent and has claims that are not to be sent any more is withdrawn, whole; a claim that was built as shadow
and is to be sent now is dropped. Their charges are judged and built anew under new claim numbers, as the mode has it, and
nobody outside ever had the claims before. A file that may have been outside already is in doubt instead: a person says
whether the vendor has it. What is being sent at this moment cannot be called back.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, defer

from charges import documents, lifecycle
from charges.amending import differences
from charges.keyring import Keyring
from charges.model import Charge
from charges.parts import AT_ONCE, parts
from charges.practice.completion import complete
from charges.practice.profile import Practice
from charges.replies import posting
from charges.rollout import modes
from charges.rollout.modes import Standing
from charges.tables import ChargeRow, ChargeStatus, ClaimFileRow, ClaimRow, EventRow, FileStatus


@dataclass(frozen=True, slots=True)
class Recalled:
    """Numbers of files that were withdrawn, put in doubt and could not be stopped; how many charges are built anew."""

    withdrawn: tuple[int, ...] = ()
    in_doubt: tuple[int, ...] = ()
    on_their_way: tuple[int, ...] = ()
    anew: int = 0


def in_step(
    session: Session, practice_id: int, practice: Practice, before: Standing, after: Standing, deed: lifecycle.Deed
) -> Recalled:
    """Bring what is built in step with where the practice stands now, in the transaction that brought it there."""
    withdrawn, in_doubt = _files_to_stop(session, practice_id, practice, after, deed.keyring)
    lifecycle.move(session, in_doubt, FileStatus.UNCERTAIN, deed)
    lifecycle.move(session, withdrawn, FileStatus.WITHDRAWN, deed)
    anew = release(session, [file.id for file in withdrawn], deed)
    anew += _promote(session, practice_id, practice, before, after, deed)
    on_their_way: Sequence[int] = ()
    if not after.is_sending:
        on_their_way = session.scalars(
            select(ClaimFileRow.id)
            .where(ClaimFileRow.practice_id == practice_id, ClaimFileRow.status == FileStatus.SENDING)
            .order_by(ClaimFileRow.id)
        ).all()
    return Recalled(
        tuple(file.id for file in withdrawn), tuple(file.id for file in in_doubt), tuple(on_their_way), anew
    )


def release(session: Session, files: Sequence[int], deed: lifecycle.Deed) -> int:
    """Let the charges of files that were withdrawn go on; returns how many are built anew."""
    return sum(_drop(session, claims, deed) for claims in _claims(session, ClaimRow.claim_file_id, files))


def let_out(
    session: Session, keyring: Keyring, practice_id: int, practice: Practice, before: Standing, after: Standing
) -> int:
    """How many charges that wait as clean or were built as shadow would go out because the practice stood otherwise."""
    waits = or_(ChargeRow.status == ChargeStatus.CLEAN, _has_shadow_claim())
    return sum(
        after.sends(charge, row.patient_key) and not before.sends(charge, row.patient_key)
        for rows in _rows(session, practice_id, after, waits)
        for row, charge in _completed(session, keyring, practice, rows).items()
    )


def _files_to_stop(
    session: Session, practice_id: int, practice: Practice, standing: Standing, keyring: Keyring
) -> tuple[list[ClaimFileRow], list[ClaimFileRow]]:
    """The unsent files with first or later claims that are not to be sent: never sent before, and maybe sent before."""
    built = session.scalars(
        select(ClaimFileRow)
        .where(ClaimFileRow.practice_id == practice_id, ClaimFileRow.status == FileStatus.BUILT)
        .options(defer(ClaimFileRow.content), defer(ClaimFileRow.parcel))
        .order_by(ClaimFileRow.id)
        .with_for_update()
    ).all()
    ids = [file.id for file in built]
    amending = set(ids) - set(modes.not_amending(session, ids))
    concerned = [file for file in built if file.id not in amending]
    stop: set[int] = set()
    for claims in _claims(session, ClaimRow.claim_file_id, [file.id for file in concerned]):
        charges = _completed(session, keyring, practice, list(claims.values()))
        for claim, row in claims.items():
            goes = standing.is_sending if claim.payer_rank > 1 else standing.sends(charges[row], row.patient_key)
            if not goes:
                stop.add(claim.claim_file_id)
    was_out = set(
        session.scalars(
            select(EventRow.subject_id).where(
                EventRow.subject == "file",
                EventRow.subject_id.in_(stop),
                EventRow.became == FileStatus.SENDING.value,
            )
        )
    )
    stopped = [file for file in concerned if file.id in stop]
    return (
        [file for file in stopped if file.id not in was_out],
        [file for file in stopped if file.id in was_out],
    )


def _promote(
    session: Session, practice_id: int, practice: Practice, before: Standing, after: Standing, deed: lifecycle.Deed
) -> int:
    """Drop the shadow claims of charges that are sent by now and were not before; returns how many are built anew.

    What was built as shadow though it was already to be sent then was billed the old way, and stays as it is.
    """
    anew = 0
    for rows in _rows(session, practice_id, after, _has_shadow_claim()):
        promoted = [
            row.id
            for row, charge in _completed(session, deed.keyring, practice, rows).items()
            if after.sends(charge, row.patient_key) and not before.sends(charge, row.patient_key)
        ]
        anew += sum(_drop(session, claims, deed) for claims in _claims(session, ClaimRow.charge_id, promoted))
    return anew


def _drop(session: Session, claims: Mapping[ClaimRow, ChargeRow], deed: lifecycle.Deed) -> int:
    """Take claims that never left out of what stands, and let their charges go on without them."""
    present = documents.read(session, deed.keyring, list(claims.values()))
    moves: dict[ChargeStatus, list[ChargeRow]] = {}
    noted: list[ChargeRow] = []
    for claim, row in claims.items():
        if claim.payer_rank == 1 and _is_to_be_compared(session, claim, row):
            continue
        claim.live = False
        if claim.payer_rank > 1:
            posting.consider_next(session, claim)
        if row.status is not ChargeStatus.CLAIMED:
            noted.append(row)
        elif claim.payer_rank > 1:
            moves.setdefault(differences.standing_status(session, row), []).append(row)
        else:
            moves.setdefault(ChargeStatus.VOID if present[row].voided else ChargeStatus.CAPTURED, []).append(row)
    session.flush()
    lifecycle.note(session, [*noted, *moves.pop(ChargeStatus.CLAIMED, [])], deed)
    for to, rows in moves.items():
        lifecycle.move(session, rows, to, deed)
    return sum(len(rows) for rows in moves.values())


def _is_to_be_compared(session: Session, claim: ClaimRow, row: ChargeRow) -> bool:
    """Whether the charge changed at the source meanwhile, so that ``after_billing`` drops the claim and lets it go on."""
    is_changed = row.status is ChargeStatus.HELD and claim.version != row.version
    return is_changed and differences.unresolved(session, row.id) is None


def _claims(
    session: Session, column: InstrumentedAttribute[int], values: Collection[int]
) -> Iterator[dict[ClaimRow, ChargeRow]]:
    """The live claims whose column has one of these values with their charges, locked, some at a time."""
    for wanted in parts(sorted(values)):
        rows = session.execute(
            select(ClaimRow, ChargeRow)
            .join(ChargeRow, ChargeRow.id == ClaimRow.charge_id)
            .where(column.in_(wanted), ClaimRow.live)
            .order_by(ChargeRow.id)
            .with_for_update()
        )
        yield {claim: row for claim, row in rows}  # noqa: C416 - rows are tuples to us, not to the type checker


def _has_shadow_claim() -> ColumnElement[bool]:
    return exists().where(
        ClaimRow.charge_id == ChargeRow.id,
        ClaimRow.live,
        ClaimRow.claim_file_id == ClaimFileRow.id,
        ClaimFileRow.status == FileStatus.SHADOW,
    )


def _rows(
    session: Session, practice_id: int, standing: Standing, condition: ColumnElement[bool]
) -> Iterator[Sequence[ChargeRow]]:
    """The charges of services that a standing may send, some at a time."""
    after = 0
    while standing.is_sending and standing.plan.start is not None:
        rows = session.scalars(
            select(ChargeRow)
            .where(
                ChargeRow.practice_id == practice_id,
                ChargeRow.service_date >= standing.plan.start,
                ChargeRow.id > after,
                condition,
            )
            .order_by(ChargeRow.id)
            .limit(AT_ONCE)
        ).all()
        if not rows:
            return
        after = rows[-1].id
        yield rows


def _completed(
    session: Session, keyring: Keyring, practice: Practice, rows: Sequence[ChargeRow]
) -> Mapping[ChargeRow, Charge]:
    """The charges as their claims would have them."""
    return {row: complete(practice, charge) for row, charge in documents.read(session, keyring, rows).items()}
