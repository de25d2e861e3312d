"""An assistant is billed at a surgery that is not paid with one.

For each procedure CMS says whether an assistant at surgery is paid: 2 always, 0 with documents, 1 never. With 1 the
line is denied, whoever assisted.

>>> from rules.examples import charge, facts, line, show, tables
>>> known = tables({"fees": [{"code": "20610", "assistant": "1"}, {"code": "27447", "assistant": "2"}]})
>>> show(assistant_not_paid(facts(charge(line("20610", "80")), tables=known)))
lines[0].modifiers
  Line 1: no assistant (80) is paid at 20610.
  Remove the line, or correct the code.

>>> show(assistant_not_paid(facts(charge(line("27447", "80")), tables=known)))
Nothing to say.

Authority: Assistant at surgery indicator of CMS's physician fee schedule on the date of service. Prevents CARC 54.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.fees import fee_of

ASSISTANTS = frozenset({"80", "81", "82", "AS"})


@rule("MOD-012", Severity.HOLD, modifiers=ASSISTANTS)
def assistant_not_paid(facts: Facts) -> Iterator[Problem]:
    """An assistant is billed where one is paid."""
    for index, line in facts.billed:
        said = ASSISTANTS.intersection(line.modifiers)
        fee = fee_of(facts, line) if said else None
        if fee and fee.assistant == "1":
            modifier = min(said)
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: no assistant ({modifier}) is paid at {line.code}.",
                {"code": line.code, "modifier": modifier},
                "Remove the line, or correct the code.",
                (Change(at=f"lines[{index}]", op="remove"),),
            )
