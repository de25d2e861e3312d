"""The whole at a glance, for whoever answers for it: plots and tables of figures, and the lists behind them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from starlette.responses import Response

from charges.desk import sharing as desk
from charges.errors import Refused
from charges.figures import behind as lists
from charges.figures import reading
from charges.figures.behind import Behind
from charges.figures.counting import today_of
from charges.figures.reading import USUAL, Coded, Overview, Span
from charges.figures.units import Measure
from charges.pipeline import Applied
from charges.practice.profile import Practice
from charges.users.permissions import Permission, Viewer
from charges.web import plots
from charges.web.plots import Bar, Column, Stack
from charges.web.security import ViewerHere, needs
from charges.web.showing import next_page, page
from charges.web.site import Site, SiteHere

router = APIRouter(prefix="/overview")

First = Annotated[date | Literal[""], Query(alias="from", description="The first day; 30 days ago.")]
Last = Annotated[date | Literal[""], Query(alias="to", description="The last day; today.")]
CLEAN_WANTED = 95.0
"""Per cent of charges that should be clean at first pass (HFMA MAP Keys)."""
FIRST_YEAR, LAST_YEAR = 1990, 2999
SAYS: Mapping[Measure, str] = {
    Measure.ENTERED: "Charges first seen",
    Measure.JUDGED: "Charges judged for the first time",
    Measure.FOUND: "Charges held by",
    Measure.CAME: "Charges that came into the queue",
    Measure.LEFT: "Charges that left the queue",
    Measure.ANSWERED: "Acknowledgements",
    Measure.HELD: "Charges held for days",
    Measure.VISITS: "Service lines",
    Measure.DENIED: "Claims denied as foreseen by",
    Measure.UNFORESEEN: "Claims denied that no rule foresaw",
}


def chosen(site: Site, viewer: Viewer, practice: str) -> Sequence[Applied]:
    """The practices asked for: all of the viewer's, or one of them; raises Missing."""
    return [site.practice(viewer, practice)] if practice else site.practices(viewer)


def profiles(practices: Sequence[Applied]) -> Mapping[int, Practice]:
    """Their profiles by the numbers of their rows."""
    return {each.id: each.practice for each in practices}


def span_of(site: Site, practices: Sequence[Applied], first: date | str, last: date | str) -> Span:
    """The days asked for, the usual ones until today where none are; raises Refused."""
    if any(isinstance(each, date) and not FIRST_YEAR <= each.year <= LAST_YEAR for each in (first, last)):
        raise Refused(f"Choose days of the years {FIRST_YEAR} to {LAST_YEAR}.")
    now = site.clock()
    today = max((today_of(each.practice, now) for each in practices), default=now.date())
    until = last if isinstance(last, date) else today
    return Span(first if isinstance(first, date) else until - timedelta(days=USUAL - 1), until)


@router.get("", dependencies=[needs(Permission.READ_FIGURES)])
def overview(
    request: Request, site: SiteHere, viewer: ViewerHere, practice: str = "", first: First = "", last: Last = ""
) -> Response:
    """The figures of some days."""
    practices = chosen(site, viewer, practice)
    span = span_of(site, practices, first, last)
    found = reading.read(site.database, profiles(practices), span)
    names = {each.npi: f"{each.last_name}, {each.first_name}" for one in practices for each in one.practice.providers}
    links = _Links(practice, span) if viewer.may(Permission.READ_CHARGES) else None
    return page(
        request,
        "overview.html",
        found=found,
        practice=practice,
        plots=_plots(found, names),
        names=names,
        links=links,
        months=[(name, urlencode(_asked(practice, each))) for name, each in _often(span)],
        measures=Measure,
        coded=_by_kind(found.coded),
        sees_people=viewer.may(Permission.READ_PEOPLE),
    )


@router.get("/behind", dependencies=[needs(Permission.READ_FIGURES), needs(Permission.READ_CHARGES)])
def behind(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    measure: Measure,
    key: str | None = None,
    practice: str = "",
    first: First = "",
    last: Last = "",
    after: str = "",
) -> Response:
    """What was counted, one by one."""
    span, found = list_behind(site, viewer, measure, key, practice, first, last, after)
    return page(
        request,
        "behind.html",
        span=span,
        found=found,
        measure=measure,
        says=SAYS[measure],
        key=key,
        older=next_page(request, after=found.after) if found.after else "",
        newer=next_page(request, after="") if after else "",
        back=urlencode(_asked(practice, span)),
    )


def list_behind(
    site: Site,
    viewer: Viewer,
    measure: Measure,
    key: str | None,
    practice: str,
    first: date | str,
    last: date | str,
    after: str,
) -> tuple[Span, Behind]:
    """The list and its days; that its charges were seen is written down.

    Who did what is shown only to those who may see figures of single people.
    """
    if measure is Measure.LEFT:
        viewer.demand(Permission.READ_PEOPLE)
    practices = chosen(site, viewer, practice)
    span = span_of(site, practices, first, last)
    wanted = lists.Wanted(measure, span, key, after)
    found = lists.behind(site.database, profiles(practices), site.pipeline.rules, wanted)
    numbers = sorted({each.charge for each in found.entries if each.charge is not None})
    desk.saw(site.database, numbers, desk.Look.LIST, by=viewer.name, clock=site.clock)
    return span, found


class _Links:
    """Where the figures of a page lead."""

    def __init__(self, practice: str, span: Span) -> None:
        self.practice, self.span = practice, span

    def to(self, measure: Measure, key: str | None = None, span: Span | None = None, practice: str = "") -> str:
        """The list behind a figure."""
        asked = {"measure": measure.value} | _asked(practice or self.practice, span or self.span)
        return f"/overview/behind?{urlencode(asked if key is None else asked | {'key': key})}"

    def queue(self, rule: str) -> str:
        """What a rule holds now."""
        return f"/queue?{urlencode({'shelf': 'all', 'practice': self.practice, 'rule': rule})}"


def _asked(practice: str, span: Span) -> dict[str, str]:
    said = {"from": span.first.isoformat(), "to": span.last.isoformat()}
    return {"practice": practice} | said if practice else said


def _often(span: Span) -> Sequence[tuple[str, Span]]:
    """Days that are often asked for, until the same last day."""
    return [(f"{days} days", Span(span.last - timedelta(days=days - 1), span.last)) for days in (7, USUAL, 90, 365)]


def _day(each: Span) -> str:
    return f"{each.first:%m-%d}"


def _plots(found: Overview, names: Mapping[str, str]) -> Mapping[str, Markup]:
    """Each plot by its name; those of nothing are left out."""
    drawn: dict[str, Markup] = {}
    if found.lags:
        drawn["lag"] = plots.columns(
            "Charge lag",
            f"median and 90th percentile of days by week, last {found.lags[-1].median} and {found.lags[-1].p90}",
            ("median", "90th percentile"),
            [Column(_day(each.span), (each.median, each.p90)) for each in found.lags],
            unit=" d",
        )
    if found.first_pass:
        clean, judged = (sum(getattr(each, name) for each in found.first_pass) for name in ("clean", "judged"))
        drawn["first_pass"] = plots.columns(
            "Clean at first pass",
            f"{clean} of {judged} charges, {clean / judged:.0%}; wanted are {CLEAN_WANTED:g} %",
            ("clean at first pass",),
            [Column(_day(each.span), (each.share * 100,)) for each in found.first_pass],
            top=100,
            wanted=CLEAN_WANTED,
            unit=" %",
        )
    if any(each.count for each in found.held):
        drawn["held"] = plots.bars(
            "Dollars held by age",
            f"{sum(each.dollars for each in found.held):,.0f} dollars in all",
            [Bar(f"{each.key} days", float(each.dollars), f"{each.dollars:,.0f}") for each in found.held],
        )
    if found.rules:
        first = found.rules[0]
        drawn["rules"] = plots.bars(
            "Charges held by rule",
            f"{first.key} most often, {first.count} charges; the thin bars are the days before",
            [Bar(each.key, each.count, f"{each.count:,}", each.before) for each in found.rules],
        )
    if any(each.came or each.left for each in found.flow):
        came, left = (sum(getattr(each, name) for each in found.flow) for name in ("came", "left"))
        drawn["flow"] = plots.columns(
            "Into and out of the queue",
            f"{came} charges came in and {left} went out",
            ("in", "out"),
            [Column(_day(each.span), (each.came, each.left)) for each in found.flow],
        )
    if found.answered:
        drawn["answered"] = plots.stacks(
            "Acknowledgements",
            "; ".join(f"{each.kind}: {each.accepted} accepted, {each.rejected} rejected" for each in found.answered),
            [Stack(each.kind, _parts(each.accepted, each.partly, each.rejected)) for each in found.answered],
        )
    if found.denied or found.unforeseen:
        rows = [Bar(each.key, each.count, f"{each.count:,}") for each in found.denied]
        rows += [Bar(f"none: {each.key}", each.count, f"{each.count:,}") for each in found.unforeseen]
        drawn["denied"] = plots.bars(
            "Denied claims by rule", "claims of which a rule had found something, and those that none foresaw", rows
        )
    if levels := _levels(found.coded, names):
        drawn["levels"] = plots.stacks("Levels of visits", "shares of each level, by family and provider", levels)
    return drawn


def _parts(accepted: int, partly: int, rejected: int) -> tuple[tuple[float, str], ...]:
    whole = accepted + partly + rejected
    named = ((accepted, "accepted"), (partly, "partly"), (rejected, "rejected"))
    return tuple((count / whole, f"{count:,} {says}") for count, says in named) if whole else ()


def _by_kind(coded: Sequence[Coded]) -> Mapping[str, Sequence[Coded]]:
    """Levels of visits and modifiers, each with a table of its own."""
    levels = [each for each in coded if each.measured.what[0].isdecimal()]
    return {"levels": levels, "modifiers": [each for each in coded if each not in levels]}


def _levels(coded: Sequence[Coded], names: Mapping[str, str]) -> list[Stack]:
    def of(each: Coded) -> tuple[str, str, str]:
        return each.practice, each.measured.provider, each.measured.what.partition(" of ")[2]

    rows = []
    for (practice, provider, family), levels in groupby(_by_kind(coded)["levels"], of):
        who = names.get(provider, provider) or practice
        parts = tuple((each.measured.value, each.measured.what[:5]) for each in levels)
        rows.append(Stack(f"{who}, {family}", parts))
    return rows
