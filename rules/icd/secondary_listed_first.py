"""A code that only adds to another stands first.

Body mass index, weeks of pregnancy, resistance to drugs, hormone receptors and severe sepsis never are the reason for
a visit; they tell more about it. Listed first they leave the reason unsaid, and payers reject the claim or deny the
line.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> show(secondary_listed_first(facts(charge(diagnoses=(Diagnosis(code="Z68.35"),)))))
diagnoses[0]
  Diagnosis 1: Z68.35 only adds to another diagnosis and cannot stand first.
  List the condition before it.

>>> show(secondary_listed_first(facts(charge(diagnoses=(Diagnosis(code="E66.9"), Diagnosis(code="Z68.35"))))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, sections I.B.14, I.C.1.d and I.C.21.c.3, and the notes "code first" at these
codes. Payers' edits differ, so the rule only warns.
"""

import re
from collections.abc import Iterator

from charges.model import Change, Severity, undotted
from rules.engine import Facts, Problem, rule

SECONDARY = re.compile(r"Z68|Z3A|Z16|Z17|R652|U099|Z79(?!89)")


@rule("ICD-017", Severity.WARN, diagnoses=SECONDARY, diagnoses_only=True)
def secondary_listed_first(facts: Facts) -> Iterator[Problem]:
    """The first diagnosis is not one that only adds to another."""
    diagnoses = facts.charge.diagnoses
    for first in diagnoses[:1]:
        if SECONDARY.match(undotted(first.code)):
            reason = next((n for n, each in enumerate(diagnoses) if not SECONDARY.match(undotted(each.code))), 0)
            yield Problem(
                "diagnoses[0]",
                f"Diagnosis 1: {first.code} only adds to another diagnosis and cannot stand first.",
                {"diagnosis": first.code},
                "List the condition before it.",
                (Change(at="diagnoses[0]", op="swap", value=f"diagnoses[{reason}]"),) if reason else (),
            )
