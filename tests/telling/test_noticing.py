"""What is news of a practice is written down once; what is over and begins anew is told anew."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from charges import lifecycle, review
from charges.practice.profile import Telling
from charges.tables import AlarmRow, ChargeRow, ChargeStatus, ClaimFileRow, FileStatus, NoticeRow, Topic
from rules.examples import charge, line
from tests.practice import Workplace
from tests.telling.listeners import Post

MODIFIER_MISSING = (line("99213"), line("20610"))


def notices(post: Post) -> list[NoticeRow]:
    with post.database.transaction() as session:
        return list(session.scalars(select(NoticeRow).order_by(NoticeRow.id)))


def topics(post: Post) -> list[Topic]:
    return [each.topic for each in notices(post)]


def send_a_file(post: Post, became: FileStatus = FileStatus.SENT) -> int:
    """A claim file that left and of which something became; returns its number."""
    post.workplace.source.put(charge(key="1"))
    post.workplace.run("pull", "judge", "generate", "deliver")
    if became is not FileStatus.SENT:
        with post.database.transaction() as session:
            row = session.scalars(select(ClaimFileRow)).one()
            if became is FileStatus.UNCERTAIN:
                row.status = FileStatus.SENDING
                session.flush()
            deed = lifecycle.Deed("came back", "test", post.now, post.database.keyring)
            lifecycle.move(session, [row], became, deed)
    with post.database.transaction() as session:
        return session.scalars(select(ClaimFileRow.id)).one()


def hold(post: Post, *deadlines: date) -> None:
    """Held charges, each with a day by which it must be filed."""
    for number, _ in enumerate(deadlines):
        post.workplace.source.put(charge(*MODIFIER_MISSING, key=f"held {number}"))
    post.workplace.run("pull", "judge")
    with post.database.transaction() as session:
        rows = session.scalars(select(ChargeRow).order_by(ChargeRow.id)).all()
        for row, deadline in zip(rows, deadlines, strict=True):
            assert row.status is ChargeStatus.HELD
            row.deadline = deadline


def with_telling(post: Post, **wanted: int) -> None:
    post.workplace.apply(telling=Telling(**wanted))


def test_nothing_happened_so_nothing_is_noticed(post: Post) -> None:
    assert post.notice() == 0


def test_an_open_breaker_is_noticed_once_and_the_next_one_anew(posts: Post) -> None:
    posts.open_breaker()
    assert [posts.notice(), posts.notice()] == [1, 0]
    posts.close_breakers()
    assert posts.notice() == 0
    (first,) = notices(posts)
    assert first.ended_at == posts.now
    posts.open_breaker(2)
    assert posts.notice() == 1
    assert topics(posts) == [Topic.BREAKER_OPEN, Topic.BREAKER_OPEN]


def test_a_rejected_file_is_noticed_once_whatever_happens_to_its_row_later(post: Post) -> None:
    number = send_a_file(post, FileStatus.REJECTED)
    assert post.notice() == 1
    (row,) = notices(post)
    facts = json.loads(row.facts)
    assert (row.topic, facts["file"], facts["claims"]) == (Topic.FILE_REJECTED, number, 1)
    assert facts["name"] in row.sentence
    assert row.path == f"/files/{number}"
    post.now += timedelta(days=8)
    assert post.notice() == 0
    with post.database.transaction() as session:
        lifecycle.note(
            session,
            [session.get_one(ClaimFileRow, number)],
            lifecycle.Deed("downloaded", "auditor", post.now, post.database.keyring),
        )
    assert post.notice() == 0


def test_a_file_that_was_rejected_long_ago_is_no_news(post: Post) -> None:
    send_a_file(post, FileStatus.REJECTED)
    post.now += timedelta(days=30)
    assert post.notice() == 0


def test_an_uncertain_file_is_noticed(post: Post) -> None:
    send_a_file(post, FileStatus.UNCERTAIN)
    assert post.notice() == 1
    assert topics(post) == [Topic.FILE_UNCERTAIN]


def test_an_overdue_reply_is_noticed_and_over_when_it_came(posts: Post) -> None:
    number = send_a_file(posts)
    with posts.database.transaction() as session:
        alarm = AlarmRow(practice_id=posts.workplace.applied.id, claim_file_id=number, kind="999", claims=1)
        alarm.due_at = alarm.raised_at = posts.now
        session.add(alarm)
    assert [posts.notice(), posts.notice()] == [1, 0]
    (row,) = notices(posts)
    assert "999" in row.sentence
    assert "Ask the vendor" in row.sentence
    with posts.database.transaction() as session:
        session.scalars(select(AlarmRow)).one().cleared_at = posts.now
    assert posts.notice() == 0
    assert notices(posts)[0].ended_at is not None


def test_the_countdown_of_deadlines_is_told_once_a_day(posts: Post) -> None:
    today = posts.now.date()
    with_telling(posts, deadline_days=10)
    hold(
        posts,
        today + timedelta(days=3),
        today + timedelta(days=10),
        today + timedelta(days=11),
        today - timedelta(days=1),
    )
    assert [posts.notice(), posts.notice()] == [1, 0]
    (row,) = notices(posts)
    facts = json.loads(row.facts)
    assert (facts["charges"], facts["within_days"], facts["first_in_days"]) == (2, 10, 3)
    assert facts["rules"][0]["charges"] == 2
    posts.now += timedelta(hours=2)
    assert posts.notice() == 0
    posts.now += timedelta(days=1)
    assert posts.notice() == 1
    assert json.loads(notices(posts)[1].facts)["charges"] == 3


@pytest.mark.parametrize("days", [0, 2])
def test_no_deadline_near_is_not_told(post: Post, days: int) -> None:
    with_telling(post, deadline_days=days)
    hold(post, post.now.date() + timedelta(days=3))
    assert post.notice() == 0


def test_a_long_queue_is_told_when_it_grows_over_its_limit_and_not_at_every_charge(post: Post) -> None:
    with_telling(post, deadline_days=0, queue_limit=2)
    far = date(2030, 1, 1)
    hold(post, far, far)
    assert post.notice() == 0
    hold(post, far, far, far)
    assert [post.notice(), post.notice()] == [1, 0]
    (row,) = notices(post)
    assert row.sentence == "3 charges of Lakeside Family Medicine wait in the queue; its limit is 2."
    held = review.held(post.database)
    for each in held[:1]:
        review.void(post.database, each.charge_number, by="ada", reason="test", clock=post.clock)
    assert post.notice() == 0
    assert notices(post)[0].ended_at is None, "2 of 2 is not yet relief"
    review.void(post.database, held[1].charge_number, by="ada", reason="test", clock=post.clock)
    assert post.notice() == 0
    assert notices(post)[0].ended_at is not None


def test_a_practice_sees_nothing_of_another(post: Post) -> None:
    from tests.web.conftest import with_second_practice

    with_second_practice(post.workplace)
    post.open_breaker(practice="hillside")
    assert (post.notice("lakeside"), post.notice("hillside")) == (0, 1)


def test_only_one_worker_notices_at_a_time(workplace: Workplace) -> None:
    post = Post(workplace)
    post.open_breaker()
    with post.database.alone_at(f"notice {workplace.applied.id}"):
        assert post.notice() == 0
    assert post.notice() == 1
