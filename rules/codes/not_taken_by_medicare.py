"""Medicare is asked for a code that it does not take.

Status I of its fee schedule says that Medicare has another code for the service. The line is denied, and the other
code is paid. Prolonged visits and visits by video have rules of their own.

>>> from rules.examples import MEDICARE, charge, facts, line, show, tables
>>> known = tables({"fees": [{"code": "99242", "status": "I"}, {"code": "99213", "status": "A"}]})
>>> show(not_taken_by_medicare(facts(charge(line("99242"), coverages=(MEDICARE,)), tables=known)))
lines[0].code
  Line 1: Medicare does not take 99242 and has another code for it.
  Choose Medicare's code for the service.

>>> show(not_taken_by_medicare(facts(charge(line("99213"), coverages=(MEDICARE,)), tables=known)))
Nothing to say.

Authority: Status code I of CMS's physician fee schedule on the date of service. Prevents CARC 96 and 204.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import numbers
from rules.engine import Facts, Problem, rule
from rules.fees import fee_of
from rules.ordinary_line import unusual_fee
from rules.payers import medicare_first

TOLD_ELSEWHERE = numbers(98000, 98015) | {"99417", "99418"}


@rule("COD-009", Severity.HOLD, line_where=unusual_fee, line_by_line=True)
def not_taken_by_medicare(facts: Facts) -> Iterator[Problem]:
    """Medicare is asked for codes that it takes."""
    for index, line in facts.billed if medicare_first(facts.charge) else ():
        fee = fee_of(facts, line)
        if fee and fee.status == "I" and line.code not in TOLD_ELSEWHERE:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: Medicare does not take {line.code} and has another code for it.",
                {"code": line.code},
                "Choose Medicare's code for the service.",
            )
