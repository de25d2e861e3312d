"""Corrections made here: an audited overlay on one version of a charge, which the source does not know of.

A correction makes a new version of the charge out of the present one, and keeps both. So all that holds for versions holds
for it: waivers were for the version before, the rules judge anew, the claim says which version it was made of. The source
stays what it is: each correction is listed to be entered there, is done with when the source says the same, and lapses when
the source gives a new version that says otherwise.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from charges import documents, lifecycle, remedy
from charges.db import Database
from charges.desk import acting, worklist
from charges.errors import Refused, Stale
from charges.keyring import Keyring
from charges.model import Change, Charge
from charges.patients import register as patients
from charges.tables import (
    ChargeRow,
    ChargeStatus,
    ChargeVersionRow,
    CorrectionRow,
    CorrectionState,
    ItemState,
    Origin,
    PracticeRow,
    ReviewItemRow,
)

_SAID_OF_ITSELF = {"practice", "source", "key", "version", "origins"}
_REVOCABLE = (ChargeStatus.HELD, ChargeStatus.CAPTURED, ChargeStatus.CLEAN, ChargeStatus.SELF_PAY)


@dataclass(frozen=True, slots=True)
class Field:
    """One field that a correction changed: where it stands, what the source says, what stands there now."""

    at: str
    was: str = field(repr=False)
    now: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction as shown."""

    number: int
    charge_number: int
    practice: str
    key: str
    rule: str
    state: CorrectionState
    by: str
    at: datetime
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class _Document:
    """What is sealed of a correction; ``answers`` are the items of payers' answers that it closed."""

    fields: tuple[Field, ...] = field(repr=False)
    answers: tuple[int, ...] = ()


_DOCUMENT: TypeAdapter[_Document] = TypeAdapter(_Document)


def corrected(charge: Charge, changes: Sequence[Change], by: str) -> tuple[Charge, tuple[Field, ...]]:
    """A charge with changes made as its new version, and the fields that differ; raises Refused where they do not fit."""
    made = remedy.apply(charge, changes)
    found = tuple(_different(charge, made))
    if not found:
        raise Refused("The correction changes nothing: the charge says so already.")
    if made.voided is not charge.voided:
        raise Refused("A charge is not voided by a correction; give it up instead.")
    origins = made.origins | {each.at: f"corrected by {by}" for each in found}
    return made.model_copy(update={"origins": origins}).versioned(), found


def change_of(charge: Charge, at: str, text: str) -> Change:
    """The change that gives a field what a person typed: words of a list are parted by blanks, nothing empties a field.

    >>> from rules.examples import charge
    >>> change_of(charge(), "lines[0].modifiers", "25 rt").value
    ['25', 'RT']
    """
    typed = text.strip()
    current: Any = json.loads(charge.model_dump_json())
    for step in remedy.steps(at):
        try:
            current = current[step]
        except (KeyError, IndexError, TypeError):
            raise Refused(f"The charge has no field {at}.") from None
    if isinstance(current, dict) or (isinstance(current, list) and current and isinstance(current[0], dict)):
        raise Refused(f"{at} is not one field; name one within it.")
    value: Any = typed
    if isinstance(current, list):
        value = typed.split() if at.startswith("file_information") else typed.upper().split()
    elif isinstance(current, bool):
        value = typed.lower() in ("y", "yes", "true", "1")
    elif not typed and not isinstance(current, str):
        value = None
    return Change(at=at, op="set", value=value)


def correct(
    database: Database,
    item_number: int,
    *,
    by: str,
    clock: Callable[[], datetime],
    reason: str = "",
    edits: Mapping[str, str] | None = None,
    seen: int | None = None,
) -> Correction:
    """Answer a finding by a correction: as it suggests, or by ``edits``, what a person typed into fields by their paths.

    The charge is judged again. Refused while a claim of it stands, while the source itself is in doubt, without a reason
    for edits of one's own, and where the suggestion or the edits do not fit the charge.
    """
    acting.demand_name(by)
    with database.transaction() as session:
        item = acting.item_row(session, item_number)
        row = acting.held_row(session, item.charge_id, seen)
        if item.state is not ItemState.OPEN or item.version != row.version:
            raise Stale(f"Review item {item_number} is no longer open; see `charges review show {row.id}`.")
        finding = worklist.finding_of(item, database.keyring)
        (before,) = documents.read(session, database.keyring, [row]).values()
        if edits:
            acting.demand(by, reason)
            changes: Sequence[Change] = [change_of(before, at, text) for at, text in edits.items()]
        elif finding.remedy:
            changes, reason = finding.remedy, reason or finding.fix
        else:
            raise Refused(f"{item.rule} suggests nothing that could be done by itself; say which field says what.")
        _demand_open_to_correction(session, row)
        after, fields = corrected(before, changes, by)
        answers = [each for each in worklist.open_items(session, row) if each.origin is Origin.ANSWER]
        carried = [worklist.finding_of(each, database.keyring) for each in answers if each is not item]
        now = clock()
        made = CorrectionRow(
            charge_id=row.id,
            event=row.event_count + 1,
            from_version=row.version,
            to_version=after.version,
            rule=item.rule,
            state=CorrectionState.STANDING,
            made_by=by[:80],
            made_at=now,
        )
        document = _Document(fields, tuple(each.id for each in answers))
        made.seal(database.keyring, document=_DOCUMENT.dump_json(document))
        session.add(made)
        documents.write(session, database.keyring, [(row, after)], now)
        _become(session, database.keyring, row, after)
        worklist.close(session, [row], now)
        if carried:  # what a payer said of something else is not settled by this
            session.flush()
            worklist.put(session, database.keyring, {row: carried}, origin=Origin.ANSWER, now=now)
        deed = lifecycle.Deed(f"corrected {item.rule}", by, now, database.keyring, reason)
        lifecycle.move(session, [row], ChargeStatus.CAPTURED, deed)
        return _shown(made, row, session.get_one(PracticeRow, row.practice_id).code, database.keyring)


def withdraw(
    database: Database,
    charge_number: int,
    *,
    by: str,
    clock: Callable[[], datetime],
    reason: str = "",
    seen: int | None = None,
) -> ChargeStatus:
    """Undo the last correction of a charge, unless a claim was made of it; what a payer had said holds it again."""
    acting.demand_name(by)
    with database.transaction() as session:
        row = acting.charge_row(session, charge_number, seen)
        last = session.scalar(
            select(CorrectionRow)
            .where(CorrectionRow.charge_id == row.id, CorrectionRow.state == CorrectionState.STANDING)
            .order_by(CorrectionRow.event.desc())
            .limit(1)
        )
        if last is None or last.to_version != row.version:
            raise Refused(f"No correction of charge {charge_number} is in force.")
        if row.status not in _REVOCABLE or acting.live_claim(session, row) is not None:
            raise Refused(f"A claim was made of charge {charge_number} as it was corrected; it is {row.status}.")
        now = clock()
        kept = session.scalars(
            select(ChargeVersionRow).where(
                ChargeVersionRow.charge_id == row.id, ChargeVersionRow.version == last.from_version
            )
        ).one()
        before = Charge.model_validate_json(kept.unseal(database.keyring, "document"))
        document = _DOCUMENT.validate_json(last.unseal(database.keyring, "document"))
        last.state, last.settled_at = CorrectionState.UNDONE, now
        worklist.close(session, [row], now)
        _become(session, database.keyring, row, before)
        for item in session.scalars(select(ReviewItemRow).where(ReviewItemRow.id.in_(document.answers))):
            item.state, item.closed_at = ItemState.OPEN, None
        deed = lifecycle.Deed("correction undone", by, now, database.keyring, reason)
        if row.status is ChargeStatus.CAPTURED:
            lifecycle.note(session, [row], deed)
        else:
            lifecycle.move(session, [row], ChargeStatus.CAPTURED, deed)
        return row.status


def settle(session: Session, keyring: Keyring, charges: Iterable[tuple[ChargeRow, Charge]], now: datetime) -> None:
    """The source gave these versions: its corrections are taken over where it says the same now, else they lapse."""
    given = {row.id: charge for row, charge in charges}
    for made in session.scalars(
        select(CorrectionRow).where(CorrectionRow.charge_id.in_(given), CorrectionRow.state == CorrectionState.STANDING)
    ):
        said = _fields(given[made.charge_id])
        document = _DOCUMENT.validate_json(made.unseal(keyring, "document"))
        same = all(said.get(each.at, "") == each.now for each in document.fields)
        made.state = CorrectionState.TAKEN if same else CorrectionState.LAPSED
        made.settled_at = now


def standing(
    database: Database, *, practices: Iterable[str] | None = None, limit: int = 200, after: int = 0
) -> Sequence[Correction]:
    """What is to be entered at the source, oldest first; ``practices`` are the codes of those whose charges may be seen."""
    wanted = (
        select(CorrectionRow, ChargeRow, PracticeRow.code)
        .join(ChargeRow, ChargeRow.id == CorrectionRow.charge_id)
        .join(PracticeRow, PracticeRow.id == ChargeRow.practice_id)
        .where(CorrectionRow.state == CorrectionState.STANDING, CorrectionRow.id > after)
        .order_by(CorrectionRow.id)
        .limit(limit)
    )
    if practices is not None:
        wanted = wanted.where(PracticeRow.code.in_(list(practices)))
    with database.transaction() as session:
        return [_shown(made, row, code, database.keyring) for made, row, code in session.execute(wanted)]


def of_charge(session: Session, keyring: Keyring, row: ChargeRow, practice: str) -> tuple[Correction, ...]:
    """All corrections of a charge, the first first."""
    found = session.scalars(
        select(CorrectionRow).where(CorrectionRow.charge_id == row.id).order_by(CorrectionRow.event)
    )
    return tuple(_shown(made, row, practice, keyring) for made in found)


def _demand_open_to_correction(session: Session, row: ChargeRow) -> None:
    live = acting.live_claim(session, row)
    if live is not None:
        raise Refused(
            f"Claim {live.number} of charge {row.id} is out. Correct the charge at the source, then replace or void the "
            "claim."
        )
    doubtful = [
        each for each in worklist.open_items(session, row) if each.severity.holds and each.origin is Origin.SOURCE
    ]
    if doubtful:
        raise Refused(
            f"{doubtful[0].rule} doubts what the source said of charge {row.id}, so it cannot be corrected here. Settle "
            "that first."
        )


def _become(session: Session, keyring: Keyring, row: ChargeRow, charge: Charge) -> None:
    """Let a charge be what a document says, which the source did not give last."""
    given = row.source_version
    documents.describe(keyring, row, charge)
    # Whose charge it is, is asked again when it is judged: a correction may be about that.
    row.patient_key = patients.charge_key(keyring, row.practice_id, row.source, row.key)
    row.corrected_from = "" if row.version == given else given
    row.snoozed_until = None
    documents.forget_lines(session, [row])
    documents.remember_lines(session, [(row, charge)])


def _shown(made: CorrectionRow, row: ChargeRow, practice: str, keyring: Keyring) -> Correction:
    document = _DOCUMENT.validate_json(made.unseal(keyring, "document"))
    return Correction(
        made.id, row.id, practice, row.key, made.rule, made.state, made.made_by, made.made_at, document.fields
    )


def _different(before: Charge, after: Charge) -> Iterator[Field]:
    was, now = _fields(before), _fields(after)
    for at in dict.fromkeys((*was, *now)):
        if was.get(at, "") != now.get(at, ""):
            yield Field(at, was.get(at, ""), now.get(at, ""))


def _fields(charge: Charge) -> dict[str, str]:
    """Every field that says something, as text; a list of words is one field."""
    return dict(_leaves(charge.model_dump(mode="json", exclude=_SAID_OF_ITSELF), ""))


def _leaves(value: Any, at: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - whatever JSON can say
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, f"{at}.{name}" if at else name)
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        for index, each in enumerate(value):
            yield from _leaves(each, f"{at}[{index}]")
    elif isinstance(value, list):
        yield at, " ".join(map(str, value))
    elif value is not None and value is not False:
        yield at, str(value)
