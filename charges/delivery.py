"""Stage 5, built to sent: the stored bytes go out under their name, once.

The file is staged under a temporary name first; then the intent is committed; then the staged file is published; then
that is committed. Whoever finds a file in the middle can tell what happened: still staged means not published; its own
name there means published; neither means that somebody took one of them, and a person is asked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from charges import lifecycle
from charges.clearinghouses import Clearinghouse, Presence
from charges.db import Database
from charges.errors import Refused, Stale
from charges.tables import ClaimFileRow, FileStatus

ACTOR = "delivery"


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many files were sent, and how many nobody can be sure about."""

    sent: int = 0
    uncertain: int = 0


def deliver(
    database: Database, practice_id: int, clearinghouse: Clearinghouse, clock: Callable[[], datetime]
) -> Delivered:
    """Send all built files of a practice, oldest first. Raises what the clearinghouse raises; the rest stays built."""
    sent = uncertain = 0
    with database.alone_at(f"deliver {practice_id}") as is_mine:
        if not is_mine:
            return Delivered()
        for file_id in _waiting(database, practice_id):
            status = _send(database, file_id, clearinghouse, clock)
            sent += status is FileStatus.SENT
            uncertain += status is FileStatus.UNCERTAIN
    return Delivered(sent, uncertain)


def _waiting(database: Database, practice_id: int) -> list[int]:
    with database.transaction() as session:
        return list(
            session.scalars(
                select(ClaimFileRow.id)
                .where(
                    ClaimFileRow.practice_id == practice_id,
                    ClaimFileRow.status.in_((FileStatus.BUILT, FileStatus.SENDING)),
                )
                .order_by(ClaimFileRow.id)
            )
        )


def _send(database: Database, file_id: int, clearinghouse: Clearinghouse, clock: Callable[[], datetime]) -> FileStatus:
    with database.transaction() as session:
        file = session.get_one(ClaimFileRow, file_id)
        name, status, content = file.name, file.status, file.unseal(database.keyring, "content")
    presence = clearinghouse.presence(name, content)
    if status is FileStatus.BUILT:
        if presence is not Presence.PUBLISHED:
            clearinghouse.stage(name, content)
            presence = Presence.STAGED
        _move(database, file_id, FileStatus.SENDING, lifecycle.Deed("staged", ACTOR, clock(), database.keyring))
    if presence is Presence.STAGED:
        clearinghouse.publish(name)
        presence = Presence.PUBLISHED
    became = FileStatus.SENT if presence is Presence.PUBLISHED else FileStatus.UNCERTAIN
    what = "sent" if became is FileStatus.SENT else "lost sight of"
    _move(database, file_id, became, lifecycle.Deed(what, ACTOR, clock(), database.keyring))
    return became


def _move(database: Database, file_id: int, to: FileStatus, deed: lifecycle.Deed) -> None:
    with database.transaction() as session:
        file = session.get_one(ClaimFileRow, file_id, with_for_update=True)
        if to not in lifecycle.FILE_MOVES[file.status]:
            raise Stale(f"File {file_id} is {file.status} by now; look again.")
        lifecycle.move(session, [file], to, deed)


def settle(
    database: Database, file_id: int, *, received: bool, by: str, why: str, clock: Callable[[], datetime]
) -> None:
    """A person says whether the vendor received an uncertain file; if not, the same bytes are sent again."""
    if not why.strip():
        raise Refused("Say how you know: give a reason.")
    with database.transaction() as session:
        file = session.get(ClaimFileRow, file_id)
    if file is None or file.status is not FileStatus.UNCERTAIN:
        raise Refused(f"File {file_id} is not one of which the sending is uncertain. See `charges files list`.")
    to, what = (FileStatus.SENT, "confirmed") if received else (FileStatus.BUILT, "to be sent again")
    _move(database, file_id, to, lifecycle.Deed(what, by, clock(), database.keyring, why))
