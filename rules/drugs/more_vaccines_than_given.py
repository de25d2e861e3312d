"""More vaccines are billed than were given.

Each vaccine by injection is given once: the first with 90471, each further one with 90472. When the products are more
than the administrations, a line for giving was forgotten. This is a reminder and no more.

>>> from rules.examples import charge, facts, line, show
>>> show(more_vaccines_than_given(facts(charge(line("90471"), line("90715"), line("90662")))))
lines[2]
  Line 3: 2 vaccines are billed, and 1 given.
  Add 90472 for each further vaccine.

>>> show(more_vaccines_than_given(facts(charge(line("90471"), line("90472"), line("90715"), line("90662")))))
Nothing to say.

Authority: CPT, guidelines of immunization administration; a reminder of the practice's own.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import VACCINE_ADMINISTRATION, VACCINES
from rules.days import by_day
from rules.engine import Facts, Problem, rule

GIVING = VACCINE_ADMINISTRATION | {"90460", "G0008", "G0009", "G0010"}


@rule("LEK-007", Severity.INFO, codes=VACCINE_ADMINISTRATION)
def more_vaccines_than_given(facts: Facts) -> Iterator[Problem]:
    """Every vaccine was given."""
    for lines in by_day(facts.charge):
        products = [index for index, line in lines if line.code in VACCINES]
        given = sum(line.units or 0 for _, line in lines if line.code in GIVING)
        if 0 < given < len(products):
            yield Problem(
                f"lines[{products[-1]}]",
                f"Line {products[-1] + 1}: {len(products)} vaccines are billed, and {given} given.",
                {"vaccines": str(len(products)), "given": str(given)},
                "Add 90472 for each further vaccine.",
            )
