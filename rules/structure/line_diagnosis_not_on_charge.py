"""A line points to no diagnosis, to one the charge does not have, or to too many.

Every service must say which of the claim's diagnoses made it necessary, one to four of them. In many practice systems
a diagnosis that stands on the problem list but not in the assessment of the visit never reaches the charge; then the
line's pointer leads nowhere.

>>> from rules.examples import charge, facts, line, show
>>> show(line_diagnosis_not_on_charge(facts(charge(line(diagnoses=("I10", "M17.11"))))))
lines[0].diagnoses
  Line 1: 99213 names diagnosis M17.11, which is not on the charge.
  Add the diagnosis to the visit, or point the line to one that is there.

>>> show(line_diagnosis_not_on_charge(facts(charge(line(diagnoses=("I10", "E119"))))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loop 2400, SV107. Prevents CARC 16 with RARC M76.
"""

from collections.abc import Iterator

from charges.model import Severity, undotted
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual

MOST = 4


@rule("STR-008", Severity.HOLD, where=unusual, professional_only=True)
def line_diagnosis_not_on_charge(facts: Facts) -> Iterator[Problem]:
    """Every line points to one to four diagnoses of the charge."""
    written = {each.code for each in facts.charge.diagnoses}
    known = {undotted(code) for code in written}
    for index, line in facts.billed:
        if 0 < len(line.diagnoses) <= MOST and written.issuperset(line.diagnoses):
            continue
        named = {undotted(code): code for code in line.diagnoses}
        if named and len(named) <= MOST and known.issuperset(named):
            continue
        at, name = f"lines[{index}].diagnoses", f"Line {index + 1}: {line.code}"
        if not named:
            yield Problem(at, f"{name} points to no diagnosis.", fix="Link the line to the diagnosis that explains it.")
        for code in sorted(named.keys() - known):
            yield Problem(
                at,
                f"{name} names diagnosis {named[code] or '(blank)'}, which is not on the charge.",
                {"diagnosis": named[code]},
                "Add the diagnosis to the visit, or point the line to one that is there.",
            )
        if len(named) > MOST:
            codes = " ".join(named.values())
            yield Problem(
                at,
                f"{name} points to {len(named)} diagnoses ({codes}), and a line has room for {MOST}.",
                {"diagnoses": codes},
                "Keep the four that matter most for the service.",
            )
