"""How a practice's coding and charge entry compare with its targets, counted from what was captured: read-only.

The targets are the practice's own (``standards`` of its profile). Benchmarks that associations of practices publish are sold
and cannot ship; the shares of a provider are held against those of the whole practice instead, which needs none.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median

from sqlalchemy import func, select

from charges.db import Database
from charges.practice.profile import Standards
from charges.tables import ChargeRow, ChargeStatus, HistoryLineRow

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "office, new patient": ("99202", "99203", "99204", "99205"),
    "office, known patient": ("99211", "99212", "99213", "99214", "99215"),
    "emergency department": ("99281", "99282", "99283", "99284", "99285"),
    "hospital, first day": ("99221", "99222", "99223"),
    "hospital, later days": ("99231", "99232", "99233"),
    "home, new patient": ("99341", "99342", "99344", "99345"),
    "home, known patient": ("99347", "99348", "99349", "99350"),
}
"""Visits by family, the levels of each in order; a family's shares add up to 1."""

FEWEST = 20
"""Below so many visits of a family a provider's shares say nothing."""

_FAMILY = {code: family for family, codes in FAMILIES.items() for code in codes}
SEPARATE = frozenset(("59", "XE", "XP", "XS", "XU"))
"""Modifiers that say that a service was separate from others."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure of a practice or of one provider (by NPI), with its target where there is one.

    ``value`` is a share of 1 or a number of days; ``of`` is how many lines or charges it was counted from.
    """

    what: str
    provider: str
    value: float
    of: int
    target: str = ""
    is_met: bool = True

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def measure(
    database: Database, practice_id: int, standards: Standards, since: date, until: date
) -> tuple[Measured, ...]:
    """All measures of the services of some days, both included."""
    with database.transaction() as session:
        lags = [
            (captured.date() - served).days
            for captured, served in session.execute(
                select(ChargeRow.captured_at, ChargeRow.service_date).where(
                    ChargeRow.practice_id == practice_id,
                    ChargeRow.status != ChargeStatus.VOID,
                    ChargeRow.service_date.between(since, until),
                )
            )
            if served is not None
        ]
        lines = [
            (npi, code, modifiers, count)
            for npi, code, modifiers, count in session.execute(
                select(HistoryLineRow.rendering_npi, HistoryLineRow.code, HistoryLineRow.modifiers, func.count())
                .join(ChargeRow, ChargeRow.id == HistoryLineRow.charge_id)
                .where(ChargeRow.practice_id == practice_id, ChargeRow.service_date.between(since, until))
                .group_by(HistoryLineRow.rendering_npi, HistoryLineRow.code, HistoryLineRow.modifiers)
            )
        ]
    return (*_lag(lags, standards), *of_lines(lines, standards))


Line = tuple[str, str, str, int]
"""Rendering provider, code, modifiers parted by blanks, how many such lines."""


def of_lines(lines: Sequence[Line], standards: Standards) -> tuple[Measured, ...]:
    """The measures of service lines: levels of visits, and modifiers that part services."""
    return (*_visits(lines, standards), *_modifiers(lines, standards))


def _lag(lags: list[int], standards: Standards) -> Iterable[Measured]:
    if not lags:
        return
    yield Measured("days from service to charge, median", "", float(median(lags)), len(lags))
    share = sum(each <= standards.charge_lag_days for each in lags) / len(lags)
    wanted = standards.charge_lag_share
    said = f"at least {wanted:.0%}"
    what = f"charges within {standards.charge_lag_days} days of the service"
    yield Measured(what, "", share, len(lags), said, share >= wanted)


def _visits(lines: Iterable[Line], standards: Standards) -> Iterable[Measured]:
    """The share of each level within its family: of the practice, and of each provider beside it."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for npi, code, _, count in lines:
        if code in _FAMILY:
            counted[npi][code] += count
    whole = sum(counted.values(), Counter[str]())
    for family, codes in FAMILIES.items():
        total = sum(whole[code] for code in codes)
        for code in codes if total else ():
            share = whole[code] / total
            yield Measured(f"{code} of {family}", "", share, total, *_against(share, standards.visits.get(code)))
        for npi in sorted(counted):
            own = sum(counted[npi][code] for code in codes)
            if len(counted) > 1 and own >= FEWEST:
                yield from _of_provider(npi, family, counted[npi], own, whole, total, standards.visit_deviation)


def _of_provider(
    npi: str, family: str, own: Counter[str], count: int, whole: Counter[str], total: int, deviation: Decimal
) -> Iterable[Measured]:
    for code in FAMILIES[family]:
        share, usual = own[code] / count, whole[code] / total
        said = f"{usual:.0%} in the practice, {deviation:.0%} more or less"
        yield Measured(f"{code} of {family}", npi, share, count, said, abs(share - usual) <= deviation)


def _modifiers(lines: Iterable[Line], standards: Standards) -> Iterable[Measured]:
    """How many visits say 25, and how many other lines say that they were separate (59, X)."""
    visits: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    others: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for npi, code, modifiers, count in lines:
        said = frozenset(modifiers.split())
        counted, wanted = (visits, frozenset(("25",))) if code in _FAMILY else (others, SEPARATE)
        for who in ("", npi):
            counted[who][0] += count
            counted[who][1] += count if said & wanted else 0
    for what, of, most in (
        ("visits with modifier 25", visits, standards.modifier_25_share),
        ("other lines with modifier 59 or X", others, standards.modifier_59_share),
    ):
        for who, (total, saying) in sorted(of.items()):
            if total and (not who or total >= FEWEST):
                yield Measured(what, who, saying / total, total, *_at_most(saying / total, most))


def _at_most(share: float, most: Decimal | None) -> tuple[str, bool]:
    return ("", True) if most is None else (f"at most {most:.0%}", share <= most)


def _against(share: float, wanted: tuple[Decimal, Decimal] | None) -> tuple[str, bool]:
    if wanted is None:
        return ("", True)
    least, most = wanted
    return (f"{least:.0%} to {most:.0%}", least <= Decimal(share) <= most)
