"""The roll-out: what each mode lets out, what brings a practice on, and that going back and on again bills nothing twice."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from charges import delivery, lifecycle, overview
from charges.clearinghouses import Parcel
from charges.clearinghouses.folder import Folder
from charges.errors import Refused, Stale, Unavailable
from charges.model import Charge, Facility
from charges.practice.profile import Promotion, RollOut
from charges.rollout import acts as rollout
from charges.tables import (
    ChargeStatus,
    ClaimFileRow,
    EventRow,
    FileStatus,
    Mode,
    PracticeRow,
    RollOutRow,
)
from rules.examples import COVERAGE, PATIENT, charge, line
from tests.practice import Workplace
from tests.replies import about_claims, no, yes

OBSERVE, SHADOW, COHORT, FULL = Mode
SERVICE = charge().service_date
assert SERVICE is not None


def patients(count: int) -> list[Charge]:
    return [
        charge(key=str(number), patient=PATIENT.model_copy(update={"record_number": str(number)}))
        for number in range(count)
    ]


def plan(workplace: Workplace, **wanted: object) -> RollOut:
    return workplace.applied.practice.roll_out.model_copy(update=wanted)


def file_states(workplace: Workplace) -> list[FileStatus]:
    with workplace.database.transaction() as session:
        return list(session.scalars(select(ClaimFileRow.status).order_by(ClaimFileRow.id)))


def sent(workplace: Workplace) -> Counter[int]:
    """How many first claims of each charge lie before the vendor."""
    found = (re.findall(rb"CLM\*CR(\d{9})\d\d\*[^~]*?:1\*", path.read_bytes()) for path in workplace.files())
    return Counter(int(number) for numbers in found for number in numbers)


def once(workplace: Workplace, keys: Iterable[str]) -> dict[int, int]:
    rows = workplace.rows()
    return {rows[key].id: 1 for key in keys}


# What each mode lets out


def test_a_new_practice_is_in_observe_and_nothing_leaves(workplace: Workplace) -> None:
    practice = workplace.applied.practice.model_copy(update={"code": "hillside"})
    workplace.pipeline.apply(practice, by="engineer")
    applied = workplace.pipeline.practice("hillside")
    assert applied.standing.mode is OBSERVE
    (begun,) = workplace.pipeline.roll_out("hillside").acts
    assert (begun.what, begun.by) == ("begun", "engineer")


@pytest.mark.parametrize(("mode", "claimed", "dropped"), [(OBSERVE, 0, 0), (SHADOW, 2, 0), (FULL, 2, 1)])
def test_the_mode_says_what_is_built_and_sent(workplace: Workplace, mode: Mode, claimed: int, dropped: int) -> None:
    workplace.roll_out_to(mode)
    workplace.source.put(*patients(2))
    workplace.run()
    assert list(workplace.states().values()).count(ChargeStatus.CLAIMED) == claimed
    assert len(workplace.files()) == dropped


def test_a_cohort_sends_its_patients_and_shadows_the_others(workplace: Workplace) -> None:
    workplace.apply(COHORT, roll_out=plan(workplace, patients=frozenset({"1"})))
    workplace.source.put(*patients(3))
    workplace.run()
    assert sent(workplace) == once(workplace, ["1"])
    assert sorted(file_states(workplace)) == [FileStatus.SENT, FileStatus.SHADOW]


@pytest.mark.parametrize(
    "chosen",
    [{"providers": frozenset({"1245319599"})}, {"payers": frozenset({"PRM01"})}, {"locations": frozenset({"1"})}],
    ids=lambda chosen: next(iter(chosen)),
)
def test_a_cohort_may_be_providers_payers_or_locations(
    small_workplace: Workplace, chosen: dict[str, frozenset[str]]
) -> None:
    standing = small_workplace.applied.standing
    sends = replace(standing, mode=COHORT, plan=plan(small_workplace, **chosen)).sends
    inside = charge(key="in", facility=Facility(source_id="1"))
    assert inside.rendering_provider is not None
    outside = inside.model_copy(
        update={
            "key": "out",
            "rendering_provider": inside.rendering_provider.model_copy(update={"npi": "1993999998"}),
            "facility": Facility(source_id="9"),
            "coverages": (COVERAGE.model_copy(update={"payer": COVERAGE.payer.model_copy(update={"payer_id": "X9"})}),),
        }
    )
    assert (sends(inside, ""), sends(outside, "")) == (True, False)


def test_a_greater_share_keeps_who_is_in(small_workplace: Workplace) -> None:
    before: set[str] = set()
    for percent in (0, 10, 40, 100):
        small_workplace.apply(COHORT, roll_out=plan(small_workplace, percent=percent))
        sends = small_workplace.applied.standing.sends
        chosen = {each.key for each in patients(200) if sends(each, "")}
        assert before <= chosen
        assert abs(len(chosen) - 2 * percent) < 25
        before = chosen
    assert len(before) == 200


def test_who_has_no_record_number_is_not_drawn(small_workplace: Workplace) -> None:
    small_workplace.apply(COHORT, roll_out=plan(small_workplace, percent=100))
    unknown = charge(patient=PATIENT.model_copy(update={"record_number": ""}))
    assert not small_workplace.applied.standing.sends(unknown, "0")
    small_workplace.roll_out_to(FULL)
    assert small_workplace.applied.standing.sends(unknown, "0")


def test_a_cohort_of_a_size_is_drawn_once_and_nobody_drops_out(workplace: Workplace) -> None:
    workplace.roll_out_to(SHADOW)
    workplace.source.page_size = 200
    workplace.source.put(*patients(120))
    workplace.run("pull")
    workplace.pipeline.apply(
        workplace.applied.practice.model_copy(update={"roll_out": plan(workplace, patients=frozenset(), size=150)}),
        by="engineer",
    )
    with pytest.raises(Refused, match="Fewer than 150 patients"):
        workplace.roll_out_to(COHORT)
    workplace.pipeline.apply(
        workplace.applied.practice.model_copy(update={"roll_out": plan(workplace, patients=frozenset(), size=100)}),
        by="engineer",
    )
    workplace.roll_out_to(COHORT)

    def chosen() -> set[str]:
        standing = workplace.pipeline.practice("lakeside").standing
        rows = workplace.rows()
        return {each.key for each in patients(len(rows)) if standing.sends(each, rows[each.key].patient_key)}

    first = chosen()
    assert len(first) == 100
    workplace.source.put(*patients(160)[120:])
    workplace.run("pull")
    workplace.roll_out_to(SHADOW)
    workplace.roll_out_to(COHORT)
    assert first <= chosen()
    assert len(chosen()) > 100


def test_services_before_the_start_were_billed_the_old_way(workplace: Workplace) -> None:
    assert SERVICE is not None
    later = SERVICE + timedelta(days=1)
    workplace.apply(roll_out=plan(workplace, start=later, full_start=later))
    workplace.source.put(*patients(1))
    workplace.run()
    assert not workplace.files()


def test_in_full_the_cohort_keeps_its_start_and_the_others_have_theirs(small_workplace: Workplace) -> None:
    assert SERVICE is not None
    chosen = plan(small_workplace, start=SERVICE, full_start=SERVICE + timedelta(days=1), patients=frozenset({"1"}))
    small_workplace.apply(roll_out=chosen)
    sends = small_workplace.applied.standing.sends
    assert [sends(each, "") for each in patients(2)] == [False, True]


# What brings a practice on


def test_each_act_has_a_name_and_a_reason_and_stands_in_a_chain(workplace: Workplace) -> None:
    with pytest.raises(Refused, match="reason"):
        workplace.pipeline.retreat("lakeside", by="ada", reason=" ")
    with pytest.raises(Refused, match="who you are"):
        workplace.pipeline.retreat("lakeside", by="", reason="the vendor asked")
    workplace.pipeline.retreat("lakeside", by="ada", reason="the vendor asked")
    last = workplace.pipeline.roll_out("lakeside").acts[-1]
    assert (last.was, last.became, last.by, last.reason) == (FULL, COHORT, "ada", "the vendor asked")
    with workplace.database.transaction() as session:
        assert not list(lifecycle.broken_chains(session, workplace.database.keyring))
        session.execute(
            update(EventRow).where(EventRow.subject == "roll_out", EventRow.sequence == 2).values(actor="eve")
        )
    with workplace.database.transaction() as session:
        assert list(lifecycle.broken_chains(session, workplace.database.keyring)) == [
            "The events of roll-out 1 were changed after they were written."
        ]


def test_there_is_nothing_after_full_nor_before_observe(small_workplace: Workplace) -> None:
    with pytest.raises(Refused, match="no mode after"):
        small_workplace.pipeline.advance("lakeside", by="ada", reason="more")
    with pytest.raises(Refused, match="full is no mode before"):
        small_workplace.pipeline.retreat("lakeside", by="ada", reason="back", to=FULL)
    small_workplace.roll_out_to(OBSERVE)
    with pytest.raises(Refused, match="no mode before"):
        small_workplace.pipeline.retreat("lakeside", by="ada", reason="back")
    with pytest.raises(Refused, match="No practice is called nowhere"):
        small_workplace.pipeline.advance("nowhere", by="ada", reason="on")


@pytest.mark.parametrize(
    ("mode", "lacking", "says"),
    [
        (SHADOW, {"start": None, "full_start": None}, "roll_out.start"),
        (SHADOW, {"patients": frozenset()}, "chooses no cohort"),
        (COHORT, {"full_start": None}, "roll_out.full_start"),
    ],
)
def test_what_the_profile_lacks_for_the_next_mode_is_named(
    small_workplace: Workplace, mode: Mode, lacking: dict[str, object], says: str
) -> None:
    small_workplace.roll_out_to(mode)
    small_workplace.apply(mode, roll_out=plan(small_workplace, **lacking))
    shown = small_workplace.pipeline.roll_out("lakeside")
    assert not shown.is_ready
    with pytest.raises(Refused, match=says):
        small_workplace.pipeline.advance("lakeside", by="ada", reason="on")


def test_a_profile_without_a_start_is_refused_where_claims_are_sent(small_workplace: Workplace) -> None:
    with pytest.raises(Refused, match="lakeside is in full, which this profile does not allow"):
        small_workplace.apply(roll_out=plan(small_workplace, start=None, full_start=None))
    assert small_workplace.pipeline.practice("lakeside").practice.roll_out.start is not None


def demanding(workplace: Workplace, mode: Mode, **wanted: object) -> None:
    workplace.roll_out_to(OBSERVE)
    workplace.roll_out_to(mode)
    promotion = Promotion(**{"days": 0, "charges": 0, "clean_rate": 0, "acceptance_rate": 0} | wanted)
    workplace.apply(mode, roll_out=plan(workplace, patients=frozenset({"0", "1"}), promotion=promotion))


def unmet(workplace: Workplace) -> list[str]:
    return [each.what for each in workplace.pipeline.roll_out("lakeside").demands if not each.is_met]


def test_observe_wants_days_charges_and_that_most_are_clean(workplace: Workplace) -> None:
    demanding(workplace, OBSERVE, days=1, charges=3, clean_rate=Decimal("0.5"))
    workplace.source.put(*patients(1), charge(line("99213", diagnoses=()), key="bad"), charge(line("1"), key="worse"))
    workplace.run()
    shown = workplace.pipeline.roll_out("lakeside").shown
    assert (shown.clean, shown.held, shown.clean_rate) == (1, 2, Decimal("0.3333"))
    assert unmet(workplace) == ["days in this mode", "clean charges"]
    with pytest.raises(Refused, match=r"stays in observe: days in this mode 0, wanted 1 or more; clean charges 33\.3%"):
        workplace.pipeline.advance("lakeside", by="ada", reason="on")


def test_shadow_wants_claims_built_for_comparison(workplace: Workplace) -> None:
    demanding(workplace, SHADOW, charges=2)
    workplace.source.put(*patients(1))
    workplace.run()
    assert unmet(workplace) == ["claims built as shadow"]
    workplace.source.put(*patients(2))
    workplace.run()
    assert unmet(workplace) == []


def test_a_cohort_wants_answers_and_that_most_are_accepted(workplace: Workplace) -> None:
    demanding(workplace, COHORT, charges=2, acceptance_rate=Decimal("0.9"))
    workplace.source.put(*patients(2))
    workplace.run()
    assert unmet(workplace) == ["claims answered"]
    inbound = workplace.folder / "inbound"
    inbound.mkdir()
    (inbound / "277ca.x12").write_bytes(about_claims(yes("CR00000000101"), no("CR00000000201")))
    workplace.run("queue")
    shown = workplace.pipeline.roll_out("lakeside").shown
    assert (shown.sent, shown.accepted, shown.refused, shown.patients) == (2, 1, 1, 2)
    assert unmet(workplace) == ["accepted claims"]


def test_one_wrong_patient_keeps_a_practice_where_it_is(workplace: Workplace) -> None:
    demanding(workplace, SHADOW)
    workplace.source.put(*patients(2))
    workplace.run()
    rollout.report_wrong_patient(workplace.database, 1, by="ada", reason="seen on paper", clock=workplace.clock)
    assert workplace.pipeline.roll_out("lakeside").shown.wrong_patients == (1,)
    with pytest.raises(Refused, match="claims of a wrong patient 1, wanted none"):
        workplace.pipeline.advance("lakeside", by="ada", reason="on")
    with pytest.raises(Refused, match="no charge 99"):
        rollout.report_wrong_patient(workplace.database, 99, by="ada", reason="seen", clock=workplace.clock)


def test_a_charge_that_becomes_another_patients_had_a_wrong_one(workplace: Workplace) -> None:
    demanding(workplace, SHADOW)
    workplace.source.put(*patients(2))
    workplace.run()
    moved = patients(2)[1].model_copy(update={"patient": PATIENT.model_copy(update={"record_number": "7"})})
    workplace.source.put(moved)
    workplace.run("pull")
    assert workplace.pipeline.roll_out("lakeside").shown.wrong_patients == (2,)


# Going back, and on again


def test_what_was_observed_goes_out_in_the_first_run_after_the_mode_changed(workplace: Workplace) -> None:
    workplace.roll_out_to(OBSERVE)
    workplace.source.put(*patients(1))
    workplace.run()
    workplace.roll_out_to(FULL)
    workplace.run()
    assert sent(workplace) == once(workplace, ["0"])


def test_what_was_built_as_shadow_is_billed_once_after_the_promotion(workplace: Workplace) -> None:
    workplace.apply(SHADOW, roll_out=plan(workplace, patients=frozenset({"1"})))
    workplace.source.put(*patients(3))
    workplace.run()
    assert workplace.pipeline.roll_out("lakeside").would_send == 1
    moved = workplace.pipeline.advance("lakeside", by="ada", reason="it went well")
    assert moved.recalled.anew == 1
    workplace.roll_out_to(COHORT)
    for _ in range(2):
        workplace.run()
    assert sent(workplace) == once(workplace, ["1"])
    workplace.roll_out_to(FULL)
    for _ in range(2):
        workplace.run()
    assert sent(workplace) == once(workplace, ["0", "1", "2"])


def test_a_retreat_stops_a_file_built_before_it(workplace: Workplace) -> None:
    workplace.source.put(*patients(2))
    workplace.run("pull", "judge", "generate")
    moved = workplace.pipeline.retreat("lakeside", by="ada", reason="the vendor found a fault", to=SHADOW)
    assert (moved.recalled.withdrawn, moved.recalled.anew) == ((1,), 2)
    assert "Withdrawn before they were sent: file 1." in moved.sentences()
    workplace.roll_out_to(SHADOW)
    workplace.run()
    assert not workplace.files()
    assert file_states(workplace) == [FileStatus.WITHDRAWN, FileStatus.SHADOW]
    with pytest.raises(Refused, match="was withdrawn"):
        delivery.resend(workplace.database, 1, by="ada", why="send it", clock=workplace.clock)
    workplace.roll_out_to(FULL)
    for _ in range(2):
        workplace.run()
    assert sent(workplace) == once(workplace, ["0", "1"])


def test_a_retreat_to_the_cohort_sends_the_cohort_of_a_file_alone(workplace: Workplace) -> None:
    workplace.apply(roll_out=plan(workplace, patients=frozenset({"1"})))
    workplace.source.put(*patients(3))
    workplace.run("pull", "judge", "generate")
    workplace.roll_out_to(COHORT)
    workplace.run()
    assert sent(workplace) == once(workplace, ["1"])


def test_a_file_whose_claims_all_stay_chosen_is_sent_as_it_is(workplace: Workplace) -> None:
    workplace.apply(roll_out=plan(workplace, patients=frozenset({"0", "1"})))
    workplace.source.put(*patients(2))
    workplace.run("pull", "judge", "generate")
    workplace.roll_out_to(COHORT)
    workplace.run()
    assert file_states(workplace) == [FileStatus.SENT]
    assert sent(workplace) == once(workplace, ["0", "1"])


def test_what_is_on_its_way_is_not_stopped_and_not_sent_again(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workplace.source.put(*patients(1))
    workplace.run("pull", "judge", "generate")
    with monkeypatch.context() as away:
        away.setattr(Folder, "publish", _is_away)
        with pytest.raises(Unavailable):
            workplace.run("deliver")
    moved = workplace.pipeline.retreat("lakeside", by="ada", reason="stop", to=OBSERVE)
    assert moved.recalled.on_their_way == (1,)
    with workplace.database.transaction() as session:
        session.execute(update(ClaimFileRow).values(next_try_at=None))
    workplace.run("deliver")
    workplace.roll_out_to(FULL)
    workplace.run()
    assert sent(workplace) == once(workplace, ["0"])
    assert file_states(workplace) == [FileStatus.SENT]


def _is_away(*_: object) -> None:
    raise Unavailable("The folder is away.")


@pytest.mark.parametrize("has_it", [True, False])
def test_a_file_that_was_to_be_sent_again_is_in_doubt_after_a_retreat(workplace: Workplace, *, has_it: bool) -> None:
    workplace.source.put(*patients(1))
    workplace.run()
    delivery.resend(workplace.database, 1, by="ada", why="the vendor lost it", clock=workplace.clock)
    moved = workplace.pipeline.retreat("lakeside", by="ada", reason="stop", to=SHADOW)
    assert moved.recalled.in_doubt == (1,)
    workplace.roll_out_to(SHADOW)
    delivery.settle(workplace.database, 1, received=has_it, by="ada", why="they said so", clock=workplace.clock)
    workplace.run()
    workplace.roll_out_to(FULL)
    workplace.run()
    assert file_states(workplace)[0] is (FileStatus.SENT if has_it else FileStatus.WITHDRAWN)
    assert sum(sent(workplace).values()) == (1 if has_it else 2)  # the folder keeps what the vendor says it lost


def test_nothing_is_sent_again_while_the_roll_out_is_back(workplace: Workplace) -> None:
    workplace.source.put(*patients(1))
    workplace.run()
    workplace.roll_out_to(SHADOW)
    with pytest.raises(Refused, match="roll-out of the practice went back"):
        delivery.resend(workplace.database, 1, by="ada", why="the vendor lost it", clock=workplace.clock)


def test_a_charge_that_changed_after_its_unsent_claim_is_billed_once_as_it_is_now(workplace: Workplace) -> None:
    workplace.source.put(*patients(1))
    workplace.run("pull", "judge", "generate")
    workplace.source.put(patients(1)[0].model_copy(update={"lines": (line("99214"),)}))
    workplace.run("pull")
    workplace.roll_out_to(OBSERVE)
    workplace.roll_out_to(FULL)
    for _ in range(3):
        workplace.run()
    assert sent(workplace) == once(workplace, ["0"])
    assert b"99214" in workplace.files()[0].read_bytes()


def test_a_file_chosen_before_the_retreat_is_not_stored(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    from charges.x12 import check

    workplace.source.put(*patients(1))
    workplace.run("pull", "judge")
    genuine = check.check

    def check_while_the_lead_goes_back(content: bytes) -> check.Verdict:
        monkeypatch.undo()
        workplace.pipeline.retreat("lakeside", by="ada", reason="stop", to=OBSERVE)
        return genuine(content)

    monkeypatch.setattr(check, "check", check_while_the_lead_goes_back)
    workplace.run("generate", "deliver")
    assert file_states(workplace) == []
    assert workplace.states() == {"0": ChargeStatus.CLEAN}


def test_a_file_staged_before_the_retreat_is_not_published(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workplace.source.put(*patients(1))
    workplace.run("pull", "judge", "generate")
    genuine = Folder.stage

    def stage_while_the_lead_goes_back(folder: Folder, parcel: object) -> None:
        monkeypatch.undo()
        genuine(folder, parcel)  # type: ignore[arg-type]
        workplace.pipeline.retreat("lakeside", by="ada", reason="stop", to=SHADOW)

    monkeypatch.setattr(Folder, "stage", stage_while_the_lead_goes_back)
    workplace.run("deliver")
    assert not workplace.files()
    assert file_states(workplace) == [FileStatus.WITHDRAWN]
    assert len(list(workplace.outbound.iterdir())) == 1
    workplace.run("deliver")
    assert not list(workplace.outbound.iterdir())
    shown = overview.history_of(workplace.database, 1)
    assert "A staged copy was removed; the receiver never saw it." in "".join(shown.sentences())
    told = len(shown.events)
    workplace.run("deliver")
    assert len(overview.history_of(workplace.database, 1).events) == told


def test_a_worker_that_dies_between_staging_and_the_retreat_leaves_nothing_behind(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workplace.source.put(*patients(1))
    workplace.run("pull", "judge", "generate")
    genuine = Folder.stage

    def stage_and_die(folder: Folder, parcel: Parcel) -> None:
        genuine(folder, parcel)
        raise KeyboardInterrupt

    monkeypatch.setattr(Folder, "stage", stage_and_die)
    with pytest.raises(KeyboardInterrupt):
        workplace.run("deliver")
    monkeypatch.undo()
    workplace.pipeline.retreat("lakeside", by="ada", reason="stop", to=OBSERVE)
    assert len(list(workplace.outbound.iterdir())) == 1
    workplace.run("deliver")
    assert not list(workplace.outbound.iterdir())


def test_whoever_moves_a_roll_out_that_moved_is_stale(workplace: Workplace) -> None:
    with workplace.database.transaction() as session:
        old = session.scalars(select(RollOutRow)).one()
    workplace.roll_out_to(COHORT)
    deed = lifecycle.Deed("went back", "ada", workplace.clock(), workplace.database.keyring, "stop")
    with pytest.raises(Stale), workplace.database.transaction() as session:
        lifecycle.move(session, [old], SHADOW, deed)


# A profile that chooses otherwise


def test_a_smaller_cohort_stops_files_and_a_greater_one_bills_the_shadows(workplace: Workplace) -> None:
    workplace.apply(COHORT, roll_out=plan(workplace, patients=frozenset({"0", "1"})))
    workplace.source.put(*patients(3))
    workplace.run("pull", "judge", "generate")
    workplace.apply(COHORT, roll_out=plan(workplace, patients=frozenset({"1"})))
    workplace.run()
    assert sent(workplace) == once(workplace, ["1"])
    workplace.apply(COHORT, roll_out=plan(workplace, patients=frozenset({"1", "2"})))
    workplace.run()
    assert sent(workplace) == once(workplace, ["1", "2"])


# Practices from before modes stood apart


@pytest.mark.parametrize("mode", list(Mode))
def test_a_practice_applied_before_keeps_its_mode(workplace: Workplace, mode: Mode) -> None:
    with workplace.database.transaction() as session:
        session.query(EventRow).filter_by(subject="roll_out").delete()
        session.query(RollOutRow).delete()
        practice = session.scalars(select(PracticeRow)).one()
        text = practice.unseal(workplace.database.keyring, "profile")
        old = text.replace(b'"roll_out":{', f'"roll_out":{{"mode":"{mode}",'.encode())
        practice.seal(workplace.database.keyring, profile=old)
    assert workplace.pipeline.practice("lakeside").standing.mode is mode
    workplace.pipeline.apply(workplace.applied.practice.model_copy(update={"name": "Lakeside"}), by="engineer")
    shown = workplace.pipeline.roll_out("lakeside")
    assert (shown.standing.mode, shown.acts[0].what) == (mode, "taken over")
