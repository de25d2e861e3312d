"""A drug from a single-dose vial does not say whether some was thrown away.

Medicare pays for what a single-dose vial held, and its maker pays back for what was discarded. So each line says JZ,
nothing was discarded, or a line of its own with JW says how much was. Without either the claim is returned. The drugs
judged are frequent ones that come in single-dose containers alone.

>>> from rules.examples import MEDICARE, charge, facts, line, show
>>> show(vial_without_waste(facts(charge(line("J9035"), coverages=(MEDICARE,)))))
lines[0].modifiers
  Line 1: J9035 does not say whether some of the vial was discarded.
  Add JZ if nothing was discarded, or a line with JW for what was.

>>> show(vial_without_waste(facts(charge(line("J9035", "JZ"), coverages=(MEDICARE,)))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 17, section 40; claims are returned for services since October
2023, JZ is required since July 2023. Prevents CARC 4 and 16.
"""

from collections.abc import Iterator
from datetime import date

from charges.model import Severity
from rules.codes.groups import listed
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first
from rules.visits.beside import marked

SINGLE_DOSE = listed("""
    J0178 J0897 J1300 J1745 J2323 J2350 J2778 J3262 J3380 J9022 J9035 J9042 J9055 J9144 J9173 J9228 J9271 J9299 J9305
    J9306 J9312
""")
SAID = frozenset({"JW", "JZ"})
SINCE = date(2023, 7, 1)


@rule("DRG-003", Severity.HOLD, codes=SINGLE_DOSE, since=SINCE)
def vial_without_waste(facts: Facts) -> Iterator[Problem]:
    """A single-dose drug for Medicare says JZ, or JW on a line of its own."""
    if not medicare_first(facts.charge):
        return
    lines = facts.billed
    wasted = {(line.code, line.service_date) for _, line in lines if "JW" in line.modifiers}
    for index, line in lines:
        if line.code not in SINGLE_DOSE or line.service_date is None or line.service_date < SINCE:
            continue
        if SAID.isdisjoint(line.modifiers) and (line.code, line.service_date) not in wasted:
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} does not say whether some of the vial was discarded.",
                {"code": line.code},
                "Add JZ if nothing was discarded, or a line with JW for what was.",
                marked(index, line, "JZ"),
            )
