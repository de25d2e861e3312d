"""The charge has more, or less, than one claim can carry.

A professional claim holds 1 to 50 service lines and 1 to 12 diagnoses, and a line holds up to 4 modifiers. Nothing
can be waived here, since no claim file has room for it. Lines billed to the patient do not count.

>>> from rules.examples import charge, facts, line, show
>>> show(counts_beyond_a_claim(facts(charge(line("20610", "RT", "59", "76", "GA", "KX")))))
lines[0].modifiers
  Line 1: 20610 has 5 modifiers (RT 59 76 GA KX), and a claim has room for 4.
  Remove the modifiers that do not affect payment.

>>> show(counts_beyond_a_claim(facts(charge(line("20610", "RT", "59", "76", "GA")))))
Nothing to say.

Authority: ASC X12N 005010X222A1: loop 2400 repeats 50 times, HI carries 12 diagnoses, SV101 four modifiers.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual

MOST_LINES = 50
MOST_DIAGNOSES = 12
MOST_MODIFIERS = 4


@rule("STR-007", Severity.STOP, where=unusual, professional_only=True)
def counts_beyond_a_claim(facts: Facts) -> Iterator[Problem]:
    """The charge has 1 to 50 billed lines, 1 to 12 diagnoses, and at most 4 modifiers on a line."""
    lines = facts.billed
    if not lines:
        yield Problem("lines", "The charge has no line to bill.", fix="Enter the services, or void the charge.")
    elif len(lines) > MOST_LINES:
        yield Problem(
            "lines",
            f"The charge has {len(lines)} lines, and a claim has room for {MOST_LINES}.",
            {"lines": str(len(lines))},
            "Split the charge into two.",
        )
    diagnoses = len(facts.charge.diagnoses)
    if not diagnoses:
        yield Problem("diagnoses", "The charge has no diagnosis.", fix="Enter the diagnoses of the visit.")
    elif diagnoses > MOST_DIAGNOSES:
        yield Problem(
            "diagnoses",
            f"The charge has {diagnoses} diagnoses, and a claim has room for {MOST_DIAGNOSES}.",
            {"diagnoses": str(diagnoses)},
            "Remove diagnoses that no line needs, or split the charge.",
        )
    for index, line in lines:
        if len(line.modifiers) > MOST_MODIFIERS:
            modifiers = " ".join(line.modifiers)
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} has {len(line.modifiers)} modifiers ({modifiers}), "
                f"and a claim has room for {MOST_MODIFIERS}.",
                {"modifiers": modifiers},
                "Remove the modifiers that do not affect payment.",
            )
