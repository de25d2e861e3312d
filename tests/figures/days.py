"""A practice over some days: charges come in, rules hold some, people work on them, vendor and payer answer."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from charges import review
from charges.db import Database
from charges.figures.units import Measure
from charges.model import Charge
from charges.tables import ClaimFileRow, ClaimRow, CountedDayRow, FigureRow
from rules.examples import charge, line
from tests.desk.workers import patient_of, pointless, without_25
from tests.practice import Workplace
from tests.replies import a835, about_claims, accepted, denied, no, yes

FIRST = date(2026, 11, 16)
CENTRAL_NOON = datetime(2026, 11, 16, 18, 0, tzinfo=UTC)


@dataclass
class Watch:
    """A clock that is set by hand."""

    now: datetime = CENTRAL_NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Days:
    """The practice and its clock."""

    workplace: Workplace
    watch: Watch

    @classmethod
    def of(cls, database: Database, folder: Path) -> "Days":
        watch = Watch()
        return cls(Workplace(database, folder, watch), watch)

    def later(self, **by: float) -> None:
        self.watch.now += timedelta(**by)

    def enter(self, *charges: Charge) -> None:
        self.workplace.source.put(*charges)
        self.workplace.run("pull", "judge")

    def waive(self, by: str, *keys: str) -> None:
        numbers = {self.workplace.rows()[key].id for key in keys}
        for held in review.held(self.workplace.database):
            for item in held.items if held.charge_number in numbers else ():
                review.waive(self.workplace.database, item.number, by=by, reason="as written", clock=self.watch)

    def answer(self, *contents: bytes) -> None:
        inbound = self.workplace.folder / "inbound"
        inbound.mkdir(exist_ok=True)
        for content in contents:
            (inbound / f"{len(list(inbound.iterdir())):03d}.x12").write_bytes(content)
        self.workplace.run("queue")

    def claim_of(self, key: str) -> str:
        number = self.workplace.rows()[key].id
        with self.workplace.database.transaction() as session:
            return session.query(ClaimRow.number).where(ClaimRow.charge_id == number).order_by(ClaimRow.id).all()[-1][0]

    def count(self) -> int:
        return self.workplace.pipeline.figures(self.workplace.applied)

    def pass_by(self) -> None:
        """Three days of a small practice, of which everything that is counted has something to tell."""
        self.enter(clean("1"), clean("2"), without_25("a"), without_25("b", 300), pointless("p"))
        self.waive("ada", "a")
        self.later(days=1)
        self.enter(without_25("c", on=FIRST - timedelta(days=10)))
        self.workplace.run("judge", "generate", "deliver")
        with self.workplace.database.transaction() as session:
            control = session.query(ClaimFileRow.control_number).all()[0][0]
        self.answer(accepted(control), about_claims(yes(self.claim_of("1")), no(self.claim_of("2"))))
        self.waive("grace", "b", "c")
        self.later(days=1)
        self.answer(a835(*denied(self.claim_of("a"), "97"), paid="0"))

    def figures(self) -> dict[tuple[Measure, date, str], tuple[int, str]]:
        with self.workplace.database.transaction() as session:
            rows = session.query(FigureRow).order_by(FigureRow.measure, FigureRow.day, FigureRow.key).all()
        return {(Measure(row.measure), row.day, row.key): (row.count, str(row.dollars)) for row in rows}

    def forget(self) -> None:
        """Throw all figures away."""
        with self.workplace.database.transaction() as session:
            session.query(FigureRow).delete()
            session.query(CountedDayRow).delete()


def clean(key: str, code: str = "99213", **changes: object) -> Charge:
    """A visit that nothing holds."""
    return charge(line(code), key=key, **({"patient": patient_of(key)} | changes))
