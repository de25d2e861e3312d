"""What may become of charges, claim files, unmatched payments, breakers, users and roll-outs, and what alone makes it so.

A move is a compare-and-set together with an event in the same transaction. A move that the tables below do not know is
our bug; a row that somebody else moved first is Stale.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from charges.errors import Stale
from charges.keyring import Keyring
from charges.tables import (
    BreakerRow,
    BreakerStatus,
    ChargeRow,
    ChargeStatus,
    ClaimFileRow,
    EventRow,
    FileStatus,
    Mode,
    RollOutRow,
    UnmatchedPaymentRow,
    UnmatchedStatus,
    UserRow,
    UserStatus,
    insert_all,
)

_C = ChargeStatus
MOVES: Mapping[ChargeStatus, frozenset[ChargeStatus]] = {
    _C.CAPTURED: frozenset({_C.CLEAN, _C.HELD, _C.SELF_PAY, _C.VOID}),
    _C.CLEAN: frozenset({_C.CLAIMED, _C.HELD, _C.CAPTURED, _C.VOID}),
    _C.HELD: frozenset({_C.CAPTURED, _C.VOID, _C.CLAIMED, _C.ACCEPTED}),
    _C.SELF_PAY: frozenset({_C.CAPTURED, _C.VOID}),
    _C.CLAIMED: frozenset({_C.ACCEPTED, _C.HELD, _C.VOID, _C.CAPTURED}),
    _C.ACCEPTED: frozenset({_C.HELD, _C.CLAIMED, _C.VOID}),
    _C.VOID: frozenset({_C.CAPTURED}),
}
"""Each state and those that may follow. Held to claimed or accepted: a person lets a claim stand that was billed
before the source changed. Clean to held: the guide refuses what no rule caught. Void to captured: the source gave a
new version. Accepted to claimed: the first payer decided, and the claim to the next one is in a file.
Claimed or accepted to void: the payer took the void of its claim. Claimed to captured: the claim never left, and the
roll-out wants it otherwise by now."""

_F = FileStatus
FILE_MOVES: Mapping[FileStatus, frozenset[FileStatus]] = {
    _F.BUILT: frozenset({_F.SENDING, _F.SENT, _F.UNCERTAIN, _F.WITHDRAWN}),
    _F.SENDING: frozenset({_F.SENT, _F.UNCERTAIN}),
    _F.UNCERTAIN: frozenset({_F.SENT, _F.BUILT, _F.WITHDRAWN}),
    _F.SENT: frozenset({_F.ACCEPTED, _F.PARTLY_ACCEPTED, _F.REJECTED, _F.BUILT}),
    _F.ACCEPTED: frozenset({_F.PARTLY_ACCEPTED, _F.REJECTED}),
    _F.PARTLY_ACCEPTED: frozenset({_F.REJECTED}),
    _F.REJECTED: frozenset(),
    _F.SHADOW: frozenset(),
    _F.WITHDRAWN: frozenset(),
}
"""Built to uncertain or withdrawn: the roll-out went back before the file was sent, or before it was sent again. Built to
sent: it waited to be sent again when the first copy was answered."""

_B = BreakerStatus
BREAKER_MOVES: Mapping[BreakerStatus, frozenset[BreakerStatus]] = {
    _B.NOTICED: frozenset({_B.OPEN, _B.ACCEPTED}),
    _B.OPEN: frozenset({_B.ACCEPTED}),
    _B.ACCEPTED: frozenset({_B.CLOSED}),
    _B.CLOSED: frozenset(),
}

_U = UserStatus
USER_MOVES: Mapping[UserStatus, frozenset[UserStatus]] = {
    _U.ACTIVE: frozenset({_U.DISABLED}),
    _U.DISABLED: frozenset({_U.ACTIVE}),
}

_M = Mode
ROLL_OUT_MOVES: Mapping[Mode, frozenset[Mode]] = {
    _M.OBSERVE: frozenset({_M.SHADOW}),
    _M.SHADOW: frozenset({_M.COHORT, _M.OBSERVE}),
    _M.COHORT: frozenset({_M.FULL, _M.SHADOW, _M.OBSERVE}),
    _M.FULL: frozenset({_M.COHORT, _M.SHADOW, _M.OBSERVE}),
}
"""Forward step by step, back as far as is wanted."""

_P = UnmatchedStatus
UNMATCHED_MOVES: Mapping[UnmatchedStatus, frozenset[UnmatchedStatus]] = {
    _P.OPEN: frozenset({_P.MATCHED, _P.SETTLED}),
    _P.SETTLED: frozenset({_P.OPEN}),
    _P.MATCHED: frozenset(),
}

Moved = ChargeRow | ClaimFileRow | BreakerRow | UserRow | RollOutRow | UnmatchedPaymentRow
State = ChargeStatus | FileStatus | BreakerStatus | UserStatus | Mode | UnmatchedStatus
_SUBJECTS: Mapping[type[Moved], tuple[str, Mapping[Any, frozenset[Any]]]] = {
    ChargeRow: ("charge", MOVES),
    ClaimFileRow: ("file", FILE_MOVES),
    BreakerRow: ("breaker", BREAKER_MOVES),
    UserRow: ("user", USER_MOVES),
    RollOutRow: ("roll_out", ROLL_OUT_MOVES),
    UnmatchedPaymentRow: ("payment", UNMATCHED_MOVES),
}
"""What each is called in its events, and what may become of it."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What is written down of an event: what happened in a word or two, who did it, when, and their reason."""

    what: str
    by: str
    at: datetime
    keyring: Keyring
    reason: str = ""


def move(session: Session, rows: Sequence[Moved], to: State, deed: Deed) -> None:
    """Move rows that were read in this transaction and write it down; raise Stale if another was faster."""
    for row in rows:
        assert to in _SUBJECTS[type(row)][1][row.status], (row.status, to)
    _record(session, [(row, to, deed) for row in rows])


def note(session: Session, rows: Sequence[Moved], deed: Deed) -> None:
    """Write down something that happened to rows without moving them."""
    _record(session, [(row, row.status, deed) for row in rows])


def begin(session: Session, table: type[Moved], rows: Sequence[dict[str, Any]], deed: Deed) -> None:
    """Insert rows, each with its columns ``id`` (of ``tables.next_ids``) and ``status``, and the event it begins with."""
    events = []
    for row in rows:
        event, digest = _event(table, row["id"], 1, (row["status"], row["status"]), "", deed)
        events.append(event)
        row |= {"event_count": 1, "event_head": digest, "changed_at": deed.at}
    insert_all(session, table, rows)
    insert_all(session, EventRow, events)


def note_each(session: Session, notes: Sequence[tuple[Moved, Deed]]) -> None:
    """Write down something else of each row in few statements; of a row that stands several times, in their order."""
    rest = list(notes)
    while rest:
        first: dict[Moved, Deed] = {}
        later = []
        for row, deed in rest:
            if row in first:
                later.append((row, deed))
            else:
                first[row] = deed
        _record(session, [(row, row.status, deed) for row, deed in first.items()])
        rest = later


def _record(session: Session, deeds: Sequence[tuple[Moved, State, Deed]]) -> None:
    if not deeds:
        return
    session.flush()  # rows made in this transaction get their ids, changed envelopes are written first
    events, changes = [], []
    for row, to, deed in deeds:
        event, digest = _event(type(row), row.id, row.event_count + 1, (row.status, to), row.event_head, deed)
        events.append(event)
        changes.append(
            {
                "row_id": row.id,
                "row_was": row.status,
                "row_events": row.event_count,
                "to_status": to,
                "to_events": row.event_count + 1,
                "to_head": digest,
                "to_at": deed.at,
            }
        )
    _compare_and_set(session, type(deeds[0][0]), changes)
    insert_all(session, EventRow, events)  # only now: whoever lost the race is stale and does not break a constraint
    for (row, _, _), change in zip(deeds, changes, strict=True):
        for name, value in (
            ("status", change["to_status"]),
            ("event_count", change["to_events"]),
            ("event_head", change["to_head"]),
            ("changed_at", change["to_at"]),
        ):
            set_committed_value(row, name, value)  # the row in hand says what was just written


def _event(
    table: type[Moved], number: int, sequence: int, states: tuple[State, State], previous: str, deed: Deed
) -> tuple[dict[str, object], str]:
    """The row of an event after the one of the ``previous`` digest, and its own digest."""
    columns = {
        "subject": _SUBJECTS[table][0],
        "subject_id": number,
        "sequence": sequence,
        "what": deed.what[:24],
        "was": states[0].value,
        "became": states[1].value,
        "actor": deed.by[:80],
        "at": deed.at,
        "previous": previous,
    }
    digest = _digest(columns, deed.keyring.fingerprint(deed.reason))
    detail = deed.reason.encode() if deed.reason else None
    return EventRow.values(deed.keyring, {"detail": detail}, **columns, digest=digest), digest


def _compare_and_set(session: Session, table: type[Moved], changes: list[dict[str, Any]]) -> None:
    statement = (
        update(table.__table__)  # type: ignore[arg-type]
        .where(
            table.__table__.c.id == bindparam("row_id"),
            table.__table__.c.status == bindparam("row_was"),
            table.__table__.c.event_count == bindparam("row_events"),
        )
        .values(
            status=bindparam("to_status"),
            event_count=bindparam("to_events"),
            event_head=bindparam("to_head"),
            changed_at=bindparam("to_at"),
        )
    )
    moved = session.connection().execute(statement, changes).rowcount
    if moved != len(changes):
        raise Stale(
            f"{len(changes) - moved} of {len(changes)} rows were changed by somebody else meanwhile. "
            "Nothing was changed; look again and repeat."
        )


_IN_CHAIN = ("previous", "subject", "subject_id", "sequence", "what", "was", "became", "actor")


def _digest(event: Mapping[Any, Any], detail_fingerprint: str) -> str:
    said = [str(event[name]) for name in _IN_CHAIN]
    content = "\x1f".join([*said, event["at"].astimezone(UTC).isoformat(), detail_fingerprint])
    return hashlib.sha256(content.encode()).hexdigest()


_EVENTS = select(EventRow.__table__).order_by(EventRow.subject_id, EventRow.sequence)
"""Events by their columns, for there are many."""


def broken_chains(session: Session, keyring: Keyring) -> Iterable[str]:
    """A sentence for each charge, file, breaker, user, roll-out or payment whose chain of events is not whole."""
    for table, (subject, _) in _SUBJECTS.items():
        ends = {
            row.id: (row.event_count, row.event_head)
            for row in session.execute(select(table.id, table.event_count, table.event_head))
        }
        count, head, current = 0, "", 0
        broken: set[int] = set()
        events = session.execute(_EVENTS.where(EventRow.subject == subject), execution_options={"yield_per": 1000})
        tails: dict[int, tuple[int, str]] = {}
        for event in events.mappings():
            if event["subject_id"] != current:
                current, count, head = event["subject_id"], 0, ""
            count += 1
            if not _follows(event, count, head, keyring):
                broken.add(current)
            head = event["digest"]
            tails[current] = (event["sequence"], head)
        for number in sorted(ends.keys() | tails.keys()):
            if number in broken or ends.get(number, (0, "")) != tails.get(number, (0, "")):
                yield f"The events of {subject.replace('_', '-')} {number} were changed after they were written."


def is_unbroken(session: Session, keyring: Keyring, row: Moved) -> bool:
    """Whether the chain of events of one charge, file, breaker, user, roll-out or payment is whole."""
    return not broken_among(session, keyring, type(row), {row.id: (row.event_count, row.event_head)})


def broken_among(
    session: Session, keyring: Keyring, table: type[Moved], ends: Mapping[int, tuple[int, str]]
) -> set[int]:
    """Those rows of a table whose chain of events is not whole.

    ``ends`` has of each, by its id, the end of its chain as its row says it (count and head), of no more than one query
    can name.
    """
    found: dict[int, tuple[int, str]] = {}
    broken: set[int] = set()
    events = session.execute(_EVENTS.where(EventRow.subject == _SUBJECTS[table][0], EventRow.subject_id.in_(ends)))
    for event in events.mappings():
        whose = event["subject_id"]
        count, head = found.get(whose, (0, ""))
        if not _follows(event, count + 1, head, keyring):
            broken.add(whose)
        found[whose] = (count + 1, event["digest"])
    return broken | {each for each, end in ends.items() if end != found.get(each, (0, ""))}


def _follows(event: Mapping[Any, Any], count: int, head: str, keyring: Keyring) -> bool:
    """Whether an event is the one that was written at this place of its chain."""
    detail = EventRow.opened(keyring, "detail", event).decode()
    written = (event["sequence"], event["previous"], event["digest"])
    return written == (count, head, _digest(event, keyring.fingerprint(detail)))
