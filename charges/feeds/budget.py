"""The requests that all workers together may make to a tenant in a minute, counted in the database.

Vendors count by the minute of their own clock, so this counts by the same minute, as far as the tenant's answers told its
clock. Loops that can wait leave a part of each minute to the pull of what just changed.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import case, or_, select, update
from sqlalchemy.exc import IntegrityError

from charges.db import Database
from charges.errors import Unavailable
from charges.tables import AllowanceRow

_MINUTE = 60.0
_LONGEST_WAIT = 180.0
"""Seconds that a worker waits for its turn before it leaves the work to the next run."""
_WILDEST_CLOCKS = 20
"""Minutes by which a stored minute may be ahead; beyond, it was of a clock that was set wrong."""
RESERVED = 0.25
"""The share of a minute that loops which can wait leave to others."""


def tenant_of(*names: str) -> str:
    """The digest by which a tenant is known, from what tells it from others: host and practice."""
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()


@dataclass(frozen=True)
class SharedAllowance:
    """Leave for requests to one tenant, at most ``limit`` a minute over all workers of a database.

    ``now`` is the time in seconds since 1970; it must run, for waiting is done by ``sleep``.
    """

    database: Database
    tenant: str
    limit: int
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def take(self, ahead: float) -> None:
        """Return when one request may be made now; raises Unavailable after three minutes of waiting."""
        waited = 0.0
        while not self._granted(ahead):
            left = _MINUTE - (self.now() + ahead) % _MINUTE
            if waited + left > _LONGEST_WAIT:
                raise Unavailable(
                    f"The {self.limit} requests a minute that this practice's system allows are used by other work. Nothing "
                    "is lost; the next run goes on from here."
                )
            self.sleep(left)
            waited += left

    def exhaust(self, ahead: float) -> None:
        """Let nobody ask before the tenant's next minute."""
        minute = self._minute(ahead)
        with self.database.transaction() as session:
            session.execute(
                update(AllowanceRow)
                .where(AllowanceRow.tenant == self.tenant)
                .values(used=2**30, minute=case((AllowanceRow.minute < minute, minute), else_=AllowanceRow.minute))
            )

    def _minute(self, ahead: float) -> int:
        return int((self.now() + ahead) // _MINUTE)

    def _granted(self, ahead: float) -> bool:
        minute = self._minute(ahead)
        row = AllowanceRow
        is_over = or_(row.minute < minute, row.minute > minute + _WILDEST_CLOCKS)
        with self.database.transaction() as session:
            taken = session.execute(
                update(row)
                .where(row.tenant == self.tenant, or_(is_over, row.used < self.limit))
                # Another worker may know the tenant's clock a little better and be in its next minute already.
                .values(used=case((is_over, 1), else_=row.used + 1), minute=case((is_over, minute), else_=row.minute))
                .execution_options(synchronize_session=False)
            )
            if taken.rowcount:  # type: ignore[attr-defined]
                return True
            if session.scalar(select(row.id).where(row.tenant == self.tenant)) is not None:
                return False
            try:
                with session.begin_nested():
                    session.add(AllowanceRow(tenant=self.tenant, minute=minute, used=1))
            except IntegrityError:  # another worker was the first
                pass
            else:
                return True
        return self._granted(ahead)
