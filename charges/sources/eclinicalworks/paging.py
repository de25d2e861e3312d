"""Page after page of changed records, none skipped while records change meanwhile.

A record that changes leaves its place and comes back at the end, so the later ones move up and whoever counts pages by
number skips some. Therefore each page is asked from the newest moment seen, and a page's number is only counted up within
one and the same moment. Records of that moment come twice; intake knows them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from charges.errors import Refused, Unavailable

Record = Any
"""A record as JSON gave it: an object where all is well."""

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)")


@dataclass(frozen=True)
class RawPage:
    """A page as it came: its records, and whether there are more."""

    records: Sequence[Record] = field(repr=False)
    has_more: bool


def moment_of(said: object) -> str:
    """A moment as the contract writes it; ``""`` where none is said."""
    found = _MOMENT.match(said) if isinstance(said, str) else None
    return f"{found[1]} {found[2]}" if found else ""


Ask = Callable[[str, int], RawPage]
"""Gives a page for a moment and a number counted from 1."""


MomentOf = Callable[[Record], str]
"""Tells when a record changed last."""


def _by_contract(record: Record) -> str:
    return moment_of(record.get("modifiedOn")) if isinstance(record, dict) else ""


def pages(ask: Ask, since: str, changed: MomentOf = _by_contract) -> Iterator[Sequence[Record]]:
    """The records changed at or after a moment.

    Raises Refused when the tenant does not give the oldest change first, for then a cursor would skip records, and
    Unavailable when it gives the same page for ever.
    """
    while True:
        sweep = _Sweep(ask, since, changed)
        yield from sweep.pages()
        while sweep.length > 1:
            before, sweep = sweep, _Sweep(ask, since, changed)
            yield from sweep.pages()
            if sweep.seen == before.seen:
                break
        if not sweep.newest > since:
            return
        since = sweep.newest


@dataclass
class _Sweep:
    """The pages asked from one moment, counted up until a later moment is seen or nothing is left.

    Within one moment the danger is back: a record that leaves it while its pages are counted moves the others up, those of
    later moments too. So a moment of more than one page is swept until two sweeps see the same, to the last record of the
    page on which it ends. Whatever left during the first of them would be missing from the second, so nothing left, and
    nothing was skipped.
    """

    ask: Ask
    since: str
    changed: MomentOf
    newest: str = ""
    length: int = 0
    given: list[Sequence[Record]] = field(default_factory=list)

    @property
    def seen(self) -> set[str]:
        """The records of all pages, each by what it says."""
        return {repr(record) for records in self.given for record in records}

    def pages(self) -> Iterator[Sequence[Record]]:
        """Page after page."""
        before = None
        has_more = True
        while has_more and not self.newest > self.since:
            page = self.ask(self.since, self.length + 1)
            self.length += 1
            moments = [moment for moment in map(self.changed, page.records) if moment]
            self._demand_order(page, moments, before)
            self.newest = moments[-1] if moments else self.since
            self.given.append(page.records)
            if page.records:
                yield page.records
            has_more, before = page.has_more, page
        if not has_more:
            self.newest = self.since

    def _demand_order(self, page: RawPage, moments: Sequence[str], before: RawPage | None) -> None:
        if any(later < earlier for earlier, later in pairwise(moments)):
            raise Refused(
                "The tenant does not give charges in the order of their last change, so some would be missed. Nothing of "
                "this page was taken. Ask the vendor to sort by modifiedOn, as docs/eclinicalworks-api.json says."
            )
        is_stale = bool(moments) and moments[0] < self.since
        if is_stale or (page.has_more and (not page.records or page == before)):
            raise Unavailable(
                "The tenant says that more charges follow and gives an earlier page or none. What came before is stored; "
                "the next run asks again from there."
            )
