"""The reason for a late claim, or the special programme, is no code of a claim.

A claim that comes late may say why, and one of a special programme may name it, each by a code of the guide's own list.
Another value is rejected by the receiver.

>>> from rules.examples import charge, facts, show
>>> show(unknown_reason_code(facts(charge(delay_reason="12"))))
delay_reason
  The reason for the delay is 12, and a claim knows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15.
  Choose one of the codes.

>>> show(unknown_reason_code(facts(charge(delay_reason="7", special_program="02"))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2300, CLM12 and CLM20. Prevents a rejection by the receiver.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule

DELAYS = frozenset({"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "15"})
PROGRAMS = frozenset({"02", "03", "05", "09"})


@rule("STR-024", Severity.HOLD, fields=("delay_reason", "special_program"))
def unknown_reason_code(facts: Facts) -> Iterator[Problem]:
    """The delay reason and the special programme are codes of a claim."""
    for at, what, seen, known in (
        ("delay_reason", "reason for the delay", facts.charge.delay_reason, DELAYS),
        ("special_program", "special programme", facts.charge.special_program, PROGRAMS),
    ):
        if seen and seen not in known:
            listed = ", ".join(sorted(known, key=int))
            yield Problem(
                at, f"The {what} is {seen}, and a claim knows {listed}.", {"code": seen}, "Choose one of the codes."
            )
