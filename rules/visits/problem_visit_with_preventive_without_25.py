"""A visit for a problem stands beside a preventive visit and does not say that it was separate.

A preventive visit covers small findings. When a problem needed the work of a visit of its own, both may be billed,
and modifier 25 on the problem visit says so; without it the payer takes one for part of the other.

>>> from rules.examples import charge, facts, line, show
>>> show(problem_visit_with_preventive_without_25(facts(charge(line("99396"), line("99213")))))
lines[1].modifiers
  Line 2: visit 99213 stands beside preventive visit 99396 and has no modifier 25.
  Add 25 if the problem needed a visit of its own, or remove the visit.

>>> show(problem_visit_with_preventive_without_25(facts(charge(line("99396"), line("99213", "25")))))
Nothing to say.

Authority: CPT, guidelines of preventive medicine services; NCCI edits for the Medicare wellness visits.
Prevents CARC 97.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import OFFICE_VISITS, PREVENTIVE_VISITS, WELLNESS_VISITS
from rules.engine import Facts, Problem, rule
from rules.visits.beside import marked, unmarked_visits

PREVENTIVE = PREVENTIVE_VISITS | WELLNESS_VISITS
MARKS = frozenset({"25"})


@rule("EM-004", Severity.HOLD, codes=PREVENTIVE)
def problem_visit_with_preventive_without_25(facts: Facts) -> Iterator[Problem]:
    """A problem visit beside a preventive visit of the same day carries modifier 25."""
    for index, visit, preventive in unmarked_visits(facts.charge, OFFICE_VISITS, PREVENTIVE, MARKS):
        yield Problem(
            f"lines[{index}].modifiers",
            f"Line {index + 1}: visit {visit.code} stands beside preventive visit {preventive.code} "
            "and has no modifier 25.",
            {"visit": visit.code, "preventive_visit": preventive.code},
            "Add 25 if the problem needed a visit of its own, or remove the visit.",
            marked(index, visit),
        )
