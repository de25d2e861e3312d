"""Medicare is asked for a chiropractic treatment by somebody who is no chiropractor.

Medicare pays 98940 to 98942 to chiropractors. A physician who treats the spine by hand bills osteopathic treatment,
98925 to 98929.

>>> from rules.examples import MEDICARE, charge, facts, line, show
>>> show(spine_treated_by_another(facts(charge(line("98941", "AT"), coverages=(MEDICARE,)))))
lines[0].code
  Line 1: 98941 is a chiropractor's, and the provider's taxonomy is 207Q00000X.
  Use 98925 to 98929 for osteopathic treatment, or correct the provider.

>>> show(spine_treated_by_another(facts(charge(line("98925"), coverages=(MEDICARE,)))))
Nothing to say.

Authority: 42 CFR 410.21; Medicare Benefit Policy Manual, chapter 15, section 240. How a contractor edits specialties
differs, so the rule only warns. Prevents CARC 8 and 172.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import numbers
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first

SPINE = numbers(98940, 98942)
CHIROPRACTOR = "111N"
"""How the taxonomy codes of chiropractors begin."""


@rule("PRV-004", Severity.WARN, codes=SPINE)
def spine_treated_by_another(facts: Facts) -> Iterator[Problem]:
    """Chiropractic treatment for Medicare is a chiropractor's."""
    for index, line in facts.billed if medicare_first(facts.charge) else ():
        provider = line.rendering_provider or facts.charge.rendering_provider
        taxonomy = provider.taxonomy if provider else ""
        if line.code in SPINE and taxonomy and not taxonomy.startswith(CHIROPRACTOR):
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: {line.code} is a chiropractor's, and the provider's taxonomy is {taxonomy}.",
                {"code": line.code, "taxonomy": taxonomy},
                "Use 98925 to 98929 for osteopathic treatment, or correct the provider.",
            )
