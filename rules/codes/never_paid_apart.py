"""Medicare is asked for a service that it never pays apart.

Status B of its fee schedule says that the price of other services holds this one: handling of a specimen, supplies, a
form. The line is denied and may not be billed to the patient.

>>> from rules.examples import MEDICARE, charge, facts, line, show, tables
>>> known = tables({"fees": [{"code": "99000", "status": "B"}, {"code": "36415", "status": "X"}]})
>>> show(never_paid_apart(facts(charge(line("99000"), coverages=(MEDICARE,)), tables=known)))
lines[0].code
  Line 1: Medicare pays 99000 within other services only.
  Remove the line.

>>> show(never_paid_apart(facts(charge(line("36415"), coverages=(MEDICARE,)), tables=known)))
Nothing to say.

Authority: Status codes B and P of CMS's physician fee schedule on the date of service. The line does no harm beside
others, so the rule only warns. Prevents CARC 97.
"""

from collections.abc import Iterator

from charges.model import Change, ServiceLine, Severity
from rules.engine import Facts, Problem, rule
from rules.fees import fee_of
from rules.ordinary_line import unusual_fee
from rules.payers import medicare_first

HELD_IN_OTHERS = frozenset({"B", "P"})
FOLLOW_UP = "99024"


@rule("COD-010", Severity.WARN, line_where=unusual_fee, line_by_line=True)
def never_paid_apart(facts: Facts) -> Iterator[Problem]:
    """Medicare is asked for services that it pays apart."""
    for index, line in facts.billed if medicare_first(facts.charge) else ():
        fee = fee_of(facts, line)
        if fee and fee.status in HELD_IN_OTHERS and line.code != FOLLOW_UP and not _no_unit(facts, line):
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: Medicare pays {line.code} within other services only.",
                {"code": line.code},
                "Remove the line.",
                (Change(at=f"lines[{index}]", op="remove"),),
            )


def _no_unit(facts: Facts, line: ServiceLine) -> bool:
    """Whether no unit of the code is payable, of which a rule of NCCI speaks."""
    day = line.service_date
    limit = facts.tables.mue(line.code, day) if day and facts.tables.has("mue", day) else None
    return limit is not None and limit.units == 0
