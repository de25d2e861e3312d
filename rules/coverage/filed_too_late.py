"""The service is older than the payer accepts.

Each payer sets a time within which a claim must reach it, counted from the date of service; Medicare gives one
calendar year. After that it is denied, and the patient may usually not be billed instead. The practice profile says
how many days each payer gives.

>>> from datetime import date
>>> from rules.examples import charge, facts, line, show
>>> show(filed_too_late(facts(charge(line(service_date=date(2025, 11, 1))))))
lines[0].service_date
  Line 1: 99213 of 2025-11-01 is 387 days old, and the payer accepts 365.
  File with proof of a late-filing reason, or write it off.

>>> show(filed_too_late(facts()))
Nothing to say.

Authority: 42 CFR 424.44 for Medicare, the payer's contract for others. Prevents CARC 29.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary_line import unusual_line


@rule("PAY-005", Severity.HOLD, line_where=unusual_line, line_by_line=True)
def filed_too_late(facts: Facts) -> Iterator[Problem]:
    """The payer's time for filing has not run out."""
    accepted = facts.policy.timely_filing_days
    for index, line in facts.billed:
        if line.service_date and (age := (facts.today - line.service_date).days) > accepted:
            yield Problem(
                f"lines[{index}].service_date",
                f"Line {index + 1}: {line.code} of {line.service_date} is {age} days old, "
                f"and the payer accepts {accepted}.",
                {"service_date": str(line.service_date), "days": str(age), "accepted": str(accepted)},
                "File with proof of a late-filing reason, or write it off.",
            )
