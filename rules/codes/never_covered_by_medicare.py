"""Medicare is asked for what it never covers, and the line does not say that this is known.

Status N of its fee schedule stands for services that the law excludes, a check-up of CPT among them. GY says that the
denial is wanted, for the next payer or the patient; GX that the patient was told. Without either the practice seems
not to know.

>>> from rules.examples import MEDICARE, charge, facts, line, show, tables
>>> known = tables({"fees": [{"code": "99397", "status": "N"}]})
>>> show(never_covered_by_medicare(facts(charge(line("99397"), coverages=(MEDICARE,)), tables=known)))
lines[0].modifiers
  Line 1: Medicare never covers 99397, and the line does not say that this is known.
  Add GY for a denial, or GX if the patient was told; else bill the patient.

>>> show(never_covered_by_medicare(facts(charge(line("99397", "GY"), coverages=(MEDICARE,)), tables=known)))
Nothing to say.

Authority: Status code N of CMS's physician fee schedule on the date of service; Medicare Claims Processing Manual,
chapter 30, on GY and GX. A modifier is not demanded, so the rule only warns. Prevents CARC 96.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.fees import fee_of
from rules.ordinary_line import unusual_fee
from rules.payers import medicare_first

KNOWN = frozenset({"GY", "GX", "GA", "GZ"})


@rule("COD-011", Severity.WARN, line_where=unusual_fee, line_by_line=True)
def never_covered_by_medicare(facts: Facts) -> Iterator[Problem]:
    """What Medicare never covers carries GY or GX."""
    for index, line in facts.billed if medicare_first(facts.charge) else ():
        fee = fee_of(facts, line) if KNOWN.isdisjoint(line.modifiers) else None
        if fee and fee.status == "N":
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: Medicare never covers {line.code}, and the line does not say that this is known.",
                {"code": line.code},
                "Add GY for a denial, or GX if the patient was told; else bill the patient.",
                (Change(at=f"lines[{index}].modifiers", op="add", value="GY"),) if len(line.modifiers) < 4 else (),
            )
