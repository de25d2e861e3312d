"""When files may be sent: by the windows, weekends and holidays of the trading partner, on the practice's clock."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from charges.practice.partner import Sending, Window

_SATURDAY, _SUNDAY = 5, 6
_MONDAY, _THURSDAY = 0, 3
_LONGEST_WAIT = 366
"""Days looked ahead for a window. A profile that has none in a year never sends."""


def federal_holidays(year: int) -> frozenset[date]:
    """The federal holidays of the United States in a year, on the day they are observed (5 U.S.C. 6103).

    A holiday on a Saturday is observed the Friday before, one on a Sunday the Monday after; so the New Year's Day of the
    next year may be observed in this one.

    >>> sorted(federal_holidays(2027))[-2:]
    [datetime.date(2027, 12, 24), datetime.date(2027, 12, 31)]
    >>> len(federal_holidays(2026))
    11
    """
    fixed = [date(year, 1, 1), date(year, 6, 19), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]
    observed = {_observed(day) for day in [*fixed, date(year + 1, 1, 1)]}
    moving = {
        _nth(year, 1, _MONDAY, 3),
        _nth(year, 2, _MONDAY, 3),
        _nth(year, 6, _MONDAY, 1) - timedelta(days=7),  # the last Monday of May
        _nth(year, 9, _MONDAY, 1),
        _nth(year, 10, _MONDAY, 2),
        _nth(year, 11, _THURSDAY, 4),
    }
    return frozenset(day for day in observed | moving if day.year == year)


def _observed(day: date) -> date:
    return day + timedelta(days={_SATURDAY: -1, _SUNDAY: 1}.get(day.weekday(), 0))


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    """The so manieth of a weekday in a month; the last Monday of May is a week before the first of June."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def is_sending_day(day: date, wanted: Sending) -> bool:
    """Whether files are sent on a day at all."""
    if not wanted.weekends and day.weekday() in (_SATURDAY, _SUNDAY):
        return False
    if wanted.federal_holidays and day in federal_holidays(day.year):
        return False
    return day not in wanted.holidays


def next_opening(now: datetime, wanted: Sending, zone: ZoneInfo) -> datetime | None:
    """The moment from which files may be sent: now when it is within a window, None when there is none in a year.

    >>> from datetime import time
    >>> evening = datetime(2026, 11, 25, 17, 30, tzinfo=ZoneInfo("America/Chicago"))
    >>> wanted = Sending(windows=(Window(opens=time(6), closes=time(17)),), federal_holidays=True)
    >>> next_opening(evening, wanted, ZoneInfo("America/Chicago")).isoformat()
    '2026-11-27T06:00:00-06:00'
    """
    here = now.astimezone(zone)
    windows = sorted(wanted.windows or (Window(),), key=lambda window: window.opens)
    for ahead in range(_LONGEST_WAIT + 1):
        day = here.date() + timedelta(days=ahead)
        if not is_sending_day(day, wanted):
            continue
        for window in windows:
            if ahead == 0 and window.closes is not None and here.time() >= window.closes:
                continue
            if ahead == 0 and here.time() >= window.opens:
                return now
            return datetime.combine(day, window.opens, zone)
    return None
