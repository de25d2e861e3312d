"""Which mails are due: urgent news at once, the rest gathered into one digest a day, and nothing where there is nothing.

A user is told of the practices that they may see now, and of what their role may see. A notice stands in one mail to a user
at most. A digest has what was noticed until its hour, in the zone of the practices it is about.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from charges.db import Database
from charges.tables import DeliveryRow, NoticeRow, PracticeRow, SubscriptionRow, Topic, UserRow, UserStatus
from charges.telling import letters, outbox
from charges.telling.letters import Item
from charges.telling.noticing import NEWS, Clock
from charges.telling.topics import NEEDED, URGENT
from charges.users.permissions import Viewer
from charges.users.sessions import viewer_of

_URGENT = "urgent"


def gather(database: Database, zones: Mapping[int, str], clock: Clock) -> int:
    """Put the mails that are due into the outbox; returns how many. ``zones`` are the time zones by practice's number."""
    with database.alone_at("digests") as is_mine:
        if not is_mine:
            return 0
        with database.transaction() as session:
            rows = session.execute(
                select(SubscriptionRow, UserRow)
                .join(UserRow, UserRow.id == SubscriptionRow.user_id)
                .where(UserRow.status == UserStatus.ACTIVE)
                .order_by(UserRow.id)
                .with_for_update(of=SubscriptionRow)
            ).all()
            now = clock()
            return sum(_of_user(session, row, user, zones, now) for row, user in rows)


def readable(
    session: Session, row: SubscriptionRow, user: UserRow, body: str, web_url: str, now: datetime
) -> tuple[list[Item], bool]:
    """What a mail may still tell its reader now, and whether it is urgent; nothing where that is none of their business."""
    viewer = viewer_of(session, user, now)
    found = session.execute(
        select(NoticeRow, PracticeRow.name)
        .join(PracticeRow, PracticeRow.id == NoticeRow.practice_id)
        .where(
            NoticeRow.id.in_(letters.numbers(body)),
            NoticeRow.practice_id.in_(viewer.practice_ids),
            NoticeRow.topic.in_(_topics(row, viewer)),
        )
        .order_by(NoticeRow.id)
    )
    items = [Item(name, each.sentence, web_url + each.path, each.ended_at is not None) for each, name in found]
    return items, json.loads(body)["kind"] == _URGENT


def _of_user(session: Session, row: SubscriptionRow, user: UserRow, zones: Mapping[int, str], now: datetime) -> int:
    viewer = viewer_of(session, user, now)
    since = max(row.since, now - NEWS)
    told = {
        number
        for body in session.scalars(
            select(DeliveryRow.body).where(DeliveryRow.user_id == user.id, DeliveryRow.made_at >= since)
        )
        for number in letters.numbers(body)
    }
    notices = session.scalars(
        select(NoticeRow)
        .where(
            NoticeRow.practice_id.in_(viewer.practice_ids),
            NoticeRow.topic.in_(_topics(row, viewer)),
            NoticeRow.noticed_at >= since,
        )
        .order_by(NoticeRow.id)
    )
    news = [each for each in notices if each.id not in told]
    urgent = [each for each in news if row.at_once and each.topic in URGENT]
    made = 0
    if urgent:
        made += _put(session, f"urgent {user.id} {urgent[0].id}", _URGENT, urgent, user, now)
    by_zone: dict[str, list[NoticeRow]] = {}
    for each in news:
        if each not in urgent and each.practice_id in zones:
            by_zone.setdefault(zones[each.practice_id], []).append(each)
    for zone, waiting in by_zone.items():
        due = _last(row.hour, ZoneInfo(zone), now)
        ripe = [each for each in waiting if each.noticed_at <= due]
        if ripe:
            made += _put(session, f"digest {user.id} {zone} {due.date()}", "digest", ripe, user, now)
    return made


def _put(session: Session, key: str, kind: str, notices: Sequence[NoticeRow], user: UserRow, now: datetime) -> int:
    """One mail more, unless there was one by this key: what was allowed to somebody later waits for the next."""
    if session.scalar(select(DeliveryRow.id).where(DeliveryRow.key == key)) is not None:
        return 0
    body = json.dumps({"kind": kind, "notices": [each.id for each in notices]})
    outbox.put(session, key, body, now, user_id=user.id, topic=notices[0].topic if len(notices) == 1 else None)
    return 1


def _last(hour: int, zone: ZoneInfo, now: datetime) -> datetime:
    """When it was last so late in a zone."""
    local = now.astimezone(zone)
    due = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    return due if due <= local else due - timedelta(days=1)


def _topics(row: SubscriptionRow, viewer: Viewer) -> list[Topic]:
    """What was chosen and may be seen in the role that the user has now."""
    return [topic for topic in map(Topic, row.topics.split()) if viewer.may(NEEDED[topic])]
