"""Whose charge it is: who becomes known, who is found, what is held for a person, and what a person's word is worth."""

import os
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from charges import lifecycle, review
from charges.desk import corrections
from charges.errors import Refused
from charges.model import Address, Charge, Finding, Patient
from charges.patients import identity
from charges.patients import register as patients
from charges.patients.matching import Candidate, Demographics, Linked, match
from charges.sources.hl7 import Hl7Source
from charges.tables import ChargeStatus, HistoryLineRow, PatientRow
from rules.examples import PATIENT, charge, line
from tests.matching.population import descriptions_of, people
from tests.practice import StillSource, Workplace
from tests.sources import hl7

CLEAN, HELD, CAPTURED = ChargeStatus.CLEAN, ChargeStatus.HELD, ChargeStatus.CAPTURED
TWIN = PATIENT.model_copy(update={"record_number": "100235", "first_name": "Odile"})


class Export(StillSource):
    """Another system's exports: it has no number of the practice's own, and registers nobody."""

    kind = "flatfile"


def elsewhere(patient: Patient = PATIENT, /, **changes: object) -> Patient:
    """A patient as another system has them."""
    return patient.model_copy(update={"record_number": "LX-1", "assigner": "laboratory", **changes})


def visit(key: str, patient: Patient = PATIENT, days_ago: int = 0, **changes: object) -> Charge:
    """A clean charge, of another day than others where that matters."""
    day = date(2026, 11, 16) - timedelta(days=days_ago)
    encounter = charge().encounter.model_copy(update={"start_date": day, "end_date": day})
    return charge(line(service_date=day), key=key, patient=patient, encounter=encounter, **changes)


def take(workplace: Workplace, *charges: Charge) -> None:
    """Take in charges of the practice's own system and judge them."""
    workplace.source = StillSource(*charges)
    workplace.run("pull", "judge")


def export(workplace: Workplace, *charges: Charge) -> None:
    """Take in charges of another system and judge them."""
    workplace.pipeline.pull(workplace.applied, source=Export(*charges))
    workplace.run("judge")


def an_hour_later(workplace: Workplace) -> None:
    """Let an hour pass and judge again."""
    at = workplace.pipeline.clock() + timedelta(hours=1)
    object.__setattr__(workplace.pipeline, "clock", lambda: at)
    workplace.run("judge")


def held_for_whose(workplace: Workplace) -> set[int]:
    """The numbers of charges that are held because nobody can tell whose they are."""
    return {
        held.charge_number
        for rule in identity.WHOSE
        for held in review.held(workplace.database, rule=rule, limit=10_000)
    }


def finding(workplace: Workplace, key: str) -> Finding:
    """What is open about whose charge it is."""
    (found,) = [
        item.finding
        for held in review.held(workplace.database)
        if held.charge_number == workplace.rows()[key].id
        for item in held.items
        if item.finding.rule in identity.WHOSE
    ]
    return found


def known(workplace: Workplace) -> dict[str, int]:
    """Everybody known, by first name as told last."""
    with workplace.database.transaction() as session:
        return {
            patients.demographics_of(row, workplace.database.keyring).first_names[0]: row.id
            for row in session.scalars(select(PatientRow).order_by(PatientRow.id))
        }


def link(workplace: Workplace, key: str, patient: int | None) -> ChargeStatus:
    number = workplace.rows()[key].id
    said = {"by": "Imogen", "reason": "compared with the chart", "clock": workplace.clock}
    return review.link(workplace.database, number, patient, **said)  # type: ignore[arg-type]


# Found


def test_a_charge_of_another_system_is_that_of_who_agrees_and_shares_their_history(workplace: Workplace) -> None:
    take(workplace, visit("1"))
    export(workplace, visit("x1", elsewhere(last_name="LARKSPUR", phone="+1 (217) 555-0142")))
    rows = workplace.rows()
    assert rows["x1"].patient_key == rows["1"].patient_key
    (held,) = review.held(workplace.database)
    assert {item.finding.rule for item in held.items} == {"CHG-002"}  # the same service of the same person
    (matched,) = [each for each in review.case(workplace.database, rows["x1"].id).events if each.what == "matched"]
    assert "by 02" in matched.detail
    assert "agrees: last name, first name, birth date, street, phone" in matched.detail


def test_the_practices_own_number_in_an_export_decides(small_workplace: Workplace) -> None:
    take(small_workplace, visit("1"))
    bare = Patient(record_number="100234", last_name="Larkspur", first_name="Odette", birth_date=PATIENT.birth_date)
    export(small_workplace, visit("x1", bare, days_ago=9))
    rows = small_workplace.rows()
    assert rows["x1"].patient_key == rows["1"].patient_key


def test_who_registers_nobody_and_meets_nobody_is_as_its_source_says(workplace: Workplace) -> None:
    export(workplace, visit("x1"), visit("x2", PATIENT, days_ago=9), visit("x3", elsewhere(record_number="")))
    assert workplace.states() == {"x1": CLEAN, "x2": CLEAN, "x3": CLEAN}
    rows = workplace.rows()
    assert rows["x1"].patient_key == rows["x2"].patient_key != rows["x3"].patient_key
    assert known(workplace) == {}


def test_who_is_registered_later_is_found_then(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    take(workplace, visit("1", TWIN))
    export(workplace, visit("x1", elsewhere()))
    assert workplace.states()["x1"] is HELD
    an_hour_later(workplace)
    assert workplace.states()["x1"] is HELD
    take(workplace, visit("2", days_ago=9))
    assert workplace.states()["x1"] is CLEAN
    rows = workplace.rows()
    assert rows["x1"].patient_key == rows["2"].patient_key != rows["1"].patient_key


def test_the_same_number_of_another_assigner_is_another_person(workplace: Workplace) -> None:
    same_number = PATIENT.model_copy(update={"assigner": "laboratory", "first_name": "Bea", "phone": "3125550188"})
    take(workplace, visit("1"))
    export(workplace, visit("x1", same_number))
    rows = workplace.rows()
    assert rows["1"].status is CLEAN
    assert rows["x1"].patient_key != rows["1"].patient_key
    assert finding(workplace, "x1").rule == identity.NOT_TOLD


# Held


@pytest.mark.parametrize(
    "changes",
    [
        {"first_name": "Odile"},
        {"first_name": "Odete"},
        {"suffix": "Jr"},
        {"birth_date": date(1961, 3, 4)},
        {"birth_date": None},
        {"phone": "", "address": Address()},
        {"last_name": "Fenwick", "address": Address()},
    ],
    ids=["a twin", "a like twin", "a son", "turned birth date", "no birth date", "name and birth date", "a roommate"],
)  # fmt: skip
def test_who_may_be_another_is_held_with_who_resembles_them(
    small_workplace: Workplace, changes: dict[str, object]
) -> None:
    take(small_workplace, visit("1", PATIENT.model_copy(update={"suffix": "Sr"})))
    export(small_workplace, visit("x1", elsewhere(PATIENT, **changes)))
    found = finding(small_workplace, "x1")
    assert (found.rule, found.at) == (identity.NOT_TOLD, "patient")
    number = small_workplace.rows()["x1"].id
    assert f"`charges review link {number} PATIENT --reason WHY`" in found.fix
    (name, said), *_ = found.evidence.items()
    assert name == f"patient {known(small_workplace)['Odette']}"
    assert said.startswith("Odette Larkspur Sr, born 1961-04-03, number 100234; agrees: ")
    if not changes.get("birth_date", True):
        assert "It has no birth date, without which nobody is linked." in found.message


def test_two_who_agree_are_both_shown(workplace: Workplace) -> None:
    take(workplace, visit("1"), visit("2", PATIENT.model_copy(update={"record_number": "100999"})))
    export(workplace, visit("x1", elsewhere()))
    found = finding(workplace, "x1")
    assert found.message.startswith("Known to the practice: 2 who agree")
    assert len(found.evidence) == 2


def test_a_couple_with_one_telephone_is_two(workplace: Workplace) -> None:
    spouse = PATIENT.model_copy(
        update={"record_number": "100235", "first_name": "Casimir", "birth_date": date(1959, 1, 2)}
    )
    take(workplace, visit("1"), visit("2", spouse))
    export(workplace, visit("x1", elsewhere()), visit("x2", elsewhere(spouse, record_number="LX-2")))
    rows = workplace.rows()
    assert rows["x1"].patient_key == rows["1"].patient_key
    assert rows["x2"].patient_key == rows["2"].patient_key


def test_a_stranger_with_a_record_number_of_somebody_is_held(workplace: Workplace) -> None:
    take(workplace, visit("1"))
    export(workplace, visit("x1", PATIENT.model_copy(update={"birth_date": date(1988, 8, 8)})))
    found = finding(workplace, "x1")
    assert (found.rule, found.at) == (identity.CONTRADICTED, "patient.record_number")
    assert found.message == "The record number is that of somebody who differs in birth date."
    with workplace.database.transaction() as session:
        keys = session.scalars(select(HistoryLineRow.patient_key)).all()
    assert len(set(keys)) == 2


def test_a_charge_of_the_practices_own_system_without_a_number_is_linked_or_held(workplace: Workplace) -> None:
    unnumbered = PATIENT.model_copy(update={"record_number": ""})
    take(workplace, visit("1"), visit("2", unnumbered, days_ago=9))
    rows = workplace.rows()
    assert rows["2"].patient_key == rows["1"].patient_key
    take(workplace, visit("3", unnumbered.model_copy(update={"first_name": "Nobody"}), days_ago=20))
    found = finding(workplace, "3")
    assert found.message.startswith("Known to the practice: 1 who resemble")


def test_a_person_is_never_found_from_another_practice(workplace: Workplace, tmp_path: Path) -> None:
    take(workplace, visit("1"))
    neighbour = Workplace(workplace.database, tmp_path, workplace.clock)
    neighbour.apply(code="riverside")
    neighbour.applied = neighbour.pipeline.practice("riverside")
    take(neighbour, visit("n1", TWIN.model_copy(update={"last_name": "Elsewhere", "birth_date": date(1990, 1, 1)})))
    neighbour.pipeline.pull(neighbour.applied, source=Export(visit("nx", elsewhere())))
    neighbour.run("judge")
    assert finding(neighbour, "nx").message == "Nobody known to the practice resembles the person of this charge."
    with pytest.raises(Refused, match="This practice knows no patient"):
        link(neighbour, "nx", known(workplace)["Odette"])


# What an authority says


def test_a_correction_a_marriage_and_a_move_are_the_same_person(workplace: Workplace) -> None:
    corrected = PATIENT.model_copy(update={"birth_date": date(1961, 3, 4)})
    moved = {
        "last_name": "Newlywed",
        "address": PATIENT.address.model_copy(update={"line1": "7 Far Road"}),
        "phone": "3125550188",
    }
    take(workplace, visit("1"))
    take(workplace, visit("2", corrected, days_ago=9))
    take(workplace, visit("3", corrected.model_copy(update=moved), days_ago=20))
    assert {row.patient_key for row in workplace.rows().values()} == {workplace.rows()["1"].patient_key}
    assert len(known(workplace)) == 1
    export(workplace, visit("x1", elsewhere(corrected, **moved), days_ago=30))  # by her new name
    export(workplace, visit("x2", elsewhere(corrected, record_number="LX-2"), days_ago=40))  # and by the one of before
    assert {row.patient_key for row in workplace.rows().values()} == {workplace.rows()["1"].patient_key}


def test_a_number_given_to_somebody_else_holds_the_charge_and_is_not_believed(workplace: Workplace) -> None:
    stranger = PATIENT.model_copy(update={"first_name": "Max", "birth_date": date(2012, 3, 9)})
    take(workplace, visit("1"))
    take(workplace, visit("2", stranger, days_ago=9))
    found = finding(workplace, "2")
    assert found.rule == identity.CONTRADICTED
    assert "differs in birth date, first name" in found.message
    assert list(known(workplace)) == ["Odette"]
    assert workplace.rows()["1"].status is CLEAN
    assert link(workplace, "2", None) is CAPTURED
    workplace.run("judge")
    assert workplace.states() == {"1": CLEAN, "2": CLEAN}
    take(workplace, visit("4", stranger, days_ago=30))
    rows = workplace.rows()
    assert rows["2"].patient_key == rows["4"].patient_key != rows["1"].patient_key


def test_a_correction_of_something_else_does_not_hide_a_contradicted_number(workplace: Workplace) -> None:
    stranger = PATIENT.model_copy(update={"first_name": "Max", "birth_date": date(2012, 3, 9)})
    take(workplace, visit("1"), visit("2", stranger, days_ago=9))
    correct(workplace, "2", {"note": "seen with the mother"})
    assert finding(workplace, "2").rule == identity.CONTRADICTED
    correct(workplace, "2", {"patient.record_number": "100777"})
    assert workplace.states() == {"1": CLEAN, "2": CLEAN}
    assert workplace.rows()["1"].patient_key != workplace.rows()["2"].patient_key


def correct(workplace: Workplace, key: str, edits: dict[str, str]) -> None:
    """Correct a charge by hand from its finding, and judge it again."""
    number = workplace.rows()[key].id
    (item,) = [each.number for each in review.case(workplace.database, number).items if each.state == "open"]
    corrections.correct(
        workplace.database, item, by="Imogen", reason="as in the chart", edits=edits, clock=workplace.clock
    )
    workplace.run("judge")


def test_the_number_of_a_charge_that_nobody_doubts_is_not_overruled(workplace: Workplace) -> None:
    take(workplace, visit("1"), visit("2", TWIN))
    with pytest.raises(Refused, match="nothing is against it"):
        link(workplace, "1", known(workplace)["Odile"])


def test_what_a_person_confirms_under_a_number_is_known_from_then_on(workplace: Workplace) -> None:
    renamed = PATIENT.model_copy(update={"first_name": "Lior", "last_name": "Larkspur-Vale"})
    take(workplace, visit("1"))
    take(workplace, visit("2", renamed, days_ago=9), visit("3", renamed, days_ago=12))
    assert workplace.states() == {"1": CLEAN, "2": HELD, "3": HELD}
    link(workplace, "2", known(workplace)["Odette"])
    an_hour_later(workplace)
    take(workplace, visit("4", renamed.model_copy(update={"phone": "3125550188"}), days_ago=20))
    assert workplace.states() == dict.fromkeys("1234", CLEAN)
    assert list(known(workplace)) == ["Lior"]


def test_two_numbers_that_are_merged_are_one_person(workplace: Workplace, tmp_path: Path) -> None:
    folder = tmp_path / "messages"
    folder.mkdir()
    sender = hl7.EHR.model_copy(update={"application": ""})
    source = Hl7Source(hl7.settings(folder, sender))
    other = hl7.PID.replace("100001", "100002")
    (folder / "1.hl7").write_bytes(hl7.dft(visit="V1", control="1"))
    (folder / "2.hl7").write_bytes(
        hl7.dft(hl7.ft1("99214", "T2", f4="20261110"), visit="V2", control="2", patient=other)
    )
    workplace.pipeline.pull(workplace.applied, source=source)
    export(workplace, visit("x1", elsewhere(last_name="Fairweather")))
    assert finding(workplace, "x1").message.startswith("Known to the practice: 2 who agree")
    (folder / "3.hl7").write_bytes(hl7.adt("A40", "MRG|100002^^^LAKE^MR"))
    workplace.pipeline.pull(workplace.applied, source=source)
    assert len(known(workplace)) == 1
    workplace.run("judge")
    assert len({row.patient_key for row in workplace.rows().values()}) == 1
    with workplace.database.transaction() as session:
        assert len(set(session.scalars(select(HistoryLineRow.patient_key)))) == 1


def test_merges_in_a_row_that_come_at_once_end_with_the_last_number(workplace: Workplace, tmp_path: Path) -> None:
    folder = tmp_path / "messages"
    folder.mkdir()
    source = Hl7Source(hl7.settings(folder, hl7.EHR.model_copy(update={"application": ""})))
    numbers = ("100001", "100002", "100003")
    for day, number in enumerate(numbers, 10):
        patient = hl7.PID.replace("100001", number)
        service = hl7.ft1("99213", f"T{day}", f4=f"202611{day}")
        (folder / f"{number}.hl7").write_bytes(hl7.dft(service, visit=f"V{day}", control=number, patient=patient))
    workplace.pipeline.pull(workplace.applied, source=source)
    assert len({row.patient_key for row in workplace.rows().values()}) == 3
    for goes, stays in pairwise(numbers):
        merge = hl7.adt("A40", f"MRG|{goes}^^^LAKE^MR", control=goes, patient=hl7.PID.replace("100001", stays))
        (folder / f"{goes}-{stays}.hl7").write_bytes(merge)
    workplace.pipeline.pull(workplace.applied, source=source)
    workplace.run("judge")
    assert len(known(workplace)) == 1
    assert len({row.patient_key for row in workplace.rows().values()}) == 1
    assert not held_for_whose(workplace)


# What a person says


@pytest.fixture
def twins(workplace: Workplace) -> Workplace:
    """A practice that knows twins, and an export that gives a telephone and no first name of one of them."""
    take(workplace, visit("1"), visit("2", TWIN))
    export(workplace, visit("x1", elsewhere(first_name="O")))
    assert workplace.states()["x1"] is HELD
    return workplace


def test_a_persons_word_is_remembered_and_lapses_when_the_source_tells_otherwise(twins: Workplace) -> None:
    odile = known(twins)["Odile"]
    assert link(twins, "x1", odile) is CAPTURED
    export(twins, visit("x2", elsewhere(first_name="O"), days_ago=9))
    rows = twins.rows()
    assert rows["x1"].patient_key == rows["x2"].patient_key == rows["2"].patient_key
    assert not held_for_whose(twins)
    export(twins, visit("x3", elsewhere(first_name="O", phone="3125550188"), days_ago=20))
    assert "What was decided before holds no longer" in finding(twins, "x3").message
    events = review.case(twins.database, rows["x1"].id).events
    assert [(each.actor, each.detail) for each in events if each.what == "linked"] == [
        ("Imogen", f"To patient {odile}: compared with the chart")
    ]
    with twins.database.transaction() as session:
        assert not list(lifecycle.broken_chains(session, twins.database.keyring))


def test_a_word_about_somebody_without_a_number_is_about_that_charge_alone(twins: Workplace) -> None:
    unnumbered = elsewhere(first_name="O", record_number="")
    export(twins, visit("x2", unnumbered, days_ago=9), visit("x3", unnumbered, days_ago=20))
    link(twins, "x2", known(twins)["Odile"])
    twins.run("judge")
    assert twins.states()["x2"] is CLEAN
    assert finding(twins, "x3").rule == identity.NOT_TOLD


def test_none_of_them_lets_the_charge_go_on_by_itself(twins: Workplace) -> None:
    link(twins, "x1", None)
    twins.run("judge")
    rows = twins.rows()
    assert rows["x1"].status is CLEAN
    assert rows["x1"].patient_key not in {rows["1"].patient_key, rows["2"].patient_key}
    assert len(known(twins)) == 2


def test_a_word_may_be_changed_until_the_claim_is_out(twins: Workplace) -> None:
    link(twins, "x1", None)
    link(twins, "x1", known(twins)["Odile"])
    twins.run("judge")
    assert twins.rows()["x1"].patient_key == twins.rows()["2"].patient_key
    link(twins, "x1", None)
    twins.run("judge", "generate")
    with pytest.raises(Refused, match="cannot be said any more: claim"):
        link(twins, "x1", known(twins)["Odile"])


@pytest.mark.parametrize(("by", "reason"), [("", "because"), ("Imogen", " ")])
def test_a_word_has_a_name_and_a_reason(twins: Workplace, by: str, reason: str) -> None:
    number = twins.rows()["x1"].id
    with pytest.raises(Refused):
        review.link(twins.database, number, None, by=by, reason=reason, clock=twins.clock)
    assert twins.states()["x1"] is HELD


def test_what_is_known_can_only_be_read_with_the_key(twins: Workplace) -> None:
    with twins.database.transaction() as session:
        row = session.scalars(select(PatientRow)).first()
        assert row is not None
        assert b"Larkspur" not in row.demographics
        row.key = "0" * 32
        with pytest.raises(Refused):
            patients.demographics_of(row, twins.database.keyring)
        session.rollback()


# Many


def _patient(given: Demographics) -> Patient:
    """A patient as a charge has one."""
    assigner, number = given.numbers[0] if given.numbers else ("laboratory", "")
    return Patient(
        record_number=number,
        assigner=assigner,
        last_name=next(iter(given.last_names), ""),
        first_name=next(iter(given.first_names), ""),
        middle_name=given.middle_name,
        suffix=given.suffix,
        birth_date=given.birth_date,
        address=PATIENT.address.model_copy(update={"line1": next(iter(given.streets), "")}),
        phone=next(iter(given.phones), ""),
        ssn=given.ssn,
        sex="U",
    )


def test_in_a_population_nobody_is_linked_wrongly_and_the_search_misses_nobody(workplace: Workplace) -> None:
    chance = Random(2026)
    registered = people(chance, int(os.environ.get("CHARGES_TEST_POPULATION", "120")))
    said = {f"x{number}": each for number, each in enumerate(descriptions_of(chance, registered))}
    visits = {f"r{each.patient}": visit(f"r{each.patient}", _patient(each.demographics)) for each in registered}
    others = {key: visit(key, _patient(each.demographics), days_ago=9) for key, each in said.items()}
    take(workplace, *visits.values())
    export(workplace, *others.values())

    rows = workplace.rows()
    numbers = {rows[f"r{each.patient}"].patient_key: each.patient for each in registered}
    assert len(numbers) == len(registered)
    everybody = [Candidate(each.patient, patients.description_of(visits[f"r{each.patient}"])) for each in registered]
    held, linked = held_for_whose(workplace), 0
    for key, each in said.items():
        found = numbers.get(rows[key].patient_key)
        linked += found is not None
        assert found in (None, each.truth), each.kind
        among_all = match(patients.description_of(others[key]), everybody)
        assert found == (among_all.candidate.patient if isinstance(among_all, Linked) else None), each.kind
        assert (found is None) == (rows[key].id in held), each.kind
    assert linked > len(said) // 3
