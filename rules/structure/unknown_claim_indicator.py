"""One of the signatures and consents of the claim is missing or no code of a claim.

Each claim says whether the provider's signature is on file, whether assignment is accepted, whether benefits go to the
provider, and whether records may be released. None of the four may be left out.

>>> from rules.examples import charge, facts, show
>>> show(unknown_claim_indicator(facts(charge(assignment="Yes"))))
assignment
  The assignment is Yes, which is no code of a claim.
  Choose one of A, B, C; the practice's set-up may fill it.

>>> show(unknown_claim_indicator(facts()))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2300, CLM06, CLM07, CLM08 and CLM09. Prevents CARC 16.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual

KNOWN = (
    ("provider_signature", "signature of the provider", "YN"),
    ("assignment", "assignment", "ABC"),
    ("benefits_assigned", "assignment of benefits", "YNW"),
    ("release_of_information", "release of information", "YI"),
)


@rule("STR-021", Severity.HOLD, where=unusual, professional_only=True)
def unknown_claim_indicator(facts: Facts) -> Iterator[Problem]:
    """Signature, assignment, benefits and release are codes of a claim."""
    for name, what, codes in KNOWN:
        seen = getattr(facts.charge, name)
        if len(seen) != 1 or seen not in codes:
            said = f"is {seen}, which is no code of a claim" if seen.strip() else "is missing"
            yield Problem(
                name,
                f"The {what} {said}.",
                {"value": seen.strip()},
                f"Choose one of {', '.join(codes)}; the practice's set-up may fill it.",
            )
