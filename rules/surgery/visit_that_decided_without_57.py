"""A visit on the day of a major surgery, or the day before, does not say that it decided on it.

The price of a surgery with 90 days holds the visits from the day before. The visit at which the surgery was decided
is paid, and modifier 57 says that it was that.

>>> from rules.examples import charge, facts, line, show, tables
>>> known = tables({"fees": [{"code": "27447", "global_days": "090"}]})
>>> show(visit_that_decided_without_57(facts(charge(line("99214"), line("27447")), tables=known)))
lines[0].modifiers
  Line 1: visit 99214 stands by surgery 27447 of 2026-11-16 and has no 57.
  Add 57 if the visit decided on the surgery, or remove the visit.

>>> show(visit_that_decided_without_57(facts(charge(line("99214", "57"), line("27447")), tables=known)))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 12, sections 30.6.6 and 40.1; global days 090 of CMS's physician
fee schedule. Prevents CARC 97.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from charges.model import Severity
from rules.codes.groups import EYE_EXAMS, HANDS_ON, HOSPITAL_VISITS, OFFICE_VISITS
from rules.engine import Facts, Problem, rendering_npi, rule
from rules.fees import global_days
from rules.visits.beside import marked

DECIDING = OFFICE_VISITS | HOSPITAL_VISITS | EYE_EXAMS
SAID = frozenset({"57", "24"})
DAY, MAJOR = timedelta(days=1), 90


def major_surgeries(facts: Facts) -> list[tuple[str, date, str]]:
    """The surgeries of 90 days, on a day of these lines or the next: code, day, NPI of who did it. Raises TableMissing."""
    done = [
        (line.code, line.service_date, rendering_npi(facts.charge, line))
        for _, line in facts.billed
        if line.code in HANDS_ON and line.service_date and global_days(facts, line.code, line.service_date) == MAJOR
    ]
    if facts.history:
        days = {line.service_date for _, line in facts.billed}
        done += [
            (each.code, each.service_date, each.rendering_npi)
            for each in facts.history
            if each.code in HANDS_ON
            and not days.isdisjoint((each.service_date, each.service_date - DAY))
            and global_days(facts, each.code, each.service_date) == MAJOR
        ]
    return done


@rule("GLB-003", Severity.HOLD, codes=DECIDING | HANDS_ON, several=True, where=major_surgeries)
def visit_that_decided_without_57(facts: Facts) -> Iterator[Problem]:
    """A visit on the day of a major surgery or the day before carries 57."""
    done = facts.once(major_surgeries)
    for index, line in facts.billed if done else ():
        day = line.service_date
        if line.code not in DECIDING or day is None or not SAID.isdisjoint(line.modifiers):
            continue
        who = rendering_npi(facts.charge, line)
        for code, when, npi in done:
            if npi == who and day <= when <= day + DAY:
                yield Problem(
                    f"lines[{index}].modifiers",
                    f"Line {index + 1}: visit {line.code} stands by surgery {code} of {when} and has no 57.",
                    {"code": line.code, "surgery": code, "surgery_date": str(when)},
                    "Add 57 if the visit decided on the surgery, or remove the visit.",
                    marked(index, line, "57"),
                )
                break
