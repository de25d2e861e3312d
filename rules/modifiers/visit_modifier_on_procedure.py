"""A modifier for visits stands on a procedure.

Modifiers 24, 25 and 57 speak of the visit beside a procedure: unrelated, separate, or the one that decided on
surgery. They belong on the visit's line (or an eye examination's), and on a procedure they mean nothing. HCPCS codes
that begin with a letter are left alone, since some of them are visits.

>>> from rules.examples import charge, facts, line, show
>>> show(visit_modifier_on_procedure(facts(charge(line("99213"), line("20610", "25")))))
lines[1].modifiers
  Line 2: modifier 25 belongs on a visit, and 20610 is none.
  Move the modifier to the visit's line, or remove it.

>>> show(visit_modifier_on_procedure(facts(charge(line("99213", "25"), line("20610")))))
Nothing to say.

Authority: CPT, appendix A; NCCI Policy Manual, chapter I. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Change, ServiceLine, Severity
from rules.codes.groups import EYE_EXAMS, VISITS, numbers
from rules.engine import Facts, Problem, rendering_npi, rule
from rules.visits.beside import marked

FOR_VISITS = frozenset({"24", "25", "57"})
OTHER_VISITS = EYE_EXAMS | numbers(98000, 98016) | numbers(98966, 98972)
"""Visits below the range of evaluation and management: eye examinations, and care by video, telephone and portal."""

FIRST_PROCEDURE, FIRST_VISIT = "0", "99202"
"""Codes of CPT stand between these, up to where evaluation and management begins; letters stand after all digits."""


def is_procedure(_: Facts, line: ServiceLine) -> bool:
    """Whether a line is no visit."""
    return _is_procedure(line.code)


@rule("MOD-006", Severity.HOLD, modifiers=FOR_VISITS, line_where=is_procedure)
def visit_modifier_on_procedure(facts: Facts) -> Iterator[Problem]:
    """Modifiers 24, 25 and 57 stand on visits only."""
    for index, line in facts.billed:
        if FOR_VISITS.isdisjoint(line.modifiers) or not _is_procedure(line.code):
            continue
        for modifier in sorted(FOR_VISITS.intersection(line.modifiers)):
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: modifier {modifier} belongs on a visit, and {line.code} is none.",
                {"code": line.code, "modifier": modifier},
                "Move the modifier to the visit's line, or remove it.",
                _moved(facts, index, modifier),
            )


def _moved(facts: Facts, index: int, modifier: str) -> tuple[Change, ...]:
    """The modifier on the visit beside, where there is one that takes it and no other."""
    line = facts.charge.lines[index]
    day, npi = line.service_date, rendering_npi(facts.charge, line)
    visits = [
        (place, other)
        for place, other in facts.billed
        if other.code in VISITS and other.service_date == day and rendering_npi(facts.charge, other) == npi
    ]
    if len(visits) != 1 or modifier in visits[0][1].modifiers or not (added := marked(*visits[0], modifier)):
        return ()
    return (*added, Change(at=f"lines[{index}].modifiers[{line.modifiers.index(modifier)}]", op="remove"))


def _is_procedure(code: str) -> bool:
    return FIRST_PROCEDURE <= code < FIRST_VISIT and code not in OTHER_VISITS
