"""Bytes that hold patients' data, handed to a person; that they were is an event of the claim file they are about."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from charges import lifecycle
from charges.db import Database
from charges.errors import Missing
from charges.tables import AnswerRow, ClaimFileRow, ResponseRow


@dataclass(frozen=True, slots=True)
class Handed:
    """A file as it is stored, under the name it went or came by."""

    name: str
    content: bytes


def claim_file(
    database: Database, number: int, *, by: str, clock: Callable[[], datetime], among: frozenset[int] | None = None
) -> Handed:
    """The bytes of a claim file as they were stored; raises Missing when there is none ``among`` these practices."""
    with database.transaction() as session:
        row = session.get(ClaimFileRow, number, with_for_update=True)
        if row is None or not (among is None or row.practice_id in among):
            raise Missing(f"There is no file {number}. See `charges files list`.")
        lifecycle.note(session, [row], lifecycle.Deed("downloaded", by, clock(), database.keyring))
        return Handed(row.name, row.unseal(database.keyring, "content"))


def reply(
    database: Database, number: int, *, by: str, clock: Callable[[], datetime], among: frozenset[int] | None = None
) -> Handed:
    """The bytes of a reply as they came; raises Missing like ``claim_file``. The event is of each file it speaks of."""
    with database.transaction() as session:
        row = session.get(ResponseRow, number)
        if row is None or not (among is None or row.practice_id in among):
            raise Missing(f"There is no reply {number}. See `charges files replies`.")
        files = session.scalars(
            select(ClaimFileRow)
            .where(
                ClaimFileRow.id.in_(select(AnswerRow.claim_file_id).where(AnswerRow.response_id == number).distinct())
            )
            .order_by(ClaimFileRow.id)
            .with_for_update()
        ).all()
        lifecycle.note(session, files, lifecycle.Deed(f"reply {number} downloaded", by, clock(), database.keyring))
        return Handed(row.name, row.unseal(database.keyring, "content"))
