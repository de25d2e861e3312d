"""An add-on code stands alone.

For some add-on codes the Medicare contractor decides what they may stand beside (type 2). Something must stand there:
alone they are denied.

>>> from rules.examples import charge, facts, line, show, tables
>>> known = tables({"add_on": [{"code": "77001", "type": 2}]})
>>> show(addition_alone(facts(charge(line("77001")), tables=known)))
lines[0].code
  Line 1: 77001 is an add-on code and stands alone.
  Add the procedure it adds to, of the same day.

>>> show(addition_alone(facts(charge(line("36561"), line("77001")), tables=known)))
Nothing to say.

Authority: NCCI add-on code edits in force on the date of service, type 2. What is accepted beside them is the
contractor's to say, so the rule only warns. Prevents CARC 107.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ncci.additions import additions, is_addition


@rule("NCC-012", Severity.WARN, line_where=is_addition, where=additions)
def addition_alone(facts: Facts) -> Iterator[Problem]:
    """An add-on code of type 2 stands beside another procedure."""
    for index, line, known, beside in facts.once(additions):
        if known.type == 2 and not beside:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: {line.code} is an add-on code and stands alone.",
                {"code": line.code},
                "Add the procedure it adds to, of the same day.",
            )
