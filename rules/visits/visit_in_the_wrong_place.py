"""A visit's code and its place of service do not go together.

Office visits are for patients who are not in a bed of the hospital, hospital visits for those who are. When the two
are mixed up, one of them was copied from another visit.

>>> from rules.examples import charge, facts, line, show
>>> show(visit_in_the_wrong_place(facts(charge(line("99213", place_of_service="21")))))
lines[0].place_of_service
  Line 1: 99213 is a visit at an office, and the place is 21.
  Correct the place or the code.

>>> show(visit_in_the_wrong_place(facts(charge(line("99213", place_of_service="11")))))
Nothing to say.

Authority: CPT, guidelines of evaluation and management; CMS Place of Service Code Set. There are exceptions, so the
rule only warns. Prevents CARC 5.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import OFFICE_VISITS, numbers
from rules.engine import Facts, Problem, place_of, rule

IN_A_BED = numbers(99221, 99223) | numbers(99231, 99233) | numbers(99238, 99239)
BEDS = frozenset({"21", "51", "61"})
HOMES_AND_OFFICES = frozenset({"10", "11", "12", "20"})


@rule("EM-011", Severity.WARN, codes=OFFICE_VISITS | IN_A_BED, line_by_line=True)
def visit_in_the_wrong_place(facts: Facts) -> Iterator[Problem]:
    """Office visits take place at an office, hospital visits in a hospital."""
    for index, line in facts.billed:
        place = place_of(facts.charge, line)
        office = line.code in OFFICE_VISITS and place in BEDS
        if office or (line.code in IN_A_BED and place in HOMES_AND_OFFICES):
            meant = "at an office" if office else "in a hospital"
            yield Problem(
                f"lines[{index}].place_of_service",
                f"Line {index + 1}: {line.code} is a visit {meant}, and the place is {place}.",
                {"code": line.code, "place_of_service": place},
                "Correct the place or the code.",
            )
