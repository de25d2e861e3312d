"""Days of a practice: which charges belong to them."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from charges.tables import ChargeRow


@dataclass(frozen=True, slots=True)
class Period:
    """Days in a practice's zone, both included; None is no end."""

    first: date | None = None
    last: date | None = None
    zone: ZoneInfo = field(default=ZoneInfo("UTC"))

    @property
    def begins(self) -> datetime:
        """The first moment of the period."""
        return datetime.combine(self.first, time(), self.zone) if self.first else datetime.min.replace(tzinfo=UTC)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        if self.last is None or self.last == date.max:
            return datetime.max.replace(tzinfo=UTC)
        return datetime.combine(self.last + timedelta(days=1), time(), self.zone)

    def __str__(self) -> str:
        said = (f"from {self.first}" if self.first else "", f"to {self.last}" if self.last else "")
        return " ".join(filter(None, said)) or "all days"

    def moments(self, column: InstrumentedAttribute[datetime]) -> ColumnElement[bool]:
        """Holds for moments within the period."""
        return and_(
            true(),
            *([column >= self.begins] if self.first is not None else ()),
            *([column < self.ends] if self.last is not None else ()),
        )

    def days(
        self, column: InstrumentedAttribute[date | None], otherwise: InstrumentedAttribute[datetime]
    ) -> ColumnElement[bool]:
        """Holds for days within the period, and where none is told for moments within it."""
        if self.first is None and self.last is None:
            return true()
        told = and_(
            true(),
            *([column >= self.first] if self.first is not None else ()),
            *([column <= self.last] if self.last is not None else ()),
        )
        return or_(told, and_(column.is_(None), self.moments(otherwise)))

    def charges(self, practice_id: int) -> ColumnElement[bool]:
        """Holds for a practice's charges of these days of service; a charge without one belongs to the day of capture."""
        return and_(ChargeRow.practice_id == practice_id, self.days(ChargeRow.service_date, ChargeRow.captured_at))
