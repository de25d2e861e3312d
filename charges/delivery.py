"""Stage 5, built to sent: the stored bytes go out under their name, once.

What is sent is packed and kept before the first try. The file is staged under a temporary name first; then the intent is
committed; then the staged file is published; then that is committed. Whoever finds a file in the middle can tell what
happened: still staged means not published; its own name there means published; neither means that somebody took one of
them, and a person is asked.

What the roll-out does not let out waits, as long as it is not staged; so nothing leaves after a retreat that was still
here before it. So does a file that was built of records of which a breaker says by now that they had changed.

What was staged of a file that was withdrawn then is removed from the receiver, who never saw it.

A place that does not answer makes all files wait, each time longer; a file that cannot be sent makes itself wait.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, defer

from charges import lifecycle
from charges.clearinghouses import Clearinghouse, Parcel, Presence
from charges.db import Database
from charges.drift import breakers
from charges.errors import ChargerouterError, Refused, Stale, Unavailable
from charges.practice.partner import Sending
from charges.practice.sending_hours import next_opening
from charges.rollout import modes, recall
from charges.tables import AnswerRow, ClaimFileRow, ClaimRow, EventRow, FileStatus, PaymentRow

ACTOR = "delivery"
ALWAYS = Sending()
UTC = ZoneInfo("UTC")
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
"""How long a file waits after the first try that failed, twice as long after each further one, and at most."""
_CLEARED = "cleared at receiver"
_OPEN = (FileStatus.BUILT, FileStatus.SENDING)
_MAY_GO = or_(ClaimFileRow.status != FileStatus.BUILT, breakers.is_undoubted())
"""What is staged is finished, whatever a breaker says: the vendor may have it already."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many files were sent, of how many nobody can be sure, and how many wait for their next try or a window."""

    sent: int = 0
    uncertain: int = 0
    waiting: int = 0


def deliver(
    database: Database,
    practice_id: int,
    clearinghouse: Clearinghouse,
    clock: Callable[[], datetime],
    sending: Sending = ALWAYS,
    zone: ZoneInfo = UTC,
) -> Delivered:
    """Send the built files of a practice, oldest first, as far as ``sending`` allows by the clock of ``zone``.

    Raises what the clearinghouse raises, when all that can be sent is sent; the rest stays built and waits for its next try.
    """
    with database.alone_at(f"deliver {practice_id}") as is_mine:
        if not is_mine:
            return Delivered()
        delivery = _Delivery(database, practice_id, clearinghouse, clock, sending, zone)
        delivery.run()
        if delivery.error is not None:
            raise delivery.error
        return delivery.counted


class _Delivery:
    """One run for one practice."""

    def __init__(
        self,
        database: Database,
        practice_id: int,
        clearinghouse: Clearinghouse,
        clock: Callable[[], datetime],
        sending: Sending,
        zone: ZoneInfo,
    ) -> None:
        self.database, self.practice_id, self.clearinghouse = database, practice_id, clearinghouse
        self.clock, self.sending, self.zone = clock, sending, zone
        self.counted = Delivered()
        self.error: ChargerouterError | None = None

    def run(self) -> None:
        """Send what may be sent now; what a file or the place refuses is written down and kept in ``error``."""
        waiting = self._waiting()
        ready = self._allowed(
            [file_id for file_id, next_try in waiting if next_try is None or next_try <= self.clock()]
        )
        sent = uncertain = 0
        withdrawn = self._withdrawn()
        if ready or withdrawn:
            try:
                with self.clearinghouse.connected():
                    for file_id in ready:
                        status = self._attempt(file_id)
                        sent += status is FileStatus.SENT
                        uncertain += status is FileStatus.UNCERTAIN
                    for file_id in withdrawn:
                        self._clear(file_id)
            except (Unavailable, Refused) as error:
                self.error = error
                self._postpone([file_id for file_id, _ in waiting], error)
        self.counted = Delivered(sent, uncertain, len(waiting) - sent - uncertain)

    def _waiting(self) -> Sequence[tuple[int, datetime | None]]:
        with self.database.transaction() as session:
            rows = session.execute(
                select(ClaimFileRow.id, ClaimFileRow.next_try_at)
                .where(ClaimFileRow.practice_id == self.practice_id, ClaimFileRow.status.in_(_OPEN), _MAY_GO)
                .order_by(ClaimFileRow.id)
            )
            return [(file_id, next_try) for file_id, next_try in rows]

    def _withdrawn(self) -> Sequence[int]:
        """The files given up unsent of which a staged copy may lie at the receiver."""
        is_clear = exists().where(
            EventRow.subject == "file", EventRow.subject_id == ClaimFileRow.id, EventRow.what == _CLEARED
        )
        with self.database.transaction() as session:
            return session.scalars(
                select(ClaimFileRow.id)
                .where(
                    ClaimFileRow.practice_id == self.practice_id, ClaimFileRow.status == FileStatus.WITHDRAWN, ~is_clear
                )
                .order_by(ClaimFileRow.id)
            ).all()

    def _clear(self, file_id: int) -> None:
        """Remove the staged copy of a file, and write down what was found; what cannot be removed is for a person."""
        with self.database.transaction() as session:
            file = session.get_one(ClaimFileRow, file_id, options=[defer(ClaimFileRow.content)])
            name = file.parcel_name or file.name
        try:
            was_there = self.clearinghouse.discard(name)
            why = (
                "A staged copy was removed; the receiver never saw it."
                if was_there
                else "Nothing of it was staged there."
            )
        except Refused as error:
            why = f"Have the receiver remove what may lie there under a temporary name. {error}"
        deed = lifecycle.Deed(_CLEARED, ACTOR, self.clock(), self.database.keyring, why)
        with self.database.transaction() as session:
            lifecycle.note(session, [session.get_one(ClaimFileRow, file_id, with_for_update=True)], deed)

    def _allowed(self, ready: Sequence[int]) -> Sequence[int]:
        """As many as roll-out, window and hour allow. What was staged already is finished at any time."""
        now = self.clock()
        with self.database.transaction() as session:
            begun = set(
                session.scalars(
                    select(ClaimFileRow.id).where(
                        ClaimFileRow.practice_id == self.practice_id,
                        ClaimFileRow.status == FileStatus.SENDING,
                    )
                )
            )
            free = modes.may_leave(session, self.practice_id, [each for each in ready if each not in begun])
            ready = [file_id for file_id in ready if file_id in begun or file_id in free]
            if next_opening(now, self.sending, self.zone) != now:
                return [file_id for file_id in ready if file_id in begun]
            most = self.sending.files_per_hour
            if most is None:
                return ready
            lately = session.scalar(
                select(func.count())
                .select_from(EventRow)
                .join(ClaimFileRow, ClaimFileRow.id == EventRow.subject_id)
                .where(
                    EventRow.subject == "file",
                    EventRow.became == FileStatus.SENDING.value,
                    EventRow.at > now - timedelta(hours=1),
                    ClaimFileRow.practice_id == self.practice_id,
                )
            )
        fresh = [file_id for file_id in ready if file_id not in begun][: max(most - (lately or 0), 0)]
        return [file_id for file_id in ready if file_id in begun or file_id in fresh]

    def _attempt(self, file_id: int) -> FileStatus:
        """Send one file. What it is refused for makes it wait, and the others go on."""
        try:
            return self._send(file_id)
        except Stale:
            return FileStatus.BUILT  # another worker is at it, or a person
        except Refused as error:
            self.error = self.error or error
            self._postpone([file_id], error)
            return FileStatus.BUILT

    def _send(self, file_id: int) -> FileStatus:
        status, parcel = self._parcel(file_id)
        presence = self.clearinghouse.presence(parcel)
        if status is FileStatus.BUILT:
            if presence is not Presence.PUBLISHED:
                self.clearinghouse.stage(parcel)
                presence = Presence.STAGED
            self._move(file_id, FileStatus.SENDING, "staged")
        if presence is Presence.STAGED:
            self.clearinghouse.publish(parcel)
            presence = Presence.PUBLISHED
        became = FileStatus.SENT if presence is Presence.PUBLISHED else FileStatus.UNCERTAIN
        self._move(file_id, became, "sent" if became is FileStatus.SENT else "lost sight of")
        return became

    def _parcel(self, file_id: int) -> tuple[FileStatus, Parcel]:
        """What is sent, the same at every try: packed once, then kept. Raises Refused where the stored bytes are damaged."""
        keyring = self.database.keyring
        with self.database.transaction() as session:
            file = session.get_one(ClaimFileRow, file_id, with_for_update=True)
            content = file.unseal(keyring, "content")
            if hashlib.sha256(content).hexdigest() != file.sha256 or len(content) != file.size:
                raise Refused(
                    f"File {file_id} is not what was checked and stored, so it is not sent. Restore the database's backup."
                )
            if file.parcel is not None:
                return file.status, Parcel(str(file.parcel_name), file.unseal(keyring, "parcel"))
            packed = self.clearinghouse.packed(file.name, content)
            if packed != Parcel(file.name, content):
                file.parcel_name = packed.name
                file.seal(keyring, content=content, parcel=packed.content)
            return file.status, packed

    def _move(self, file_id: int, to: FileStatus, what: str) -> None:
        deed = lifecycle.Deed(what, ACTOR, self.clock(), self.database.keyring)
        with self.database.transaction() as session:
            if to is FileStatus.SENDING and not modes.may_leave(session, self.practice_id, [file_id]):
                raise Stale(f"The roll-out does not let file {file_id} out any more.")
            if session.scalar(select(ClaimFileRow.id).where(ClaimFileRow.id == file_id, _MAY_GO)) is None:
                raise Stale(f"The records that file {file_id} was built of changed; see `charges drift show`.")
            file = _moved(session, file_id, to, deed)
            if to in (FileStatus.SENT, FileStatus.UNCERTAIN):
                file.tries, file.fault, file.next_try_at = 0, None, None

    def _postpone(self, files: Sequence[int], error: ChargerouterError) -> None:
        now = self.clock()
        for file_id in files:
            with self.database.transaction() as session:
                file = session.get_one(ClaimFileRow, file_id, with_for_update=True)
                if file.status in _OPEN:
                    file.tries += 1
                    file.fault = str(error)
                    file.next_try_at = now + min(FIRST_WAIT * 2 ** min(file.tries - 1, 16), LONGEST_WAIT)


def _moved(session: Session, file_id: int, to: FileStatus, deed: lifecycle.Deed) -> ClaimFileRow:
    file = session.get_one(ClaimFileRow, file_id, with_for_update=True)
    if to not in lifecycle.FILE_MOVES[file.status]:
        raise Stale(f"File {file_id} is {file.status} by now; look again.")
    lifecycle.move(session, [file], to, deed)
    return file


def settle(
    database: Database, file_id: int, *, received: bool, by: str, why: str, clock: Callable[[], datetime]
) -> None:
    """A person says whether the vendor received an uncertain file; if not, the same bytes are sent again.

    Where the roll-out went back meanwhile a file that the vendor does not have is withdrawn instead.
    """
    if not why.strip():
        raise Refused("Say how you know: give a reason.")
    with database.transaction() as session:
        file = session.get(ClaimFileRow, file_id)
    if file is None or file.status is not FileStatus.UNCERTAIN:
        raise Refused(f"File {file_id} is not one of which the sending is uncertain. See `charges files list`.")
    with database.transaction() as session:
        if received:
            to, what = FileStatus.SENT, "confirmed"
        elif modes.may_leave(session, file.practice_id, [file_id]):
            to, what = FileStatus.BUILT, "to be sent again"
        else:
            to, what = FileStatus.WITHDRAWN, "not received"
        deed = lifecycle.Deed(what, by, clock(), database.keyring, why)
        _moved(session, file_id, to, deed)
        if to is FileStatus.WITHDRAWN:
            recall.release(session, [file_id], deed)


def resend(database: Database, file_id: int, *, by: str, why: str, clock: Callable[[], datetime]) -> None:
    """A person wants a file sent again: the same bytes under the same name and number, in the next run.

    Only a file that was sent and that nobody answered can be; one that waits for its next try is tried in the next run.
    Raises Refused for the others, with what is to be done instead.
    """
    if not why.strip():
        raise Refused("Say why the file is to be sent again: give a reason.")
    with database.transaction() as session:
        practice_id = session.scalar(select(ClaimFileRow.practice_id).where(ClaimFileRow.id == file_id))
        if practice_id is None:
            raise Refused(f"There is no file {file_id}. See `charges files list`.")
        leaves = modes.may_leave(session, practice_id, [file_id])
        file = session.get_one(ClaimFileRow, file_id, with_for_update=True, options=[defer(ClaimFileRow.content)])
        if file.status not in (FileStatus.SENT, *_OPEN):
            raise Refused(_why_not(file_id, file.status))
        if file.status is not FileStatus.SENDING and not leaves:
            raise Refused(
                f"The roll-out of the practice went back, so file {file_id} would not leave. See `charges rollout show`."
            )
        deed = lifecycle.Deed("to be sent again", by, clock(), database.keyring, why)
        if file.status is FileStatus.SENT:
            if _is_answered(session, file_id):
                raise Refused(
                    f"File {file_id} was answered, so the vendor has it; sent again it would be refused as a duplicate or "
                    "billed twice. Send single claims again from `charges review`."
                )
            if session.scalar(select(exists().where(ClaimRow.claim_file_id == file_id, ~ClaimRow.live))):
                raise Refused(
                    f"Claims of file {file_id} were taken back since or are in a later file, and would be billed twice. "
                    "Send the others again from `charges review`."
                )
            lifecycle.move(session, [file], FileStatus.BUILT, deed)
        else:
            lifecycle.note(session, [file], deed)
        file.next_try_at = None


def _is_answered(session: Session, file_id: int) -> bool:
    """Whether a reply spoke of a file, or a payment of a claim in it."""
    said = select(AnswerRow.id).where(AnswerRow.claim_file_id == file_id)
    paid = select(PaymentRow.id).join(ClaimRow, ClaimRow.id == PaymentRow.claim_id)
    paid = paid.where(ClaimRow.claim_file_id == file_id)
    return any(session.scalar(query.limit(1)) is not None for query in (said, paid))


def _why_not(file_id: int, status: FileStatus) -> str:
    return {
        FileStatus.SHADOW: f"File {file_id} is a shadow, built for comparison; it is never sent.",
        FileStatus.WITHDRAWN: f"File {file_id} was withdrawn when the roll-out went back; its charges are built anew.",
        FileStatus.UNCERTAIN: f"Nobody knows whether the vendor has file {file_id}. Ask them, then say it with "
        f"`charges files settle {file_id} --received` or `--not-received`.",
        FileStatus.REJECTED: f"File {file_id} was rejected; its charges wait in `charges review list` for new claims.",
    }.get(status, f"File {file_id} was accepted; sent again it would be billed twice.")
