"""Where a practice stands in the roll-out, and what that lets out: asked wherever claims are built or sent.

Whoever builds or sends holds the roll-out's row, so that nothing is built or sent by a mode that ended meanwhile.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from charges import lifecycle
from charges.errors import Stale
from charges.keyring import Keyring
from charges.model import Charge
from charges.practice.profile import Practice, RollOut
from charges.tables import ClaimRow, DifferenceRow, Mode, PracticeRow, RollOutRow

ACTOR = "roll-out"
SENDING = (Mode.COHORT, Mode.FULL)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a practice stood when it was read: the mode and since when, and what its profile chooses.

    ``acts`` counts what happened to the roll-out by then; ``cohort_line`` is the last key of a patient that was drawn.
    """

    mode: Mode
    since: datetime
    acts: int
    cohort_line: str
    plan: RollOut

    @property
    def is_sending(self) -> bool:
        """Whether claims go out at all; a claim to the next payer follows the one before it then."""
        return self.mode in SENDING

    def sends(self, charge: Charge, patient_key: str) -> bool:
        """Whether the first claim of a charge goes out in this mode, rather than being built as shadow."""
        day, plan = charge.service_date, self.plan
        if not self.is_sending or plan.start is None or day is None or day < plan.start:
            return False
        if self.mode is Mode.FULL and day >= (plan.full_start or plan.start):
            return True
        return self._has_in_cohort(charge, patient_key)

    def _has_in_cohort(self, charge: Charge, patient_key: str) -> bool:
        plan, patient = self.plan, charge.patient.record_number
        # Nobody knows whose charge it is that names no record number, so no patient is drawn by it.
        if patient and (
            patient in plan.patients
            or _percentile(patient) < plan.percent
            or (plan.size is not None and patient_key <= self.cohort_line)
        ):
            return True
        provider, facility = charge.rendering_provider, charge.facility
        return (
            (provider is not None and provider.npi in plan.providers)
            or (facility is not None and facility.source_id in plan.locations)
            or (bool(charge.coverages) and charge.coverages[0].payer.payer_id in plan.payers)
        )


def _percentile(record_number: str) -> int:
    """0 to 99, the same for a patient for ever, so that a greater share keeps those who are in."""
    return int.from_bytes(hashlib.sha256(record_number.encode()).digest()[:4], "big") % 100


@lru_cache(maxsize=256)
def read_stored(text: bytes) -> tuple[Practice, Mode]:
    """A profile as it was stored, and the mode it had in it where it was stored before modes stood apart.

    Each text is read once: a page asks for the profiles of all practices.
    """
    values = json.loads(text)
    mode = values["roll_out"].pop("mode", Mode.OBSERVE)
    return Practice.model_validate_json(json.dumps(values)), Mode(mode)


def of(row: RollOutRow, practice: Practice) -> Standing:
    """The standing that a row and the profile of the same moment make."""
    return Standing(row.status, row.since, row.event_count, row.cohort_line, practice.roll_out)


def row_of(session: Session, keyring: Keyring, practice: PracticeRow) -> RollOutRow:
    """The row of a practice; one that was applied before rows were kept takes over the mode of its profile."""
    wanted = select(RollOutRow).where(RollOutRow.practice_id == practice.id)
    if (row := session.scalar(wanted)) is not None:
        return row
    session.refresh(practice, with_for_update=True)  # one worker takes over, the others wait and find it done
    if (row := session.scalar(wanted)) is not None:
        return row
    _, mode = read_stored(practice.unseal(keyring, "profile"))
    return begin(session, practice.id, mode, lifecycle.Deed("taken over", ACTOR, practice.applied_at, keyring))


def begin(session: Session, practice_id: int, mode: Mode, deed: lifecycle.Deed) -> RollOutRow:
    """The row of a practice that has none."""
    row = RollOutRow(
        practice_id=practice_id, status=mode, cohort_size=0, cohort_line="", since=deed.at, changed_at=deed.at,
        event_count=0, event_head="",
    )  # fmt: skip
    session.add(row)
    lifecycle.note(session, [row], deed)
    return row


def stands(session: Session, practice_id: int, standing: Standing) -> bool:
    """Whether the practice still stands where it stood; if so it does until this transaction ends."""
    row = _held(session, practice_id)
    return row is not None and row.event_count == standing.acts


def demand(session: Session, practice_id: int, standing: Standing) -> None:
    """Raise Stale when the roll-out went on, back or elsewhere since claims were chosen by it."""
    if not stands(session, practice_id, standing):
        raise Stale("The roll-out of the practice changed meanwhile.")


def may_leave(session: Session, practice_id: int, files: Collection[int]) -> set[int]:
    """Those of built files that the mode lets out; so it stays until this transaction ends.

    In shadow only what amends claims that left leaves, in observe nothing.
    """
    row = _held(session, practice_id)
    if row is None or row.status is Mode.OBSERVE:
        return set()
    return set(files) if row.status in SENDING else set(files) - set(not_amending(session, files))


def not_amending(session: Session, files: Collection[int]) -> Sequence[int]:
    """Those of files that have a claim which amends none that left."""
    amends = exists().where(DifferenceRow.made_claim_id == ClaimRow.id)
    return session.scalars(
        select(ClaimRow.claim_file_id).where(ClaimRow.claim_file_id.in_(files), ~amends).distinct()
    ).all()


def _held(session: Session, practice_id: int) -> RollOutRow | None:
    return session.scalar(
        select(RollOutRow)
        .where(RollOutRow.practice_id == practice_id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
