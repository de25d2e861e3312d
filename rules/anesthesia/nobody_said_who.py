"""An anesthesia line does not say who gave it.

The price depends on it: AA the physician alone, QZ a nurse alone, QK, QX and QY physician and nurse together, AD a
physician over more than four. QS and others only inform. Without one of the six the line is returned.

>>> from decimal import Decimal
>>> from rules.examples import charge, facts, line, show
>>> show(nobody_said_who(facts(charge(line("00100", "QS", unit="MJ", units=Decimal(95))))))
lines[0].modifiers
  Line 1: 00100 does not say who gave the anesthesia.
  Add AA, AD, QK, QX, QY or QZ.

>>> show(nobody_said_who(facts(charge(line("00100", "QZ", "QS", unit="MJ", units=Decimal(95))))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 12, section 50.K; codes of status J in CMS's physician fee
schedule. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import ANESTHESIA
from rules.engine import Facts, Problem, rule

WHO = frozenset({"AA", "AD", "QK", "QX", "QY", "QZ"})


@rule("ANE-001", Severity.HOLD, codes=ANESTHESIA, line_by_line=True)
def nobody_said_who(facts: Facts) -> Iterator[Problem]:
    """An anesthesia line says by AA, AD, QK, QX, QY or QZ who gave it."""
    for index, line in facts.billed:
        if line.code in ANESTHESIA and WHO.isdisjoint(line.modifiers):
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} does not say who gave the anesthesia.",
                {"code": line.code},
                "Add AA, AD, QK, QX, QY or QZ.",
            )
