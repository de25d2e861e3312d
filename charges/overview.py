"""Counts for people who look at the whole: read-only."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import defer

from charges.db import Database
from charges.errors import Refused
from charges.tables import ChargeRow, ClaimFileRow, FileStatus, PracticeRow, ResponseRow


def count_by_state(database: Database) -> dict[str, dict[str, dict[str, int]]]:
    """By practice, then charges and files, then state: how many."""
    counted: dict[str, dict[str, dict[str, int]]] = {}
    with database.transaction() as session:
        for code in session.scalars(select(PracticeRow.code).order_by(PracticeRow.id)):
            counted[code] = {"charges": {}, "files": {}}
        for kind, table in (("charges", ChargeRow), ("files", ClaimFileRow)):
            rows = session.execute(
                select(PracticeRow.code, table.status, func.count())
                .join(table, table.practice_id == PracticeRow.id)
                .group_by(PracticeRow.code, table.status)
                .order_by(PracticeRow.code, table.status)
            )
            for code, state, count in rows:
                counted[code][kind][state.value] = count
    return counted


@dataclass(frozen=True, slots=True)
class FileShown:
    """A claim file as listed."""

    number: int
    name: str
    status: FileStatus
    claims: int
    total: Decimal
    built_at: datetime

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "file": self.number,
            "name": self.name,
            "status": self.status,
            "claims": self.claims,
            "total": self.total,
            "built_at": self.built_at,
        }


def claim_files(database: Database) -> list[FileShown]:
    """All claim files, newest first."""
    with database.transaction() as session:
        return [
            FileShown(row.id, row.name, row.status, row.claim_count, row.total, row.built_at)
            for row in session.scalars(
                select(ClaimFileRow).options(defer(ClaimFileRow.content)).order_by(ClaimFileRow.id.desc())
            )
        ]


def content_of(database: Database, number: int) -> bytes:
    """The bytes of a claim file as they were stored; raises Refused when there is no such file."""
    with database.transaction() as session:
        row = session.get(ClaimFileRow, number)
        if row is None:
            raise Refused(f"There is no file {number}. See `charges files list`.")
        return row.unseal(database.keyring, "content")


@dataclass(frozen=True, slots=True)
class ReplyShown:
    """A reply as listed; ``outcome`` says what it did, or why it could not be read."""

    name: str
    state: str
    outcome: str
    received_at: datetime

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {"name": self.name, "state": self.state, "outcome": self.outcome, "received_at": self.received_at}


def replies(database: Database) -> list[ReplyShown]:
    """All replies, newest first."""
    with database.transaction() as session:
        return [
            ReplyShown(row.name, row.state, row.outcome, row.received_at)
            for row in session.scalars(
                select(ResponseRow).options(defer(ResponseRow.content)).order_by(ResponseRow.id.desc())
            )
        ]
