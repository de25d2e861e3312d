"""The same service already stands on another charge.

A visit entered twice, or a charge made anew after a correction, would be billed twice. The payer denies the second
claim, and a pattern of duplicates draws an audit. Judged against what is known of this patient in this practice.

>>> from charges.model import HistoryLine
>>> from rules.examples import SERVICE_DATE, charge, facts, show
>>> earlier = HistoryLine(charge_key="6990", service_date=SERVICE_DATE, code="99213", rendering_npi="1245319599")
>>> show(line_billed_before(facts(history=[earlier])))
lines[0]
  Line 1: 99213 on 2026-11-16 already stands on charge 6990.
  Void one of the two, or add the modifier for a repeated service.

>>> show(line_billed_before(facts()))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 1, section 120. Prevents CARC 18.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.duplicates.sameness import Service, service
from rules.engine import Facts, Problem, rule, seen_before


@rule("CHG-002", Severity.HOLD, where=seen_before)
def line_billed_before(facts: Facts) -> Iterator[Problem]:
    """No line repeats one of an earlier charge."""
    known = {
        Service(each.service_date, each.code, frozenset(each.modifiers), each.rendering_npi): each.charge_key
        for each in facts.history
        if each.charge_key != facts.charge.key
    }
    for index, line in facts.billed:
        asked = service(facts.charge, line)
        if asked and (other := known.get(asked)):
            yield Problem(
                f"lines[{index}]",
                f"Line {index + 1}: {line.code} on {line.service_date} already stands on charge {other}.",
                {"code": line.code, "service_date": str(line.service_date), "charge": other},
                "Void one of the two, or add the modifier for a repeated service.",
            )
