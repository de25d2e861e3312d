"""The tasks of telling: what is new rings the bell of those who send."""

import pytest

from charges import tasks
from charges.errors import Unavailable
from charges.pipeline import Pipeline
from tests.telling.listeners import Post, Receiver


@pytest.fixture
def rung(post: Post, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[int, ...]]]:
    """The bells that were rung, on the installation's pipeline."""
    bells: list[tuple[str, tuple[int, ...]]] = []
    monkeypatch.setattr(tasks, "pipeline", lambda: post.pipeline)
    monkeypatch.setattr(tasks.app, "send_task", lambda name, args, **_: bells.append((name, args)))
    return bells


def test_what_is_new_is_told_by_the_next_bell(
    post: Post, receiver: Receiver, rung: list[tuple[str, tuple[int, ...]]]
) -> None:
    post.add(receiver)
    tasks.notice(post.workplace.applied.id)
    assert rung == []
    post.open_breaker()
    tasks.notice(post.workplace.applied.id)
    assert rung == [("charges.tasks.tell", ())]
    tasks.tell()
    assert len(receiver.got) == 1


def test_a_database_that_is_away_ends_no_worker(rung: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Pipeline) -> None:
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr(Pipeline, "tell", away)
    tasks.tell()
