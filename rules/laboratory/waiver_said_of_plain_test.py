"""A test that needs no QW carries it.

QW says that a test is done under a certificate of waiver with a kit that was approved for it. Nine old tests are
waived by law, whatever the kit, and are billed without it.

>>> from rules.examples import charge, facts, line, show
>>> show(waiver_said_of_plain_test(facts(charge(line("81002", "QW")))))
lines[0].modifiers
  Line 1: 81002 is waived by law and carries QW.
  Remove QW.

>>> show(waiver_said_of_plain_test(facts(charge(line("81002")))))
Nothing to say.

Authority: CMS, change request 11747 and those that follow it, on CLIA waived tests. Payers' edits differ, so the rule
only warns. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.codes.groups import listed
from rules.engine import Facts, Problem, rule

WAIVED_BY_LAW = listed("81002 81025 82270 82272 82962 83026 84830 85013 85651")


@rule("LAB-003", Severity.WARN, codes=WAIVED_BY_LAW, modifiers=frozenset({"QW"}), line_by_line=True)
def waiver_said_of_plain_test(facts: Facts) -> Iterator[Problem]:
    """A test that is waived by law stands without QW."""
    for index, line in facts.billed:
        if line.code in WAIVED_BY_LAW and "QW" in line.modifiers:
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} is waived by law and carries QW.",
                {"code": line.code},
                "Remove QW.",
                (Change(at=f"lines[{index}].modifiers[{line.modifiers.index('QW')}]", op="remove"),),
            )
