"""Replies that should have come: an alarm for each claim file and kind of reply, cleared when it has come.

The deadlines stand in the profile, by trading partner, and count business time from the moment the file was sent. A later
reply makes an earlier one needless: who answered about a claim had the file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session, defer

from charges import lifecycle
from charges.db import Database
from charges.parts import parts
from charges.practice.business_time import after_days, after_hours
from charges.practice.profile import Practice
from charges.practice.sending_hours import federal_holidays
from charges.tables import (
    AlarmRow,
    AnswerRow,
    ClaimFileRow,
    ClaimRow,
    EventRow,
    FileStatus,
    PaymentRow,
    PracticeRow,
)

ACTOR = "overdue"
_FUNCTIONAL = ("999", "997")
_OUT = (FileStatus.SENT, FileStatus.ACCEPTED, FileStatus.PARTLY_ACCEPTED)


@dataclass(frozen=True, slots=True)
class Watched:
    """How many alarms were raised, how many cleared, how many stand."""

    raised: int = 0
    cleared: int = 0
    standing: int = 0


@dataclass(frozen=True, slots=True)
class Alarm:
    """A reply that is overdue. ``claims`` is how many claims of the file wait for it."""

    practice: str
    file: int
    name: str
    kind: str
    claims: int
    due_at: datetime

    @property
    def sentence(self) -> str:
        """What is wrong and what to do, for billers."""
        waiting = f"{self.claims} claim" + ("s" if self.claims != 1 else "")
        about = f"of {waiting} in file {self.file}" if self.kind in ("277CA", "835") else f"of file {self.file}"
        whom = "the payers" if self.kind == "835" else "the vendor"
        return (
            f"The {self.kind} {about} ({self.name}) was due on {self.due_at:%Y-%m-%d %H:%M} UTC and has not come; "
            f"ask {whom} about it."
        )

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "practice": self.practice,
            "file": self.file,
            "name": self.name,
            "kind": self.kind,
            "claims": self.claims,
            "due_at": self.due_at,
        }


def watch(database: Database, practice_id: int, practice: Practice, clock: Callable[[], datetime]) -> Watched:
    """Raise the alarms that are due now and clear those whose reply has come."""
    with database.transaction() as session:
        now = clock()
        standing = {
            (row.claim_file_id, row.kind): row
            for row in session.scalars(select(AlarmRow).where(AlarmRow.practice_id == practice_id).with_for_update())
        }
        opened = {key for key, row in standing.items() if row.cleared_at is None}
        waiting = _waiting(session, practice_id, practice)
        files = _files(session, {*waiting, *(file_id for file_id, _ in opened)})
        sent = _sent_at(session, waiting)
        due: dict[tuple[int, str], tuple[int, datetime]] = {}
        for file_id, kinds in waiting.items():
            for kind, claims in kinds.items():
                deadline = _deadline(practice, kind, sent[file_id]) if file_id in sent else None
                if claims and deadline is not None and deadline < now:
                    due[file_id, kind] = claims, deadline
        notes: list[tuple[lifecycle.Moved, lifecycle.Deed]] = []
        for (file_id, kind), (claims, deadline) in due.items():
            row = standing.get((file_id, kind))
            if row is None:
                row = AlarmRow(practice_id=practice_id, claim_file_id=file_id, kind=kind, raised_at=now)
                session.add(row)
            if (file_id, kind) not in opened:
                row.raised_at, row.cleared_at = now, None
                notes.append((files[file_id], lifecycle.Deed(f"{kind} overdue", ACTOR, now, database.keyring)))
            row.claims, row.due_at = claims, deadline
        over = opened - due.keys()
        for key in over:
            standing[key].cleared_at = now
            notes.append((files[key[0]], lifecycle.Deed(f"{key[1]} no longer due", ACTOR, now, database.keyring)))
        lifecycle.note_each(session, notes)
        return Watched(len(due.keys() - opened), len(over), len(due))


def standing(database: Database, practice: str = "") -> Sequence[Alarm]:
    """The alarms that stand, the oldest deadline first."""
    query = (
        select(AlarmRow, ClaimFileRow.name, PracticeRow.code)
        .join(ClaimFileRow, ClaimFileRow.id == AlarmRow.claim_file_id)
        .join(PracticeRow, PracticeRow.id == AlarmRow.practice_id)
        .where(AlarmRow.cleared_at.is_(None))
        .order_by(AlarmRow.due_at, AlarmRow.id)
    )
    if practice:
        query = query.where(PracticeRow.code == practice)
    with database.transaction() as session:
        return [
            Alarm(code, row.claim_file_id, name, row.kind, row.claims, row.due_at)
            for row, name, code in session.execute(query)
        ]


def _waiting(session: Session, practice_id: int, practice: Practice) -> Mapping[int, Mapping[str, int]]:
    """For each file with claims that nobody has settled: how many claims wait for each kind of reply."""
    unpaid = ~exists().where(PaymentRow.claim_id == ClaimRow.id)
    answered = {
        kinds: exists().where(AnswerRow.claim_file_id == ClaimFileRow.id, AnswerRow.kind.in_(kinds))
        for kinds in (("TA1", *_FUNCTIONAL, "277CA"), (*_FUNCTIONAL, "277CA"))
    }
    has_answer, has_functional = answered.values()
    rows = session.execute(
        select(
            ClaimFileRow.id,
            func.count().label("open"),
            func.sum(case((ClaimRow.accepted, 0), else_=1)).label("unanswered"),
            func.sum(case((ClaimRow.frequency == "8", 0), else_=1)).label("undecided"),
            has_answer.label("has_answer"),
            has_functional.label("has_functional"),
        )
        .join(ClaimRow, ClaimRow.claim_file_id == ClaimFileRow.id)
        .where(ClaimFileRow.practice_id == practice_id, ClaimFileRow.status.in_(_OUT), ClaimRow.live, unpaid)
        .group_by(ClaimFileRow.id)
    )
    wants_ta1 = practice.trading_partner.acknowledgment_requested
    found: dict[int, Mapping[str, int]] = {}
    for row in rows:
        is_silent = row.unanswered == row.open
        found[row.id] = {
            "TA1": row.open if wants_ta1 and is_silent and not row.has_answer else 0,
            "999": row.open if is_silent and not row.has_functional else 0,
            "277CA": row.unanswered,
            "835": row.undecided,
        }
    return found


def _files(session: Session, ids: set[int]) -> Mapping[int, ClaimFileRow]:
    found: dict[int, ClaimFileRow] = {}
    for wanted in parts(sorted(ids)):
        rows = session.scalars(
            select(ClaimFileRow)
            .where(ClaimFileRow.id.in_(wanted))
            .options(defer(ClaimFileRow.content))
            .with_for_update()
        )
        found.update((row.id, row) for row in rows)
    return found


def _sent_at(session: Session, files: Mapping[int, object]) -> Mapping[int, datetime]:
    """When each file was sent, the last time if it was sent again."""
    found: dict[int, datetime] = {}
    for wanted in parts(files):
        rows = session.execute(
            select(EventRow.subject_id, func.max(EventRow.at))
            .where(
                EventRow.subject == "file",
                EventRow.subject_id.in_(wanted),
                EventRow.became == FileStatus.SENT.value,
                EventRow.was != FileStatus.SENT.value,
            )
            .group_by(EventRow.subject_id)
        )
        found.update((file_id, at) for file_id, at in rows)
    return found


def _deadline(practice: Practice, kind: str, sent: datetime) -> datetime | None:
    """When a reply is due to a file sent then; None where the partner is not expected to send any."""
    partner, zone = practice.trading_partner, ZoneInfo(practice.time_zone)
    wanted = partner.replies
    holidays = partner.sending.holidays | federal_holidays(sent.year) | federal_holidays(sent.year + 1)
    hours = {"TA1": wanted.ta1_hours, "999": wanted.a999_hours}
    days = {"277CA": wanted.a277ca_days, "835": wanted.a835_days}
    if kind in hours:
        allowed = hours[kind]
        return after_hours(sent, allowed, zone, holidays) if allowed else None
    allowed = days[kind]
    return after_days(sent, allowed, zone, holidays) if allowed else None
