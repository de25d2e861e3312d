"""What a practice has shown since it is in its mode of the roll-out, and what it must show for the next: read-only.

Everything is counted from what is stored: the states of charges and claims, the answers to them, what people said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import and_, case, exists, func, select
from sqlalchemy.orm import Session

from charges.keyring import Keyring
from charges.model import Charge
from charges.parts import parts
from charges.rollout.modes import Standing
from charges.tables import (
    AlarmRow,
    AnswerRow,
    ChargeRow,
    ChargeStatus,
    ChargeVersionRow,
    ClaimFileRow,
    ClaimRow,
    DifferenceRow,
    DifferenceState,
    EventRow,
    FileStatus,
    Mode,
)

WRONG_PATIENT = "wrong patient"
"""The event of a charge of which a person said that its claim was of the wrong patient."""
_MISMATCHED = frozenset(("30", "31", "32"))
"""Claim status codes (code source 508) by which a payer says that names and numbers are those of different people."""
_CLEAN = (ChargeStatus.CLEAN, ChargeStatus.CLAIMED, ChargeStatus.ACCEPTED)
_OUT = (FileStatus.SENT, FileStatus.ACCEPTED, FileStatus.PARTLY_ACCEPTED, FileStatus.REJECTED)
_PROMPT = ("TA1", "999", "277CA")


@dataclass(frozen=True, slots=True)
class Shown:
    """Counts since the practice is in its mode.

    ``clean`` and ``held`` count the charges captured since then; ``shadow`` and ``sent`` the claims built since, as shadow
    or in files that left; ``accepted`` and ``refused`` those of the sent that were answered, ``patients`` the people whom
    the sent are about. ``wrong_patients`` has the numbers of charges whose claims were about another patient.
    ``uncertain`` counts files, ``overdue`` acknowledgements, as they stand now.
    """

    days: int
    clean: int
    held: int
    shadow: int
    sent: int
    accepted: int
    refused: int
    patients: int
    wrong_patients: tuple[int, ...]
    uncertain: int
    overdue: int

    @property
    def clean_rate(self) -> Decimal:
        """The share of judged charges that nothing holds."""
        return _share(self.clean, self.held)

    @property
    def acceptance_rate(self) -> Decimal:
        """The share of answered claims that were accepted."""
        return _share(self.accepted, self.refused)


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that a practice must have shown: what it is, how it stands, and what is wanted."""

    what: str
    value: str
    wanted: str
    is_met: bool

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {"what": self.what, "value": self.value, "wanted": self.wanted, "met": self.is_met}


def demands(shown: Shown, standing: Standing) -> tuple[Demand, ...]:
    """What the next mode demands; nothing where there is none."""
    wanted = standing.plan.promotion
    counted = {
        Mode.OBSERVE: ("charges judged", shown.clean + shown.held),
        Mode.SHADOW: ("claims built as shadow", shown.shadow),
        Mode.COHORT: ("claims answered", shown.accepted + shown.refused),
    }.get(standing.mode)
    if counted is None:
        return ()
    found = [
        _at_least("days in this mode", shown.days, wanted.days),
        _at_least(*counted, wanted.charges),
        _share_of("clean charges", shown.clean_rate, wanted.clean_rate),
        _none("claims of a wrong patient", len(shown.wrong_patients)),
    ]
    if standing.mode is Mode.COHORT:
        found += [
            _share_of("accepted claims", shown.acceptance_rate, wanted.acceptance_rate),
            _none("files nobody is sure of", shown.uncertain),
            _none("overdue acknowledgements", shown.overdue),
        ]
    return tuple(found)


def measure(session: Session, keyring: Keyring, practice_id: int, standing: Standing, now: datetime) -> Shown:
    """Count what a practice has shown since it stands as it does."""
    since = standing.since
    clean, held = session.execute(
        select(
            func.coalesce(func.sum(case((ChargeRow.status.in_(_CLEAN), 1), else_=0)), 0),
            func.coalesce(func.sum(case((ChargeRow.status == ChargeStatus.HELD, 1), else_=0)), 0),
        ).where(ChargeRow.practice_id == practice_id, ChargeRow.captured_at >= since, ChargeRow.judged_with != "")
    ).one()
    is_superseded = exists().where(DifferenceRow.claim_id == ClaimRow.id, DifferenceRow.state == DifferenceState.SENT)
    is_out = ClaimFileRow.status.in_(_OUT)
    shadow, sent, accepted, refused, patients = session.execute(
        select(
            func.coalesce(func.sum(case((ClaimFileRow.status == FileStatus.SHADOW, 1), else_=0)), 0),
            func.coalesce(func.sum(case((is_out, 1), else_=0)), 0),
            func.coalesce(func.sum(case((and_(is_out, ClaimRow.accepted), 1), else_=0)), 0),
            func.coalesce(
                func.sum(case((and_(is_out, ~ClaimRow.accepted, ~ClaimRow.live, ~is_superseded), 1), else_=0)), 0
            ),
            func.count(case((is_out, ChargeRow.patient_key), else_=None).distinct()),
        )
        .select_from(ClaimRow)
        .join(ClaimFileRow, ClaimFileRow.id == ClaimRow.claim_file_id)
        .join(ChargeRow, ChargeRow.id == ClaimRow.charge_id)
        .where(ClaimFileRow.practice_id == practice_id, ClaimFileRow.built_at >= since)
    ).one()
    uncertain = session.scalar(
        select(func.count()).where(ClaimFileRow.practice_id == practice_id, ClaimFileRow.status == FileStatus.UNCERTAIN)
    )
    overdue = session.scalar(
        select(func.count()).where(
            AlarmRow.practice_id == practice_id, AlarmRow.cleared_at.is_(None), AlarmRow.kind.in_(_PROMPT)
        )
    )
    wrong = {
        *_said_by_people(session, practice_id, since),
        *_said_by_payers(session, practice_id, since),
        *_said_by_the_source(session, keyring, practice_id, since),
    }
    return Shown(
        days=(now - since).days,
        clean=clean,
        held=held,
        shadow=shadow,
        sent=sent,
        accepted=accepted,
        refused=refused,
        patients=patients,
        wrong_patients=tuple(sorted(wrong)),
        uncertain=uncertain or 0,
        overdue=overdue or 0,
    )


def _said_by_people(session: Session, practice_id: int, since: datetime) -> Iterator[int]:
    yield from session.scalars(
        select(EventRow.subject_id)
        .join(ChargeRow, ChargeRow.id == EventRow.subject_id)
        .where(
            EventRow.subject == "charge",
            EventRow.what == WRONG_PATIENT,
            EventRow.at >= since,
            ChargeRow.practice_id == practice_id,
        )
    )


def _said_by_payers(session: Session, practice_id: int, since: datetime) -> Iterator[int]:
    answers = session.execute(
        select(ClaimRow.charge_id, AnswerRow.codes)
        .join(ClaimFileRow, ClaimFileRow.id == ClaimRow.claim_file_id)
        .join(AnswerRow, AnswerRow.claim_id == ClaimRow.id)
        .where(
            ClaimFileRow.practice_id == practice_id,
            ClaimFileRow.built_at >= since,
            AnswerRow.kind == "277CA",
            AnswerRow.outcome == "rejected",
        )
    )
    for charge_id, codes in answers:
        if any(_MISMATCHED & set(code.split(":")[1:2]) for code in codes.split(", ")):
            yield charge_id


def _said_by_the_source(session: Session, keyring: Keyring, practice_id: int, since: datetime) -> Iterator[int]:
    """Charges that were another patient's when they were claimed than they are now."""
    changed = session.execute(
        select(ClaimRow.charge_id, ClaimRow.version, ChargeRow.version)
        .join(ClaimFileRow, ClaimFileRow.id == ClaimRow.claim_file_id)
        .join(ChargeRow, ChargeRow.id == ClaimRow.charge_id)
        .where(
            ClaimFileRow.practice_id == practice_id,
            ClaimFileRow.built_at >= since,
            ClaimRow.version != ChargeRow.version,
        )
        .distinct()
    ).all()
    for some in parts(changed):
        patients = {
            (row.charge_id, row.version): Charge.model_validate_json(
                row.unseal(keyring, "document")
            ).patient.record_number
            for row in session.scalars(
                select(ChargeVersionRow).where(ChargeVersionRow.charge_id.in_({charge_id for charge_id, _, _ in some}))
            )
        }
        for charge_id, claimed, present in some:
            if patients[charge_id, claimed] != patients[charge_id, present]:
                yield charge_id


def _share(yes: int, no: int) -> Decimal:
    return (Decimal(yes) / (yes + no)).quantize(Decimal("0.0001")) if yes + no else Decimal(1)


def _at_least(what: str, value: int, wanted: int) -> Demand:
    return Demand(what, str(value), f"{wanted} or more", value >= wanted)


def _share_of(what: str, value: Decimal, wanted: Decimal) -> Demand:
    return Demand(what, f"{value:.1%}", f"{wanted:.1%} or more", value >= wanted)


def _none(what: str, value: int) -> Demand:
    return Demand(what, str(value), "none", not value)
