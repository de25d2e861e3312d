"""Stage 1: each version of each charge is stored once, and nothing that the source gives is lost."""

from datetime import timedelta
from decimal import Decimal

import pytest

from charges import documents, intake, lifecycle, review
from charges.errors import Unavailable
from charges.feeds import received
from charges.model import Charge
from charges.sources import Page, RawRecord
from charges.tables import ChargeRow, ChargeStatus, ChargeVersionRow, CursorRow, RawRecordRow
from rules.examples import PATIENT, charge, line
from tests.conftest import NOON
from tests.practice import Workplace

CAPTURED, HELD, VOID, CLAIMED = ChargeStatus.CAPTURED, ChargeStatus.HELD, ChargeStatus.VOID, ChargeStatus.CLAIMED


def _count(workplace: Workplace, table: type) -> int:
    with workplace.database.transaction() as session:
        return session.query(table).count()


def test_a_pull_captures_every_charge(workplace: Workplace) -> None:
    workplace.source.put(*(charge(key=str(number)) for number in range(7)))
    workplace.run("pull")
    assert workplace.states() == {str(number): CAPTURED for number in range(7)}


def test_pulling_again_changes_nothing(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"), charge(key="2"))
    workplace.run("pull", "pull")
    assert _count(workplace, ChargeVersionRow) == 2
    assert _count(workplace, RawRecordRow) == 2


def test_a_charge_that_comes_twice_on_a_page_is_what_it_said_last(workplace: Workplace) -> None:
    before, after = charge(key="1", self_pay=True), charge(key="1")
    page = Page(tuple(RawRecord("1", each.model_dump_json().encode()) for each in (before, after)))
    pulled = intake.store(workplace.database, workplace.applied.id, workplace.source, page, NOON)
    assert (pulled.new, pulled.changed) == (1, 1)
    assert _count(workplace, ChargeVersionRow) == 2
    with workplace.database.transaction() as session:
        row = session.query(ChargeRow).one()
        assert row.event_count == 2
        kept = documents.read(session, workplace.database.keyring, [row])[row]
        assert not kept.self_pay
        assert kept.digest() == kept.version == row.version
        assert lifecycle.is_unbroken(session, workplace.database.keyring, row)


def test_a_late_edit_is_a_new_version_and_the_old_one_stays(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"))
    workplace.run("pull")
    workplace.source.put(charge(line(charge=Decimal("175.00")), key="1"))
    workplace.run("pull")
    assert _count(workplace, ChargeVersionRow) == 2
    assert workplace.rows()["1"].total == Decimal("175.00")


def test_what_was_stored_last_is_the_newest_whatever_a_clock_says(workplace: Workplace) -> None:
    first, then = charge(key="1"), charge(line(charge=Decimal("175.00")), key="1")
    behind = NOON - timedelta(seconds=5)  # the clock of another worker's machine
    for each, now in ((first, NOON), (then, behind), (first, behind), (then, behind)):
        page = Page((RawRecord("1", each.model_dump_json().encode()),))
        intake.store(workplace.database, workplace.applied.id, workplace.source, page, now)
        with workplace.database.transaction() as session:
            newest = received.latest(session, workplace.applied.id, "eclinicalworks", ["1"])["1"]
            assert Charge.model_validate_json(newest.unseal(workplace.database.keyring, "body")) == each
        assert workplace.rows()["1"].total == each.total


def test_a_change_of_nothing_that_matters_is_no_new_version(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"))
    workplace.run("pull")
    workplace.source.put(charge(key="1", origins={"patient.sex": "patients.sex"}))
    workplace.run("pull")
    assert _count(workplace, ChargeVersionRow) == 1
    assert _count(workplace, RawRecordRow) == 2


def test_a_record_that_cannot_be_read_is_held_with_the_reason(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"))
    workplace.source.put_broken("2")
    workplace.run("pull")
    assert workplace.states() == {"1": CAPTURED, "2": HELD}
    (held,) = review.held(workplace.database)
    assert held.items[0].finding.message == "patient is a list where an object is expected."


def test_what_could_not_be_read_is_captured_by_a_program_that_can(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workplace.source.put(charge(key="1"))
    workplace.source.put_broken("2")
    workplace.run("pull", "pull")
    assert workplace.states() == {"1": CAPTURED, "2": HELD}
    monkeypatch.setattr(workplace.source, "to_charge", lambda record: charge(key=record.key))
    workplace.run("pull")
    assert workplace.states() == {"1": CAPTURED, "2": CAPTURED}
    assert not review.held(workplace.database)
    workplace.run("judge")
    assert workplace.states()["1"] is ChargeStatus.CLEAN


def _visit(key: str, units: int = 1) -> Charge:
    return charge(line(units=Decimal(units)), key=key, patient=PATIENT.model_copy(update={"record_number": f"20{key}"}))


def test_what_waits_is_read_again_once_by_a_new_profile(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engineer mends the map of fields because charges are held for what it did not find."""
    workplace.source.put(_visit("1"))
    workplace.run("pull", "judge", "generate")
    workplace.source.put(_visit("2").model_copy(update={"diagnoses": ()}), _visit("3"))
    workplace.run("pull", "judge")
    before = {"1": CLAIMED, "2": HELD, "3": ChargeStatus.CLEAN}
    assert workplace.states() == before
    monkeypatch.setattr(workplace.source, "to_charge", lambda record: _visit(record.key, units=2))
    workplace.run("pull")
    assert workplace.states() == before, "the profile is the same, and so is what it says"
    workplace.apply(name="Lakeside Family")
    workplace.run("pull")
    assert workplace.states() == {"1": CLAIMED, "2": CAPTURED, "3": CAPTURED}, "what left stays as it left"
    assert _count(workplace, ChargeVersionRow) == 5
    monkeypatch.undo()
    workplace.run("pull")
    assert _count(workplace, ChargeVersionRow) == 5
    assert {key: int(row.total) for key, row in workplace.rows().items()} == {"1": 150, "2": 150, "3": 150}


def test_a_mended_record_goes_on(workplace: Workplace) -> None:
    workplace.source.put_broken("2")
    workplace.run("pull")
    workplace.source.put(charge(key="2"))
    workplace.run("pull")
    assert workplace.states() == {"2": CAPTURED}
    assert not review.held(workplace.database)


def test_a_bug_of_the_reader_holds_one_record_and_tells_no_value(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(record: object) -> None:
        raise KeyError("Odette Larkspur")

    monkeypatch.setattr(workplace.source, "to_charge", read)
    workplace.source.put(charge(key="1"))
    workplace.run("pull")
    (held,) = review.held(workplace.database)
    assert "KeyError" in held.items[0].finding.message
    assert "Odette" not in held.items[0].finding.message


def test_a_charge_voided_at_the_source_is_void(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"), charge(key="2", voided=True))
    workplace.run("pull", "judge")
    workplace.source.put(charge(key="1", voided=True))
    workplace.run("pull")
    assert workplace.states() == {"1": VOID, "2": VOID}


def test_a_source_that_fails_midway_keeps_what_came_and_goes_on_later(workplace: Workplace) -> None:
    workplace.source.put(*(charge(key=str(number)) for number in range(6)))
    workplace.source.fails_after, workplace.source.error = 1, Unavailable("away")
    with pytest.raises(Unavailable):
        workplace.run("pull")
    assert list(workplace.states()) == ["0", "1"]
    workplace.source.fails_after = None
    workplace.run("pull")
    assert list(workplace.states()) == [str(number) for number in range(6)]


def test_the_cursor_is_saved_with_the_page(workplace: Workplace) -> None:
    workplace.source.put(*(charge(key=str(number)) for number in range(4)))
    workplace.run("pull")
    with workplace.database.transaction() as session:
        changes = session.query(CursorRow).filter_by(stream=intake.CHANGES).one()
        assert changes.position == "page 1"


def test_a_change_after_billing_waits_for_a_person(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"))
    workplace.run()
    assert workplace.states() == {"1": CLAIMED}
    workplace.source.put(charge(line(charge=Decimal("175.00")), key="1"))
    workplace.run()
    assert workplace.states() == {"1": HELD}
    (held,) = review.held(workplace.database)
    assert "changed at the source after claim CR" in held.items[0].finding.message
    assert len(workplace.files()) == 1


def test_a_change_back_to_what_was_billed_needs_nobody(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"))
    workplace.run()
    for amount in ("175.00", "150.00", "175.00", "150.00"):
        workplace.source.put(charge(line(charge=Decimal(amount)), key="1"))
        workplace.run()
    assert workplace.states() == {"1": CLAIMED}
    assert len(workplace.files()) == 1


def test_a_void_after_billing_waits_for_a_person(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"))
    workplace.run()
    workplace.source.put(charge(key="1", voided=True))
    workplace.run()
    (held,) = review.held(workplace.database)
    assert "voided at the source" in held.items[0].finding.message
