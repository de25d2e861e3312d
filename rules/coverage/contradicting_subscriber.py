"""The policy says one person is insured and names another.

"Self" means the patient holds the policy, so a policy holder with another name or birth date cannot be right: either
the relationship or the person is wrong. With any other relationship the claim must name the holder. A charge that is
not self-pay needs a policy at all.

>>> from rules.examples import CHILD_SUBSCRIBER, COVERAGE, charge, facts, show
>>> wrong = COVERAGE.model_copy(update={"subscriber": CHILD_SUBSCRIBER})
>>> show(contradicting_subscriber(facts(charge(coverages=(wrong,)))))
coverages[0].relationship
  Coverage 1: the patient is said to hold the policy (18), but its holder has another first name and birth date.
  Correct the relationship or the policy holder.

A child on a parent's policy passes:

>>> child = wrong.model_copy(update={"relationship": "19"})
>>> show(contradicting_subscriber(facts(charge(coverages=(child,)))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loops 2000B (SBR02), 2000C (PAT01) and 2010BA. Prevents CARC 16 and 31.
"""

from collections.abc import Iterator

from charges.model import SELF, Patient, Severity, Subscriber
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual

RELATIONSHIPS = frozenset({"01", SELF, "19", "20", "21", "39", "40", "53", "G8"})
"""The patient's relationship to the policy holder: spouse, self, child, employee, unknown, donors, partner, other."""


@rule("STR-004", Severity.HOLD, where=unusual)
def contradicting_subscriber(facts: Facts) -> Iterator[Problem]:
    """Each policy names its holder, and the relationship agrees with it."""
    if not facts.charge.coverages and not facts.charge.self_pay:
        yield Problem(
            "coverages", "The charge has no insurance and is not self-pay.", fix="Enter a policy or self-pay."
        )
    for index, coverage in enumerate(facts.charge.coverages):
        at, name, holder = f"coverages[{index}]", f"Coverage {index + 1}", coverage.subscriber
        relationship = coverage.relationship
        if relationship not in RELATIONSHIPS:
            seen = relationship or "missing"
            yield Problem(
                f"{at}.relationship",
                f"{name}: the patient's relationship to the policy holder is not a code of a claim: {seen}.",
                {"relationship": seen},
                "Choose the relationship: self, spouse, child or other.",
            )
        elif relationship == SELF:
            if different := _differences(facts.charge.patient, holder):
                yield Problem(
                    f"{at}.relationship",
                    f"{name}: the patient is said to hold the policy ({SELF}), but its holder has another {different}.",
                    {"relationship": relationship, "different": different},
                    "Correct the relationship or the policy holder.",
                )
        elif not (holder.last_name.strip() and holder.first_name.strip()):
            missing = "first_name" if holder.last_name.strip() else "last_name"
            yield Problem(
                f"{at}.subscriber.{missing}",
                f"{name}: the patient is not the policy holder ({relationship}), and the holder's name is missing.",
                {"relationship": relationship},
                "Enter the policy holder's name.",
            )


def _differences(patient: Patient, holder: Subscriber) -> str:
    """What is known of both and differs, in words; the values themselves stay with the patient."""
    if not (holder.last_name or holder.first_name or holder.birth_date):
        return ""
    pairs = (
        ("last name", _folded(patient.last_name), _folded(holder.last_name)),
        ("first name", _folded(patient.first_name), _folded(holder.first_name)),
        ("birth date", patient.birth_date, holder.birth_date),
    )
    return " and ".join(what for what, one, other in pairs if one and other and one != other)


def _folded(name: str) -> str:
    return name.strip().casefold()
