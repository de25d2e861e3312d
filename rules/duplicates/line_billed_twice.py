"""The same line stands twice on the charge.

Two lines with one code, the same modifiers, one day and one provider look like one service entered twice, and the
payer denies the second. A service given more than once is one line with more units, or carries a modifier that says
it was repeated (76, 77, 91) or separate (59, XE, XP, XS, XU).

>>> from rules.examples import charge, facts, line, show
>>> show(line_billed_twice(facts(charge(line("85025"), line("85025")))))
lines[1]
  Line 2: 85025 on 2026-11-16 repeats line 1.
  Remove the line, raise the units of the first, or add the modifier for a repeated service.

>>> show(line_billed_twice(facts(charge(line("82947"), line("82947", "91")))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 1, section 120. Prevents CARC 18.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.duplicates.sameness import Service, service
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual


@rule("CHG-001", Severity.HOLD, where=unusual)
def line_billed_twice(facts: Facts) -> Iterator[Problem]:
    """No line repeats another without a modifier that says so."""
    if len({line.code for _, line in facts.billed}) == len(facts.billed):
        return
    seen: dict[Service, int] = {}
    for index, line in facts.billed:
        asked = service(facts.charge, line)
        if asked is None:
            continue
        earlier = seen.setdefault(asked, index)
        if earlier != index:
            yield Problem(
                f"lines[{index}]",
                f"Line {index + 1}: {line.code} on {line.service_date} repeats line {earlier + 1}.",
                {"code": line.code, "service_date": str(line.service_date)},
                "Remove the line, raise the units of the first, or add the modifier for a repeated service.",
                (Change(at=f"lines[{index}]", op="remove"),),
            )
