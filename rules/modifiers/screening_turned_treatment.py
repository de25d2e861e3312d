"""A screening at which something was removed does not say that it began as one.

When a polyp is found at a screening colonoscopy and taken out, the patient still owes nothing, or less. PT tells
Medicare so and 33 the others; without it the patient is billed a deductible by mistake.

>>> from charges.model import Diagnosis
>>> from rules.examples import charge, facts, line, show
>>> screening = (Diagnosis(code="Z12.11"), Diagnosis(code="K63.5"))
>>> removed = line("45385", diagnoses=("Z12.11", "K63.5"))
>>> show(screening_turned_treatment(facts(charge(removed, diagnoses=screening))))
lines[0].modifiers
  Line 1: 45385 began as a screening (Z12.11) and does not say so.
  Add 33.

>>> show(screening_turned_treatment(facts(charge(line("45385", "33", diagnoses=("Z12.11", "K63.5")), diagnoses=screening))))
Nothing to say.

Authority: 42 CFR 410.37 and 410.152(l) for Medicare; CPT, appendix A, modifier 33. Payers' wishes differ, so the rule
only warns.
"""

from collections.abc import Iterator

from charges.model import Change, Severity, undotted
from rules.codes.groups import numbers
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first

REMOVED = numbers(45379, 45398) - {"45391", "45392"}
SCREENING = ("Z1211", "Z1212")
SAID = frozenset({"PT", "33"})


@rule("MOD-017", Severity.WARN, codes=REMOVED)
def screening_turned_treatment(facts: Facts) -> Iterator[Problem]:
    """A treatment at a screening carries PT for Medicare, 33 for others."""
    for index, line in facts.billed:
        if line.code not in REMOVED or not SAID.isdisjoint(line.modifiers) or not line.diagnoses:
            continue
        if undotted(line.diagnoses[0]) in SCREENING:
            wanted = "PT" if medicare_first(facts.charge) else "33"
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} began as a screening ({line.diagnoses[0]}) and does not say so.",
                {"code": line.code, "diagnosis": line.diagnoses[0]},
                f"Add {wanted}.",
                (Change(at=f"lines[{index}].modifiers", op="add", value=wanted),) if len(line.modifiers) < 4 else (),
            )
