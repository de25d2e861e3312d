"""Stage 3, held to captured or void: what people do with the doubts. The command line and the page call these.

Every act names who did it and, where it lets something pass, why; both become an event of the charge. ``seen`` is the last
event of the charge that the person saw; what others did since makes the act Stale. A waiver holds for one version of the
charge: when the source changes it, the rules judge anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from charges import documents, lifecycle
from charges.amending import differences
from charges.db import Database
from charges.desk import acting, worklist
from charges.errors import Refused, Stale
from charges.feeds import received
from charges.model import Charge, Finding, Severity
from charges.patients import identity
from charges.tables import (
    ChargeRow,
    ChargeStatus,
    ClaimRow,
    EventRow,
    ItemState,
    Origin,
    PracticeRow,
    ReviewItemRow,
)

GIVEN_UP = "given up"
UNMOVED = (Origin.SOURCE, Origin.ANSWER)
"""Whose findings the rules do not take back when they look again."""


@dataclass(frozen=True, slots=True)
class Item:
    """A review item as shown: ``number`` is what the acts are given."""

    number: int
    origin: Origin
    state: ItemState
    finding: Finding
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A line of the worklist: a held charge with what holds it, gravest first."""

    charge_number: int
    practice: str
    service_date: date | None
    total: Decimal
    held_since: datetime
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Happened:
    """An event as shown."""

    at: datetime
    what: str
    became: str
    actor: str
    detail: str


@dataclass(frozen=True, slots=True)
class Case:
    """A charge with everything known about it."""

    charge_number: int
    practice: str
    status: ChargeStatus
    charge: Charge
    items: tuple[Item, ...]
    claims: tuple[str, ...]
    events: tuple[Happened, ...]


def count_held(database: Database) -> int:
    """How many charges wait for a person."""
    with database.transaction() as session:
        return session.scalar(select(func.count()).where(ChargeRow.status == ChargeStatus.HELD)) or 0


def held(database: Database, *, practice: str = "", rule: str = "", limit: int = 50, after: int = 0) -> Sequence[Held]:
    """The worklist, oldest charge first; ``after`` is the last charge number of the page before."""
    query = (
        select(ChargeRow, PracticeRow.code)
        .join(PracticeRow, PracticeRow.id == ChargeRow.practice_id)
        .where(ChargeRow.status == ChargeStatus.HELD, ChargeRow.id > after)
        .order_by(ChargeRow.id)
        .limit(limit)
    )
    if practice:
        query = query.where(PracticeRow.code == practice)
    if rule:
        query = query.where(worklist.waits_for(rule))
    with database.transaction() as session:
        return [
            Held(
                charge_number=row.id,
                practice=code,
                service_date=row.service_date,
                total=row.total,
                held_since=row.changed_at,
                items=tuple(_shown(item, database) for item in worklist.open_items(session, row)),
            )
            for row, code in session.execute(query)
        ]


def case(database: Database, charge_number: int) -> Case:
    """Everything about one charge; raises Refused when there is none of that number."""
    with database.transaction() as session:
        row = acting.charge_row(session, charge_number)
        items = session.scalars(
            select(ReviewItemRow).where(ReviewItemRow.charge_id == row.id).order_by(ReviewItemRow.id)
        )
        claims = session.scalars(select(ClaimRow.number).where(ClaimRow.charge_id == row.id).order_by(ClaimRow.id))
        events = session.scalars(
            select(EventRow)
            .where(EventRow.subject == "charge", EventRow.subject_id == row.id)
            .order_by(EventRow.sequence)
        )
        return Case(
            charge_number=row.id,
            practice=session.get_one(PracticeRow, row.practice_id).code,
            status=row.status,
            charge=documents.read(session, database.keyring, [row])[row],
            items=tuple(_shown(item, database) for item in items),
            claims=tuple(claims),
            events=tuple(
                Happened(
                    event.at, event.what, event.became, event.actor, event.unseal(database.keyring, "detail").decode()
                )
                for event in events
            ),
        )


def waive(
    database: Database,
    item_number: int,
    *,
    by: str,
    reason: str,
    clock: Callable[[], datetime],
    seen: int | None = None,
) -> ChargeStatus:
    """Let one finding pass for this version of its charge; returns where the charge stands then.

    When nothing holds the charge any more it is judged again; a charge whose claim stands returns to being claimed.
    """
    acting.demand(by, reason)
    with database.transaction() as session:
        item = acting.item_row(session, item_number)
        row = acting.charge_row(session, item.charge_id, seen)
        if item.state is not ItemState.OPEN or item.version != row.version:
            raise Stale(f"Review item {item_number} is no longer open; see `charges review show {row.id}`.")
        return _waive(session, database, row, [item], by, reason, clock())


def demand_item(database: Database, charge_number: int, item_number: int) -> None:
    """Raise Refused unless a review item is one of a charge's."""
    with database.transaction() as session:
        item = session.get(ReviewItemRow, item_number)
        if item is None or item.charge_id != charge_number:
            raise Refused(f"Charge {charge_number} has no review item {item_number}.")


def waive_rule(
    database: Database,
    charge_number: int,
    rule: str,
    *,
    by: str,
    reason: str,
    clock: Callable[[], datetime],
    seen: int | None = None,
) -> ChargeStatus:
    """Let everything pass that one rule has against a held charge; returns where the charge stands then."""
    acting.demand(by, reason)
    with database.transaction() as session:
        row = acting.held_row(session, charge_number, seen)
        meant = [each for each in worklist.open_items(session, row) if each.rule == rule]
        if not meant:
            raise Stale(f"{rule} holds charge {charge_number} no more; see `charges review show {row.id}`.")
        return _waive(session, database, row, meant, by, reason, clock())


def _waive(
    session: Session,
    database: Database,
    row: ChargeRow,
    items: Sequence[ReviewItemRow],
    by: str,
    reason: str,
    now: datetime,
) -> ChargeStatus:
    """Waive open items of one rule and charge."""
    rule = items[0].rule
    if any(each.severity is Severity.STOP for each in items):
        raise Refused(
            f"{rule} cannot be waived: no payer can take such a claim. Have it corrected at the source, or "
            f"give the charge up with `charges review void {row.id}`."
        )
    for each in items:
        each.state, each.closed_at = ItemState.WAIVED, now
    if rule == differences.RULE:
        differences.let_stand(session, row, now)
    session.flush()
    deed = lifecycle.Deed(f"waived {rule}", by, now, database.keyring, reason)
    still_held = row.status is not ChargeStatus.HELD or any(
        each.severity.holds for each in worklist.open_items(session, row)
    )
    if still_held:
        lifecycle.note(session, [row], deed)
    else:
        lifecycle.move(session, [row], _after_review(session, row), deed)
    return row.status


def relook(
    database: Database,
    charge_number: int,
    *,
    by: str,
    reason: str,
    clock: Callable[[], datetime],
    seen: int | None = None,
) -> ChargeStatus:
    """Have a held charge judged again, for example after the practice's profile was corrected."""
    acting.demand(by, reason)
    with database.transaction() as session:
        row = acting.held_row(session, charge_number, seen)
        blocking = _blocking(session, row)
        if blocking:
            raise Refused(
                f"Charge {charge_number} waits for a decision about {blocking[0].rule}, which looking again does not "
                f"change. Correct it at the source, or waive item {blocking[0].id} with a reason."
            )
        deed = lifecycle.Deed("looked at again", by, clock(), database.keyring, reason)
        lifecycle.move(session, [row], ChargeStatus.CAPTURED, deed)
        return row.status


def link(
    database: Database,
    charge_number: int,
    patient_number: int | None,
    *,
    by: str,
    reason: str,
    clock: Callable[[], datetime],
    seen: int | None = None,
) -> ChargeStatus:
    """Say whose charge it is, or (``None``) that it is of nobody known; returns where the charge stands then.

    It is remembered until the source says something else of the person. A charge that waited for this is judged again.
    """
    acting.demand(by, reason)
    with database.transaction() as session:
        practice_id = session.scalar(select(ChargeRow.practice_id).where(ChargeRow.id == charge_number))
        if practice_id is not None:
            received.wait_for_turn(session, practice_id)
        row = acting.charge_row(session, charge_number, seen)
        live = acting.live_claim(session, row)
        if live or row.status is ChargeStatus.VOID:
            why = f"claim {live.number} of it is out" if live else "it is given up"
            raise Refused(f"Whose charge {charge_number} is cannot be said any more: {why}.")
        charge = documents.read(session, database.keyring, [row])[row]
        identity.decide(session, database.keyring, row, charge, patient_number, by, clock())
        whose = "nobody known" if patient_number is None else f"patient {patient_number}"
        deed = lifecycle.Deed("linked", by, clock(), database.keyring, f"To {whose}: {reason}")
        if row.status is ChargeStatus.CAPTURED or _blocking(session, row):
            lifecycle.note(session, [row], deed)
        else:
            lifecycle.move(session, [row], ChargeStatus.CAPTURED, deed)
        return row.status


def void(
    database: Database,
    charge_number: int,
    *,
    by: str,
    reason: str,
    clock: Callable[[], datetime],
    seen: int | None = None,
) -> ChargeStatus:
    """Give a held charge up: no claim goes out unless the source changes it. Refused while a claim of it stands."""
    acting.demand(by, reason)
    with database.transaction() as session:
        row = acting.held_row(session, charge_number, seen)
        live = session.scalar(select(ClaimRow.number).where(ClaimRow.charge_id == row.id, ClaimRow.live))
        if live:
            raise Refused(
                f"Claim {live} of charge {charge_number} is out and cannot be taken back here. Void it at the payer, or "
                "waive the finding to let the claim stand."
            )
        deed = lifecycle.Deed(GIVEN_UP, by, clock(), database.keyring, reason)
        lifecycle.move(session, [row], ChargeStatus.VOID, deed)
        worklist.close(session, [row], clock())
        return row.status


def unwaive(
    database: Database, item_number: int, *, by: str, clock: Callable[[], datetime], seen: int | None = None
) -> ChargeStatus:
    """Undo a waiver of the charge's present version, unless a claim was made since; the finding holds the charge again."""
    acting.demand_name(by)
    with database.transaction() as session:
        item = acting.item_row(session, item_number)
        row = acting.charge_row(session, item.charge_id, seen)
        if item.state is not ItemState.WAIVED or item.version != row.version:
            raise Stale(f"Review item {item_number} is not waived; see `charges review show {row.id}`.")
        undecided = (ChargeStatus.CAPTURED, ChargeStatus.CLEAN, ChargeStatus.HELD)
        if row.status not in undecided or item.rule == differences.RULE:
            raise Refused(f"Charge {row.id} went on and is {row.status}: what was waived is decided.")
        item.state, item.closed_at = ItemState.OPEN, None
        row.held_since = item.opened_at
        deed = lifecycle.Deed(f"unwaived {item.rule}", by, clock(), database.keyring)
        if row.status is ChargeStatus.HELD or not item.severity.holds:
            lifecycle.note(session, [row], deed)
        else:
            lifecycle.move(session, [row], ChargeStatus.HELD, deed)
        return row.status


def revive(
    database: Database, charge_number: int, *, by: str, clock: Callable[[], datetime], seen: int | None = None
) -> ChargeStatus:
    """Undo that a charge was given up; it is judged again. Refused where the source voided it."""
    acting.demand_name(by)
    with database.transaction() as session:
        row = acting.charge_row(session, charge_number, seen)
        if row.status is not ChargeStatus.VOID:
            raise Stale(f"Charge {charge_number} is {row.status} and not given up.")
        (charge,) = documents.read(session, database.keyring, [row]).values()
        last = session.scalars(
            select(EventRow)
            .where(EventRow.subject == "charge", EventRow.subject_id == row.id, EventRow.was != EventRow.became)
            .order_by(EventRow.sequence.desc())
            .limit(1)
        ).one()
        if charge.voided or last.what != GIVEN_UP:
            raise Refused(
                f"Charge {charge_number} was not given up here ({last.what}), so it is not taken up again here."
            )
        lifecycle.move(session, [row], ChargeStatus.CAPTURED, lifecycle.Deed("taken up", by, clock(), database.keyring))
        return row.status


def _blocking(session: Session, row: ChargeRow) -> Sequence[ReviewItemRow]:
    """The open items that looking again does not take back."""
    return [item for item in worklist.open_items(session, row) if item.severity.holds and item.origin in UNMOVED]


def _after_review(session: Session, row: ChargeRow) -> ChargeStatus:
    live = acting.live_claim(session, row)
    if live is None:
        return ChargeStatus.CAPTURED
    return ChargeStatus.ACCEPTED if live.accepted else ChargeStatus.CLAIMED


def _shown(item: ReviewItemRow, database: Database) -> Item:
    return Item(item.id, item.origin, item.state, worklist.finding_of(item, database.keyring), item.opened_at)
