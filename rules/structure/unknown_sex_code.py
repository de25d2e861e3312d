"""The sex is written in a way a claim cannot carry.

A claim knows three codes: F, M and U for unknown. Practice systems hold more answers than that; they must be mapped
to one of the three before the claim goes out. A blank is told by the rule about missing data.

>>> from rules.examples import PATIENT, charge, facts, show
>>> show(unknown_sex_code(facts(charge(patient=PATIENT.model_copy(update={"sex": "Female"})))))
patient.sex
  The patient's sex is Female, and a claim knows F, M and U.
  Enter F, M or U as the payer has it on file.

>>> show(unknown_sex_code(facts()))
Nothing to say.

Authority: ASC X12N 005010X222A1, loops 2010BA and 2010CA, DMG03. Prevents CARC 16.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual

CODES = frozenset({"F", "M", "U"})
WORDS = {"F": ("F", "FEMALE"), "M": ("M", "MALE"), "U": ("U", "UNKNOWN")}
"""How sources that know no X12 say each."""


@rule("STR-013", Severity.HOLD, where=unusual)
def unknown_sex_code(facts: Facts) -> Iterator[Problem]:
    """The patient's sex is F, M or U."""
    sex = facts.charge.patient.sex
    if sex.strip() and sex not in CODES:
        meant = sex.strip().upper()[0]
        yield Problem(
            "patient.sex",
            f"The patient's sex is {sex}, and a claim knows F, M and U.",
            {"sex": sex},
            "Enter F, M or U as the payer has it on file.",
            (Change(at="patient.sex", op="set", value=meant),) if sex.strip().upper() in WORDS.get(meant, ()) else (),
        )
