"""An add-on code stands beside none of the codes that are known for it.

For eleven codes NCCI's list of what they may stand beside is not complete (type 3): others may be accepted too, so
this is worth a look and no more.

>>> from rules.examples import charge, facts, line, show, tables
>>> known = tables({"add_on": [{"code": "88311", "type": 3, "primary": "88305"}]})
>>> show(addition_beside_unlisted(facts(charge(line("99213"), line("88311")), tables=known)))
lines[1].code
  Line 2: 88311 is an add-on code, and no code known for it stands beside it.
  Check that the procedure it adds to is billed.

>>> show(addition_beside_unlisted(facts(charge(line("88305"), line("88311")), tables=known)))
Nothing to say.

Authority: NCCI add-on code edits in force on the date of service, type 3. The list is open, so the rule only warns.
Prevents CARC 107.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ncci.additions import additions, is_addition


@rule("NCC-013", Severity.WARN, line_where=is_addition, where=additions)
def addition_beside_unlisted(facts: Facts) -> Iterator[Problem]:
    """An add-on code of type 3 stands beside a code known for it."""
    for index, line, known, beside in facts.once(additions):
        if known.type == 3 and known.primaries.isdisjoint(beside):
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: {line.code} is an add-on code, and no code known for it stands beside it.",
                {"code": line.code},
                "Check that the procedure it adds to is billed.",
            )
