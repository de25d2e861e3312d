"""A line belongs to a service that stands on an earlier charge of the same day.

NCCI looks at the day and the provider, not at the claim. A test billed this morning and the panel that holds it
billed this afternoon meet at the payer, and one is denied.

>>> from rules.examples import SERVICE_DATE, charge, earlier, facts, line, show
>>> morning = [earlier("80053", SERVICE_DATE)]
>>> show(part_of_an_earlier_charge(facts(charge(line("80048")), history=morning)))
lines[0]
  Line 1: 80048 and 80053 on charge 6990 of the same day belong together.
  Bill the one that holds the other, or add the modifier that says they were apart.

>>> show(part_of_an_earlier_charge(facts(charge(line("85025")), history=morning)))
Nothing to say.

Authority: NCCI Policy Manual, chapter I. What was billed before is known of this practice only, so the rule only
warns. Prevents CARC 97 and 236.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rendering_npi, rule, seen_before
from rules.ncci.pairs import PARTING


@rule("NCC-006", Severity.WARN, where=seen_before)
def part_of_an_earlier_charge(facts: Facts) -> Iterator[Problem]:
    """No line belongs to one of an earlier charge of the same day and provider."""
    for index, line in facts.billed:
        for known in facts.history:
            if known.service_date != line.service_date or known.rendering_npi != rendering_npi(facts.charge, line):
                continue
            edit = facts.tables.ptp(known.code, line.code, known.service_date) or facts.tables.ptp(
                line.code, known.code, known.service_date
            )
            apart = not (PARTING.isdisjoint(line.modifiers) and PARTING.isdisjoint(known.modifiers))
            if edit and known.code != line.code and not (edit.modifier_indicator == "1" and apart):
                yield Problem(
                    f"lines[{index}]",
                    f"Line {index + 1}: {line.code} and {known.code} on charge {known.charge_key} of the same day belong "
                    "together.",
                    {"code": line.code, "other": known.code, "charge": known.charge_key},
                    "Bill the one that holds the other, or add the modifier that says they were apart.",
                )
