"""A message is one worker's at a time, and nobody's for ever."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from charges.errors import Unavailable
from charges.tables import DeliveryRow, DeliveryState
from charges.telling import outbox
from tests.telling.listeners import Post, Receiver


def waiting(post: Post) -> list[DeliveryRow]:
    with post.database.transaction() as session:
        return list(session.scalars(select(DeliveryRow).order_by(DeliveryRow.id)))


def put(post: Post, count: int) -> None:
    receiver = Receiver(url="https://vendor.example/hook")
    post.add(receiver)
    with post.database.transaction() as session:
        for number in range(count):
            outbox.put(session, f"test {number}", "{}", post.now, endpoint_id=1)


def test_two_workers_are_never_lent_one_message(posts: Post) -> None:
    put(posts, 12)

    def work(_: int) -> list[str]:
        uids = []
        while (lent := outbox.lend(posts.database, posts.clock)) is not None:
            uids.append(lent.uid)
        return uids

    with ThreadPoolExecutor(4) as workers:
        lent = [uid for uids in workers.map(work, range(4)) for uid in uids]
    assert sorted(lent) == sorted(each.uid for each in waiting(posts))


def test_what_a_dead_worker_had_is_sent_again_under_the_same_id(posts: Post) -> None:
    put(posts, 1)
    first = outbox.lend(posts.database, posts.clock)
    assert first is not None
    assert outbox.lend(posts.database, posts.clock) is None
    posts.now += outbox.LEASE
    second = outbox.lend(posts.database, posts.clock)
    assert second is not None
    assert (second.uid, second.tries) == (first.uid, 2)
    with posts.database.transaction() as session:
        assert not outbox.settle(session, first, DeliveryState.GIVEN_UP, posts.now), "it was only slow, and is too late"
        assert outbox.settle(session, second, DeliveryState.DELIVERED, posts.now)
    assert [each.state for each in waiting(posts)] == [DeliveryState.DELIVERED]


def test_nothing_is_put_twice(posts: Post) -> None:
    put(posts, 1)
    with pytest.raises(Unavailable), posts.database.transaction() as session:
        outbox.put(session, "test 0", "{}", posts.now, endpoint_id=1)
    assert len(waiting(posts)) == 1


def test_each_failure_doubles_the_pause_and_chance_parts_the_workers() -> None:
    assert outbox.pause(1, lambda: 0) == timedelta(seconds=15)
    assert outbox.pause(1, lambda: 1) == timedelta(seconds=45)
    assert outbox.pause(500, lambda: 1) == timedelta(hours=1.5)
