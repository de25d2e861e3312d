"""Many rows in parts that one query can name one by one."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

AT_ONCE = 500
"""So many values are named in one query."""

_T = TypeVar("_T")


def parts(items: Iterable[_T]) -> Iterator[Sequence[_T]]:
    """Items in parts of at most ``AT_ONCE``, in their order."""
    everything = list(items)
    for start in range(0, len(everything), AT_ONCE):
        yield everything[start : start + AT_ONCE]
