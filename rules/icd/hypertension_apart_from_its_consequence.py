"""High blood pressure stands beside kidney or heart failure as if they had nothing to do with each other.

ICD-10-CM takes hypertension for the cause of chronic kidney disease and of heart failure unless the record says
otherwise, and has codes that say both: I11, I12 and I13. I10 beside N18 or I50 understates the illness, and auditors
and risk adjustment look for it.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, show
>>> both = (Diagnosis(code="I10"), Diagnosis(code="N18.30"))
>>> show(hypertension_apart_from_its_consequence(facts(charge(diagnoses=both))))
diagnoses[0]
  Diagnosis 1: I10 stands beside N18.30, which ICD-10-CM takes for its consequence.
  Use a code of I12 in place of I10, unless the record states another cause.

>>> both = (Diagnosis(code="I12.9"), Diagnosis(code="N18.30"))
>>> show(hypertension_apart_from_its_consequence(facts(charge(diagnoses=both))))
Nothing to say.

Authority: ICD-10-CM Official Guidelines, section I.C.9.a. A record may state another cause, so the rule only warns.
"""

import re
from collections.abc import Iterator

from charges.model import Severity, undotted
from rules.engine import Facts, Problem, rule

CONSEQUENCES = (("I13", ("I50", "N18")), ("I11", ("I50",)), ("I12", ("N18",)))


@rule("ICD-015", Severity.WARN, diagnoses=re.compile("I10"), diagnoses_only=True)
def hypertension_apart_from_its_consequence(facts: Facts) -> Iterator[Problem]:
    """Hypertension with kidney disease or heart failure is coded as one."""
    codes = [undotted(each.code) for each in facts.charge.diagnoses]
    if "I10" not in codes:
        return
    for combined, consequences in CONSEQUENCES:
        found = [next((n for n, code in enumerate(codes) if code.startswith(each)), None) for each in consequences]
        if all(place is not None for place in found):
            index = codes.index("I10")
            seen = " and ".join(facts.charge.diagnoses[place].code for place in found if place is not None)
            yield Problem(
                f"diagnoses[{index}]",
                f"Diagnosis {index + 1}: I10 stands beside {seen}, which ICD-10-CM takes for its consequence.",
                {"consequence": seen},
                f"Use a code of {combined} in place of I10, unless the record states another cause.",
            )
            return
