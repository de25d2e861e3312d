"""How a practice does beside its targets, counted from charges that were captured."""

from datetime import timedelta
from decimal import Decimal

import pytest

from charges.model import Charge
from charges.practice.profile import Standards
from charges.standards import FAMILIES, Measured, measure
from rules.examples import PATIENT, RENDERING_PROVIDER, SERVICE_DATE, charge, line
from tests.practice import Workplace

OTHER = RENDERING_PROVIDER.model_copy(update={"npi": "1679576722", "source_id": "9102"})
PERIOD = (SERVICE_DATE - timedelta(days=30), SERVICE_DATE + timedelta(days=30))


def _visit(number: int, code: str, *modifiers: str, **changes: object) -> Charge:
    patient = PATIENT.model_copy(update={"record_number": str(number)})
    return charge(line(code, *modifiers), key=str(number), patient=patient, **changes)


def _measured(workplace: Workplace, standards: Standards, *charges: Charge) -> dict[tuple[str, str], Measured]:
    workplace.source.put(*charges)
    workplace.run("pull")
    found = measure(workplace.database, workplace.applied.id, standards, *PERIOD)
    return {(each.what, each.provider): each for each in found}


def test_a_practice_without_charges_has_nothing_to_measure(workplace: Workplace) -> None:
    assert _measured(workplace, Standards()) == {}


def test_the_days_from_service_to_charge_are_counted(workplace: Workplace) -> None:
    late = line("99213", service_date=SERVICE_DATE - timedelta(days=20))
    found = _measured(
        workplace, Standards(charge_lag_days=7), *[_visit(n, "99213") for n in range(3)], charge(late, key="9")
    )
    assert found["days from service to charge, median", ""].value == 7
    within = found["charges within 7 days of the service", ""]
    assert (within.value, within.of, within.is_met, within.target) == (0.75, 4, False, "at least 90%")


def test_levels_are_shares_of_their_family(workplace: Workplace) -> None:
    codes = ["99213"] * 3 + ["99214"] + ["99203"]
    standards = Standards(visits={"99214": (Decimal("0.3"), Decimal("0.6"))})
    found = _measured(workplace, standards, *[_visit(n, code) for n, code in enumerate(codes)])
    assert found["99213 of office, known patient", ""].value == 0.75
    assert found["99203 of office, new patient", ""].value == 1
    level = found["99214 of office, known patient", ""]
    assert (level.value, level.target, level.is_met) == (0.25, "30% to 60%", False)
    for family, levels in FAMILIES.items():
        shares = [found[f"{code} of {family}", ""].value for code in levels if (f"{code} of {family}", "") in found]
        assert sum(shares) in (0, pytest.approx(1))


def test_a_provider_is_held_against_the_practice(workplace: Workplace) -> None:
    usual = [_visit(n, "99213" if n % 2 else "99214") for n in range(40)]
    unusual = [_visit(100 + n, "99215", rendering_provider=OTHER) for n in range(20)]
    found = _measured(workplace, Standards(), *usual, *unusual)
    assert not found["99215 of office, known patient", OTHER.npi].is_met
    assert found["99213 of office, known patient", RENDERING_PROVIDER.npi].is_met


def test_few_visits_say_nothing_of_a_provider(workplace: Workplace) -> None:
    found = _measured(workplace, Standards(), _visit(1, "99213"), _visit(2, "99215", rendering_provider=OTHER))
    assert {provider for _, provider in found} == {""}


def test_modifiers_that_part_services_are_counted(workplace: Workplace) -> None:
    visits = [_visit(1, "99213", "25"), _visit(2, "99213"), _visit(3, "20610", "59"), _visit(4, "20610", "RT")]
    standards = Standards(modifier_25_share=Decimal("0.4"), modifier_59_share=Decimal("0.5"))
    found = _measured(workplace, standards, *visits)
    assert not found["visits with modifier 25", ""].is_met
    other = found["other lines with modifier 59 or X", ""]
    assert (other.value, other.of, other.is_met) == (0.5, 2, True)


def test_a_voided_charge_is_none(workplace: Workplace) -> None:
    found = _measured(workplace, Standards(), _visit(1, "99213"), _visit(2, "99214", voided=True))
    assert found["99213 of office, known patient", ""].value == 1
    assert found["days from service to charge, median", ""].of == 1
