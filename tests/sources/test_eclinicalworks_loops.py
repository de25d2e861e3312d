"""What no moment of change tells: late edits, charges that vanish, the days of before the start."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from charges import review
from charges.db import Database
from charges.errors import NotOffered, Refused, Stale, Unavailable
from charges.intake import Pulled
from charges.pipeline import Pipeline
from charges.practice.connections import EclinicalWorks, Secret
from charges.revisit import Days
from charges.settings import Settings
from charges.simulator import CLIENT_ID, CLIENT_SECRET, SimulatedPractice, build_practice, running, simulator_app
from charges.simulator.faults import Fault
from charges.simulator.updates import Update
from charges.sources.eclinicalworks.client import Client
from charges.sources.eclinicalworks.paging import RawPage
from charges.tables import ChargeStatus, CursorRow, EventRow
from tests.conftest import NOON
from tests.practice import Workplace

TODAY = date(2026, 11, 23)
YEAR = Days(TODAY - timedelta(days=365), TODAY)


@dataclass
class Clinic:
    """A practice on a simulated tenant, whose clock the tests move."""

    workplace: Workplace
    tenant: SimulatedPractice
    base_url: str
    secret: Path
    later: timedelta = timedelta()
    changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.apply()
        self.workplace.pipeline = Pipeline(self.workplace.database, Settings(), lambda: NOON + self.later)

    def apply(self, **changes: Any) -> None:
        connection = {"page_size": 5, "slice_days": 7} | changes
        self.workplace.apply(
            source=EclinicalWorks(
                kind="eclinicalworks",
                base_url=self.base_url,
                practice_code="LAKEFM",
                client_id=CLIENT_ID,
                client_secret=Secret(file=self.secret),
                **connection,
            )
        )

    @property
    def pipeline(self) -> Pipeline:
        return self.workplace.pipeline

    def pull(self) -> Pulled:
        return self.pipeline.pull(self.workplace.applied)

    def revisit(self, stream: Any, *, at_once: bool = True) -> Pulled:
        return self.pipeline.revisit(self.workplace.applied, stream, at_once=at_once)

    def status(self, key: str) -> ChargeStatus:
        return self.workplace.states()[key]

    def patient_paid(self, key: str) -> str:
        """What the patient paid, by the charge as it is stored."""
        return str(review.case(self.workplace.database, self.workplace.rows()[key].id).charge.patient_paid)

    def recent(self, status: ChargeStatus = ChargeStatus.CAPTURED) -> str:
        """A charge of the last weeks in a state."""
        states = self.workplace.states()
        return next(
            each.key
            for each in self.tenant.visible
            if states.get(each.key) is status and str(TODAY - timedelta(days=40)) <= each.service_date <= str(TODAY)
        )


@pytest.fixture
def tenant() -> SimulatedPractice:
    return build_practice(seed=5, patients=20, today=TODAY)


@pytest.fixture
def clinic(small_workplace: Workplace, tenant: SimulatedPractice, tmp_path: Path) -> Iterator[Clinic]:
    secret = tmp_path / "secret"
    secret.write_text(CLIENT_SECRET)
    with running(simulator_app(tenant)) as base_url:
        yield Clinic(small_workplace, tenant, base_url, secret)


def _positions(database: Database) -> dict[str, str]:
    with database.transaction() as session:
        return {row.stream: row.position for row in session.query(CursorRow)}


def test_an_edit_that_moved_no_moment_is_found_by_reading_the_days_again(clinic: Clinic) -> None:
    clinic.pull()
    key = clinic.recent()
    clinic.tenant.edit_silently(key, copay="17.00")
    assert clinic.pull().changed == 0
    assert clinic.revisit("trailing").changed == 1
    assert clinic.revisit("trailing").changed == 0


def test_reading_the_days_again_finds_nothing_new_where_nothing_changed(clinic: Clinic) -> None:
    clinic.pull()
    again = clinic.revisit("trailing")
    assert again.records > 5
    assert (again.new, again.changed, again.voided) == (0, 0, 0)


def test_a_charge_that_vanished_is_void_with_the_reason(clinic: Clinic) -> None:
    clinic.pull()
    key = clinic.recent()
    clinic.tenant.lose(key)
    assert clinic.revisit("trailing").voided == 0
    assert clinic.revisit("reconcile").voided == 1
    assert clinic.status(key) is ChargeStatus.VOID
    database = clinic.workplace.database
    with database.transaction() as session:
        event = session.query(EventRow).filter_by(what="voided", subject="charge").order_by(EventRow.id.desc()).first()
        assert event is not None
        assert b"has no such charge any more" in event.unseal(database.keyring, "detail")
    assert clinic.revisit("reconcile").records == 0


def test_a_charge_that_vanished_after_its_claim_left_waits_for_a_person(clinic: Clinic) -> None:
    clinic.pull()
    clinic.workplace.run("judge", "generate", "deliver")
    key = clinic.recent(ChargeStatus.CLAIMED)
    clinic.tenant.lose(key)
    clinic.revisit("reconcile")
    assert clinic.status(key) is ChargeStatus.HELD
    held = next(
        each for each in review.held(clinic.workplace.database) if each.charge_number == clinic.workplace.rows()[key].id
    )
    assert "voided at the source" in held.items[0].finding.message


def test_a_charge_that_comes_back_is_captured_again(clinic: Clinic) -> None:
    clinic.pull()
    key = clinic.recent()
    kept = list(clinic.tenant._versions)
    clinic.tenant.lose(key)
    clinic.revisit("reconcile")
    clinic.tenant._versions = kept
    clinic.tenant._see()
    clinic.revisit("trailing")
    assert clinic.status(key) is ChargeStatus.CAPTURED


def test_a_charge_that_only_moved_to_another_day_is_no_void(clinic: Clinic) -> None:
    clinic.pull()
    key = clinic.recent()
    clinic.tenant.edit_silently(key, ServiceDt="2019-01-02")
    clinic.tenant._versions = [
        each if each.key != key else type(each)(each.key, each.moment, each.body, service_date="2019-01-02")
        for each in clinic.tenant._versions
    ]
    clinic.tenant._see()
    assert clinic.revisit("reconcile").voided == 0
    assert clinic.status(key) is not ChargeStatus.VOID


def test_a_charge_that_we_lack_is_taken_up(clinic: Clinic) -> None:
    clinic.apply(start=TODAY - timedelta(days=60))
    clinic.pull()
    lacking = [each.key for each in clinic.tenant.visible if each.service_date >= str(TODAY - timedelta(days=60))]
    key = next(each for each in lacking if each in clinic.workplace.states())
    original = [each for each in clinic.tenant._versions if each.key == key]
    clinic.tenant._versions.append(
        type(original[0])(
            "99999",
            original[0].moment,
            original[0].body.replace(f'"InvId":"{key}"'.encode(), b'"InvId":"99999"'),
            service_date=original[0].service_date,
        )
    )
    clinic.tenant._see()
    assert clinic.revisit("reconcile").new == 1
    assert "99999" in clinic.workplace.states()


def test_when_most_seem_to_have_vanished_nothing_is_made_void(clinic: Clinic) -> None:
    clinic.pull()
    for each in list(clinic.tenant.visible)[:20]:
        clinic.tenant.lose(each.key)
    before = clinic.workplace.states()
    with pytest.raises(Refused, match="ask the vendor"):
        clinic.revisit("reconcile")
    assert clinic.workplace.states() == before


def test_the_loops_come_round_when_they_are_due_and_not_before(clinic: Clinic) -> None:
    clinic.pull()
    assert clinic.revisit("trailing", at_once=False).records > 0
    assert clinic.revisit("trailing", at_once=False).records == 0
    clinic.later = timedelta(hours=23)
    assert clinic.revisit("trailing", at_once=False).records == 0
    clinic.later = timedelta(hours=24)
    assert clinic.revisit("trailing", at_once=False).records > 0


def test_a_tenant_that_knows_no_days_is_asked_once_and_told_when_a_person_asks(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(*_: object) -> None:
        asked.append(1)
        raise NotOffered("The tenant does not answer for days of service.")

    monkeypatch.setattr(Client, "charges_of_days", refuse)
    for _ in range(3):
        clinic.revisit("trailing", at_once=False)
    assert len(asked) == 1
    with pytest.raises(NotOffered):
        clinic.revisit("trailing")


def test_an_answer_that_was_overtaken_undoes_nothing(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic.pull()
    key = clinic.recent()
    ask = Client.charges_of_days
    overtaken: list[int] = []

    def overtaken_by_a_pull(client: Client, first: date, last: date, after: str) -> Any:
        page = ask(client, first, last, after)
        if not overtaken and key in {record["InvId"] for record in page.records}:
            overtaken.append(clinic.tenant.advance(1))
            clinic.tenant.edit(key, copay="17.00")
            clinic.pull()
        return page

    monkeypatch.setattr(Client, "charges_of_days", overtaken_by_a_pull)
    clinic.revisit("trailing")
    assert overtaken
    assert clinic.patient_paid(key) == "17.00"


def test_what_is_read_by_the_profile_of_before_is_not_taken(clinic: Clinic) -> None:
    before = clinic.workplace.applied
    clinic.apply(fields={"cpt[].Mod1": ("ModifierOne",)})
    with pytest.raises(Stale, match=r"profile was changed.*next run"):
        clinic.pipeline.pull(before)
    assert not clinic.workplace.states()
    with pytest.raises(Stale):
        clinic.pipeline.backfill(before, YEAR)
    assert clinic.pull().new > 0


def test_charges_whose_number_was_renamed_go_on_under_it_and_stand_once(clinic: Clinic) -> None:
    clinic.tenant.update(Update(Fault.RENAMED_FIELD, "InvId", "InvoiceId"))
    clinic.pull()
    assert set(clinic.workplace.states().values()) == {ChargeStatus.HELD}
    key = clinic.tenant.visible[0].key
    clinic.tenant.advance(1)
    clinic.tenant.edit(key, copay="17.00")  # it stands twice now, for nobody can tell that it is the same
    clinic.pull()
    clinic.apply(fields={"InvId": ("InvoiceId",)})
    clinic.pull()
    states = clinic.workplace.states()
    nameless = {each for each in states if each.startswith("without-number-")}
    assert states.keys() - nameless == {each.key for each in clinic.tenant.visible}
    assert {states[each] for each in nameless} == {ChargeStatus.VOID}
    assert ChargeStatus.HELD not in states.values()
    assert clinic.patient_paid(key) == "17.00"
    assert not review.held(clinic.workplace.database)


def test_a_charge_of_a_day_to_come_that_vanished_is_void(clinic: Clinic) -> None:
    clinic.pull()
    key = clinic.recent()
    clinic.tenant.edit_silently(key, cpt=_lines_of(clinic, key, str(TODAY + timedelta(days=300))))
    clinic.revisit("trailing")
    assert str(clinic.workplace.rows()[key].service_date) > str(TODAY)
    clinic.tenant.lose(key)
    assert clinic.revisit("reconcile").voided == 1
    assert clinic.status(key) is ChargeStatus.VOID


def _lines_of(clinic: Clinic, key: str, day: str) -> list[dict[str, Any]]:
    record = json.loads(next(each for each in clinic.tenant.visible if each.key == key).body)
    return [line | {"SDOS": day, "EDOS": day} for line in record["cpt"]]


def test_an_empty_list_is_refused_before_every_charge_is_asked_for(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.pull()
    monkeypatch.setattr(Client, "numbers_of_days", lambda *_: RawPage([], has_more=False))
    asked: list[str] = []
    monkeypatch.setattr(Client, "charge", lambda _, number: asked.append(number))
    before = clinic.workplace.states()
    with pytest.raises(Refused, match="ask the vendor"):
        clinic.revisit("reconcile")
    assert not asked
    assert clinic.workplace.states() == before


# The days of before the start


def test_a_backfill_brings_the_days_named_and_no_others(clinic: Clinic) -> None:
    clinic.apply(start=TODAY)
    days = Days(TODAY - timedelta(days=60), TODAY - timedelta(days=31))
    wanted = {each.key for each in clinic.tenant.visible if str(days.first) <= each.service_date <= str(days.last)}
    assert clinic.pipeline.backfill(clinic.workplace.applied, days).new == len(wanted) > 5
    assert clinic.workplace.states().keys() == wanted
    assert _positions(clinic.workplace.database) == {f"backfill {days}": "done"}


def test_a_backfill_goes_on_where_it_was_stopped(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {each.key for each in clinic.tenant.visible if str(YEAR.first) <= each.service_date <= str(YEAR.last)}
    asked: list[tuple[date, str]] = []
    ask = Client.charges_of_days

    def failing(after: int) -> Callable[..., Any]:
        def charges_of_days(client: Client, first: date, last: date, number: str) -> Any:
            if len(asked) == after:
                raise Unavailable("away")
            asked.append((first, number))
            return ask(client, first, last, number)

        return charges_of_days

    stops = 0
    for after in range(3, 200, 9):
        monkeypatch.setattr(Client, "charges_of_days", failing(after))
        try:
            clinic.pipeline.backfill(clinic.workplace.applied, YEAR)
        except Unavailable:
            stops += 1
        else:
            break
    assert stops > 3
    assert clinic.workplace.states().keys() == whole
    assert len(asked) == len(set(asked))  # no page was asked for twice


def test_only_one_worker_reads_the_days_of_a_practice(clinic: Clinic) -> None:
    with (
        clinic.workplace.database.alone_at(f"backfill {clinic.workplace.applied.id}"),
        pytest.raises(Unavailable, match="Another worker"),
    ):
        clinic.pipeline.backfill(clinic.workplace.applied, YEAR)


def test_a_visit_that_is_not_locked_waits_and_goes_on_when_it_is(clinic: Clinic) -> None:
    key = next(each.key for each in clinic.tenant.visible if not each.errors and not each.voided)
    encounter = {"encounterID": "1", "date": str(TODAY), "STATUS": "ARR", "encLock": "0", "VisitType": "OV"}
    clinic.tenant.edit_silently(key, encounter=encounter)
    clinic.pull()
    clinic.workplace.run("judge")
    assert "ENC-001" in _rules_that_hold(clinic, key)
    clinic.tenant.edit_silently(key, encounter=encounter | {"STATUS": "CHK", "encLock": "1"})
    clinic.apply(trailing_days=200)
    assert clinic.revisit("trailing").changed == 1
    clinic.workplace.run("judge")
    assert "ENC-001" not in _rules_that_hold(clinic, key)


def _rules_that_hold(clinic: Clinic, key: str) -> set[str]:
    number = clinic.workplace.rows()[key].id
    held = [each for each in review.held(clinic.workplace.database) if each.charge_number == number]
    return {item.finding.rule for each in held for item in each.items}
