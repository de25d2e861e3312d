"""Sealing everything anew with the newest key, batch by batch; stopped anywhere, the next run goes on."""

from collections import Counter
from collections.abc import Callable

from sqlalchemy import func, select

from charges.db import Database
from charges.tables import SEALED_ROWS, Base

_BATCH = 500


def rows_by_key(database: Database) -> dict[int, int]:
    """How many rows each key seals."""
    counts: Counter[int] = Counter()
    with database.transaction() as session:
        for table in SEALED_ROWS:
            for key_id, count in session.execute(select(table.key_id, func.count()).group_by(table.key_id)):
                counts[key_id] += count
    return dict(counts)


def reseal_all(database: Database, progress: Callable[[int], None]) -> int:
    """Seal every row that an older key seals with the current one; returns how many."""
    total = 0
    for table in SEALED_ROWS:
        assert issubclass(table, Base)
        while True:
            with database.transaction() as session:
                rows = session.scalars(
                    select(table)
                    .where(table.key_id != database.keyring.current)
                    .order_by(table.id)
                    .limit(_BATCH)
                    .with_for_update()
                ).all()
                for row in rows:
                    row.reseal(database.keyring)
            if not rows:
                break
            total += len(rows)
            progress(len(rows))
    return total
