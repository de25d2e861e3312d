"""A drug code does not have the eleven digits a claim needs.

The National Drug Code on a box often has ten digits in three groups. A claim wants eleven digits and no dashes: five
for the labeler, four for the product, two for the package. The missing zero goes in front of the group that is
short, so only somebody who sees the groups can add it.

>>> from charges.model import Drug
>>> from rules.examples import charge, facts, line, show
>>> show(misshapen_ndc(facts(charge(line("J3301", drug=Drug(ndc="0069-0809-01"))))))
lines[0].drug.ndc
  Line 1: the NDC of J3301 is not eleven digits: 0069-0809-01.
  Send 00069080901.

>>> show(misshapen_ndc(facts(charge(line("J3301", drug=Drug(ndc="00069080901"))))))
Nothing to say.

Authority: 45 CFR 162.1002; ASC X12N 005010X222A1, loop 2410, LIN03. Prevents CARC 16 with RARC M119.
"""

import re
from collections.abc import Iterator

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule

NDC = re.compile(r"[0-9]{11}")
GROUPS = re.compile(r"([0-9]{4,5})-([0-9]{3,4})-([0-9]{1,2})")


@rule("IDN-008", Severity.HOLD, fields=("lines.drug",))
def misshapen_ndc(facts: Facts) -> Iterator[Problem]:
    """A drug code is eleven digits without dashes."""
    for index, line in facts.billed:
        ndc = line.drug.ndc if line.drug else ""
        if not ndc or NDC.fullmatch(ndc):
            continue
        groups = GROUPS.fullmatch(ndc)
        fix = "Copy the code from the package with its dashes, and add the missing zero."
        remedy: tuple[Change, ...] = ()
        if groups:
            whole = f"{groups[1]:0>5}{groups[2]:0>4}{groups[3]:0>2}"
            fix, remedy = f"Send {whole}.", (Change(at=f"lines[{index}].drug.ndc", op="set", value=whole),)
        yield Problem(
            f"lines[{index}].drug.ndc",
            f"Line {index + 1}: the NDC of {line.code} is not eleven digits: {ndc}.",
            {"ndc": ndc},
            fix,
            remedy,
        )
