"""The source said something that a claim made from this charge would leave out.

What no field can hold is kept as it was given: a pointer to a diagnosis that is not there, a segment that the guide does
not know. A claim without it would say less, or other, than the practice did.

>>> from rules.examples import charge, facts, show
>>> show(said_but_not_kept(facts(charge(unread=("SV107 points at diagnosis 4, which is not on the claim",)))))
unread[0]
  The source said what a claim cannot carry: SV107 points at diagnosis 4, which is not on the claim.
  Correct it at the source.

>>> show(said_but_not_kept(facts()))
Nothing to say.

Authority: the practice's own order; for pointers ASC X12N 005010X222A1, loop 2400, SV107. Prevents CARC 16.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule

LONGEST = 120


@rule("STR-022", Severity.HOLD, fields=("unread",))
def said_but_not_kept(facts: Facts) -> Iterator[Problem]:
    """All that the source said has a place in the claim."""
    for index, said in enumerate(facts.charge.unread):
        shown = said if len(said) <= LONGEST else f"{said[:LONGEST]}..."
        yield Problem(
            f"unread[{index}]",
            f"The source said what a claim cannot carry: {shown}.",
            {"said": shown},
            "Correct it at the source.",
        )
