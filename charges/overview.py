"""Counts for people who look at the whole: read-only."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from charges import kept
from charges.db import Database
from charges.errors import Missing
from charges.tables import (
    AlarmRow,
    AnswerRow,
    BreakerRow,
    BreakerStatus,
    ChargeRow,
    ClaimFileRow,
    ClaimRow,
    EventRow,
    FileStatus,
    PracticeRow,
    ResponseRow,
)

ByState = dict[str, dict[str, dict[str, int]]]


def count_by_state(database: Database) -> ByState:
    """By practice, then charges and files, and breakers and overdue replies where there are any, then state: how many."""
    with database.transaction() as session:
        counted = _charges_and_files(session)
    _count_waiting(database, counted)
    return counted


def kept_by_state(database: Database, now: datetime, oldest: timedelta) -> tuple[ByState, datetime]:
    """The same with charges and files as they were counted no longer ago than that, and when that was."""
    counts = kept.look(database, "charges and files", "", _charges_and_files, now, oldest)
    counted: ByState = counts.document
    _count_waiting(database, counted)
    return counted, counts.counted_at or now


def _charges_and_files(session: Session) -> ByState:
    counted: ByState = {}
    codes = {}
    for number, code in session.execute(select(PracticeRow.id, PracticeRow.code).order_by(PracticeRow.id)):
        codes[number], counted[code] = code, {"charges": {}, "files": {}}
    for kind, table in (("charges", ChargeRow), ("files", ClaimFileRow)):
        rows = session.execute(
            select(table.practice_id, table.status, func.count())
            .group_by(table.practice_id, table.status)
            .order_by(table.practice_id, table.status)
        )
        for number, state, count in rows:
            counted[codes[number]][kind][state.value] = count
    return counted


def _count_waiting(database: Database, counted: ByState) -> None:
    """Add what waits for somebody, of which there is little."""
    with database.transaction() as session:
        breakers = session.execute(
            select(PracticeRow.code, BreakerRow.status, func.count())
            .join(BreakerRow, BreakerRow.practice_id == PracticeRow.id)
            .where(BreakerRow.status != BreakerStatus.CLOSED)
            .group_by(PracticeRow.code, BreakerRow.status)
            .order_by(PracticeRow.code, BreakerRow.status)
        )
        for code, waits, count in breakers:
            counted.setdefault(code, {"charges": {}, "files": {}}).setdefault("breakers", {})[waits.value] = count
        overdue = session.execute(
            select(PracticeRow.code, AlarmRow.kind, func.count())
            .join(AlarmRow, AlarmRow.practice_id == PracticeRow.id)
            .where(AlarmRow.cleared_at.is_(None))
            .group_by(PracticeRow.code, AlarmRow.kind)
            .order_by(PracticeRow.code, AlarmRow.kind)
        )
        for code, reply, count in overdue:
            counted.setdefault(code, {"charges": {}, "files": {}}).setdefault("overdue replies", {})[reply] = count


@dataclass(frozen=True, slots=True)
class FileShown:
    """A claim file as listed."""

    number: int
    practice: str
    name: str
    status: FileStatus
    claims: int
    total: Decimal
    built_at: datetime
    next_try_at: datetime | None
    fault: str

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "file": self.number,
            "practice": self.practice,
            "name": self.name,
            "status": self.status,
            "claims": self.claims,
            "total": self.total,
            "built_at": self.built_at,
            "next_try_at": self.next_try_at,
            "fault": self.fault,
        }


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a file: what was done, by whom, when and why."""

    what: str
    state: str
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reply said of a file: ``claims`` is of how many of its claims, 0 when of the file itself."""

    reply: int
    name: str
    kind: str
    outcome: str
    claims: int
    received_at: datetime

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "reply": self.reply,
            "name": self.name,
            "kind": self.kind,
            "outcome": self.outcome,
            "claims": self.claims,
            "received_at": self.received_at,
        }


@dataclass(frozen=True, slots=True)
class FileHistory:
    """A claim file with all that happened to it, and what was answered.

    ``sent_as`` is its name at the receiver, ``tries`` those that failed.
    """

    file: FileShown
    sha256: str
    size: int
    sent_as: str
    tries: int
    events: tuple[Happened, ...]
    answers: tuple[Answer, ...]

    def as_json(self) -> dict[str, object]:
        """For machines."""
        events = [
            {"what": each.what, "state": each.state, "by": each.by, "at": each.at, "reason": each.reason}
            for each in self.events
        ]
        return self.file.as_json() | {
            "sha256": self.sha256,
            "size": self.size,
            "sent_as": self.sent_as,
            "tries": self.tries,
            "events": events,
            "answers": [each.as_json() for each in self.answers],
        }

    def sentences(self) -> Iterator[str]:
        """For people."""
        file = self.file
        yield f"File {file.number}, {file.name}: {file.status}."
        yield f"{file.claims} claims, {file.total:,.2f} dollars, {self.size} bytes, SHA-256 {self.sha256}."
        if self.sent_as != file.name:
            yield f"It is sent as {self.sent_as}."
        for each in self.events:
            because = f": {each.reason}" if each.reason else ""
            yield f"{each.at:%Y-%m-%d %H:%M} UTC  {each.what} by {each.by} ({each.state}){because}"
        if file.fault:
            yield f"Tried {self.tries} times without success. {file.fault}"
        if file.next_try_at:
            yield f"The next try is not before {file.next_try_at:%Y-%m-%d %H:%M} UTC; `charges files resend` ends the wait."


def history_of(database: Database, number: int) -> FileHistory:
    """A claim file and what happened to it; raises Missing when there is no such file."""
    with database.transaction() as session:
        row = session.get(ClaimFileRow, number, options=[defer(ClaimFileRow.content), defer(ClaimFileRow.parcel)])
        if row is None:
            raise Missing(f"There is no file {number}. See `charges files list`.")
        events = session.scalars(
            select(EventRow)
            .where(EventRow.subject == "file", EventRow.subject_id == number)
            .order_by(EventRow.sequence)
        )
        happened = tuple(
            Happened(each.what, each.became, each.actor, each.at, each.unseal(database.keyring, "detail").decode())
            for each in events
        )
        return FileHistory(
            _file_shown(row, session.get_one(PracticeRow, row.practice_id).code),
            row.sha256,
            row.size,
            row.parcel_name or row.name,
            row.tries,
            happened,
            _answers(session, number),
        )


def _answers(session: Session, number: int) -> tuple[Answer, ...]:
    counted = session.execute(
        select(AnswerRow.response_id, AnswerRow.kind, AnswerRow.outcome, func.count(AnswerRow.claim_id))
        .where(AnswerRow.claim_file_id == number)
        .group_by(AnswerRow.response_id, AnswerRow.kind, AnswerRow.outcome)
        .order_by(AnswerRow.response_id, AnswerRow.kind, AnswerRow.outcome)
    ).all()
    replies = {
        id: (name, received_at)
        for id, name, received_at in session.execute(
            select(ResponseRow.id, ResponseRow.name, ResponseRow.received_at).where(
                ResponseRow.id.in_({id for id, *_ in counted})
            )
        )
    }
    return tuple(
        Answer(id, replies[id][0], kind, outcome, claims, replies[id][1]) for id, kind, outcome, claims in counted
    )


def _file_shown(row: ClaimFileRow, practice: str) -> FileShown:
    return FileShown(
        row.id,
        practice,
        row.name,
        row.status,
        row.claim_count,
        row.total,
        row.built_at,
        row.next_try_at,
        row.fault or "",
    )


def claim_files(
    database: Database,
    *,
    practices: Collection[int] | None = None,
    status: FileStatus | None = None,
    before: int = 0,
    limit: int | None = None,
) -> list[FileShown]:
    """Claim files, newest first: of some practices or all, in one state or any, of lower numbers than ``before``."""
    query = (
        select(ClaimFileRow, PracticeRow.code)
        .join(PracticeRow, PracticeRow.id == ClaimFileRow.practice_id)
        .options(defer(ClaimFileRow.content), defer(ClaimFileRow.parcel))
        .order_by(ClaimFileRow.id.desc())
        .limit(limit)
    )
    if practices is not None:
        query = query.where(ClaimFileRow.practice_id.in_(practices))
    if status is not None:
        query = query.where(ClaimFileRow.status == status)
    if before:
        query = query.where(ClaimFileRow.id < before)
    with database.transaction() as session:
        return [_file_shown(row, code) for row, code in session.execute(query)]


@dataclass(frozen=True, slots=True)
class ClaimShown:
    """A claim as listed in its file. ``live``: out, and not refused by anybody."""

    number: str
    charge: int
    total: Decimal
    frequency: str
    live: bool
    accepted: bool

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "claim": self.number,
            "charge": self.charge,
            "total": self.total,
            "frequency": self.frequency,
            "live": self.live,
            "accepted": self.accepted,
        }


def claims_in(database: Database, number: int, *, after: str = "", limit: int = 100) -> Sequence[ClaimShown]:
    """The claims of a file by their numbers, those that follow the claim ``after``."""
    query = (
        select(ClaimRow)
        .options(defer(ClaimRow.answer))
        .where(ClaimRow.claim_file_id == number, ClaimRow.number > after)
        .order_by(ClaimRow.number)
        .limit(limit)
    )
    with database.transaction() as session:
        return [
            ClaimShown(row.number, row.charge_id, row.total, row.frequency, row.live, row.accepted)
            for row in session.scalars(query)
        ]


@dataclass(frozen=True, slots=True)
class ReplyShown:
    """A reply as listed; ``outcome`` says what it did, or why it could not be read."""

    number: int
    practice: str
    name: str
    state: str
    outcome: str
    received_at: datetime

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "reply": self.number,
            "practice": self.practice,
            "name": self.name,
            "state": self.state,
            "outcome": self.outcome,
            "received_at": self.received_at,
        }


def replies(
    database: Database, *, practices: Collection[int] | None = None, before: int = 0, limit: int | None = None
) -> list[ReplyShown]:
    """Replies, newest first: of some practices or all, of lower numbers than ``before``."""
    query = (
        select(ResponseRow, PracticeRow.code)
        .join(PracticeRow, PracticeRow.id == ResponseRow.practice_id)
        .options(defer(ResponseRow.content))
        .order_by(ResponseRow.id.desc())
        .limit(limit)
    )
    if practices is not None:
        query = query.where(ResponseRow.practice_id.in_(practices))
    if before:
        query = query.where(ResponseRow.id < before)
    with database.transaction() as session:
        return [
            ReplyShown(row.id, code, row.name, row.state, row.outcome, row.received_at)
            for row, code in session.execute(query)
        ]
