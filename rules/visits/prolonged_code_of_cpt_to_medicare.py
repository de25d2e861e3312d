"""Medicare is asked for prolonged service with a code it does not take.

For time beyond the highest level CPT has 99417 at the office and 99418 in hospital. Medicare counts the time
otherwise and has codes of its own; with CPT's the line is denied.

>>> from rules.examples import MEDICARE, charge, facts, line, show
>>> show(prolonged_code_of_cpt_to_medicare(facts(charge(line("99215"), line("99417"), coverages=(MEDICARE,)))))
lines[1].code
  Line 2: Medicare does not take 99417.
  Use G2212, whose time begins later; check the minutes.

>>> show(prolonged_code_of_cpt_to_medicare(facts(charge(line("99215"), line("G2212"), coverages=(MEDICARE,)))))
Nothing to say.

Authority: Status I of 99417 and 99418 in CMS's physician fee schedule; HCPCS G2212 and G0316. Prevents CARC 96 and
204.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first

OURS = {"99417": "G2212", "99418": "G0316"}


@rule("EM-005", Severity.HOLD, codes=frozenset(OURS))
def prolonged_code_of_cpt_to_medicare(facts: Facts) -> Iterator[Problem]:
    """Prolonged service is billed to Medicare with G2212 or G0316."""
    for index, line in facts.billed if medicare_first(facts.charge) else ():
        if line.code in OURS:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: Medicare does not take {line.code}.",
                {"code": line.code},
                f"Use {OURS[line.code]}, whose time begins later; check the minutes.",
            )
