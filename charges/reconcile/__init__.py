"""Money never drifts: what was entered, claimed, filed and paid agrees to the cent, each from a source of its own.

Charges come from their documents and rows, claims from theirs, files from the bytes that were stored, payments and their
reasons from what was posted, remittances from what they said as a whole. Everything is read in one snapshot of the
database, so workers may go on meanwhile; memory does not grow with the number of charges.
"""

from collections.abc import Callable, Iterator
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from charges.db import Database
from charges.period import Period
from charges.practice.profile import Practice
from charges.reconcile import sent
from charges.reconcile.entered import Books
from charges.reconcile.filed import Files, broken_histories, files_of, gaps
from charges.reconcile.received import Remittances, not_carried_out
from charges.reconcile.stored import StoredCharge, charges
from charges.reconcile.values import Break, Equation, Reconciliation, Visit
from charges.tables import ChargeRow, ChargeStatus

__all__ = ["LAG", "Break", "Equation", "Period", "Reconciliation", "Visit", "count", "reconcile"]

LAG = 3
"""Days after a visit by which its charge should be entered."""


def count(database: Database, practice_id: int, period: Period) -> int:
    """How many charges a period has; ``reconcile`` tells its progress in these."""
    with database.snapshot() as session:
        query = select(func.count()).select_from(ChargeRow).where(period.charges(practice_id))
        return session.scalar(query) or 0


def reconcile(
    database: Database,
    practice_id: int,
    practice: Practice,
    today: date,
    first: date | None = None,
    last: date | None = None,
    *,
    lag: int = LAG,
    progress: Callable[[int], None] = lambda _: None,
) -> Reconciliation:
    """Hold everything of a practice and period against each other; changes nothing.

    ``first`` and ``last`` are days of service, both included; None is no end. Each claim file in which a claim of the
    period stands is read whole. ``lag`` is how many days a visit may be without a charge. ``progress`` is called with the
    number of charges of each part that was looked at.
    """
    period = Period(first, last, ZoneInfo(practice.time_zone))
    with database.snapshot() as session:
        run = _Run(session, database, practice_id, practice, period, today)
        breaks = tuple(run.breaks(progress))
        return Reconciliation(
            practice=practice.code,
            period=period,
            lag=lag,
            counted={
                "charges": run.books.charges,
                "claims": run.books.claims,
                "files": run.files.files,
                "remittances": run.remittances.remittances,
                "replies not carried out": not_carried_out(session, practice_id, period),
            },
            equations=(*run.books.equations(), run.files.equation(), run.remittances.equation()),
            beside={
                "paid on claims that do not stand any more": run.books.elsewhere,
                "paid by payers to whom another sent the claim on": run.books.forwarded,
            },
            breaks=breaks,
            visits=tuple(run.visits),
        )


class _Run:
    """One reconciliation while it goes on."""

    def __init__(
        self, session: Session, database: Database, practice_id: int, practice: Practice, period: Period, today: date
    ) -> None:
        self.session, self.keyring, self.practice_id, self.period = session, database.keyring, practice_id, period
        self.today = today
        self.books = Books(practice)
        self.files = Files(session, database.keyring)
        self.remittances = Remittances(session, database.keyring, practice_id, period)
        self.visits: list[Visit] = []

    def breaks(self, progress: Callable[[int], None]) -> Iterator[Break]:
        """Look at charges, then at the files their claims stand in, then at remittances."""
        named: set[int] = set()
        for some in charges(self.session, self.keyring, self.practice_id, self.period):
            for charge in some:
                yield from self.books.enter(charge)
                named.update(claim.file_id for claim in charge.claims)
                if visit := self._visit(charge):
                    self.visits.append(visit)
            yield from sent.twice(self.session, some)
            yield from broken_histories(self.session, self.keyring, {each.id: each.chain for each in some})
            progress(len(some))
        for file_id in files_of(self.session, self.practice_id, self.period, named):
            yield from self.files.examine(file_id)
        yield from gaps(self.session, self.practice_id)
        yield from self.remittances.examine()

    def _visit(self, charge: StoredCharge) -> Visit | None:
        """The encounter of a charge without lines, unless somebody gave it up or its record cannot be read."""
        given = charge.document
        is_visit = given.encounter.record_number or given.service_date
        if given.lines or given.voided or charge.claims or charge.status is ChargeStatus.VOID or not is_visit:
            return None
        day = given.service_date
        is_open = given.encounter.checked_out is False and not given.encounter.locked
        return Visit(charge.id, day, (self.today - day).days if day else None, is_over=not is_open)
