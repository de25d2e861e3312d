"""A service has no date, a date to come, or a date outside the visit.

The date of service decides which codes, prices and coverage count. One that lies in the future, ends before it
starts or falls outside the encounter's days is almost always a typing error or a line put on the wrong visit.

>>> from datetime import date
>>> from rules.examples import charge, facts, line, show
>>> show(impossible_service_date(facts(charge(line(service_date=date(2026, 11, 15))))))
lines[0].service_date
  Line 1: 99213 is dated 2026-11-15, but the encounter was on 2026-11-16.
  Correct the date, or move the line to the right encounter.

>>> show(impossible_service_date(facts()))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2400, DTP*472. Prevents CARC 16 and 110.
"""

from collections.abc import Iterator
from datetime import date

from charges.model import ServiceLine, Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary_line import unusual_line


@rule("STR-003", Severity.HOLD, line_where=unusual_line, line_by_line=True, professional_only=True)
def impossible_service_date(facts: Facts) -> Iterator[Problem]:
    """Every line is dated, not in the future, and within its encounter."""
    encounter = facts.charge.encounter
    for index, line in facts.billed:
        first = line.service_date
        last = line.service_date_to or first
        if first and first == last == encounter.start_date and first <= facts.today and not encounter.end_date:
            continue
        at, name = f"lines[{index}].service_date", f"Line {index + 1}: {line.code}"
        if first is None or last is None:
            yield Problem(at, f"{name} has no date of service.", fix="Enter the date of service.")
            continue
        if first > last:
            yield Problem(
                f"{at}_to",
                f"{name} starts on {first} and ends before that, on {last}.",
                {"from": str(first), "to": str(last)},
                "Correct the dates of service.",
            )
        elif last > facts.today:
            yield Problem(
                at,
                f"{name} is dated {last}, and today is {facts.today}.",
                {"service_date": str(last), "today": str(facts.today)},
                "Correct the date, or wait until the service was given.",
            )
        elif encounter.start_date:
            yield from _outside(at, name, line, encounter.start_date, encounter.end_date)


def _outside(at: str, name: str, line: ServiceLine, start: date, end: date | None) -> Iterator[Problem]:
    first, last = line.service_date, line.service_date_to or line.service_date
    if first is None or last is None or (start <= first and last <= (end or start)):
        return
    day = str(first) if first == last else f"{first} to {last}"
    visit = f"on {start}" if end in (None, start) else f"from {start} to {end}"
    yield Problem(
        at,
        f"{name} is dated {day}, but the encounter was {visit}.",
        {"service_date": day, "encounter": visit},
        "Correct the date, or move the line to the right encounter.",
    )
