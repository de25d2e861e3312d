"""A test done again on one day is called separate and not repeated.

When the same blood test is needed again to follow its value, 91 says so. 59 speaks of another procedure or site; on a
second run of one test payers read it as a duplicate.

>>> from rules.examples import charge, facts, line, show
>>> show(repeated_test_without_91(facts(charge(line("82947"), line("82947", "59")))))
lines[1].modifiers
  Line 2: 82947 is billed again on that day with 59 and without 91.
  Use 91 if the test was repeated to follow its value.

>>> show(repeated_test_without_91(facts(charge(line("82947"), line("82947", "91")))))
Nothing to say.

Authority: NCCI Policy Manual, chapter X, on repeated laboratory tests. Tests of two specimens may carry 59, so the
rule only warns. Prevents CARC 18.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.codes.groups import numbers
from rules.engine import Facts, Problem, rule
from rules.ncci.pairs import SEPARATE

CHEMISTRY_AND_BLOOD = numbers(80047, 85999)


@rule("NCC-015", Severity.WARN, codes=CHEMISTRY_AND_BLOOD, modifiers=SEPARATE)
def repeated_test_without_91(facts: Facts) -> Iterator[Problem]:
    """A blood test that is repeated on one day carries 91."""
    for index, line in facts.billed:
        if line.code not in CHEMISTRY_AND_BLOOD or SEPARATE.isdisjoint(line.modifiers) or "91" in line.modifiers:
            continue
        twice = any(
            place != index and other.code == line.code and other.service_date == line.service_date
            for place, other in facts.billed
        )
        if twice:
            said = next(each for each in line.modifiers if each in SEPARATE)
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} is billed again on that day with {said} and without 91.",
                {"code": line.code, "modifier": said},
                "Use 91 if the test was repeated to follow its value.",
                (Change(at=f"lines[{index}].modifiers[{line.modifiers.index(said)}]", op="set", value="91"),),
            )
