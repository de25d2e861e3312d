"""Two surgeons are billed for a surgery that is not paid to two.

62 says that two surgeons did parts of one procedure. CMS says for each code whether that is paid: 2 yes, 1 with
documents, 0 no.

>>> from rules.examples import charge, facts, line, show, tables
>>> known = tables({"fees": [{"code": "20610", "co_surgeons": "0"}, {"code": "22633", "co_surgeons": "2"}]})
>>> show(two_surgeons_not_paid(facts(charge(line("20610", "62")), tables=known)))
lines[0].modifiers
  Line 1: 20610 is not paid to two surgeons (62).
  Remove 62, or use 80 if one assisted the other.

>>> show(two_surgeons_not_paid(facts(charge(line("22633", "62")), tables=known)))
Nothing to say.

Authority: Co-surgeons indicator of CMS's physician fee schedule on the date of service. Prevents CARC 54.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.fees import fee_of


@rule("MOD-013", Severity.HOLD, modifiers=frozenset({"62"}))
def two_surgeons_not_paid(facts: Facts) -> Iterator[Problem]:
    """62 stands on surgeries that are paid to two surgeons."""
    for index, line in facts.billed:
        fee = fee_of(facts, line) if "62" in line.modifiers else None
        if fee and fee.co_surgeons == "0":
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} is not paid to two surgeons (62).",
                {"code": line.code},
                "Remove 62, or use 80 if one assisted the other.",
                (Change(at=f"lines[{index}].modifiers[{line.modifiers.index('62')}]", op="remove"),),
            )
