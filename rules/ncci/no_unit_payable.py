"""Medicare pays no unit of a code.

A medically unlikely edit of 0 says that the code is not paid to a practitioner at all: because it is always part of
something else, or because it is not covered.

>>> from rules.examples import MEDICARE, charge, facts, line, show
>>> medicare = (MEDICARE,)
>>> show(no_unit_payable(facts(charge(line("36416"), coverages=medicare))))
lines[0].code
  Line 1: Medicare pays no unit of 36416.
  Remove the line, or add GY if the patient wants Medicare's denial.

>>> show(no_unit_payable(facts(charge(line("36415"), coverages=medicare))))
Nothing to say.

Authority: NCCI medically unlikely edits in force on the date of service, a value of 0; judged for Medicare alone,
since other payers may pay. Prevents CARC 151 and 96.
"""

from collections.abc import Iterator

from charges.model import Change, ServiceLine, Severity
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first

DECLINED = frozenset({"GA", "GX", "GY", "GZ"})


def is_medicare_asked(facts: Facts, _: ServiceLine) -> bool:
    """Whether Medicare is the payer of a line."""
    return medicare_first(facts.charge)


@rule("NCC-010", Severity.HOLD, line_where=is_medicare_asked, line_by_line=True)
def no_unit_payable(facts: Facts) -> Iterator[Problem]:
    """Medicare is not asked for a code of which it pays no unit."""
    if not medicare_first(facts.charge):
        return
    for index, line in facts.billed:
        if line.service_date is None or not DECLINED.isdisjoint(line.modifiers):
            continue
        limit = facts.tables.mue(line.code, line.service_date)
        if limit and limit.units == 0:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: Medicare pays no unit of {line.code}.",
                {"code": line.code},
                "Remove the line, or add GY if the patient wants Medicare's denial.",
                (Change(at=f"lines[{index}]", op="remove"),),
            )
