"""A new patient was seen before.

A patient is new who had no face-to-face service in three years from the same physician, or from one of the same group
and specialty. Visits of new patients cost more; payers look into their own history and deny or take back. Judged by
what this provider did, since the specialty of the others is not known here.

>>> from datetime import date
>>> from rules.examples import charge, earlier, facts, line, show
>>> seen = [earlier("99214", date(2025, 5, 1))]
>>> show(new_patient_seen_before(facts(charge(line("99203")), history=seen)))
lines[0].code
  Line 1: 99203 is for new patients, and this provider saw the patient on 2025-05-01.
  Choose the code of an established patient.

>>> show(new_patient_seen_before(facts(charge(line("99203")), history=[earlier("99214", date(2022, 1, 10))])))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 12, section 30.6.7.A; CPT, guidelines of evaluation and
management. Prevents CARC B16.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.ages import years
from rules.codes.groups import EYE_EXAMS, HANDS_ON, VISITS, numbers
from rules.engine import Facts, Problem, rendering_npi, rule, seen_before

NEW = numbers(99202, 99205) | numbers(99381, 99387) | numbers(99341, 99345) | {"92002", "92004"}
FACE_TO_FACE = VISITS | EYE_EXAMS | HANDS_ON
YEARS = 3


@rule("EM-001", Severity.HOLD, codes=NEW, where=seen_before)
def new_patient_seen_before(facts: Facts) -> Iterator[Problem]:
    """A visit of a new patient is the first in three years by the provider."""
    for index, line in facts.billed if facts.history else ():
        day = line.service_date
        if line.code not in NEW or day is None:
            continue
        npi = rendering_npi(facts.charge, line)
        seen = [
            each.service_date
            for each in facts.history
            if each.code in FACE_TO_FACE
            and each.rendering_npi == npi
            and each.service_date < day
            and years(each.service_date, day) < YEARS
        ]
        if seen:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: {line.code} is for new patients, and this provider saw the patient on {max(seen)}.",
                {"code": line.code, "seen": str(max(seen))},
                "Choose the code of an established patient.",
            )
