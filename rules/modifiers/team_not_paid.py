"""A surgical team is billed for a surgery that is not paid to one.

66 says that more than two surgeons worked together, as in a transplant. CMS says for each code whether that is paid:
2 yes, 1 with documents, 0 no.

>>> from rules.examples import charge, facts, line, show, tables
>>> known = tables({"fees": [{"code": "27447", "team": "0"}, {"code": "33945", "team": "2"}]})
>>> show(team_not_paid(facts(charge(line("27447", "66")), tables=known)))
lines[0].modifiers
  Line 1: 27447 is not paid to a team (66).
  Remove 66, or use 62 for two surgeons.

>>> show(team_not_paid(facts(charge(line("33945", "66")), tables=known)))
Nothing to say.

Authority: Team surgery indicator of CMS's physician fee schedule on the date of service. Prevents CARC 54.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.fees import fee_of


@rule("MOD-014", Severity.HOLD, modifiers=frozenset({"66"}))
def team_not_paid(facts: Facts) -> Iterator[Problem]:
    """66 stands on surgeries that are paid to a team."""
    for index, line in facts.billed:
        fee = fee_of(facts, line) if "66" in line.modifiers else None
        if fee and fee.team == "0":
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} is not paid to a team (66).",
                {"code": line.code},
                "Remove 66, or use 62 for two surgeons.",
                (Change(at=f"lines[{index}].modifiers[{line.modifiers.index('66')}]", op="remove"),),
            )
