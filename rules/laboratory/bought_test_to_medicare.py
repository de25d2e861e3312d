"""Medicare is asked to pay a test that another laboratory did.

Modifier 90 says that the test was bought from another laboratory. Medicare pays a clinical test to the laboratory
that did it, and never to the physician who sent it.

>>> from rules.examples import MEDICARE, charge, facts, line, show
>>> show(bought_test_to_medicare(facts(charge(line("80053", "90"), coverages=(MEDICARE,)))))
lines[0].modifiers
  Line 1: 80053 was sent away (90), and Medicare pays the laboratory that did it.
  Remove the line, and let the laboratory bill.

>>> show(bought_test_to_medicare(facts(charge(line("80053", "90")))))
Nothing to say.

Authority: Social Security Act, section 1833(h)(5)(A); Medicare Claims Processing Manual, chapter 16, section 40.1. A
laboratory may bill for another one, so the rule only warns. Prevents CARC 96.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.codes.groups import LABORATORY
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first


@rule("LAB-005", Severity.WARN, codes=LABORATORY, modifiers=frozenset({"90"}))
def bought_test_to_medicare(facts: Facts) -> Iterator[Problem]:
    """A test that was sent away is not billed to Medicare."""
    for index, line in facts.billed if medicare_first(facts.charge) else ():
        if line.code in LABORATORY and "90" in line.modifiers:
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} was sent away (90), and Medicare pays the laboratory that did it.",
                {"code": line.code},
                "Remove the line, and let the laboratory bill.",
                (Change(at=f"lines[{index}]", op="remove"),),
            )
