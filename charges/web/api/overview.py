"""The overview for programs: the same figures as on the page, and what they were counted from."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from charges.figures import reading
from charges.figures.reading import Coded as CodedFigure
from charges.figures.units import Measure
from charges.tables import ChargeStatus
from charges.users.permissions import Permission
from charges.web.api.files import Practice
from charges.web.pages.overview import First, Last, chosen, list_behind, profiles, span_of
from charges.web.security import ViewerHere, needs
from charges.web.site import SiteHere

router = APIRouter(prefix="/api/overview", tags=["overview"])


class Shown(BaseModel):
    """Base of what is answered: made of what is shown."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Days(Shown):
    """Days of the practices, both included."""

    first: date
    last: date


class Lag(Shown):
    """Days from service to when charges were first seen, of those first seen in some days."""

    span: Days
    charges: int
    median: int
    p90: int


class FirstPass(Shown):
    """Charges judged for the first time, and how many of them nothing held."""

    span: Days
    judged: int
    clean: int


class Counted(Shown):
    """How many have a key, and the dollars of their charges; ``before`` is the same of as many days before."""

    key: str
    count: int
    dollars: Decimal
    before: int
    dollars_before: Decimal


class Flow(Shown):
    """Charges that came into the queue and left it."""

    span: Days
    came: int
    left: int


class Answered(Shown):
    """What a kind of acknowledgement said of files (999, 997) or claims (277CA)."""

    kind: str
    accepted: int
    partly: int
    rejected: int
    pending: int


class Coded(Shown):
    """A measure of coding beside the 90 days before (``past``) and its target; ``value`` is a share of 1 of ``of`` lines."""

    practice: str
    what: str
    provider: str
    value: float
    of: int
    past: float | None
    target: str
    is_met: bool
    key: str

    @classmethod
    def of_figure(cls, figure: CodedFigure) -> "Coded":
        """Of a figure."""
        return cls(practice=figure.practice, past=figure.past, key=figure.key, **figure.measured.as_json())


class Overview(BaseModel):
    """The figures of some days. ``as_of`` is when they were counted, null while a practice never was.

    ``people`` is null for who may not see figures of single people.
    """

    span: Days
    as_of: datetime | None
    lags: list[Lag]
    first_pass: list[FirstPass]
    held: list[Counted]
    rules: list[Counted]
    flow: list[Flow]
    people: list[Counted] | None
    answered: list[Answered]
    denied: list[Counted]
    unforeseen: list[Counted]
    coded: list[Coded]


class Entry(Shown):
    """One charge or claim file that was counted on a day; status and date of service are the charge's, now."""

    day: date
    practice: str
    key: str
    charge: int | None
    file: int | None
    total: Decimal
    service_date: date | None
    status: ChargeStatus | None


class Behind(Shown):
    """What a figure was counted from, newest day first; ``after`` is asked for to have the next page."""

    entries: list[Entry]
    count: int
    after: str


@router.get("", dependencies=[needs(Permission.READ_FIGURES)])
def overview(
    site: SiteHere, viewer: ViewerHere, practice: Practice = "", first: First = "", last: Last = ""
) -> Overview:
    """The figures of some days, the last 30 when none are named."""
    practices = chosen(site, viewer, practice)
    found = reading.read(site.database, profiles(practices), span_of(site, practices, first, last))
    people = found.people if viewer.may(Permission.READ_PEOPLE) else None
    return Overview(
        span=Days.model_validate(found.span),
        as_of=found.as_of,
        lags=[Lag.model_validate(each) for each in found.lags],
        first_pass=[FirstPass.model_validate(each) for each in found.first_pass],
        held=[Counted.model_validate(each) for each in found.held],
        rules=[Counted.model_validate(each) for each in found.rules],
        flow=[Flow.model_validate(each) for each in found.flow],
        people=None if people is None else [Counted.model_validate(each) for each in people],
        answered=[Answered.model_validate(each) for each in found.answered],
        denied=[Counted.model_validate(each) for each in found.denied],
        unforeseen=[Counted.model_validate(each) for each in found.unforeseen],
        coded=[Coded.of_figure(each) for each in found.coded],
    )


@router.get("/behind", dependencies=[needs(Permission.READ_FIGURES), needs(Permission.READ_CHARGES)])
def behind(
    site: SiteHere,
    viewer: ViewerHere,
    measure: Measure,
    key: Annotated[str | None, Query(max_length=160, description="Only this key of the measure.")] = None,
    practice: Practice = "",
    first: First = "",
    last: Last = "",
    after: Annotated[str, Query(max_length=250, description="The `after` of the page before.")] = "",
) -> Behind:
    """What a figure was counted from."""
    return Behind.model_validate(list_behind(site, viewer, measure, key, practice, first, last, after)[1])
