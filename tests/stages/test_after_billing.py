"""After billing: the charge changed after its claim left, and a person decides whether the payer hears of it."""

import threading
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from charges import lifecycle, review
from charges.amending import differences
from charges.amending import noticing as after_billing
from charges.amending.deciding import Decision
from charges.errors import Refused, Stale, Unavailable
from charges.model import Charge, Claim
from charges.tables import (
    Amendment,
    ChargeStatus,
    ClaimFileRow,
    ClaimRow,
    DifferenceRow,
    DifferenceState,
    FileStatus,
    Mode,
)
from charges.x12 import reader
from charges.x12.interchange import write
from rules.examples import COVERAGE, charge, line
from tests.practice import Workplace
from tests.replies import a835, about_claims, denied, no, paid, refused, taken_back, yes

CLAIMED, ACCEPTED, HELD, VOID = ChargeStatus.CLAIMED, ChargeStatus.ACCEPTED, ChargeStatus.HELD, ChargeStatus.VOID
FIRST, SECOND, THIRD = "CR00000000101", "CR00000000102", "CR00000000103"


def _reply(workplace: Workplace, *contents: bytes) -> None:
    inbound = workplace.folder / "inbound"
    inbound.mkdir(exist_ok=True)
    for content in contents:
        (inbound / f"{len(list(inbound.iterdir())):03d}.x12").write_bytes(content)
        workplace.run("queue")


def _sent(workplace: Workplace, *contents: bytes) -> Workplace:
    workplace.source.put(charge(key="1"))
    workplace.run()
    _reply(workplace, *contents)
    return workplace


@pytest.fixture
def accepted(small_workplace: Workplace) -> Workplace:
    """A claim of 150.00 that the payer has as PRM0001."""
    return _sent(small_workplace, about_claims(yes(FIRST)))


def _priced(amount: str, **more: Any) -> Charge:
    return charge(line(charge=Decimal(amount)), key="1", **more)


def _edit(workplace: Workplace, *versions: Charge) -> None:
    for version in versions:
        workplace.source.put(version)
        workplace.run("pull", "generate")


def _decide(workplace: Workplace, amendment: Amendment = Amendment.REPLACE, **more: Any) -> None:
    workplace.pipeline.decide(1, Decision(amendment, "ada", "the fee was corrected", **more))


def _state(workplace: Workplace) -> ChargeStatus:
    return workplace.states()["1"]


def _message(workplace: Workplace) -> str:
    (held,) = review.held(workplace.database)
    return " ".join(item.finding.message for item in held.items)


def _claims(workplace: Workplace) -> Sequence[tuple[str, str, bool]]:
    with workplace.database.transaction() as session:
        return [(row.number, row.frequency, row.live) for row in session.query(ClaimRow).order_by(ClaimRow.id)]


def _states_of_differences(workplace: Workplace) -> Sequence[DifferenceState]:
    with workplace.database.transaction() as session:
        return [row.state for row in session.query(DifferenceRow).order_by(DifferenceRow.id)]


def _last(workplace: Workplace) -> Claim:
    """The claim of the newest file in the drop folder."""
    newest = sorted(workplace.files())[-1]
    return list(reader.read(newest.read_bytes()))[-1]


def _is_whole(workplace: Workplace) -> bool:
    with workplace.database.transaction() as session:
        return not list(lifecycle.broken_chains(session, workplace.database.keyring))


# What is proposed


def test_a_late_edit_shows_what_the_claim_would_say_and_proposes_a_replacement(accepted: Workplace) -> None:
    _edit(accepted, _priced("175.00"))
    assert _state(accepted) is HELD
    assert _message(accepted) == (
        f"This charge was changed at the source after claim {FIRST} left. A claim would say differently now: line 1 charge: "
        "150 became 175. Proposed: a replacement (frequency 7) of the claim."
    )
    shown = after_billing.shown(accepted.database, 1)
    assert shown is not None
    assert (shown.claim, shown.proposal, shown.payer_claim_number) == (FIRST, Amendment.REPLACE, "PRM0001")
    assert shown.changes == (("line 1 charge", "150", "175"),)
    accepted.run()
    assert len(accepted.files()) == 1, "nothing goes out before a person decides"


def test_an_edit_before_the_payer_answered_waits_for_its_number(small_workplace: Workplace) -> None:
    _edit(_sent(small_workplace), _priced("175.00"))
    assert "The payer has given no number for it." in _message(small_workplace)
    with pytest.raises(Refused, match="no number"):
        _decide(small_workplace)
    _reply(small_workplace, about_claims(yes(FIRST)))
    small_workplace.run("generate")
    assert "no number" not in _message(small_workplace)
    _decide(small_workplace)
    small_workplace.run()
    assert _claims(small_workplace) == [(FIRST, "1", False), (SECOND, "7", True)]


def test_an_edit_while_the_file_is_built_and_not_sent_lets_the_file_go_out_as_it_is(small_workplace: Workplace) -> None:
    small_workplace.source.put(charge(key="1"))
    small_workplace.run("pull", "judge", "generate")
    with small_workplace.database.transaction() as session:
        before = session.query(ClaimFileRow).one().sha256
    _edit(small_workplace, _priced("175.00"))
    assert "which is not sent yet and goes out as it is" in _message(small_workplace)
    with pytest.raises(Refused, match="not sent yet"):
        _decide(small_workplace, payer_claim_number="PRM0001")
    small_workplace.run()
    with small_workplace.database.transaction() as session:
        file = session.query(ClaimFileRow).one()
        assert (file.sha256, file.status) == (before, FileStatus.SENT)
    _reply(small_workplace, about_claims(yes(FIRST)))
    _decide(small_workplace)
    small_workplace.run()
    assert _claims(small_workplace)[-1] == (SECOND, "7", True)


def test_a_change_that_no_claim_says_proposes_nothing_and_needs_nobody(accepted: Workplace) -> None:
    _edit(accepted, charge(key="1", custom={"note to the front desk": "called back"}))
    assert _state(accepted) is ACCEPTED
    assert _states_of_differences(accepted) == [DifferenceState.SETTLED]
    events = [event.what for event in review.case(accepted.database, 1).events]
    assert events[-2:] == ["changed after billing", "claim says the same"]
    accepted.run()
    assert len(accepted.files()) == 1
    _edit(accepted, _priced("175.00"), charge(key="1", custom={"note to the front desk": "called back"}))
    assert _state(accepted) is ACCEPTED


def test_a_void_at_the_source_proposes_a_void(accepted: Workplace) -> None:
    _edit(accepted, charge(key="1", voided=True))
    assert "was voided at the source" in _message(accepted)
    assert "Proposed: a void (frequency 8)" in _message(accepted)


def test_another_payer_means_a_void_and_then_a_new_claim(accepted: Workplace) -> None:
    other = COVERAGE.model_copy(
        update={"payer": COVERAGE.payer.model_copy(update={"source_id": "99", "payer_id": "GCH02", "name": "Great"})}
    )
    _edit(accepted, charge(key="1", coverages=(other,)))
    with pytest.raises(Refused, match="for another payer"):
        _decide(accepted)
    _decide(accepted, Amendment.VOID)
    accepted.run()
    assert _last(accepted).charge.coverages[0].payer.payer_id == "PRM01", "the void goes to who has the claim"
    _reply(accepted, about_claims(yes(SECOND)))
    accepted.run()
    assert _claims(accepted) == [(FIRST, "1", False), (SECOND, "8", False), (THIRD, "1", True)]
    assert _last(accepted).charge.coverages[0].payer.payer_id == "GCH02"


def test_a_payer_that_takes_no_replacements_is_told_by_hand(accepted: Workplace) -> None:
    (payer,) = accepted.applied.practice.payers
    accepted.apply(payers=(payer.model_copy(update={"takes_replacements": False}),))
    _edit(accepted, _priced("175.00"))
    with pytest.raises(Refused, match="neither replacements nor voids"):
        _decide(accepted)
    _decide(accepted, Amendment.NOTHING)
    assert _state(accepted) is ACCEPTED


def test_a_shadow_claim_that_changed_is_built_anew(small_workplace: Workplace) -> None:
    small_workplace.apply(Mode.SHADOW)
    _sent(small_workplace)
    _edit(small_workplace, _priced("175.00"))
    small_workplace.run()
    assert _state(small_workplace) is CLAIMED
    assert [live for _, _, live in _claims(small_workplace)] == [False, True]
    assert not small_workplace.files()


# What a person decides


def test_an_approved_replacement_names_the_payers_number_and_is_sent_once(workplace: Workplace) -> None:
    _edit(_sent(workplace, about_claims(yes(FIRST))), _priced("175.00"))
    _decide(workplace)
    assert _state(workplace) is ChargeStatus.CAPTURED
    for _ in range(2):
        workplace.run()
    assert _state(workplace) is CLAIMED
    assert len(workplace.files()) == 2
    claim = _last(workplace)
    assert (claim.number, claim.frequency, claim.charge.total) == (SECOND, "7", Decimal(175))
    assert claim.charge.references.payer_claim_number == "PRM0001"
    assert _claims(workplace) == [(FIRST, "1", False), (SECOND, "7", True)]
    assert _states_of_differences(workplace) == [DifferenceState.SENT]
    (event,) = [each for each in review.case(workplace.database, 1).events if each.what == "replacement decided"]
    assert (event.actor, event.detail) == ("ada", "the fee was corrected")
    assert _is_whole(workplace)


def test_a_replacement_is_judged_before_it_is_sent(accepted: Workplace) -> None:
    _edit(accepted, charge(line("99213", diagnoses=()), key="1"))
    _decide(accepted)
    accepted.run()
    assert _state(accepted) is HELD
    assert len(accepted.files()) == 1
    _decide(accepted, Amendment.NOTHING)
    assert _state(accepted) is ACCEPTED
    assert not review.held(accepted.database)


def test_a_void_repeats_what_was_sent_and_ends_the_charge_when_the_payer_took_it(workplace: Workplace) -> None:
    _edit(_sent(workplace, about_claims(yes(FIRST))), charge(key="1", voided=True))
    _decide(workplace, Amendment.VOID)
    assert "goes out with the next file" in _message(workplace)
    with pytest.raises(Refused, match="waits for a decision"):
        review.relook(workplace.database, 1, by="ada", reason="?", clock=workplace.clock)
    workplace.run()
    claim = _last(workplace)
    assert (claim.number, claim.frequency, claim.charge.total) == (SECOND, "8", Decimal(150))
    assert claim.charge.references.payer_claim_number == "PRM0001"
    assert _state(workplace) is CLAIMED
    _reply(workplace, about_claims(yes(SECOND)))
    assert _state(workplace) is VOID
    assert [live for _, _, live in _claims(workplace)] == [False, False]
    workplace.run()
    assert len(workplace.files()) == 2
    assert _is_whole(workplace)


def test_what_was_void_is_billed_again_as_a_first_claim(accepted: Workplace) -> None:
    _edit(accepted, charge(key="1", voided=True))
    _decide(accepted, Amendment.VOID)
    accepted.run()
    _reply(accepted, about_claims(yes(SECOND)))
    _edit(accepted, _priced("160.00"))
    accepted.run()
    assert _claims(accepted) == [(FIRST, "1", False), (SECOND, "8", False), (THIRD, "1", True)]
    assert _state(accepted) is CLAIMED


def test_what_is_unvoided_while_its_void_is_under_way_waits_for_the_void(accepted: Workplace) -> None:
    _edit(accepted, charge(key="1", voided=True))
    _decide(accepted, Amendment.VOID)
    accepted.run()
    _edit(accepted, _priced("160.00"))
    assert "itself a void that the payer has not answered" in _message(accepted)
    with pytest.raises(Refused, match="itself a void"):
        _decide(accepted)
    _reply(accepted, about_claims(yes(SECOND)))
    accepted.run("generate", "judge", "generate")
    assert _claims(accepted)[-1] == (THIRD, "1", True)


def test_letting_the_claim_stand_holds_for_this_version_only(accepted: Workplace) -> None:
    _edit(accepted, _priced("151.00"))
    _decide(accepted, Amendment.NOTHING)
    assert _state(accepted) is ACCEPTED
    accepted.run()
    assert _state(accepted) is ACCEPTED
    _edit(accepted, _priced("152.00"))
    assert _state(accepted) is HELD
    _edit(accepted, _priced("151.00"))
    assert _state(accepted) is ACCEPTED, "it was decided about this very version"
    assert len(accepted.files()) == 1


def test_waiving_the_finding_lets_the_claim_stand_too(accepted: Workplace) -> None:
    _edit(accepted, _priced("151.00"))
    (held,) = review.held(accepted.database)
    review.waive(accepted.database, held.items[0].number, by="ada", reason="a dollar", clock=accepted.clock)
    accepted.run()
    assert _state(accepted) is ACCEPTED
    assert _states_of_differences(accepted) == [DifferenceState.LEFT]


def test_two_changes_are_one_difference_and_the_later_one_counts(accepted: Workplace) -> None:
    _edit(accepted, _priced("175.00"), _priced("180.00"))
    assert "150 became 180" in _message(accepted)
    assert _states_of_differences(accepted) == [DifferenceState.OPEN]
    _edit(accepted, _priced("150.00"))
    assert _state(accepted) is ACCEPTED
    assert _states_of_differences(accepted) == [DifferenceState.SETTLED]


def test_a_claim_refused_before_the_decision_needs_none(small_workplace: Workplace) -> None:
    _edit(_sent(small_workplace), _priced("175.00"))
    _reply(small_workplace, about_claims(no(FIRST)))
    small_workplace.run("generate", "judge", "generate")
    assert _claims(small_workplace) == [(FIRST, "1", False), (SECOND, "1", True)]


def test_a_new_first_claim_only_where_the_payer_has_none(small_workplace: Workplace) -> None:
    _edit(_sent(small_workplace), _priced("175.00"))
    _decide(small_workplace, Amendment.RENEW)
    small_workplace.run()
    assert _claims(small_workplace) == [(FIRST, "1", False), (SECOND, "1", True)]
    _reply(small_workplace, about_claims(yes(FIRST)))
    assert "which an earlier answer refused" in _message(small_workplace)


def test_no_new_first_claim_where_the_payer_has_one(accepted: Workplace) -> None:
    _edit(accepted, _priced("175.00"))
    with pytest.raises(Refused, match="would be a duplicate"):
        _decide(accepted, Amendment.RENEW)


def test_a_number_that_the_payer_told_by_telephone(small_workplace: Workplace) -> None:
    _edit(_sent(small_workplace), _priced("175.00"))
    _decide(small_workplace, payer_claim_number="prm77")
    small_workplace.run()
    assert _last(small_workplace).charge.references.payer_claim_number == "PRM77"


@pytest.mark.parametrize(("by", "because"), [("", "because"), ("ada", " ")])
def test_no_decision_without_a_name_and_a_reason(accepted: Workplace, by: str, because: str) -> None:
    _edit(accepted, _priced("175.00"))
    with pytest.raises(Refused):
        accepted.pipeline.decide(1, Decision(Amendment.REPLACE, by, because))


def test_nothing_to_decide_is_said(accepted: Workplace) -> None:
    with pytest.raises(Refused, match="no difference"):
        _decide(accepted)


# Raced


def test_a_decision_about_an_older_version_is_stale(accepted: Workplace) -> None:
    _edit(accepted, _priced("175.00"))
    shown = after_billing.shown(accepted.database, 1)
    assert shown is not None
    accepted.source.put(_priced("180.00"))
    accepted.run("pull")
    with pytest.raises(Stale, match="changed again"):
        _decide(accepted)
    accepted.run("generate")
    with pytest.raises(Stale, match="changed again"):
        _decide(accepted, seen=shown.version)


def test_a_change_after_the_decision_asks_again(accepted: Workplace) -> None:
    _edit(accepted, _priced("175.00"))
    _decide(accepted)
    accepted.run("judge")
    _edit(accepted, _priced("180.00"))
    accepted.run()
    assert _state(accepted) is HELD
    assert len(accepted.files()) == 1
    assert _states_of_differences(accepted) == [DifferenceState.OPEN]
    _decide(accepted)
    accepted.run()
    assert _last(accepted).charge.total == Decimal(180)


def test_a_change_back_after_the_decision_lets_the_claim_stand(accepted: Workplace) -> None:
    _edit(accepted, _priced("175.00"))
    _decide(accepted)
    accepted.run("judge")
    _edit(accepted, _priced("150.00"))
    accepted.run()
    assert _state(accepted) is ACCEPTED
    assert len(accepted.files()) == 1


def test_a_change_while_the_replacement_is_being_built_throws_it_away(
    accepted: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    _edit(accepted, _priced("175.00"))
    _decide(accepted)
    accepted.run("judge")

    def changed_meanwhile(*arguments: Any, **more: Any) -> Any:
        monkeypatch.setattr("charges.filing.write", write)
        accepted.source.put(_priced("180.00"))
        accepted.run("pull")
        return write(*arguments, **more)

    monkeypatch.setattr("charges.filing.write", changed_meanwhile)
    accepted.run("generate")
    assert _claims(accepted) == [(FIRST, "1", True)]
    assert _state(accepted) is HELD


@pytest.mark.parametrize("amendment", [Amendment.REPLACE, Amendment.VOID])
def test_many_workers_build_one_amending_claim(workplace: Workplace, amendment: Amendment) -> None:
    _edit(_sent(workplace, about_claims(yes(FIRST))), _priced("175.00"))
    _decide(workplace, amendment)
    workplace.run("judge")
    workers = [threading.Thread(target=workplace.run, args=("generate",)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    workplace.run("generate")
    assert [(frequency, live) for _, frequency, live in _claims(workplace)] == [
        ("1", False),
        ("7" if amendment is Amendment.REPLACE else "8", True),
    ]


def test_the_database_itself_refuses_a_second_unresolved_difference(workplace: Workplace) -> None:
    _edit(_sent(workplace, about_claims(yes(FIRST))), _priced("175.00"))

    def again() -> None:
        with workplace.database.transaction() as session:
            first = session.query(DifferenceRow).one()
            row = DifferenceRow(
                charge_id=first.charge_id,
                claim_id=first.claim_id,
                version="other",
                state=DifferenceState.OPEN,
                unresolved=True,
                amendment=Amendment.VOID,
                bills_anew=False,
                is_numbered=False,
                found_at=workplace.clock(),
            )
            differences.seal(row, differences.Document(), workplace.database.keyring)
            session.add(row)

    with pytest.raises(Unavailable):
        again()


# What the payer answers


@pytest.fixture
def replaced(accepted: Workplace) -> Workplace:
    """The replacement is out."""
    _edit(accepted, _priced("175.00"))
    _decide(accepted)
    accepted.run()
    return accepted


def test_a_replacement_that_is_accepted_takes_the_claims_place(replaced: Workplace) -> None:
    _reply(replaced, about_claims(yes(SECOND, "PRM0002")))
    assert _state(replaced) is ACCEPTED
    _edit(replaced, _priced("180.00"))
    shown = after_billing.shown(replaced.database, 1)
    assert shown is not None
    assert (shown.claim, shown.payer_claim_number) == (SECOND, "PRM0002")


@pytest.mark.parametrize("reply", [about_claims(no(SECOND)), refused(2)])
def test_a_refused_replacement_leaves_the_first_claim_standing(replaced: Workplace, reply: bytes) -> None:
    _reply(replaced, reply)
    assert _claims(replaced) == [(FIRST, "1", True), (SECOND, "7", False)]
    assert f"It was the replacement of claim {FIRST}, which stands at the payer as before." in _message(replaced)
    replaced.run()
    assert _state(replaced) is HELD
    assert "Proposed: a replacement" in _message(replaced)
    _decide(replaced)
    replaced.run()
    assert _claims(replaced)[-1] == (THIRD, "7", True)
    assert _last(replaced).charge.references.payer_claim_number == "PRM0001"


def test_a_refused_void_leaves_the_claim_standing(accepted: Workplace) -> None:
    _edit(accepted, charge(key="1", voided=True))
    _decide(accepted, Amendment.VOID)
    accepted.run()
    _reply(accepted, about_claims(no(SECOND)))
    accepted.run()
    assert _claims(accepted) == [(FIRST, "1", True), (SECOND, "8", False)]
    assert f"It was the void of claim {FIRST}" in _message(accepted)
    assert _state(accepted) is HELD


@pytest.mark.parametrize(
    "reply",
    [
        about_claims(yes(FIRST)),
        about_claims(no(FIRST)),
        a835(*paid(FIRST), paid="80"),
        a835(*denied(FIRST), paid="0"),
    ],
)
def test_what_is_still_said_of_a_replaced_claim_decides_nothing(replaced: Workplace, reply: bytes) -> None:
    _reply(replaced, reply)
    assert _state(replaced) is CLAIMED
    assert _claims(replaced) == [(FIRST, "1", False), (SECOND, "7", True)]


def test_the_payer_takes_back_what_it_paid_and_pays_the_replacement(accepted: Workplace) -> None:
    _reply(accepted, a835(*paid(FIRST), paid="80"))
    _edit(accepted, _priced("175.00"))
    _decide(accepted)
    accepted.run()
    again = [each.replace("150", "175").replace("*45*50", "*45*75") for each in paid(SECOND)]
    _reply(accepted, a835(*taken_back(FIRST), *again, paid="0", trace="EFT1002"))
    assert _state(accepted) is ACCEPTED
    assert not review.held(accepted.database)
