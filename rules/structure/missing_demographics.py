"""The patient's or policy's basic data is missing.

A payer finds the person by name, date of birth, sex and member id; without one of them the claim is returned before
anybody reads the services. Each missing field is told by itself. When the patient is not the policy holder the claim
names the holder only, so the holder's birth date, sex and address are not asked for here.

>>> from rules.examples import PATIENT, charge, facts, show
>>> show(missing_demographics(facts(charge(patient=PATIENT.model_copy(update={"birth_date": None})))))
patient.birth_date
  The patient's date of birth is missing.
  Enter it in the patient's registration.

With everything there the rule is silent:

>>> show(missing_demographics(facts()))
Nothing to say.

Authority: ASC X12N 005010X222A1, loops 2010BA, 2010CA, 2010BB, 2330A and 2330B. Prevents CARC 16 and 31.
"""

from collections.abc import Iterator

from charges.model import Charge, Patient, Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual

DOMESTIC = frozenset({"", "US", "USA", "CA", "CAN"})
"""Countries whose addresses have a state and a postal code in X12; absent means the United States."""


@rule("STR-001", Severity.HOLD, where=unusual)
def missing_demographics(facts: Facts) -> Iterator[Problem]:
    """The patient and each policy have their basic data."""
    for at, what, present in () if _is_whole(facts.charge.patient) else _patient(facts.charge):
        if not present:
            yield Problem(at, f"The patient's {what} is missing.", fix="Enter it in the patient's registration.")
    for index, coverage in enumerate(facts.charge.coverages):
        payer = coverage.payer
        if coverage.member_id.strip() and payer.name.strip() and payer.payer_id.strip():
            continue
        at = f"coverages[{index}]"
        for place, what, text in (
            (f"{at}.member_id", "member id", coverage.member_id),
            (f"{at}.payer.name", "payer's name", payer.name),
            (f"{at}.payer.payer_id", "payer id", payer.payer_id),
        ):
            if not text.strip():
                name = payer.name.strip() or "no payer's name"
                yield Problem(
                    place,
                    f"Coverage {index + 1} ({name}): the {what} is missing.",
                    {"payer": name},
                    "Enter it in the patient's insurance.",
                )


def _is_whole(patient: Patient) -> bool:
    address = patient.address
    return bool(
        patient.birth_date
        and patient.last_name.strip()
        and patient.first_name.strip()
        and patient.sex.strip()
        and address.line1.strip()
        and address.city.strip()
        and address.state.strip()
        and address.postal_code.strip()
    )


def _patient(charge: Charge) -> Iterator[tuple[str, str, bool]]:
    patient = charge.patient
    address = patient.address
    yield "patient.last_name", "last name", bool(patient.last_name.strip())
    yield "patient.first_name", "first name", bool(patient.first_name.strip())
    yield "patient.birth_date", "date of birth", patient.birth_date is not None
    yield "patient.sex", "sex", bool(patient.sex.strip())
    yield "patient.address.line1", "street", bool(address.line1.strip())
    yield "patient.address.city", "city", bool(address.city.strip())
    if address.country.upper() in DOMESTIC:
        yield "patient.address.state", "state", bool(address.state.strip())
        yield "patient.address.postal_code", "ZIP code", bool(address.postal_code.strip())
