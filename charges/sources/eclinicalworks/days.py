"""Page after page of the charges of days of service, and of their numbers.

Pages are asked from the last number that was given, so that what changes meanwhile moves no other charge out of its place.
A place in the days is a slice and the last number given of it, such as ``2026-11-09..2026-11-15|70412``.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from charges.errors import Unavailable
from charges.sources.eclinicalworks.paging import RawPage, Record

AskDays = Callable[[date, date, str], RawPage]
"""Gives a page for a first and last day and the number after which it begins."""


def charges(
    ask: AskDays, number_of: Callable[[Record], str], window: tuple[date, date], length: timedelta, cursor: str | None
) -> Iterator[tuple[Sequence[Record], str]]:
    """The records of days of service in slices of so many days, oldest slice first, each page with the place after it.

    Raises Unavailable when the tenant gives the same page for ever.
    """
    first, last = window
    begun, _, after = (cursor or "").partition("|")
    start, end = map(date.fromisoformat, begun.split("..")) if begun else (first, last)
    if not after or start < first:
        start, after = max(start, first), ""
        end = min(start + length - timedelta(days=1), last)
    while start <= last:
        seen: set[str] = set()
        while True:
            page = ask(start, end, after)
            numbers = [number for number in map(number_of, page.records) if number]
            _demand_news(numbers, seen, has_more=page.has_more)
            if not page.has_more:
                break
            after = numbers[-1]
            yield page.records, f"{start}..{end}|{after}"
        start, after = end + timedelta(days=1), ""
        end = min(start + length - timedelta(days=1), last)
        yield page.records, f"{start}..{max(start, end)}|"


def numbers(ask: AskDays, first: date, last: date) -> Iterator[str]:
    """The numbers of the charges of days of service; raises Unavailable as ``charges`` does."""
    seen: set[str] = set()
    after = ""
    while True:
        page = ask(first, last, after)
        given = [str(each) for each in page.records]
        _demand_news(given, seen, has_more=page.has_more)
        yield from given
        if not page.has_more:
            return
        after = given[-1]


def _demand_news(numbers: Sequence[str], seen: set[str], *, has_more: bool) -> None:
    if has_more and (not numbers or numbers[-1] in seen):
        raise Unavailable(
            "The tenant says that more charges follow and gives an earlier page or none. What came before is stored; "
            "the next run asks again from there."
        )
    seen.update(numbers)
