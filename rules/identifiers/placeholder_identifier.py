"""A member id, authorization or referral number only fills its place.

UNKNOWN, PENDING, NONE or a row of nines is what people type when the form insists and they have nothing. The payer knows
no such member and no such authorization.

>>> from rules.examples import COVERAGE, charge, facts, show
>>> show(placeholder_identifier(facts(charge(coverages=(COVERAGE.model_copy(update={"member_id": "PENDING"}),)))))
coverages[0].member_id
  The member id of coverage 1 is only a placeholder: PENDING.
  Enter the number, or leave it empty.

>>> show(placeholder_identifier(facts()))
Nothing to say.

Authority: ASC X12N 005010X222A1, loops 2010BA (NM109) and 2300 (REF*G1, REF*9F). Prevents CARC 31 and 197.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual

WORDS = frozenset(
    {
        "UNKNOWN",
        "UNK",
        "PENDING",
        "NONE",
        "NA",
        "NOTAPPLICABLE",
        "TBD",
        "TEST",
        "NOTREQUIRED",
        "NOTONFILE",
        "SAME",
        "SELF",
    }
)
BETWEEN = re.compile(r"[\s./-]")
REPEATED = re.compile(r"([0-9A-Z])\1{4,}")
"""One character and no other, five times or more."""


@rule("IDN-013", Severity.HOLD, where=unusual)
def placeholder_identifier(facts: Facts) -> Iterator[Problem]:
    """Member ids, authorizations and referrals are numbers that somebody gave."""
    for at, what, text in _identifiers(facts):
        yield Problem(
            at, f"{what} is only a placeholder: {text}.", {"value": text}, "Enter the number, or leave it empty."
        )


def _is_placeholder(text: str) -> bool:
    """A number of several digits and letters is none, and needs no closer look."""
    if text.isalnum() and not text.isalpha() and text.count(text[0]) < len(text):
        return False
    return text != "" and _fills_a_place(text)


@lru_cache(maxsize=16_384)  # the same few members come again and again
def _fills_a_place(text: str) -> bool:
    meant = BETWEEN.sub("", text).upper()
    return meant in WORDS or REPEATED.fullmatch(meant) is not None


def _identifiers(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Those that fill a place."""
    charge, given = facts.charge, facts.charge.references
    for index, coverage in enumerate(charge.coverages):
        if _is_placeholder(coverage.member_id):
            yield f"coverages[{index}].member_id", f"The member id of coverage {index + 1}", coverage.member_id
    if _is_placeholder(given.prior_authorization):
        yield "references.prior_authorization", "The prior authorization", given.prior_authorization
    if _is_placeholder(given.referral_number):
        yield "references.referral_number", "The referral number", given.referral_number
    for index, line in facts.billed:
        if _is_placeholder(line.prior_authorization):
            where = f"lines[{index}].prior_authorization"
            yield where, f"Line {index + 1}: the prior authorization", line.prior_authorization
