"""A line says "both sides" of a service that is not priced by side.

Modifier 50 raises the price of a procedure done on both sides to one and a half. For many codes that cannot be: the
body has one of it, or the code speaks of both sides already. Payers deny such a line.

>>> from rules.examples import charge, facts, line, show, tables
>>> known = tables({"fees": [{"code": "77067", "bilateral": "2"}, {"code": "27447", "bilateral": "1"}]})
>>> show(both_sides_of_what_has_none(facts(charge(line("77067", "50")), tables=known)))
lines[0].modifiers
  Line 1: 77067 cannot carry 50 (bilateral indicator 2).
  Remove 50; where more was done than one, bill it by units or lines.

>>> show(both_sides_of_what_has_none(facts(charge(line("27447", "50")), tables=known)))
Nothing to say.

Authority: Bilateral surgery indicator of CMS's physician fee schedule on the date of service (1 and 3 take modifier
50). Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.fees import fee_of

TAKES_50 = frozenset({"1", "3"})


@rule("MOD-003", Severity.HOLD, modifiers=frozenset({"50"}), line_by_line=True)
def both_sides_of_what_has_none(facts: Facts) -> Iterator[Problem]:
    """Modifier 50 stands on procedures that are priced by side."""
    for index, line in facts.billed:
        fee = fee_of(facts, line) if "50" in line.modifiers else None
        if fee and fee.bilateral and fee.bilateral not in TAKES_50:
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} cannot carry 50 (bilateral indicator {fee.bilateral}).",
                {"code": line.code, "bilateral": fee.bilateral},
                "Remove 50; where more was done than one, bill it by units or lines.",
                (Change(at=f"lines[{index}].modifiers[{line.modifiers.index('50')}]", op="remove"),),
            )
