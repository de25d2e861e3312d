"""An old injury stands before what it left behind.

The seventh character S says that the injury is past and something remained. What remained is listed first, then the
injury with S; the injury alone does not say what was treated.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> show(sequela_listed_first(facts(charge(diagnoses=(Diagnosis(code="S52.501S"),)))))
diagnoses[0]
  Diagnosis 1: S52.501S is a past injury, and what it left behind is not listed before it.
  List what remained first, then the injury.

>>> show(sequela_listed_first(facts(charge(diagnoses=(Diagnosis(code="M25.641"), Diagnosis(code="S52.501S"))))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, sections I.B.10 and I.C.19.a. Payers' edits differ, so the rule only warns.
"""

import re
from collections.abc import Iterator

from charges.model import Severity, undotted
from rules.engine import Facts, Problem, rule

SEQUELA = re.compile(r"[ST][0-9A-Z]{5}S")


@rule("ICD-022", Severity.WARN, diagnoses=SEQUELA, diagnoses_only=True)
def sequela_listed_first(facts: Facts) -> Iterator[Problem]:
    """What an old injury left behind stands before the injury."""
    for first in facts.charge.diagnoses[:1]:
        if SEQUELA.fullmatch(undotted(first.code)):
            yield Problem(
                "diagnoses[0]",
                f"Diagnosis 1: {first.code} is a past injury, and what it left behind is not listed before it.",
                {"diagnosis": first.code},
                "List what remained first, then the injury.",
            )
