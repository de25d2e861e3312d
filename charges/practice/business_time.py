"""Time as an office counts it: Monday to Friday without holidays, in the practice's zone.

An hour counts when its day is a business day, whatever the clock says: a receiver's machines work through the night, but a
weekend is nobody's delay.
"""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_SATURDAY = 5


def is_business_day(day: date, holidays: Collection[date]) -> bool:
    """Whether anybody works that day."""
    return day.weekday() < _SATURDAY and day not in holidays


def after_hours(start: datetime, hours: int, zone: ZoneInfo, holidays: Collection[date] = ()) -> datetime:
    """The moment when so many hours of business days have passed since an aware moment.

    >>> friday = datetime(2026, 11, 20, 18, tzinfo=ZoneInfo("America/Chicago"))
    >>> after_hours(friday, 24, ZoneInfo("America/Chicago")).isoformat()
    '2026-11-23T18:00:00-06:00'
    >>> after_hours(friday, 24, ZoneInfo("America/Chicago"), {date(2026, 11, 23)}).isoformat()
    '2026-11-24T18:00:00-06:00'
    """
    moment, left = start.astimezone(zone), timedelta(hours=hours)
    while True:
        midnight = datetime.combine(moment.date() + timedelta(days=1), time(), zone)
        if is_business_day(moment.date(), holidays):
            today = midnight - moment  # in one zone: what the clock on the wall shows
            if left <= today:
                return moment + left
            left -= today
        moment = midnight


def after_days(start: datetime, days: int, zone: ZoneInfo, holidays: Collection[date] = ()) -> datetime:
    """The same for business days.

    >>> friday = datetime(2026, 11, 20, 18, tzinfo=ZoneInfo("America/Chicago"))
    >>> after_days(friday, 3, ZoneInfo("America/Chicago")).isoformat()
    '2026-11-25T18:00:00-06:00'
    """
    return after_hours(start, 24 * days, zone, holidays)
