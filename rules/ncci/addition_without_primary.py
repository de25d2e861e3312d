"""An add-on code stands without the procedure it adds to.

An add-on code prices what is done more: the second vaccine, the next lesion, the next half hour. Alone it is never
paid. For most of them NCCI lists every code they may stand beside (type 1), on the same day and by the same provider.

>>> from rules.examples import charge, facts, line, show
>>> show(addition_without_primary(facts(charge(line("90472")))))
lines[0].code
  Line 1: 90472 is an add-on code, and none of the codes it adds to stands beside it.
  Add a code it adds to of the same day, or choose the code that stands alone.

>>> show(addition_without_primary(facts(charge(line("90471"), line("90472")))))
Nothing to say.

Authority: NCCI add-on code edits in force on the date of service, type 1; Medicare Claims Processing Manual, chapter
12, section 30, on add-on codes. Prevents CARC 107 and 234.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ncci.additions import additions, is_addition


@rule("NCC-011", Severity.HOLD, line_where=is_addition, where=additions)
def addition_without_primary(facts: Facts) -> Iterator[Problem]:
    """An add-on code of type 1 stands beside one of its primary codes."""
    for index, line, known, beside in facts.once(additions):
        if known.type == 1 and known.primaries.isdisjoint(beside):
            wanted = " or ".join(sorted(known.primaries)) if len(known.primaries) <= 4 else "a code it adds to"
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: {line.code} is an add-on code, and none of the codes it adds to stands beside it.",
                {"code": line.code},
                f"Add {wanted} of the same day, or choose the code that stands alone.",
            )
