"""A test in a hospital is billed whole by the professional.

In a hospital or surgery center the facility owns the equipment and bills the making of a test. The professional bills
the reading, with 26; the whole is denied or paid back later.

>>> from rules.examples import charge, facts, line, show, tables
>>> known = tables({"fees": [{"code": "71046", "pc_tc": "1"}]})
>>> show(whole_test_in_hospital(facts(charge(line("71046", place_of_service="22")), tables=known)))
lines[0].modifiers
  Line 1: 71046 is billed whole in place 22.
  Add 26 if only the reading was done.

>>> show(whole_test_in_hospital(facts(charge(line("71046", "26", place_of_service="22")), tables=known)))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 13, section 20.2; PC/TC indicator 1 of CMS's physician fee
schedule. The section is to be checked again, so the rule only warns. Prevents CARC 58.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.codes.groups import HOSPITALS
from rules.engine import Facts, Problem, place_of, rule
from rules.fees import fee_of

HALVES = frozenset({"26", "TC"})


@rule("MOD-002", Severity.WARN, places=HOSPITALS, line_by_line=True)
def whole_test_in_hospital(facts: Facts) -> Iterator[Problem]:
    """A test made of two halves carries 26 in a hospital."""
    for index, line in facts.billed:
        place = place_of(facts.charge, line)
        if place in HOSPITALS and HALVES.isdisjoint(line.modifiers):
            fee = fee_of(facts, line)
            if fee and fee.pc_tc == "1":
                yield Problem(
                    f"lines[{index}].modifiers",
                    f"Line {index + 1}: {line.code} is billed whole in place {place}.",
                    {"code": line.code, "place_of_service": place},
                    "Add 26 if only the reading was done.",
                    (Change(at=f"lines[{index}].modifiers", op="add", value="26"),) if len(line.modifiers) < 4 else (),
                )
