"""The place of service is missing, or was no code on that day.

The place of service decides between the price of an office and that of a facility. CMS keeps the list; codes join
it over the years, and a line may only use one that was in force on its date. Where a line has none the encounter's
counts.

>>> from rules.examples import charge, facts, line, show
>>> show(place_of_service_not_in_force(facts(charge(line(place_of_service="30")))))
lines[0].place_of_service
  Line 1: 99213 has place of service 30, which is not in CMS's list.
  Choose the place where the patient was seen.

>>> show(place_of_service_not_in_force(facts(charge(line(place_of_service="22")))))
Nothing to say.

Authority: CMS Place of Service Code Set; Medicare Claims Processing Manual, chapter 26, section 10.5. Prevents CARC 5.
"""

from collections.abc import Iterator
from datetime import date

from charges.model import ServiceLine, Severity
from rules.engine import Facts, Problem, place_of, rule

_ALWAYS = date.min
_2003 = date(2003, 1, 1)
_OCTOBER_2003 = date(2003, 10, 1)

SINCE: dict[str, date] = {
    "01": _OCTOBER_2003,
    "02": date(2017, 1, 1),
    **dict.fromkeys(("03", "04", "05", "06", "07", "08", "15", "20"), _2003),
    "09": date(2006, 7, 1),
    "10": date(2022, 1, 1),
    **dict.fromkeys(("13", "14", "49", "57"), _OCTOBER_2003),
    "16": date(2008, 1, 1),
    "17": date(2010, 5, 1),
    "18": date(2013, 1, 1),
    "19": date(2016, 1, 1),
    "27": date(2023, 10, 1),
    "58": date(2020, 1, 1),
    "66": date(2024, 8, 1),
    **dict.fromkeys(("11", "12", "21", "22", "23", "24", "25", "26", "31", "32", "33", "34", "41", "42"), _ALWAYS),
    **dict.fromkeys(
        ("50", "51", "52", "53", "54", "55", "56", "60", "61", "62", "65", "71", "72", "81", "99"), _ALWAYS
    ),
}
"""Every place of service in CMS's list with the first date of service it may be used for."""

FIX = "Choose the place where the patient was seen."


def is_young_or_unknown(facts: Facts, line: ServiceLine) -> bool:
    """Whether the place of service of a line was not always in CMS's list."""
    return SINCE.get(place_of(facts.charge, line)) != _ALWAYS


@rule("COD-006", Severity.HOLD, line_where=is_young_or_unknown, line_by_line=True, professional_only=True)
def place_of_service_not_in_force(facts: Facts) -> Iterator[Problem]:
    """Every line has a place of service that was in force on its date."""
    for index, line in facts.billed:
        place, day = place_of(facts.charge, line), line.service_date or facts.today
        since = SINCE.get(place)
        if not place:
            message = f"Line {index + 1}: {line.code} has no place of service."
        elif since is None:
            message = f"Line {index + 1}: {line.code} has place of service {place}, which is not in CMS's list."
        elif day < since:
            message = f"Line {index + 1}: {line.code} of {day} has place of service {place}, in force since {since}."
        else:
            continue
        yield Problem(f"lines[{index}].place_of_service", message, {"place_of_service": place} if place else {}, FIX)
