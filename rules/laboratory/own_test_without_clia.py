"""A laboratory test of the practice's own names no CLIA number.

Every laboratory that tests people holds a certificate under CLIA, and the claim for its tests carries the number.
Tests that were sent away (modifier 90) and readings of a pathologist (26) are another's.

>>> from charges.model import References
>>> from rules.examples import charge, facts, line, show
>>> show(own_test_without_clia(facts(charge(line("81002")))))
lines[0].clia
  Line 1: test 81002 names no CLIA number.
  Enter the laboratory's CLIA number in the practice's profile, or add 90 if the test was sent away.

>>> show(own_test_without_clia(facts(charge(line("81002"), references=References(clia="14D2233445")))))
Nothing to say.

Authority: 42 CFR 493; ASC X12N 005010X222A1, loop 2300, REF (X4). Prevents CARC 16 with RARC MA120.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import LABORATORY, listed, numbers
from rules.engine import Facts, Problem, rule

NOT_UNDER_CLIA = (
    numbers(80503, 80506)
    | numbers(86077, 86079)
    | listed("""
    81050 82075 83013 83014 83987 86910 86960 88125 88240 88241 88321 88720 88738 88740 88741 89049 89220 89230 89240
""")
)
TESTS = LABORATORY - NOT_UNDER_CLIA
ANOTHERS = frozenset({"90", "26"})


def has_no_number(facts: Facts) -> bool:
    """Whether the charge as a whole names no CLIA number."""
    site = facts.charge.facility
    return not (facts.charge.references.clia or (site and site.clia))


@rule("LAB-001", Severity.HOLD, codes=TESTS, where=has_no_number, professional_only=True)
def own_test_without_clia(facts: Facts) -> Iterator[Problem]:
    """A test of the practice's own laboratory carries its CLIA number."""
    if not facts.once(has_no_number):
        return
    for index, line in facts.billed:
        own = line.code in TESTS and ANOTHERS.isdisjoint(line.modifiers)
        if own and not line.clia and not (line.facility and line.facility.clia):
            yield Problem(
                f"lines[{index}].clia",
                f"Line {index + 1}: test {line.code} names no CLIA number.",
                {"code": line.code},
                "Enter the laboratory's CLIA number in the practice's profile, or add 90 if the test was sent away.",
            )
