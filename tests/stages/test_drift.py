"""A vendor's change is seen before it is billed, and a person's word lets the charges go on."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import text

from charges import claims, delivery, filing, intake, lifecycle, review
from charges.clearinghouses import Parcel, Presence
from charges.clearinghouses.null import Null
from charges.cli.main import main
from charges.db import Database
from charges.drift import baselines as drift
from charges.drift import breakers, canaries
from charges.drift.breakers import Watched
from charges.drift.census import Drift
from charges.errors import Refused
from charges.keyring import write_keyring
from charges.model import Charge
from charges.pipeline import Pipeline
from charges.settings import Settings
from charges.sources import Page, RawRecord
from charges.tables import (
    BreakerRow,
    BreakerStatus,
    CensusRow,
    ChargeStatus,
    ClaimFileRow,
    EventRow,
    FileStatus,
    RawRecordRow,
    ReviewItemRow,
)
from rules.examples import PATIENT, charge
from tests.conftest import KEYRING, NOON
from tests.practice import StillSource, Workplace

BASELINE = 20
CAPTURED, CLEAN, HELD, CLAIMED = ChargeStatus.CAPTURED, ChargeStatus.CLEAN, ChargeStatus.HELD, ChargeStatus.CLAIMED
Record = dict[str, Any]
TEMPLATE: Record = json.loads(charge().model_dump_json())


def _nothing(_: Record) -> None:
    """The vendor changed nothing, or the mapping needs no change."""


class Tenant(StillSource):
    """A system whose vendor may change what its records say; ``reads`` is what the mapping does about it."""

    codes: ClassVar = {"encounter.status": frozenset({"CHK"}), "patient.sex": frozenset({"F", "M"})}

    def __init__(self) -> None:
        super().__init__(page_size=3)
        self.vendor: Callable[[Record], None] = _nothing
        self.reads: Callable[[Record], None] = _nothing

    def put(self, *charges: Charge) -> None:
        for each in charges:
            given = json.loads(each.model_dump_json())
            self.vendor(given)
            self.records[each.key] = json.dumps(given).encode()

    def to_charge(self, record: RawRecord) -> Charge:
        given = json.loads(record.body)
        self.reads(given)
        for part in (given, given["patient"], given["encounter"]):
            known = TEMPLATE if part is given else TEMPLATE["patient"] | TEMPLATE["encounter"]
            for unknown in part.keys() - known.keys():
                del part[unknown]
        return Charge.model_validate_json(json.dumps(given))


class Place(Workplace):
    """A practice that is past its first records."""

    source: Tenant

    def visits(self, first: int, count: int, vendor: Callable[[Record], None] | None = None) -> None:
        """Put so many charges of as many patients into the source and pull them."""
        if vendor is not None:
            self.source.vendor = vendor
        self.source.put(*(_visit(number) for number in range(first, first + count)))
        self.run("pull")

    @property
    def watched(self) -> Watched:
        (found,) = breakers.watched(self.database)
        return found

    def told(self) -> set[tuple[Drift, str]]:
        return {(each.drift, each.path) for each in self.watched.verdicts}

    def accept(self) -> None:
        self.pipeline.accept_drift(self.applied, by="Imogen Vale", because="the vendor said so", source=self.source)

    def states_from(self, first: int) -> set[ChargeStatus]:
        return {state for key, state in self.states().items() if int(key) >= first}


def _visit(number: int) -> Charge:
    return charge(
        key=str(number), note="as usual", patient=PATIENT.model_copy(update={"record_number": f"{200_000 + number}"})
    )


def _place(database: Database, folder: Path, clock: Callable[[], datetime], source: Tenant | None = None) -> Place:
    made = Place(database, folder, clock, source or Tenant())
    made.pipeline = Pipeline(database, Settings(baseline_records=BASELINE), clock)
    return made


@pytest.fixture
def place(database: Database, tmp_path: Path, clock: Callable[[], datetime]) -> Place:
    """On each kind of database."""
    made = _place(database, tmp_path, clock)
    made.visits(1, BASELINE + 1)
    return made


@pytest.fixture
def small_place(small_workplace: Workplace) -> Place:
    """On SQLite alone, for what does not depend on the database."""
    made = _place(small_workplace.database, small_workplace.folder, small_workplace.clock)
    made.visits(1, BASELINE + 1)
    return made


def _renamed(record: Record) -> None:
    record["patient"]["born"] = record["patient"].pop("birth_date")


def _reads_renamed(record: Record) -> None:
    if "born" in record["patient"]:
        record["patient"]["birth_date"] = record["patient"].pop("born")


def _vanished(record: Record) -> None:
    del record["patient"]["birth_date"]


def _emptied(record: Record) -> None:
    record["patient"]["birth_date"] = None


def _retyped(record: Record) -> None:
    record["patient"]["sex"] = 1


def _parked(record: Record) -> None:
    record["encounter"]["status"] = "PARKED"


def _edited(record: Record) -> None:
    record.update(note="edited by hand")
    record["patient"]["phone"] = "2175550000"


def _nicknamed(record: Record) -> None:
    record["patient"]["nickname"] = "Larky"


def test_the_first_records_make_the_baseline_and_break_nothing(small_workplace: Workplace) -> None:
    place = _place(small_workplace.database, small_workplace.folder, small_workplace.clock)
    place.visits(1, 9)
    place.visits(10, 9, vendor=_parked)
    assert (place.watched.status, place.watched.records) == ("", 18)
    assert place.states_from(1) == {CAPTURED}


def test_records_as_before_are_no_news(small_place: Place) -> None:
    place = small_place
    place.visits(100, 40)
    assert place.watched.status == ""
    place.run("judge", "generate")
    assert place.states_from(1) == {CLAIMED}


def test_a_new_field_is_noted_and_charges_go_on(small_place: Place) -> None:
    place = small_place
    place.visits(100, 7, vendor=_nicknamed)
    assert place.told() == {(Drift.NEW_PATH, "patient.nickname")}
    assert place.watched.status == BreakerStatus.NOTICED
    place.run("judge", "generate")
    assert place.states_from(1) == {CLAIMED}


def test_a_code_never_seen_holds_the_charges_that_have_it(small_place: Place) -> None:
    place = small_place
    place.visits(100, 2, vendor=_parked)
    place.visits(102, 2, vendor=_nothing)
    assert {key for key, state in place.states().items() if state is HELD} == {"100", "101"}
    finding = review.held(place.database)[0].items[0].finding
    assert finding.rule == drift.NOVEL
    assert "encounter.status says PARKED" in finding.message
    assert "charges drift accept" in finding.fix
    place.run("judge")
    assert place.states()["102"] is CLEAN
    assert place.states()["100"] is HELD


def test_accepting_a_code_lets_its_charges_go_on(place: Place) -> None:
    place.visits(100, 2, vendor=_parked)
    place.accept()
    assert place.watched.status == ""
    assert place.states_from(100) == {CAPTURED}
    place.visits(102, 2)
    assert place.states_from(100) == {CAPTURED}
    place.run("judge")
    assert place.states_from(100) == {CLEAN}
    assert not review.held(place.database)


def test_waiving_lets_one_charge_go_on(small_place: Place) -> None:
    place = small_place
    place.visits(100, 2, vendor=_parked)
    item = review.held(place.database)[0].items[0]
    review.waive(place.database, item.number, by="Imogen Vale", reason="seen it", clock=place.clock)
    place.run("judge")
    assert (place.states()["100"], place.states()["101"]) == (CLEAN, HELD)


def test_a_kind_of_value_never_seen_holds_its_charge(small_place: Place) -> None:
    place = small_place
    place.source.reads = lambda record: record["patient"].update(sex="F")
    place.visits(100, 1, vendor=_retyped)
    (held,) = review.held(place.database)
    assert any("patient.sex was always text and is number" in item.finding.message for item in held.items)
    assert place.watched.status == BreakerStatus.NOTICED


@pytest.mark.parametrize(
    ("vendor", "told"),
    [
        (_renamed, {(Drift.GONE, "patient.birth_date"), (Drift.NEW_PATH, "patient.born")}),
        (_vanished, {(Drift.GONE, "patient.birth_date")}),
        (_emptied, {(Drift.EMPTIED, "patient.birth_date")}),
        (_retyped, {(Drift.RETYPED, "patient.sex"), (Drift.WIDER, "patient.sex"), (Drift.NEW_VALUE, "patient.sex")}),
    ],
)
def test_a_broken_contract_stops_the_charges_and_not_the_pull(
    small_place: Place, vendor: Callable[[Record], None], told: set[tuple[Drift, str]]
) -> None:
    place = small_place
    place.run("judge")  # the charges of the baseline are clean and not claimed yet
    place.visits(100, 12, vendor=vendor)
    assert place.told() == told
    assert place.watched.stops
    place.visits(112, 3)
    place.run("judge", "generate")
    assert len(place.states()) == BASELINE + 1 + 15
    assert {state for key, state in place.states().items() if int(key) < 100} == {CLEAN}
    assert place.states_from(100) <= {CAPTURED, HELD}
    assert not place.files()
    with place.database.transaction() as session:
        assert session.query(RawRecordRow).count() == BASELINE + 1 + 15


def test_a_share_that_falls_over_many_records_stops_them(small_place: Place) -> None:
    place = small_place
    place.visits(100, 30)
    place.visits(200, 9, vendor=_nothing)
    place.visits(300, 60, vendor=lambda record: record["encounter"].update(place_of_service=""))
    assert (Drift.EMPTIED, "encounter.place_of_service") in place.told()


def test_a_few_lacks_are_no_news(small_place: Place) -> None:
    place = small_place
    place.visits(100, 3, vendor=_vanished)
    place.visits(103, 9, vendor=_nothing)
    assert place.watched.status == ""


def test_accepting_reads_the_stored_records_again(place: Place) -> None:
    place.run("judge")
    place.visits(100, 12, vendor=_renamed)
    assert review.case(place.database, place.rows()["105"].id).charge.patient.birth_date is None
    place.source.reads = _reads_renamed
    place.accept()
    assert place.watched.status == ""
    for number in range(100, 112):
        born = review.case(place.database, place.rows()[str(number)].id).charge.patient.birth_date
        assert born == PATIENT.birth_date
    place.run("judge", "generate")
    assert place.states_from(1) == {CLAIMED}


def test_what_was_accepted_is_watched_from_then_on(small_place: Place) -> None:
    place = small_place
    place.visits(100, 12, vendor=_renamed)
    place.source.reads = _reads_renamed
    place.accept()
    place.visits(112, 30)
    assert place.watched.status == ""
    place.visits(200, 18, vendor=_vanished)
    assert (Drift.GONE, "patient.born") in place.told()
    assert place.watched.stops


def test_what_breaks_soon_after_an_acceptance_is_seen_too(small_place: Place) -> None:
    place = small_place
    place.visits(100, 9, vendor=_renamed)
    place.source.reads = _reads_renamed
    place.accept()

    def also_without_sex(record: Record) -> None:
        _renamed(record)
        del record["patient"]["sex"]

    place.visits(200, 12, vendor=also_without_sex)
    assert place.told() == {(Drift.GONE, "patient.sex")}
    assert place.watched.stops


def test_acceptance_is_an_event_with_a_name_and_a_reason(place: Place) -> None:
    place.visits(100, 12, vendor=_vanished)
    for by, because in (("", "why not"), ("Imogen Vale", " ")):
        with pytest.raises(Refused):
            place.pipeline.accept_drift(place.applied, by=by, because=because, source=place.source)
    assert place.watched.stops
    place.accept()
    with place.database.transaction() as session:
        events = session.query(EventRow).where(EventRow.subject == "breaker").order_by(EventRow.sequence).all()
        assert [(each.what, each.became) for each in events] == [
            ("breaker opened", "open"),
            ("baseline accepted", "accepted"),
            ("breaker closed", "closed"),
        ]
        assert events[1].actor == "Imogen Vale"
        assert events[1].unseal(place.database.keyring, "detail") == b"the vendor said so"
        assert not list(lifecycle.broken_chains(session, place.database.keyring))
    with pytest.raises(Refused, match="Nothing of eclinicalworks waits"):
        place.accept()


def test_what_was_noticed_before_it_broke_is_accepted_with_it(small_place: Place) -> None:
    place = small_place
    place.visits(100, 2, vendor=_parked)
    place.visits(102, 12, vendor=_vanished)
    assert place.told() == {(Drift.GONE, "patient.birth_date"), (Drift.NEW_VALUE, "encounter.status")}
    place.accept()
    assert HELD not in place.states_from(100)
    place.visits(200, 6, vendor=_parked)
    assert place.watched.status == ""


def test_what_was_noticed_before_it_broke_is_read_again_from_where_it_broke(small_place: Place) -> None:
    place, now = small_place, NOON

    def vanished_and_parked(record: Record) -> None:
        _vanished(record)
        _parked(record)

    def an_hour_later() -> datetime:
        nonlocal now
        return (now := now + timedelta(hours=1))

    place.pipeline = replace(place.pipeline, clock=an_hour_later)
    place.visits(100, 4, vendor=_vanished)
    place.visits(104, 1, vendor=vanished_and_parked)
    assert place.watched.status == BreakerStatus.NOTICED
    place.visits(105, 8, vendor=_vanished)
    assert place.watched.status == BreakerStatus.OPEN
    place.source.reads = lambda record: record["patient"].update(birth_date="1980-02-29")
    place.accept()
    for number in range(100, 113):
        born = review.case(place.database, place.rows()[str(number)].id).charge.patient.birth_date
        assert born == date(1980, 2, 29)


def test_stopped_between_acceptance_and_reading_again_nothing_is_routed(place: Place) -> None:
    place.visits(100, 12, vendor=_renamed)
    breakers.accept(
        place.database, place.applied.id, "eclinicalworks", by="Imogen Vale", because="it is right", clock=place.clock
    )
    assert place.watched.status == BreakerStatus.ACCEPTED
    place.run("judge", "generate")
    assert place.states_from(1) == {CAPTURED}
    place.source.reads = _reads_renamed
    place.run("pull", "judge", "generate")
    assert place.watched.status == ""
    assert place.states_from(1) == {CLAIMED}


def test_a_file_chosen_before_the_breaker_opened_is_not_stored(place: Place) -> None:
    place.run("judge")
    practice, standing = place.applied.practice, place.applied.standing
    scope = claims.control_scope(practice)
    batch = claims._next_batch(place.database, place.applied.id, practice, standing, scope, is_shadow=False)
    assert batch is not None
    place.visits(100, 12, vendor=_vanished)
    assert filing.build(place.database, place.applied.id, practice, batch, place.clock) == filing.Generated()
    place.run("generate")
    assert CLAIMED not in place.states_from(1)


def _emptied_place(record: Record) -> None:
    record["encounter"]["place_of_service"] = ""


def test_a_file_built_of_records_that_had_changed_waits_for_a_person(
    database: Database, tmp_path: Path, clock: Callable[[], datetime]
) -> None:
    now = clock()
    place = _place(database, tmp_path, lambda: now)
    place.visits(1, BASELINE + 1)
    place.run("judge", "generate")
    now += timedelta(days=1)
    place.visits(100, 4, vendor=_emptied_place)  # too few to be noticed
    place.run("judge", "generate")
    assert place.states_from(1) == {CLAIMED}
    now += timedelta(days=1)
    place.visits(104, 12)
    assert place.watched.stops
    place.run("deliver")
    assert _sent(place) == {1: FileStatus.SENT, 2: FileStatus.BUILT}
    now += timedelta(days=1)
    place.run("deliver")
    assert _sent(place)[2] is FileStatus.BUILT
    place.accept()
    place.run("deliver")
    assert _sent(place)[2] is FileStatus.SENT


def test_a_file_that_was_staged_when_the_breaker_opened_is_finished(small_place: Place) -> None:
    place = small_place
    place.run("judge", "generate")
    file = place.clearinghouse
    with place.database.transaction() as session:
        stored = session.query(ClaimFileRow).one()
        file.stage(Parcel(stored.name, stored.unseal(KEYRING, "content")))
        lifecycle.move(session, [stored], FileStatus.SENDING, lifecycle.Deed("staged", "delivery", NOON, KEYRING))
    place.visits(100, 12, vendor=_vanished)
    assert place.watched.stops
    place.run("deliver")
    assert _sent(place) == {1: FileStatus.SENT}


def test_a_file_chosen_before_the_breaker_opened_is_not_sent(small_place: Place) -> None:
    place = small_place

    class Slow(Null):
        """While it is asked what is there the breaker opens."""

        def presence(self, parcel: Parcel) -> Presence:
            small_place.visits(100, 12, vendor=_vanished)
            return super().presence(parcel)

    slow = Slow()
    place.run("judge", "generate")
    delivery.deliver(place.database, place.applied.id, slow, place.clock)
    assert (_sent(place), slow.published) == ({1: FileStatus.BUILT}, {})


def _sent(place: Place) -> dict[int, FileStatus]:
    with place.database.transaction() as session:
        return {row.id: row.status for row in session.query(ClaimFileRow).order_by(ClaimFileRow.id)}


def test_many_workers_open_one_breaker_and_miss_no_record(place: Place) -> None:
    place.source.vendor = _vanished
    place.source.put(*(_visit(number) for number in range(100, 160)))
    bodies = [RawRecord(key, body) for key, body in place.source.records.items() if int(key) >= 100]
    errors: list[Exception] = []

    def work(own: list[RawRecord]) -> None:
        try:
            for start in range(0, len(own), 3):
                page = Page(tuple(own[start : start + 3]))
                intake.store(place.database, place.applied.id, place.source, page, NOON, baseline_records=BASELINE)
        except Exception as error:  # noqa: BLE001 - told by the test
            errors.append(error)

    workers = [threading.Thread(target=work, args=(bodies[number::4],)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not errors
    with place.database.transaction() as session:
        (row,) = session.query(BreakerRow).all()
        since = drift.Waiting.of(row, place.database.keyring).since
    assert row.status is BreakerStatus.OPEN
    assert since.records >= 60 - 9  # all but the few before it opened
    assert since.having("patient.birth_date", 63) < 3


def test_many_first_workers_make_one_baseline(
    database: Database, tmp_path: Path, clock: Callable[[], datetime]
) -> None:
    place = Place(database, tmp_path, clock, Tenant())
    place.source.put(*(_visit(number) for number in range(24)))
    bodies = [RawRecord(key, body) for key, body in place.source.records.items()]

    def work(own: list[RawRecord]) -> None:
        for each in own:
            intake.store(database, place.applied.id, place.source, Page((each,)), NOON, baseline_records=BASELINE)

    workers = [threading.Thread(target=work, args=(bodies[number::3],)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (place.watched.records, place.watched.status) == (BASELINE, "")


def test_nothing_of_a_person_stands_in_the_tables_of_the_census(place: Place) -> None:
    place.visits(100, 12, vendor=_renamed)
    place.visits(120, 2, vendor=lambda record: record["encounter"].update(status="Larkspur"))
    with place.database.transaction() as session:
        plain = [
            str(row)
            for table in ("census", "breakers", "review_items", "events")
            for row in session.execute(text(f"SELECT * FROM {table}"))
        ]
        assert plain
        sealed = [drift.baseline_of(row, KEYRING) for row in session.query(CensusRow).where(_is_baseline())]
        items = session.query(ReviewItemRow).where(ReviewItemRow.rule == drift.NOVEL).all()
    assert not any(word in row for row in plain for word in ("Larkspur", "Odette", "1961-04-03", "200100"))
    assert items
    kept = json.dumps([each.known.to_json() for each in sealed])
    assert not any(word in kept for word in ("Larkspur", "Odette", "1961-04-03", "200001"))


def _is_baseline() -> Any:
    return CensusRow.role == drift.BASELINE


def test_a_breaker_is_told_in_the_review_the_status_the_doctor_and_closed_on_the_command_line(
    small_place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    place = small_place
    place.visits(100, 12, vendor=_vanished)
    key_file = place.folder / "chargerouter.key"
    write_keyring(KEYRING, key_file)
    monkeypatch.setenv("CHARGES_DATABASE_URL", place.database.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CHARGES_KEY_FILE", str(key_file))
    monkeypatch.setenv("LAKESIDE_SECRET", "x")

    def charges(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capfd.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    code, said = charges("drift", "show", "lakeside", "--json")
    (shown,) = json.loads(said)
    assert (code, shown["status"], shown["routed"]) == (1, "open", False)
    assert [each["path"] for each in shown["differences"]] == ["patient.birth_date"]
    assert shown["fields"]["encounter.status"]["codes"] == ["CHK"]
    for words in (("review", "list"), ("status",), ("doctor",), ("drift", "show", "lakeside")):
        assert "patient.birth_date is gone" in " ".join(charges(*words)[1].split()), words
    assert json.loads(charges("status", "--json")[1].splitlines()[0])["lakeside"]["breakers"] == {"open": 1}
    assert charges("drift", "accept", "lakeside", "--by", "Imogen Vale")[0] == 2
    code, said = charges("drift", "accept", "lakeside", "--because", "they said so", "--by", "Imogen Vale")
    assert (code, "Accepted: 1 difference" in said) == (0, True)
    assert charges("drift", "show", "lakeside")[0] == 0


class Reread(Tenant):
    """A system that gives a charge by its number, and says when it changed."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: dict[str, str] = {}

    def of_days(self, first: date, last: date, cursor: str | None) -> Iterator[Page]:
        return iter(())

    def numbers_of_days(self, first: date, last: date) -> frozenset[str]:
        return frozenset(self.records)

    def one(self, key: str) -> RawRecord | None:
        return RawRecord(key, self.records[key]) if key in self.records else None

    def withdrawn(self, record: RawRecord) -> RawRecord:
        return record

    def moment(self, record: RawRecord) -> str:
        return str(json.loads(record.body)["note"])


@pytest.mark.parametrize(
    ("vendor", "status"),
    [
        (_nothing, ""),
        (_vanished, "open"),
        (_retyped, "open"),
        (lambda record: record["patient"].update(phone="2175550000"), "noticed"),
        (_edited, ""),
    ],
)
def test_charges_that_nobody_edited_are_read_again_each_day(
    small_workplace: Workplace, vendor: Callable[[Record], None], status: str
) -> None:
    source = Reread()
    place = _place(small_workplace.database, small_workplace.folder, small_workplace.clock, source)
    place.visits(1, BASELINE + 4)
    source.vendor = vendor
    source.put(*(_visit(number) for number in range(BASELINE + 1, BASELINE + 5)))

    def look(days: int) -> int:
        later = NOON + timedelta(days=days)
        day = timedelta(days=1)
        return canaries.look(place.database, place.applied.id, source, day, lambda: later, baseline_records=BASELINE)

    assert look(1) == 0  # no charge is old enough
    look(8)
    assert place.watched.status == status
    before = place.watched.since
    assert look(8) == 0  # once a day
    assert place.watched.since == before
