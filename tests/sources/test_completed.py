"""Charges of an export are completed from the FHIR tenant that knows the patients, or wait with the reason."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import stamina
from pydantic import ValidationError

from charges.model import Address, Charge
from charges.pipeline import Pipeline
from charges.practice.connections import FhirPeople, FlatFiles
from charges.practice.layout import Layout
from charges.practice.profile import Practice
from charges.review import held
from charges.settings import Settings
from charges.simulator.fhir import RECORD_NUMBERS, FhirTenant
from charges.sources.allowance import Unlimited
from charges.sources.completed import CompletedSource
from charges.sources.fhir import FhirSource
from charges.sources.flatfile import FlatFileSource
from charges.sources.seen import origin, paths
from charges.tables import ChargeStatus
from tests.conftest import NOON
from tests.practice import Workplace
from tests.sources.fhir import connection, serving, tenant_of

LAYOUT = {
    "key": ["Claim No"],
    "fields": {
        "patient.record_number": "Account",
        "patient.last_name": "Last",
        "patient.first_name": "First",
        "patient.birth_date": "DOB",
        "patient.phone": "Phone",
        "line.code": "CPT",
        "line.diagnoses": "Dx",
        "line.charge": "Amount",
        "line.units": "Units",
        "line.service_date": "DOS",
    },
}
COLUMNS = ("Claim No", "Account", "Last", "First", "DOB", "Phone", "CPT", "Dx", "Amount", "Units", "DOS")


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


@dataclass
class Clinic:
    """A practice whose charges come by exports and whose people are known by FHIR."""

    tenant: FhirTenant
    people: list[Charge]
    folder: Path
    reached: dict[str, Any]
    files: int = field(default=0)

    def __post_init__(self) -> None:
        self.exports.folder.mkdir()

    @property
    def exports(self) -> FlatFiles:
        return FlatFiles(
            kind="flatfile",
            folder=self.folder / "exports",
            settle_seconds=0,
            layout=Layout.model_validate(LAYOUT),
        )

    @property
    def completed_by(self) -> FhirPeople:
        return FhirPeople.model_validate(self.reached | {"assigner": RECORD_NUMBERS})

    def export(self, *rows: dict[str, str]) -> None:
        """Write an export; what a row leaves out is an office visit of somebody unknown."""
        usual = {"CPT": "99213", "Dx": "I10", "Amount": "150.00", "Units": "1", "DOS": "11/16/2026"}
        lines = [
            ",".join((usual | {"Claim No": str(n)} | row).get(name, "") for name in COLUMNS)
            for n, row in enumerate(rows)
        ]
        self.files += 1
        (self.exports.folder / f"{self.files}.csv").write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")

    def source(self) -> CompletedSource:
        return CompletedSource(FlatFileSource(self.exports), self.completed_by, Unlimited())

    def read(self) -> list[Charge]:
        source = self.source()
        return [source.to_charge(record) for page in source.changed_since(None) for record in page.records]


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    tenant = tenant_of(16)
    with serving(tenant, tmp_path) as reached:
        source = FhirSource(connection(reached))
        charges = [source.to_charge(record) for page in source.changed_since(None) for record in page.records]
        numbers = [each.patient.record_number for each in charges]
        # The tenant has a Patient for each charge, so it knows those well who came once.
        once = [
            each
            for each in charges
            if numbers.count(each.patient.record_number) == 1
            and each.patient.birth_date
            and each.patient.phone
            and each.patient.address.line1
            and each.coverages
        ]
        assert len(once) >= 2
        yield Clinic(tenant, once, tmp_path, reached)


def _row(person: Charge, **more: str) -> dict[str, str]:
    patient = person.patient
    return {"Account": patient.record_number, "Last": patient.last_name, "First": patient.first_name} | more


def test_what_an_export_leaves_open_comes_from_fhir_with_its_origin(clinic: Clinic) -> None:
    ada, bea = clinic.people[:2]
    clinic.export(_row(ada), _row(bea))
    first, second = clinic.read()
    for charge, known in ((first, ada), (second, bea)):
        assert charge.patient == known.patient
        assert charge.coverages == known.coverages
        assert [path for path in paths(charge) if not origin(charge, path)] == []
    assert first.origins["patient.last_name"] == "Last"
    assert first.origins["patient.birth_date"] == "FHIR Patient.birthDate"
    assert first.origins["coverages"] == "FHIR Coverage"


def test_nothing_that_the_export_says_is_overwritten(clinic: Clinic) -> None:
    ada = clinic.people[0]
    clinic.export(_row(ada, Phone="2175550188"))
    (charge,) = clinic.read()
    assert charge.patient.phone == "2175550188"
    assert charge.origins["patient.phone"] == "Phone"
    assert charge.patient.address == ada.patient.address != Address()


def test_without_a_record_number_birth_date_and_name_find_the_one_who_agrees(clinic: Clinic) -> None:
    ada = clinic.people[0].patient
    assert ada.birth_date
    clinic.export(
        {"Last": ada.last_name, "First": ada.first_name, "DOB": f"{ada.birth_date:%m/%d/%Y}", "Phone": ada.phone}
    )
    (charge,) = clinic.read()
    assert charge.patient.address == ada.address


def test_each_person_is_asked_for_once_in_a_run(clinic: Clinic) -> None:
    ada = clinic.people[0]

    def requests_of(*rows: dict[str, str]) -> int:
        before = clinic.tenant.requests
        for path in clinic.exports.folder.glob("*"):
            path.unlink()
        clinic.export(*rows)
        assert len(clinic.read()) == len(rows)
        return clinic.tenant.requests - before

    one = requests_of(_row(ada))
    assert one > 2
    assert requests_of(*(_row(ada, DOS=f"11/{day:02}/2026") for day in range(2, 20))) == one


@dataclass
class Desk:
    """The clinic as a practice of the database."""

    clinic: Clinic
    workplace: Workplace

    def __post_init__(self) -> None:
        self.workplace.apply(source=self.clinic.exports, completed_by=self.clinic.completed_by)
        self.workplace.pipeline = Pipeline(self.workplace.database, Settings(), lambda: NOON)

    def pull(self) -> None:
        self.workplace.pipeline.pull(self.workplace.applied)

    def status(self) -> ChargeStatus:
        (status,) = self.workplace.states().values()
        return status

    def reasons(self) -> Sequence[str]:
        return [item.finding.message for each in held(self.workplace.database) for item in each.items]


@pytest.fixture
def desk(clinic: Clinic, small_workplace: Workplace) -> Desk:
    return Desk(clinic, small_workplace)


def test_a_charge_waits_while_the_server_is_away_and_goes_on_when_it_is_back(desk: Desk) -> None:
    ada = desk.clinic.people[0]
    desk.clinic.export(_row(ada))
    desk.clinic.tenant.denies = True
    for _ in range(2):
        desk.pull()
        desk.workplace.run("judge")
        assert desk.status() is ChargeStatus.HELD
        (reason,) = desk.reasons()
        assert "could not be looked up" in reason
        assert "gives no token" in reason
        assert "looked up again with every pull" in reason
    desk.clinic.tenant.denies = False
    desk.pull()
    assert desk.status() is ChargeStatus.CAPTURED
    assert desk.reasons() == []


def _another_name(clinic: Clinic) -> dict[str, str]:
    return _row(clinic.people[0]) | {"Last": "Quillfeather", "First": "Zenobia"}


def _number_of_nobody(clinic: Clinic) -> dict[str, str]:
    return _row(clinic.people[0]) | {"Account": "999999"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (_another_name, "The record number is another person's"),
        (_number_of_nobody, "knows no patient of this record number"),
    ],
)
def test_a_patient_in_doubt_is_never_completed(
    desk: Desk, row: Callable[[Clinic], dict[str, str]], reason: str
) -> None:
    ada = desk.clinic.people[0].patient
    desk.clinic.export(row(desk.clinic))
    desk.pull()
    assert desk.status() is ChargeStatus.HELD
    (said,) = desk.reasons()
    assert reason in said
    assert not any(value in said for value in (ada.last_name, ada.first_name, ada.record_number, "Quillfeather"))
    desk.clinic.export(_row(desk.clinic.people[0]))  # corrected at the source
    desk.pull()
    assert desk.status() is ChargeStatus.CAPTURED


def test_several_with_one_record_number_are_nobody(desk: Desk) -> None:
    visible = desk.clinic.tenant.practice.visible
    numbers = [json.loads(each.body)["PatientId"] for each in visible]
    twice = next(each for each in numbers if numbers.count(each) > 1)
    desk.clinic.export({"Account": twice})
    desk.pull()
    assert "are the patient as far as can be told" in desk.reasons()[0]
    assert desk.status() is ChargeStatus.HELD


def test_a_charge_held_for_its_patient_still_shows_what_it_says(desk: Desk) -> None:
    desk.clinic.export(_number_of_nobody(desk.clinic))
    desk.pull()
    (row,) = desk.workplace.rows().values()
    assert str(row.service_date) == "2026-11-16"
    assert row.total == 150


def test_a_source_that_tells_of_patients_itself_is_not_completed(clinic: Clinic, small_workplace: Workplace) -> None:
    profile = small_workplace.applied.practice.model_dump() | {"completed_by": clinic.completed_by.model_dump()}
    with pytest.raises(ValidationError, match="completed_by is for charges from files and messages"):
        Practice.model_validate(profile)
