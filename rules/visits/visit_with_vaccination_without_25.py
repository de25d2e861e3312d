"""A visit stands beside the giving of a vaccine and does not say that it was separate.

Giving a vaccine includes the talk about it. A visit for another reason on the same day is paid when modifier 25 says
that it was one. Medicare's own codes for influenza, pneumococcal and hepatitis B vaccines (G0008 to G0010) need none.

>>> from rules.examples import charge, facts, line, show
>>> show(visit_with_vaccination_without_25(facts(charge(line("99213"), line("90471"), line("90715")))))
lines[0].modifiers
  Line 1: visit 99213 stands beside vaccine administration 90471 and has no modifier 25.
  Add 25 if the visit was for another reason, or remove the visit.

>>> show(visit_with_vaccination_without_25(facts(charge(line("99213"), line("G0008")))))
Nothing to say.

Authority: NCCI procedure-to-procedure edits of 90471 to 90474 and 90480 with visits; NCCI Policy Manual, chapter XI.
Prevents CARC 97.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import OFFICE_VISITS, PREVENTIVE_VISITS, VACCINE_ADMINISTRATION
from rules.engine import Facts, Problem, rule
from rules.visits.beside import marked, unmarked_visits

VISITS = OFFICE_VISITS | PREVENTIVE_VISITS
MARKS = frozenset({"25"})


@rule("IMM-006", Severity.HOLD, codes=VACCINE_ADMINISTRATION)
def visit_with_vaccination_without_25(facts: Facts) -> Iterator[Problem]:
    """A visit beside a vaccination of the same day carries modifier 25."""
    for index, visit, vaccination in unmarked_visits(facts.charge, VISITS, VACCINE_ADMINISTRATION, MARKS):
        yield Problem(
            f"lines[{index}].modifiers",
            f"Line {index + 1}: visit {visit.code} stands beside vaccine administration {vaccination.code} "
            "and has no modifier 25.",
            {"visit": visit.code, "administration": vaccination.code},
            "Add 25 if the visit was for another reason, or remove the visit.",
            marked(index, visit),
        )
