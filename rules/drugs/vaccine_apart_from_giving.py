"""A vaccine and the giving of it do not stand together.

Each vaccine is two lines, the product and its administration. One without the other loses money, unless the product
was free or given elsewhere.

>>> from rules.examples import charge, facts, line, show
>>> show(vaccine_apart_from_giving(facts(charge(line("90715")))))
lines[0]
  Line 1: vaccine 90715 is billed without giving it.
  Add the administration.

>>> show(vaccine_apart_from_giving(facts(charge(line("90715"), line("90471")))))
Nothing to say.

Authority: CPT, guidelines of immunization administration. The product may be free or given elsewhere, so the rule
only warns.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import VACCINE_ADMINISTRATION, VACCINES, numbers
from rules.engine import Facts, Problem, rule

GIVING = VACCINE_ADMINISTRATION | {"90460", "90461", "90480", "G0008", "G0009", "G0010", "M0201"}
PRODUCTS = VACCINES | numbers(90380, 90381) | {"Q2034", "Q2035", "Q2036", "Q2037", "Q2038", "Q2039", "J7294"}


@rule("IMM-001", Severity.WARN, codes=PRODUCTS | GIVING)
def vaccine_apart_from_giving(facts: Facts) -> Iterator[Problem]:
    """A vaccine stands beside its administration."""
    lines = facts.billed
    products = {line.service_date for _, line in lines if line.code in PRODUCTS}
    given = {line.service_date for _, line in lines if line.code in GIVING}
    earlier = {each.service_date for each in facts.history if each.code in PRODUCTS | GIVING}
    for index, line in lines:
        product = line.code in PRODUCTS
        if not product and line.code not in GIVING:
            continue
        if line.service_date not in (given if product else products) | earlier:
            said = f"vaccine {line.code} is billed without giving it" if product else f"{line.code} gives no vaccine"
            yield Problem(
                f"lines[{index}]",
                f"Line {index + 1}: {said}.",
                {"code": line.code},
                "Add the administration." if product else "Add the vaccine; if it was free, with SL.",
            )
