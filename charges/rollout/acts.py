"""The roll-out of a practice: observe, shadow, cohort, full, and the acts by which a person brings it on or back.

A new practice is in observe, so nothing leaves until someone says so. On it goes one mode at a time, each time with what the
profile demands (``roll_out.promotion``) shown; back it goes at once and as far as is wanted. Each act carries a name and a
reason, and whatever is built and not sent is brought in step with the new mode in the same transaction (``recall``).
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from charges import documents, kept, lifecycle
from charges.db import Database
from charges.errors import Refused
from charges.parts import parts
from charges.practice.profile import Practice, RollOut
from charges.rollout import modes, readiness, recall
from charges.rollout.modes import Standing
from charges.rollout.readiness import Demand, Shown
from charges.rollout.recall import Recalled
from charges.tables import ChargeRow, EventRow, Mode, PracticeRow, RollOutRow

ORDER = tuple(Mode)
MEANING = {
    Mode.OBSERVE: "Charges are judged; no claim is built and nothing leaves.",
    Mode.SHADOW: "Claims are built and checked, and none is sent.",
    Mode.COHORT: "Claims of the cohort are sent, the others are built as shadow.",
    Mode.FULL: "All claims are sent.",
}


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was done with the roll-out."""

    at: datetime
    what: str
    was: Mode
    became: Mode
    by: str
    reason: str

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "at": self.at,
            "what": self.what,
            "was": self.was,
            "became": self.became,
            "by": self.by,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class RollOutShown:
    """How far a practice has come, what it has shown in its mode, and what the next mode demands.

    ``hindrance`` says what the profile lacks for the next mode. ``would_send`` counts the charges that are here and would go
    out in the first run of the next mode. ``counted_at`` is when all that was counted, None for this moment.
    """

    practice: str
    standing: Standing
    shown: Shown
    next: Mode | None
    demands: tuple[Demand, ...]
    hindrance: str
    would_send: int
    acts: tuple[Act, ...]
    counted_at: datetime | None = None

    @property
    def is_ready(self) -> bool:
        """Whether nothing stands between the practice and its next mode, or there is none."""
        return not self.hindrance and all(each.is_met for each in self.demands)

    def as_json(self) -> dict[str, object]:
        """For machines."""
        shown = self.shown
        return {
            "practice": self.practice,
            "mode": self.standing.mode,
            "since": self.standing.since,
            "days": shown.days,
            "clean": shown.clean,
            "held": shown.held,
            "clean_rate": shown.clean_rate,
            "shadow_claims": shown.shadow,
            "sent_claims": shown.sent,
            "accepted_claims": shown.accepted,
            "refused_claims": shown.refused,
            "acceptance_rate": shown.acceptance_rate,
            "patients": shown.patients,
            "wrong_patients": list(shown.wrong_patients),
            "uncertain_files": shown.uncertain,
            "overdue_acknowledgements": shown.overdue,
            "next": self.next,
            "ready": self.is_ready,
            "demands": [each.as_json() for each in self.demands],
            "hindrance": self.hindrance,
            "would_send": self.would_send,
            "acts": [each.as_json() for each in self.acts],
        }


@dataclass(frozen=True, slots=True)
class Moved:
    """What an act did: the modes, and what was called back."""

    was: Mode
    became: Mode
    recalled: Recalled

    def as_json(self) -> dict[str, object]:
        """For machines."""
        recalled = self.recalled
        return {
            "was": self.was,
            "mode": self.became,
            "withdrawn_files": list(recalled.withdrawn),
            "files_in_doubt": list(recalled.in_doubt),
            "files_on_their_way": list(recalled.on_their_way),
            "charges_built_anew": recalled.anew,
        }

    def sentences(self) -> tuple[str, ...]:
        """For people: what happened, and what they must do about files nobody can stop or be sure of."""
        recalled = self.recalled
        said = [f"{self.was} became {self.became}. {MEANING[self.became]}"]
        if recalled.withdrawn:
            said.append(f"Withdrawn before they were sent: {_files(recalled.withdrawn)}.")
        if recalled.anew:
            said.append(f"Charges that are judged and built anew in the next run: {recalled.anew}.")
        if recalled.in_doubt:
            said.append(
                f"Sent before, and not again now: {_files(recalled.in_doubt)}. Ask the vendor, then say with `charges files "
                "settle` whether they have it."
            )
        if recalled.on_their_way:
            said.append(f"On the way already and not to be stopped: {_files(recalled.on_their_way)}.")
        return tuple(said)


def show(database: Database, code: str, clock: Callable[[], datetime], *, oldest: timedelta = kept.NOW) -> RollOutShown:
    """How far a practice has come, by counts no older than ``oldest``; raises Refused when it was never applied."""
    now = clock()
    with database.transaction() as session:
        row, practice = _found(session, database, code)

    def count(session: Session) -> object:
        return asdict(_counted(session, database, row, practice, now))

    counts = kept.look(database, f"roll-out {row.practice_id}", str(row.event_count), count, now, oldest)
    with database.transaction() as session:
        return _shown(session, database, row, practice, _Counted.of(counts.document), counts.counted_at)


def advance(database: Database, code: str, *, by: str, reason: str, clock: Callable[[], datetime]) -> Moved:
    """Bring a practice to its next mode; raises Refused while something that the mode demands is missing."""
    _demand_words(by, reason)
    with database.transaction() as session:
        row, practice = _found(session, database, code, for_update=True)
        shown = _shown(session, database, row, practice, _counted(session, database, row, practice, clock()))
        if shown.next is None:
            raise Refused(f"{code} is in full; there is no mode after it.")
        if shown.hindrance:
            raise Refused(f"{code} stays in {shown.standing.mode}. {shown.hindrance}")
        if not shown.is_ready:
            missing = "; ".join(
                f"{each.what} {each.value}, wanted {each.wanted}" for each in shown.demands if not each.is_met
            )
            raise Refused(f"{code} stays in {shown.standing.mode}: {missing}. See `charges rollout show`.")
        deed = lifecycle.Deed("advanced", by, clock(), database.keyring, reason)
        return _move(session, database, row, practice, shown.next, deed)


def retreat(
    database: Database, code: str, *, by: str, reason: str, clock: Callable[[], datetime], to: Mode | None = None
) -> Moved:
    """Bring a practice back to an earlier mode, the one before when none is named; raises Refused when it is no earlier."""
    _demand_words(by, reason)
    with database.transaction() as session:
        row, practice = _found(session, database, code, for_update=True)
        place = ORDER.index(row.status)
        if place == 0:
            raise Refused(f"{code} is in observe; there is no mode before it.")
        to = to or ORDER[place - 1]
        if ORDER.index(to) >= place:
            raise Refused(f"{code} is in {row.status}; {to} is no mode before it.")
        deed = lifecycle.Deed("went back", by, clock(), database.keyring, reason)
        return _move(session, database, row, practice, to, deed)


def report_wrong_patient(
    database: Database, charge_number: int, *, by: str, reason: str, clock: Callable[[], datetime]
) -> None:
    """A person says that the claim of a charge was of the wrong patient; the practice stays in its mode from then on."""
    _demand_words(by, reason)
    with database.transaction() as session:
        row = session.get(ChargeRow, charge_number, with_for_update=True)
        if row is None:
            raise Refused(f"There is no charge {charge_number}. See `charges review list`.")
        deed = lifecycle.Deed(readiness.WRONG_PATIENT, by, clock(), database.keyring, reason)
        lifecycle.note(session, [row], deed)


def follow_plan(
    session: Session, row: RollOutRow, before: Practice, after: Practice, database: Database, deed: lifecycle.Deed
) -> Recalled:
    """Bring in step with a profile that chooses otherwise what is built, in the transaction that applies it.

    Raises Refused when the practice cannot stay in its mode with it.
    """
    if before.roll_out == after.roll_out:
        return Recalled()
    was = modes.of(row, before)
    if was.is_sending:
        row.cohort_line, row.cohort_size = _line(session, database, row, after.roll_out), after.roll_out.size or 0
    if why := _lacks(modes.of(row, after)):
        raise Refused(f"{after.code} is in {row.status}, which this profile does not allow. {why}")
    lifecycle.note(session, [row], deed)
    return recall.in_step(session, row.practice_id, after, was, modes.of(row, after), deed)


@dataclass(frozen=True, slots=True)
class _Counted:
    """What is counted of a practice's roll-out."""

    shown: Shown
    hindrance: str
    would_send: int

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "_Counted":
        """As it was before it was kept."""
        shown = document["shown"] | {"wrong_patients": tuple(document["shown"]["wrong_patients"])}
        return cls(Shown(**shown), document["hindrance"], document["would_send"])


def _following(standing: Standing) -> Mode | None:
    later = ORDER[ORDER.index(standing.mode) + 1 :]
    return later[0] if later else None


def _counted(session: Session, database: Database, row: RollOutRow, practice: Practice, now: datetime) -> _Counted:
    standing = modes.of(row, practice)
    shown = readiness.measure(session, database.keyring, row.practice_id, standing, now)
    following = _following(standing)
    would_send, hindrance = 0, ""
    if following is not None:
        then = replace(standing, mode=following, cohort_line=_line(session, database, row, practice.roll_out))
        hindrance = _lacks(then) or _lacks_full_start(then)
        would_send = recall.let_out(session, database.keyring, row.practice_id, practice, standing, then)
    return _Counted(shown, hindrance, would_send)


def _shown(
    session: Session,
    database: Database,
    row: RollOutRow,
    practice: Practice,
    counted: _Counted,
    counted_at: datetime | None = None,
) -> RollOutShown:
    standing = modes.of(row, practice)
    acts = session.scalars(
        select(EventRow)
        .where(EventRow.subject == "roll_out", EventRow.subject_id == row.id)
        .order_by(EventRow.sequence)
    )
    return RollOutShown(
        practice=practice.code,
        standing=standing,
        shown=counted.shown,
        next=_following(standing),
        demands=readiness.demands(counted.shown, standing),
        hindrance=counted.hindrance,
        would_send=counted.would_send,
        acts=tuple(_act(each, database) for each in acts),
        counted_at=counted_at,
    )


def _act(event: EventRow, database: Database) -> Act:
    reason = event.unseal(database.keyring, "detail").decode()
    return Act(event.at, event.what, Mode(event.was), Mode(event.became), event.actor, reason)


def _lacks(then: Standing) -> str:
    """What the profile lacks for a standing, as a sentence."""
    plan = then.plan
    if then.is_sending and plan.start is None:
        return "The profile needs roll_out.start, the first date of service whose claims go out from here."
    if then.mode is Mode.COHORT and not plan.chooses:
        return "The profile chooses no cohort; give roll_out.size, percent, patients, providers, payers or locations."
    if then.is_sending and plan.size and not then.cohort_line:
        return f"Fewer than {plan.size} patients with a record number are known, so roll_out.size cannot be drawn yet."
    return ""


def _lacks_full_start(then: Standing) -> str:
    if then.mode is Mode.FULL and then.plan.full_start is None:
        return (
            "The profile needs roll_out.full_start, the first date of service whose claims go out for all who are not in "
            "the cohort; the old way has billed what is before."
        )
    return ""


def _line(session: Session, database: Database, row: RollOutRow, plan: RollOut) -> str:
    """The key of the last patient drawn for the cohort: the same as long as the size is, so nobody drops out of it.

    Empty where no size is wanted or fewer patients are known.
    """
    if plan.size is None or plan.size == row.cohort_size:
        return row.cohort_line if plan.size else ""
    known = session.execute(
        select(ChargeRow.patient_key, func.min(ChargeRow.id))
        .where(ChargeRow.practice_id == row.practice_id)
        .group_by(ChargeRow.patient_key)
        .order_by(ChargeRow.patient_key)
    ).all()
    drawn = 0
    for some in parts(known):
        charges = session.scalars(select(ChargeRow).where(ChargeRow.id.in_([charge_id for _, charge_id in some])))
        read = documents.read(session, database.keyring, sorted(charges, key=lambda each: each.patient_key))
        for charge, said in read.items():
            drawn += bool(said.patient.record_number)
            if drawn == plan.size:
                return charge.patient_key
    return ""


def _move(
    session: Session, database: Database, row: RollOutRow, practice: Practice, to: Mode, deed: lifecycle.Deed
) -> Moved:
    was = modes.of(row, practice)
    if to is Mode.COHORT:
        row.cohort_line, row.cohort_size = _line(session, database, row, practice.roll_out), practice.roll_out.size or 0
    row.since = deed.at
    lifecycle.move(session, [row], to, deed)
    return Moved(was.mode, to, recall.in_step(session, row.practice_id, practice, was, modes.of(row, practice), deed))


def _found(session: Session, database: Database, code: str, *, for_update: bool = False) -> tuple[RollOutRow, Practice]:
    """The roll-out of a practice and the profile of this moment."""
    wanted = select(PracticeRow).where(PracticeRow.code == code)
    practice = session.scalar(wanted.with_for_update() if for_update else wanted)
    if practice is None:
        raise Refused(f"No practice is called {code}. Apply its profile with `charges practice apply FILE.yaml`.")
    row = modes.row_of(session, database.keyring, practice)
    if for_update:
        session.refresh(row, with_for_update=True)
    profile, _ = modes.read_stored(practice.unseal(database.keyring, "profile"))
    return row, profile


def _demand_words(by: str, reason: str) -> None:
    if not by.strip():
        raise Refused("Say who you are: every act of the roll-out carries a name.")
    if not reason.strip():
        raise Refused("Give a reason: it stands in the practice's history for whoever asks later.")


def _files(numbers: tuple[int, ...]) -> str:
    return f"file{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
