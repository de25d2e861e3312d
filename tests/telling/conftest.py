"""An installation that tells, and a receiver on this machine."""

from collections.abc import Iterator

import pytest

from tests.practice import Workplace
from tests.telling.listeners import Post, Receiver, listening


@pytest.fixture
def post(small_workplace: Workplace) -> Post:
    return Post(small_workplace)


@pytest.fixture
def posts(workplace: Workplace) -> Post:
    """The same on each kind of database."""
    return Post(workplace)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening(Receiver()) as listener:
        yield listener
