"""No diagnosis of a line is covered by the policies that speak of its service.

For many tests and procedures Medicare's national and local policies name the diagnoses for which they are paid. With
none of them the line is denied as not needed, and only a patient who signed before may be billed, which GA says.

>>> from rules.examples import MEDICARE, charge, facts, line, show, tables
>>> known = tables({"policies": [{"procedure": "80061", "diagnosis": "E785", "policy": "NCD 190.23", "covered": True}]})
>>> show(diagnosis_not_covered(facts(charge(line("80061", diagnoses=("Z00.00",)), coverages=(MEDICARE,)), tables=known)))
lines[0].diagnoses
  Line 1: NCD 190.23 covers 80061 for none of Z00.00.
  Link the diagnosis that the record supports, or add GA if the patient signed beforehand.

>>> show(diagnosis_not_covered(facts(charge(line("80061", diagnoses=("E78.5",)), coverages=(MEDICARE,)), tables=known)))
Nothing to say.

Authority: The coverage policies (NCD, LCD) that are loaded, on the date of service; Social Security Act, section
1862(a)(1)(A). Prevents CARC 50.
"""

from collections.abc import Iterator

from charges.model import Severity, undotted
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first, of_medicare

TOLD = frozenset({"GA", "GX", "GY", "GZ"})


@rule("MED-001", Severity.HOLD, where=of_medicare)
def diagnosis_not_covered(facts: Facts) -> Iterator[Problem]:
    """A line for Medicare has a diagnosis that each policy of its service covers."""
    for index, line in facts.billed if medicare_first(facts.charge) else ():
        day = line.service_date
        if day is None or not line.diagnoses or not TOLD.isdisjoint(line.modifiers):
            continue
        named = {undotted(each) for each in line.diagnoses}
        for policy in sorted(facts.tables.policies(line.code, day)):
            covered = facts.tables.covered_diagnoses(policy, line.code, day)
            if covered and covered.isdisjoint(named):
                shown = " ".join(line.diagnoses)
                yield Problem(
                    f"lines[{index}].diagnoses",
                    f"Line {index + 1}: {policy} covers {line.code} for none of {shown}.",
                    {"code": line.code, "policy": policy, "diagnoses": shown},
                    "Link the diagnosis that the record supports, or add GA if the patient signed beforehand.",
                )
