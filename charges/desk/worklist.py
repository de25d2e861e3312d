"""Findings as review items: the one place where they are written and matched with what people decided before.

A finding is the same as an earlier one when it is about the same version of the charge, from the same rule, at the same
place. So a waiver holds exactly for the version it was given for, and judging twice changes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from charges.keyring import Keyring
from charges.model import Finding, Severity
from charges.tables import ChargeRow, ItemState, Origin, ReviewItemRow

_Identity = tuple[str, str, int]
_WEIGHT = {Severity.STOP: 0, Severity.HOLD: 1, Severity.WARN: 2, Severity.INFO: 3}


def put(
    session: Session,
    keyring: Keyring,
    findings: Mapping[ChargeRow, Sequence[Finding]],
    *,
    origin: Origin,
    now: datetime,
    takes_back: Iterable[Origin] = (),
) -> set[ChargeRow]:
    """Write findings about the current versions of charges; returns the charges that something open holds.

    Items of the origins in ``takes_back`` that are not found any more are closed: whoever raised them has looked again.
    """
    existing = _items(session, findings)
    held = set()
    for row, found in findings.items():
        items = existing.get((row.id, row.version), {})
        present = {}
        for identity, finding in _identified(found):
            item = items.get(identity)
            if item is None:
                item = _new_item(row, identity, now)
                session.add(item)
            elif item.state is ItemState.WAIVED and finding.severity is not Severity.STOP:
                present[identity] = item
                continue
            item.severity, item.origin = finding.severity, origin
            item.state, item.closed_at = ItemState.OPEN, None
            item.seal(keyring, finding=finding.model_dump_json(exclude_defaults=True).encode())
            present[identity] = item
        for identity, item in items.items():
            if identity not in present and item.state is ItemState.OPEN and item.origin in set(takes_back):
                item.state, item.closed_at = ItemState.CLOSED, now
        everything = [*items.values(), *present.values()]
        holding = [item for item in everything if item.state is ItemState.OPEN and item.severity.holds]
        if holding:
            held.add(row)
            row.held_since = min(item.opened_at for item in holding)
    return held


def close(session: Session, rows: Sequence[ChargeRow], now: datetime) -> None:
    """Close every open item of charges, whatever version it was about."""
    ids = [row.id for row in rows]
    for item in session.scalars(
        select(ReviewItemRow).where(ReviewItemRow.charge_id.in_(ids), ReviewItemRow.state == ItemState.OPEN)
    ):
        item.state, item.closed_at = ItemState.CLOSED, now


def waits_for(rule: str) -> ColumnElement[bool]:
    """Holds for charges with an open finding of a rule."""
    is_open = and_(
        ReviewItemRow.charge_id == ChargeRow.id, ReviewItemRow.rule == rule, ReviewItemRow.state == ItemState.OPEN
    )
    return select(ReviewItemRow.id).where(is_open).exists()


def open_items(session: Session, row: ChargeRow) -> Sequence[ReviewItemRow]:
    """The open items of a charge, gravest first."""
    found = session.scalars(
        select(ReviewItemRow).where(ReviewItemRow.charge_id == row.id, ReviewItemRow.state == ItemState.OPEN)
    )
    return gravest_first(found)


def gravest_first(items: Iterable[ReviewItemRow]) -> Sequence[ReviewItemRow]:
    """Items by what they weigh, then by age."""
    return sorted(items, key=lambda item: (_WEIGHT[item.severity], item.id))


def finding_of(item: ReviewItemRow, keyring: Keyring) -> Finding:
    """What an item says."""
    return Finding.model_validate_json(item.unseal(keyring, "finding"))


def _items(
    session: Session, findings: Mapping[ChargeRow, Sequence[Finding]]
) -> Mapping[tuple[int, str], dict[_Identity, ReviewItemRow]]:
    versions = {row.id: row.version for row in findings}
    by_charge: dict[tuple[int, str], dict[_Identity, ReviewItemRow]] = {}
    for item in session.scalars(select(ReviewItemRow).where(ReviewItemRow.charge_id.in_(versions))):
        if item.version == versions[item.charge_id]:
            same = by_charge.setdefault((item.charge_id, item.version), {})
            same[item.rule, item.at, item.ordinal] = item
    return by_charge


def _identified(findings: Sequence[Finding]) -> Iterable[tuple[_Identity, Finding]]:
    seen: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        at = finding.at[:120]
        yield (finding.rule, at, seen[finding.rule, at]), finding
        seen[finding.rule, at] += 1


def _new_item(row: ChargeRow, identity: _Identity, now: datetime) -> ReviewItemRow:
    rule, at, ordinal = identity
    return ReviewItemRow(charge_id=row.id, version=row.version, rule=rule, at=at, ordinal=ordinal, opened_at=now)
