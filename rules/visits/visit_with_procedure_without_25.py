"""A visit stands beside a minor procedure and does not say that it was separate.

The price of a minor procedure already holds the look the provider takes before it and the care of that day. A visit
is paid beside it only when it was significant and separate, and modifier 25 on the visit says so. (57 passes too: it
says the visit decided on surgery.) The procedures judged are frequent ones of the office whose global period is 0 or
10 days.

>>> from rules.examples import charge, facts, line, show
>>> show(visit_with_procedure_without_25(facts(charge(line("99213"), line("20610", "RT")))))
lines[0].modifiers
  Line 1: visit 99213 stands beside procedure 20610 and has no modifier 25.
  Add 25 if the visit was separate, or remove the visit.

>>> show(visit_with_procedure_without_25(facts(charge(line("99213", "25"), line("20610", "RT")))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 12, sections 30.6.6 and 40; NCCI Policy Manual, chapter I.
Prevents CARC 97.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import MINOR_PROCEDURES, OFFICE_VISITS
from rules.engine import Facts, Problem, rule
from rules.visits.beside import marked, unmarked_visits

MARKS = frozenset({"25", "57"})


def has_unmarked_visit(facts: Facts) -> bool:
    """Whether a visit of the charge says nothing of having been separate."""
    for _, line in facts.billed:  # noqa: SIM110 - a generator costs more
        if line.code in OFFICE_VISITS and MARKS.isdisjoint(line.modifiers):
            return True
    return False


@rule("GLB-002", Severity.HOLD, codes=MINOR_PROCEDURES, where=has_unmarked_visit)
def visit_with_procedure_without_25(facts: Facts) -> Iterator[Problem]:
    """A visit beside a minor procedure of the same day carries modifier 25."""
    for index, visit, procedure in unmarked_visits(facts.charge, OFFICE_VISITS, MINOR_PROCEDURES, MARKS):
        yield Problem(
            f"lines[{index}].modifiers",
            f"Line {index + 1}: visit {visit.code} stands beside procedure {procedure.code} and has no modifier 25.",
            {"visit": visit.code, "procedure": procedure.code},
            "Add 25 if the visit was separate, or remove the visit.",
            marked(index, visit),
        )
