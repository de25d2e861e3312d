"""The same policy stands twice.

A policy that is entered as first and as second makes the payer its own second payer; the claim is denied as a
duplicate when the first has paid.

>>> from rules.examples import COVERAGE, MEDICARE, charge, facts, show
>>> show(policy_listed_twice(facts(charge(coverages=(COVERAGE, COVERAGE)))))
coverages[1]
  Coverage 2: it is the policy of coverage 1.
  Remove the second one.

>>> show(policy_listed_twice(facts(charge(coverages=(COVERAGE, MEDICARE)))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2320: another subscriber's coverage. Two policies of one number at one payer
are conceivable, so the rule only warns. Prevents CARC 18.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.payers import of_several_payers


@rule("PAY-011", Severity.WARN, where=of_several_payers)
def policy_listed_twice(facts: Facts) -> Iterator[Problem]:
    """No policy is listed twice."""
    coverages = facts.charge.coverages
    seen: dict[tuple[str, str], int] = {}
    for index, coverage in enumerate(coverages):
        policy = (coverage.payer.payer_id, coverage.member_id)
        if all(policy) and (first := seen.setdefault(policy, index)) != index:
            yield Problem(
                f"coverages[{index}]",
                f"Coverage {index + 1}: it is the policy of coverage {first + 1}.",
                {"first": str(first + 1)},
                "Remove the second one.",
                (Change(at=f"coverages[{index}]", op="remove"),),
            )
