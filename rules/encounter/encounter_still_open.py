"""The visit is not finished in the practice's own system.

Until the patient is checked out and the note is locked, lines and diagnoses may still change, and the record that
must support the claim is not signed. Where the system does not say, the charge passes.

>>> from rules.examples import charge, facts, show
>>> ours = charge().encounter
>>> show(encounter_still_open(facts(charge(encounter=ours.model_copy(update={"locked": False})))))
encounter.locked
  The note of the encounter of 2026-11-16 is not locked.
  Ask the provider to finish and lock the note.

>>> show(encounter_still_open(facts(charge(encounter=ours.model_copy(update={"locked": None})))))
Nothing to say.

Authority: Medicare Program Integrity Manual, chapter 3, section 3.3.2.4, on signed records; the practice's own order.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual


@rule("ENC-001", Severity.HOLD, where=unusual)
def encounter_still_open(facts: Facts) -> Iterator[Problem]:
    """The encounter is checked out and its note is locked."""
    encounter = facts.charge.encounter
    if encounter.checked_out is not False and encounter.locked is not False:
        return
    day = f" of {encounter.start_date}" if encounter.start_date else ""
    if encounter.checked_out is False:
        yield Problem(
            "encounter.checked_out",
            f"The encounter{day} is not checked out.",
            {"encounter": day.removeprefix(" of ")},
            "Check the patient out.",
        )
    if encounter.locked is False:
        yield Problem(
            "encounter.locked",
            f"The note of the encounter{day} is not locked.",
            {"encounter": day.removeprefix(" of ")},
            "Ask the provider to finish and lock the note.",
        )
