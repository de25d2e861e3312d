"""What nearly every charge has in common in its lines, seen in one look at them.

Several rules begin by asking whether the lines are of one day, of different codes, of one unit each; of most charges that
is all there is to ask.
"""

from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import NamedTuple

from rules.engine import Facts

MINUTES = "MJ"
ONE = Decimal(1)  # which compares with another in half the time that an int takes
MOST_OF_A_LINE = 4
"""What a line has room for of modifiers, and of diagnoses."""

_of_line = itemgetter(
    *("code", "modifiers", "diagnoses", "units", "unit", "service_date"),
    *("rendering_provider", "facility", "prior_authorization", "clia"),
)


class Glance(NamedTuple):
    """The billed lines at a glance.

    ``are_of_one_session``: one day and the charge's own provider for all. ``are_single``: each is one unit of another code.
    ``are_plain``: each of another code, for one to four of the charge's diagnoses, and naming no site, authorization or
    CLIA number of its own.
    """

    are_of_one_session: bool
    are_single: bool
    are_plain: bool


def glance(facts: Facts) -> Glance:
    """One look at the billed lines."""
    listed = {each.code for each in facts.charge.diagnoses if not each.icd9}
    codes: set[str] = set()
    days: set[date | None] = set()
    are_of_one_provider = are_single = are_plain = True
    for _, line in facts.billed:
        code, modifiers, diagnoses, units, unit, day, rendering, site, authorization, clia = _of_line(line.__dict__)
        codes.add(code)
        days.add(day)
        if rendering is not None:
            are_of_one_provider = False
        if units != ONE or unit == MINUTES:
            are_single = False
        if (
            site is not None
            or authorization
            or clia
            or len(modifiers) > MOST_OF_A_LINE
            or not 0 < len(diagnoses) <= MOST_OF_A_LINE
            or not listed.issuperset(diagnoses)
        ):
            are_plain = False
    are_different = len(codes) == len(facts.billed)
    return Glance(len(days) == 1 and are_of_one_provider, are_single and are_different, are_plain and are_different)
