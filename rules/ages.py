"""Ages in whole years, as payers count them."""

from datetime import date

from charges.model import Charge


def years(born: date, then: date) -> int:
    """How old somebody born on a day is on another.

    >>> years(date(2008, 11, 17), date(2026, 11, 16)), years(date(2008, 11, 16), date(2026, 11, 16))
    (17, 18)
    """
    return then.year - born.year - ((then.month, then.day) < (born.month, born.day))


def age(charge: Charge, on: date | None = None) -> int | None:
    """The patient's age on a day, or on the first day of service; ``None`` where a date is missing or contradicts."""
    born, then = charge.patient.birth_date, on or charge.service_date
    if born is None or then is None or then < born:
        return None
    return years(born, then)
