"""Looking at a practice for what people should know, and writing it down once, with the messages it makes.

What stands is looked at again and again and told when it begins. When it is over that is noted, and what begins anew is told
anew. Nothing here holds what a source or payer wrote: a code of a record might be a patient's name.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from charges.db import Database
from charges.practice.profile import Practice
from charges.tables import (
    AlarmRow,
    BreakerRow,
    BreakerStatus,
    ChargeRow,
    ChargeStatus,
    ClaimFileRow,
    EventRow,
    FileStatus,
    ItemState,
    NoticeRow,
    PracticeRow,
    ReviewItemRow,
    Topic,
)
from charges.telling import endpoints, outbox

NEWS = timedelta(days=7)
"""A file that was rejected longer ago is no news."""
_RELIEF = 0.9
"""A long queue is over when it is this much of its limit, so that one charge more or less is not told each time."""
_RULES = 3

Clock = Callable[[], datetime]
Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that stands. ``is_once``: it is told once, even if it is seen again after it was not."""

    topic: Topic
    key: str
    sentence: str
    path: str
    facts: Facts = field(default_factory=dict)
    is_once: bool = False


def notice(database: Database, practice_id: int, practice: Practice, web_url: str, clock: Clock) -> int:
    """Write down what is new about a practice and put what is to be told into the outbox; returns how much is new."""
    with database.alone_at(f"notice {practice_id}") as is_mine:
        if not is_mine:
            return 0
        with database.transaction() as session:
            now = clock()
            rows = session.scalars(
                select(NoticeRow).where(NoticeRow.practice_id == practice_id, NoticeRow.ended_at.is_(None))
            )
            standing = {row.key: row for row in rows if row.topic is not Topic.ENDPOINT_SILENT}
            seen = {each.key: each for each in _all(session, practice_id, practice, now, standing)}
            for key in standing.keys() - seen.keys():
                standing[key].ended_at = now
            fresh = [each for each in seen.values() if each.key not in standing]
            return sum(publish(session, practice_id, each, web_url, now) is not None for each in fresh)


def publish(
    session: Session, practice_id: int, seen: Seen, web_url: str, now: datetime, *, but_not: int | None = None
) -> NoticeRow | None:
    """Write one thing down, and a message for each endpoint that wants it but one; None where it was told before."""
    before = session.scalar(
        select(func.max(NoticeRow.episode)).where(NoticeRow.practice_id == practice_id, NoticeRow.key == seen.key)
    )
    if before and seen.is_once:
        return None
    row = NoticeRow(
        practice_id=practice_id,
        topic=seen.topic,
        key=seen.key,
        episode=(before or 0) + 1,
        sentence=seen.sentence,
        facts=json.dumps(seen.facts),
        path=seen.path,
        noticed_at=now,
        ended_at=None,
    )
    session.add(row)
    session.flush()
    code = session.get_one(PracticeRow, practice_id).code
    data = {"practice": code, "sentence": seen.sentence, "link": web_url + seen.path, **seen.facts}
    body = message(seen.topic.value, now, data)
    for endpoint in endpoints.live(session, practice_id, seen.topic):
        if endpoint.id != but_not:
            outbox.put(
                session, f"notice {row.id} endpoint {endpoint.id}", body, now, endpoint_id=endpoint.id, topic=seen.topic
            )
    return row


def message(kind: str, at: datetime, data: Facts) -> str:
    """The body of a webhook, in the shape that Standard Webhooks recommends."""
    return json.dumps({"type": kind, "timestamp": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "data": data})


def _all(
    session: Session, practice_id: int, practice: Practice, now: datetime, standing: Mapping[str, NoticeRow]
) -> Iterator[Seen]:
    yield from _breakers(session, practice_id, practice)
    yield from _files(session, practice_id, practice, now)
    yield from _replies(session, practice_id, practice)
    yield from _deadlines(session, practice_id, practice, now, standing)
    yield from _queue(session, practice_id, practice, standing)


def _breakers(session: Session, practice_id: int, practice: Practice) -> Iterator[Seen]:
    rows = session.scalars(
        select(BreakerRow).where(BreakerRow.practice_id == practice_id, BreakerRow.status == BreakerStatus.OPEN)
    )
    for row in rows:
        yield Seen(
            Topic.BREAKER_OPEN,
            f"breaker {row.id}",
            f"The records of {row.source} of {practice.name} changed, so none of its charges is judged or claimed. "
            "Look at what changed, have the mapping changed if it must, then accept.",
            f"/sources/{practice.code}",
            {"source": row.source, "since": f"{row.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"},
        )


def _files(session: Session, practice_id: int, practice: Practice, now: datetime) -> Iterator[Seen]:
    became = (
        select(EventRow.id)
        .where(
            EventRow.subject == "file",
            EventRow.subject_id == ClaimFileRow.id,
            EventRow.became == FileStatus.REJECTED.value,
            EventRow.was != FileStatus.REJECTED.value,
            EventRow.at >= now - NEWS,
        )
        .exists()
    )
    columns = (ClaimFileRow.id, ClaimFileRow.name, ClaimFileRow.control_number, ClaimFileRow.claim_count)
    of_practice = select(*columns).where(ClaimFileRow.practice_id == practice_id)
    rejected = of_practice.where(
        ClaimFileRow.status == FileStatus.REJECTED, ClaimFileRow.changed_at >= now - NEWS, became
    )
    for row in session.execute(rejected):
        yield Seen(
            Topic.FILE_REJECTED,
            f"rejected {row.id}",
            f"The claim file {row.name} of {practice.name} ({_counted(row.claim_count, 'claim')}) was rejected. Its charges "
            "are in the queue with the receiver's words; correct the cause before they go out again.",
            f"/files/{row.id}",
            _about_file(row.id, row.name, row.control_number) | {"claims": row.claim_count},
            is_once=True,
        )
    for row in session.execute(of_practice.where(ClaimFileRow.status == FileStatus.UNCERTAIN)):
        yield Seen(
            Topic.FILE_UNCERTAIN,
            f"uncertain {row.id}",
            f"Nobody knows whether the claim file {row.name} of {practice.name} ({_counted(row.claim_count, 'claim')}) was "
            "received. Ask the vendor for its control number, then settle it.",
            f"/files/{row.id}",
            _about_file(row.id, row.name, row.control_number) | {"claims": row.claim_count},
        )


def _replies(session: Session, practice_id: int, practice: Practice) -> Iterator[Seen]:
    rows = session.execute(
        select(AlarmRow.kind, AlarmRow.claims, AlarmRow.due_at, ClaimFileRow.id, ClaimFileRow.name)
        .add_columns(ClaimFileRow.control_number)
        .join(ClaimFileRow, ClaimFileRow.id == AlarmRow.claim_file_id)
        .where(AlarmRow.practice_id == practice_id, AlarmRow.cleared_at.is_(None))
        .order_by(AlarmRow.due_at)
    )
    for row in rows:
        whom = "the payers" if row.kind == "835" else "the vendor"
        yield Seen(
            Topic.REPLY_OVERDUE,
            f"overdue {row.id} {row.kind}",
            f"The {row.kind} to the claim file {row.name} of {practice.name} was due on {row.due_at:%Y-%m-%d %H:%M} UTC and "
            f"has not come; {_counted(row.claims, 'claim')} wait. Ask {whom} about it.",
            f"/files/{row.id}",
            _about_file(row.id, row.name, row.control_number)
            | {"reply": row.kind, "claims": row.claims, "due": f"{row.due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"},
        )


def _deadlines(
    session: Session, practice_id: int, practice: Practice, now: datetime, standing: Mapping[str, NoticeRow]
) -> Iterator[Seen]:
    """Once a day at most, so that the countdown can be followed."""
    days = practice.telling.deadline_days
    today = now.astimezone(ZoneInfo(practice.time_zone)).date()
    key = f"deadline {today}"
    if not days or key in standing:
        yield from (_again(row) for row in standing.values() if row.key == key and days)
        return
    near = (
        ChargeRow.practice_id == practice_id,
        ChargeRow.status == ChargeStatus.HELD,
        ChargeRow.deadline >= today,
        ChargeRow.deadline <= today + timedelta(days=days),
    )
    count, first = session.execute(select(func.count(), func.min(ChargeRow.deadline)).where(*near)).one()
    if count:
        left = (first - today).days
        when = "today" if left == 0 else f"in {_counted(left, 'day')}"
        yield Seen(
            Topic.DEADLINE_NEAR,
            key,
            f"{_counted(count, 'held charge')} of {practice.name} must be filed within {_counted(days, 'day')}, the first "
            f"{when}. After its payer's deadline a claim is not paid.",
            "/queue?" + urlencode({"practice": practice.code}),
            {"charges": count, "within_days": days, "first_in_days": left, "rules": _rules(session, *near)},
            is_once=True,
        )


def _queue(session: Session, practice_id: int, practice: Practice, standing: Mapping[str, NoticeRow]) -> Iterator[Seen]:
    limit, key = practice.telling.queue_limit, "queue"
    if not limit:
        return
    held = (ChargeRow.practice_id == practice_id, ChargeRow.status == ChargeStatus.HELD)
    count = session.scalar(select(func.count()).select_from(ChargeRow).where(*held)) or 0
    if count > limit or (key in standing and count > limit * _RELIEF):
        yield Seen(
            Topic.QUEUE_LONG,
            key,
            f"{_counted(count, 'charge')} of {practice.name} wait in the queue; its limit is {limit:,}.",
            "/queue?" + urlencode({"practice": practice.code}),
            {"charges": count, "limit": limit, "rules": [] if key in standing else _rules(session, *held)},
        )


def _rules(session: Session, *condition: object) -> Sequence[Mapping[str, object]]:
    """The rules that hold most of these charges, with how many each holds."""
    charges = func.count(ReviewItemRow.charge_id.distinct()).label("charges")
    found = session.execute(
        select(ReviewItemRow.rule, charges)
        .join(ChargeRow, ChargeRow.id == ReviewItemRow.charge_id)
        .where(*condition, ReviewItemRow.state == ItemState.OPEN)  # type: ignore[arg-type]
        .group_by(ReviewItemRow.rule)
        .order_by(charges.desc(), ReviewItemRow.rule)
        .limit(_RULES)
    )
    return [{"rule": rule, "charges": count} for rule, count in found]


def _again(row: NoticeRow) -> Seen:
    return Seen(row.topic, row.key, row.sentence, row.path)


def _about_file(number: int, name: str, control_number: int) -> dict[str, object]:
    return {"file": number, "name": name, "control_number": control_number}


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
