"""What may go wrong at a simulated tenant: a catalogue by name, how often each happens, and on which simulated day.

A rate is a share: of the requests, of the charges of the last weeks each day, or the chance of a day. Days are counted
from 1, the day on which the practice is first seen, and end at midnight of the practice's clock. The same seed makes the
same days; which request is met by a fault depends on who asks first.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Annotated

from pydantic import Field, ValidationError

from charges import yamlfile
from charges.errors import BadFile, Refused, Unreadable
from charges.practice.atoms import Setting


class Fault(StrEnum):
    """Everything that can go wrong."""

    BUSY = "busy"
    DENIED = "denied"
    SERVER_ERROR = "server-error"
    SLOW = "slow"
    DROPPED = "dropped"
    TRUNCATED = "truncated"
    EXPIRED_TOKEN = "expired-token"  # noqa: S105 - a name
    REPEATED_PAGE = "repeated-page"
    SHIFTED_PAGE = "shifted-page"
    EDIT_BETWEEN_PAGES = "edit-between-pages"
    SILENT_EDIT = "silent-edit"
    SILENT_VOID = "silent-void"
    VANISHED_CHARGE = "vanished-charge"
    CLOCK_SKEW = "clock-skew"
    EMPTY_DAY = "empty-day"
    RENAMED_FIELD = "renamed-field"
    RETYPED_FIELD = "retyped-field"
    VANISHED_FIELD = "vanished-field"
    NEW_CODE = "new-code"


OF_REQUESTS: Mapping[Fault, str] = {
    Fault.BUSY: "Status 429 that names no time to wait.",
    Fault.DENIED: "Status 500 whose error says access_denied.",
    Fault.SERVER_ERROR: "Status 500.",
    Fault.SLOW: "The answer comes late.",
    Fault.DROPPED: "The connection ends in the middle of the answer.",
    Fault.TRUNCATED: "The JSON ends in the middle.",
    Fault.EXPIRED_TOKEN: "All tokens are taken back before their time.",
    Fault.REPEATED_PAGE: "The page before comes once more.",
    Fault.SHIFTED_PAGE: "The page begins a record too early, as if one had come in before it.",
    Fault.EDIT_BETWEEN_PAGES: "A charge is edited while pages are asked for, and moves to the end.",
}
OF_CHARGES: Mapping[Fault, str] = {
    Fault.SILENT_EDIT: "A charge changes and its moment of change does not.",
    Fault.SILENT_VOID: "A charge is voided and its moment of change is the old one.",
    Fault.VANISHED_CHARGE: "A charge is gone without a trace.",
    Fault.CLOCK_SKEW: "A change bears a moment up to two hours before it can be seen.",
}
OF_DAYS: Mapping[Fault, str] = {
    Fault.EMPTY_DAY: "All lists are empty for a day; what changed meanwhile is there on the next with its old moment.",
    Fault.RENAMED_FIELD: "The vendor gives a field another name, in all records from now on.",
    Fault.RETYPED_FIELD: "The vendor writes a field as another kind of value.",
    Fault.VANISHED_FIELD: "The vendor leaves a field out.",
    Fault.NEW_CODE: "Some charges have a code that was never seen.",
}
CATALOGUE: Mapping[Fault, str] = {**OF_REQUESTS, **OF_CHARGES, **OF_DAYS}

Rate = Annotated[float, Field(ge=0, le=1)]
Rates = Mapping[Fault, Rate]


def usual_rate(fault: Fault) -> float:
    """The rate of a fault for which nobody says one."""
    return 0.05 if fault in OF_REQUESTS else 0.02 if fault in OF_CHARGES else 1.0


class Schedule(Setting):
    """Which faults happen on each day and how often: those of ``every_day``, and of ``days`` what is added or changed."""

    every_day: Rates = Field(default_factory=dict)
    days: Mapping[Annotated[int, Field(ge=1)], Rates] = Field(default_factory=dict)

    def on(self, day: int) -> Rates:
        """The rates of a day."""
        return {**self.every_day, **self.days.get(day, {})}


class BadSchedule(BadFile):
    """A schedule of faults has faults of its own."""

    verdict = "is no schedule of faults"


def read_schedule(path: Path) -> Schedule:
    """A schedule from its file; raises BadSchedule with the line of each fault, Unreadable when there is no such file."""
    try:
        document = yamlfile.read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path} cannot be read as a text file ({type(error).__name__}).") from None
    except yamlfile.NotReadable as error:
        raise BadSchedule(path.name, [str(error)]) from None
    if document.repeated:
        raise BadSchedule(path.name, document.repeated)
    values = document.values or {}
    if isinstance(values, dict) and isinstance(values.get("days"), dict):
        values = values | {"days": {str(day): rates for day, rates in values["days"].items()}}  # as its lines are known
    try:
        return Schedule.model_validate(values)
    except ValidationError as error:
        raise BadSchedule(path.name, document.faults(error, "the schedule")) from None


def rates_of(words: Iterable[str]) -> Rates:
    """Rates from words such as ``busy`` or ``busy=0.2``; raises Refused for a name or rate that does not exist."""
    found: dict[Fault, float] = {}
    for word in words:
        name, _, rate = word.partition("=")
        if name not in CATALOGUE:
            raise Refused(f"No fault is called {name}. There are: {', '.join(CATALOGUE)}.")
        try:
            found[Fault(name)] = float(rate) if rate else usual_rate(Fault(name))
        except ValueError:
            found[Fault(name)] = -1
        if not 0 <= found[Fault(name)] <= 1:
            raise Refused(f"The rate of {name} is a share from 0 to 1, such as {name}=0.1.")
    return found


class Fate:
    """Decides what happens: by the rates of the day, by what was planned for the next requests, by a seed."""

    def __init__(self, seed: int = 0, schedule: Schedule | None = None) -> None:
        self.seed, self.schedule = seed, schedule or Schedule()
        self.rates = self.schedule.on(1)
        self.planned: Counter[Fault] = Counter()
        self.happened: Counter[Fault] = Counter()
        """How often each fault happened."""
        self._chance = Random(f"requests {seed}")  # noqa: S311 - repeatable, and no secret

    def begin(self, day: int) -> Random:
        """Take the rates of a day; returns the chance by which what happens on it is decided."""
        self.rates = self.schedule.on(day)
        return Random(f"day {day} of {self.seed}")  # noqa: S311

    def befalls(self, fault: Fault) -> bool:
        """Whether a fault of requests happens now; one that was planned is then used up."""
        happens = self.planned[fault] > 0 or self._chance.random() < self.rates.get(fault, 0)
        if happens:
            self.planned[fault] = max(self.planned[fault] - 1, 0)
            self.happened[fault] += 1
        return happens
