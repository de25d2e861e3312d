"""One act on many charges: shown first for each of them, then done to exactly those that were shown.

Each charge is a transaction of its own. A charge that somebody changed after it was shown is left as it is and said so.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from charges import review
from charges.db import Database
from charges.desk import acting, queue
from charges.desk import sharing as desk
from charges.desk.queue import Entry, Reader
from charges.desk.views import Wanted
from charges.errors import ChargerouterError, Refused
from charges.model import Severity

AT_ONCE = 200
"""Charges at one time."""


class Act(StrEnum):
    """What can be done to many charges."""

    WAIVE = "waive"
    ASSIGN = "assign"
    RELOOK = "relook"


@dataclass(frozen=True, slots=True)
class Intent:
    """An act with what it needs: the ``rule`` whose findings are waived, ``to`` whom charges are given."""

    act: Act
    reason: str
    rule: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What an act would do to one charge, or why it cannot be done to it. ``seen`` is the charge's last event."""

    charge_number: int
    seen: int
    can: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What an act would do to the first charges of a view; ``is_more`` when the view has others."""

    prospects: tuple[Prospect, ...]
    is_more: bool

    @property
    def possible(self) -> tuple[Prospect, ...]:
        """Those to which it can be done."""
        return tuple(each for each in self.prospects if each.can)


@dataclass(frozen=True, slots=True)
class Done:
    """To how many charges an act was done, and for each of the others why not."""

    count: int
    failures: tuple[tuple[int, str], ...]


def preview(database: Database, wanted: Wanted, intent: Intent, reader: Reader, only: Iterable[int] = ()) -> Preview:
    """What an act would do to the first charges of a view, or to those ``only``; raises Refused when it cannot be meant."""
    _demand(intent, reader.name)
    page = queue.page(database, wanted, reader, size=AT_ONCE)
    chosen = frozenset(only)
    entries = [each for each in page.entries if not chosen or each.charge_number in chosen]
    return Preview(tuple(_prospect(each, intent) for each in entries), bool(page.after) and not chosen)


def carry_out(
    database: Database,
    intent: Intent,
    chosen: Sequence[tuple[int, int]],
    reader: Reader,
    clock: Callable[[], datetime],
) -> Done:
    """Do it to charges, each given with the last event of it that was seen; what the reader may not see is not there."""
    _demand(intent, reader.name)
    if len(chosen) > AT_ONCE:
        raise Refused(f"At most {AT_ONCE} charges at a time.")
    failures = []
    for charge_number, seen in dict(chosen).items():
        if not queue.is_visible(database, charge_number, reader.practices):
            failures.append((charge_number, f"There is no charge {charge_number}."))
            continue
        try:
            _do(database, intent, charge_number, seen, reader.name, clock)
        except ChargerouterError as error:
            failures.append((charge_number, str(error)))
    return Done(len(dict(chosen)) - len(failures), tuple(failures))


def _do(
    database: Database, intent: Intent, charge_number: int, seen: int, by: str, clock: Callable[[], datetime]
) -> None:
    match intent.act:
        case Act.WAIVE:
            review.waive_rule(database, charge_number, intent.rule, by=by, reason=intent.reason, clock=clock, seen=seen)
        case Act.ASSIGN:
            desk.assign(database, charge_number, intent.to, by=by, reason=intent.reason, clock=clock, seen=seen)
        case Act.RELOOK:
            review.relook(database, charge_number, by=by, reason=intent.reason, clock=clock, seen=seen)


def _demand(intent: Intent, by: str) -> None:
    acting.demand(by, intent.reason)
    if intent.act is Act.WAIVE and not intent.rule:
        raise Refused("Choose the rule whose findings are waived: filter the queue by it first.")


def _prospect(entry: Entry, intent: Intent) -> Prospect:
    can, sentence = {Act.WAIVE: _of_waiver, Act.ASSIGN: _of_assignment, Act.RELOOK: _of_relook}[intent.act](
        entry, intent
    )
    return Prospect(entry.charge_number, entry.seen, can, sentence)


def _of_waiver(entry: Entry, intent: Intent) -> tuple[bool, str]:
    meant = [each.finding for each in entry.findings if each.finding.rule == intent.rule]
    others = sorted({each.finding.rule for each in entry.findings if each.finding.severity.holds} - {intent.rule})
    if not meant:
        return False, f"{intent.rule} says nothing of it."
    if any(each.severity is Severity.STOP for each in meant):
        return False, f"{intent.rule} cannot be waived: no payer can take such a claim."
    return True, f"Waived; still held by {', '.join(others)}." if others else "Waived, and judged again."


def _of_assignment(entry: Entry, intent: Intent) -> tuple[bool, str]:
    who = intent.to.strip() or "nobody"
    if entry.assignee == intent.to.strip():
        return False, f"It is {who}'s already." if entry.assignee else "It is nobody's already."
    return True, f"Given to {who}, was {entry.assignee}'s." if entry.assignee else f"Given to {who}."


def _of_relook(entry: Entry, _: Intent) -> tuple[bool, str]:
    stays = [each for each in entry.findings if each.finding.severity.holds and each.origin in review.UNMOVED]
    if stays:
        return False, f"{stays[0].finding.rule} waits for a decision, which looking again does not change."
    return True, "Judged again."
