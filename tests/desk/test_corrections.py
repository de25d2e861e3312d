"""Corrections made here: what they do to the charge, to its claim, and what becomes of them when the source speaks."""

from decimal import Decimal

import pytest

from charges import review
from charges.desk import corrections
from charges.desk import sharing as desk
from charges.errors import Refused, Stale
from charges.model import Charge
from charges.tables import ChargeStatus, CorrectionRow, CorrectionState, HistoryLineRow
from rules.examples import charge, line
from tests.desk.workers import Desk, patient_of, pointless, without_25
from tests.practice import Workplace


def _at(workplace: Workplace) -> Desk:
    at = Desk(workplace)
    at.hold(without_25("visit"), pointless("pointless"))
    return at


@pytest.fixture
def there(small_workplace: Workplace) -> Desk:
    return _at(small_workplace)


@pytest.fixture
def everywhere(workplace: Workplace) -> Desk:
    """The same on each kind of database."""
    return _at(workplace)


def _mend(at: Desk, key: str, rule: str, **given: object) -> corrections.Correction:
    item = at.item(key, rule)
    return corrections.correct(at.workplace.database, item, by="ada", clock=at.workplace.clock, **given)  # type: ignore[arg-type]


def _document(at: Desk, key: str) -> Charge:
    return review.case(at.workplace.database, at.number(key)).charge


def test_a_suggestion_taken_goes_out_with_the_claim_and_the_source_stays(everywhere: Desk) -> None:
    made = _mend(everywhere, "visit", "GLB-002")
    assert [(each.at, each.was, each.now) for each in made.fields] == [("lines[0].modifiers", "", "25")]
    everywhere.workplace.run("judge", "generate", "deliver")
    assert everywhere.workplace.states()["visit"] is ChargeStatus.CLAIMED
    (file,) = everywhere.workplace.files()
    assert b"SV1*HC:99213:25*" in file.read_bytes()
    everywhere.workplace.run()  # the source says again what it said before
    assert everywhere.workplace.states()["visit"] is ChargeStatus.CLAIMED
    assert len(everywhere.workplace.files()) == 1


def test_a_field_corrected_is_judged_says_its_origin_and_is_remembered_for_later_charges(there: Desk) -> None:
    _mend(
        there, "pointless", "STR-008", edits={"lines[0].diagnoses": "i10", "lines[0].code": "99214"}, reason="the note"
    )
    there.workplace.run("judge")
    assert there.workplace.states()["pointless"] is ChargeStatus.CLEAN
    now = _document(there, "pointless")
    assert now.lines[0].diagnoses == ("I10",)
    assert now.origins["lines[0].diagnoses"] == "corrected by ada"
    with there.workplace.database.transaction() as session:
        (kept,) = session.query(HistoryLineRow).where(HistoryLineRow.charge_id == there.number("pointless"))
        assert kept.code == "99214"
    happened = review.case(there.workplace.database, there.number("pointless")).events
    assert [(each.what, each.actor, each.detail) for each in happened if each.actor == "ada"] == [
        ("corrected STR-008", "ada", "the note")
    ]


def test_corrections_are_listed_to_be_entered_at_the_source_until_it_says_the_same(everywhere: Desk) -> None:
    _mend(everywhere, "visit", "GLB-002")
    (listed,) = corrections.standing(everywhere.workplace.database)
    assert (listed.key, listed.by, listed.practice) == ("visit", "ada", "lakeside")
    assert not corrections.standing(everywhere.workplace.database, practices=["elsewhere"])
    everywhere.workplace.run("judge")
    entered = without_25("visit").model_copy(update={"lines": _document(everywhere, "visit").lines})
    everywhere.hold(entered)
    assert not corrections.standing(everywhere.workplace.database)
    assert _states(everywhere) == [CorrectionState.TAKEN]
    assert everywhere.workplace.states()["visit"] is ChargeStatus.CLEAN
    assert everywhere.workplace.rows()["visit"].corrected_from == ""


def test_a_correction_lapses_when_the_source_says_otherwise(there: Desk) -> None:
    _mend(there, "visit", "GLB-002")
    there.workplace.run("judge")
    there.hold(without_25("visit", dollars=175))
    assert _states(there) == [CorrectionState.LAPSED]
    assert there.workplace.states()["visit"] is ChargeStatus.HELD
    assert _document(there, "visit").lines[0].modifiers == ()


def test_a_waiver_does_not_outlive_the_version_it_was_given_for(there: Desk) -> None:
    there.hold(charge(line("99213", diagnoses=()), line("20610", "RT"), key="both", patient=patient_of("both")))
    review.waive(
        there.workplace.database, there.item("both", "GLB-002"), by="ada", reason="so", clock=there.workplace.clock
    )
    _mend(there, "both", "STR-008", edits={"lines[0].diagnoses": "I10"}, reason="the note")
    there.workplace.run("judge")
    assert there.item("both", "GLB-002")


def test_undoing_a_correction_brings_back_what_stood_there(there: Desk) -> None:
    clock, database, number = there.workplace.clock, there.workplace.database, there.number("pointless")
    _mend(there, "pointless", "STR-008", edits={"lines[0].diagnoses": "I10"}, reason="the note")
    there.workplace.run("judge")
    assert corrections.withdraw(database, number, by="bo", clock=clock) is ChargeStatus.CAPTURED
    there.workplace.run("judge")
    assert there.item("pointless", "STR-008")
    assert there.workplace.rows()["pointless"].corrected_from == ""
    assert _states(there) == [CorrectionState.UNDONE]
    with pytest.raises(Refused, match="No correction"):
        corrections.withdraw(database, number, by="bo", clock=clock)


def test_two_corrections_are_undone_one_after_the_other(everywhere: Desk) -> None:
    clock, database, number = everywhere.workplace.clock, everywhere.workplace.database, everywhere.number("visit")
    before = everywhere.workplace.rows()["visit"].version
    _mend(everywhere, "visit", "GLB-002", edits={"lines[0].units": "2"}, reason="the note")
    everywhere.workplace.run("judge")
    once = everywhere.workplace.rows()["visit"].version
    _mend(everywhere, "visit", "GLB-002")
    corrections.withdraw(database, number, by="ada", clock=clock)
    assert (everywhere.workplace.rows()["visit"].version, everywhere.workplace.rows()["visit"].corrected_from) == (
        once,
        before,
    )
    corrections.withdraw(database, number, by="ada", clock=clock)
    assert (everywhere.workplace.rows()["visit"].version, everywhere.workplace.rows()["visit"].corrected_from) == (
        before,
        "",
    )


def test_a_claim_that_was_made_keeps_its_correction(there: Desk) -> None:
    _mend(there, "visit", "GLB-002")
    there.workplace.run("judge", "generate")
    with pytest.raises(Refused, match="A claim was made"):
        corrections.withdraw(there.workplace.database, there.number("visit"), by="ada", clock=there.workplace.clock)


def test_a_correction_that_cannot_be_is_refused_and_leaves_nothing(small_workplace: Workplace) -> None:
    at = Desk(small_workplace)
    at.hold(without_25("visit"))
    before = at.workplace.rows()["visit"].version
    for edits, why in (
        ({"lines[0].colour": "red"}, "no field"),
        ({"lines[7].code": "99214"}, "no field"),
        ({"lines[0]": "99214"}, "not one field"),
        ({"lines[0].units": "many"}, "does not fit"),
        ({"lines[0].code": "99213"}, "changes nothing"),
        ({"voided": "yes"}, "not voided by a correction"),
        ({"source": "elsewhere"}, "No remedy changes"),
        ({"": "x"}, "not the path"),
    ):
        with pytest.raises(Refused, match=why):
            _mend(at, "visit", "GLB-002", edits=edits, reason="?")
    assert at.workplace.rows()["visit"].version == before
    assert _states(at) == []


def test_a_correction_of_ones_own_needs_a_reason_and_a_suggestion_must_exist(there: Desk) -> None:
    with pytest.raises(Refused, match="reason"):
        _mend(there, "visit", "GLB-002", edits={"lines[0].units": "2"})
    with pytest.raises(Refused, match="suggests nothing"):
        _mend(there, "pointless", "STR-008")


def test_a_claim_that_is_out_is_not_corrected_here(there: Desk) -> None:
    there.hold(charge(key="out", patient=patient_of("out")))
    there.workplace.run("generate", "deliver")
    there.hold(charge(line(charge=Decimal("151.00")), key="out", patient=patient_of("out")))
    with pytest.raises(Refused, match="is out"):
        _mend(there, "out", "SRC-002", edits={"lines[0].units": "2"}, reason="?")


def test_a_record_in_doubt_is_not_corrected_here(small_workplace: Workplace) -> None:
    at = Desk(small_workplace)
    at.workplace.source.put_broken("broken")
    at.hold()
    with pytest.raises(Refused, match="doubts what the source said"):
        _mend(at, "broken", "SRC-001", edits={"note": "read by hand"}, reason="?")


def test_what_somebody_else_did_meanwhile_is_told_and_a_comment_is_not_in_the_way(there: Desk) -> None:
    seen, item = there.seen("visit"), there.item("visit", "GLB-002")
    database, clock, number = there.workplace.database, there.workplace.clock, there.number("visit")
    desk.comment(database, number, "I asked at the front desk.", by="bo", clock=clock)
    desk.assign(database, number, "ada", by="ada", clock=clock, seen=seen)
    with pytest.raises(Stale, match="ada, assigned"):
        corrections.correct(database, item, by="bo", clock=clock, seen=seen)
    corrections.correct(database, item, by="bo", clock=clock, seen=there.seen("visit"))


def _states(at: Desk) -> list[CorrectionState]:
    with at.workplace.database.transaction() as session:
        return [each.state for each in session.query(CorrectionRow).order_by(CorrectionRow.id)]
