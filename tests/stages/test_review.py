"""Stage 3: every act has a name and a reason, and is written down."""

from decimal import Decimal

import pytest

from charges import review
from charges.errors import Refused, Stale
from charges.lifecycle import broken_chains
from charges.tables import ChargeStatus, EventRow
from rules.examples import charge, line
from tests.practice import Workplace


@pytest.fixture
def held(workplace: Workplace) -> review.Held:
    """A visit beside a procedure, without modifier 25 and without a place of service that exists."""
    workplace.source.put(charge(line("99213"), line("20610", place_of_service="30"), key="1"))
    workplace.run("pull", "judge")
    (held,) = review.held(workplace.database)
    return held


def _waive(workplace: Workplace, item: int, reason: str = "documented", by: str = "ada") -> ChargeStatus:
    return review.waive(workplace.database, item, by=by, reason=reason, clock=workplace.clock)


def test_a_charge_goes_on_when_its_last_finding_is_waived(workplace: Workplace, held: review.Held) -> None:
    first, *others = [item.number for item in held.items if item.finding.severity.holds]
    assert others
    assert _waive(workplace, first) is ChargeStatus.HELD
    for item in others:
        became = _waive(workplace, item)
    assert became is ChargeStatus.CAPTURED
    workplace.run("judge")
    assert workplace.states() == {"1": ChargeStatus.CLEAN}


@pytest.mark.parametrize(("by", "reason"), [("", "a reason"), ("ada", ""), ("ada", "   ")])
def test_no_act_without_a_name_and_a_reason(workplace: Workplace, held: review.Held, by: str, reason: str) -> None:
    with pytest.raises(Refused):
        _waive(workplace, held.items[0].number, reason=reason, by=by)
    with pytest.raises(Refused):
        review.void(workplace.database, held.charge_number, by=by, reason=reason, clock=workplace.clock)
    with pytest.raises(Refused):
        review.relook(workplace.database, held.charge_number, by=by, reason=reason, clock=workplace.clock)


def test_a_stop_cannot_be_waived(workplace: Workplace) -> None:
    workplace.source.put(charge(*[line(service_date=None)] * 51, key="1"))
    workplace.run("pull", "judge")
    (held,) = review.held(workplace.database)
    stop = next(item for item in held.items if item.finding.severity == "stop")
    with pytest.raises(Refused, match="cannot be waived"):
        _waive(workplace, stop.number)


def test_two_people_cannot_both_decide(workplace: Workplace, held: review.Held) -> None:
    _waive(workplace, held.items[0].number)
    with pytest.raises(Stale, match="no longer open"):
        _waive(workplace, held.items[0].number)


def test_a_charge_given_up_is_void_and_stays_so(workplace: Workplace, held: review.Held) -> None:
    review.void(workplace.database, held.charge_number, by="ada", reason="billed by hand", clock=workplace.clock)
    workplace.run()
    assert workplace.states() == {"1": ChargeStatus.VOID}
    assert not workplace.files()


def test_looking_again_judges_again(workplace: Workplace, held: review.Held) -> None:
    review.relook(workplace.database, held.charge_number, by="ada", reason="profile corrected", clock=workplace.clock)
    workplace.run("judge")
    assert workplace.states() == {"1": ChargeStatus.HELD}
    (again,) = review.held(workplace.database)
    assert [item.number for item in again.items] == [item.number for item in held.items]


def test_letting_a_claim_stand_after_the_source_changed(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"))
    workplace.run()
    workplace.source.put(charge(line(charge=Decimal("151.00")), key="1"))
    workplace.run()
    (held,) = review.held(workplace.database)
    with pytest.raises(Refused, match="waits for a decision"):
        review.relook(workplace.database, held.charge_number, by="ada", reason="?", clock=workplace.clock)
    with pytest.raises(Refused, match="cannot be taken back here"):
        review.void(workplace.database, held.charge_number, by="ada", reason="?", clock=workplace.clock)
    assert _waive(workplace, held.items[0].number, "a dollar is not worth it") is ChargeStatus.CLAIMED
    workplace.run()
    assert len(workplace.files()) == 1


def test_every_act_is_an_event_with_name_time_and_reason(workplace: Workplace, held: review.Held) -> None:
    review.void(workplace.database, held.charge_number, by="ada", reason="billed by hand", clock=workplace.clock)
    happened = review.case(workplace.database, held.charge_number).events
    assert [each.what for each in happened] == ["captured", "judged", "given up"]
    assert (happened[-1].actor, happened[-1].detail, happened[-1].at) == ("ada", "billed by hand", workplace.clock())


@pytest.mark.parametrize("tampering", ["actor", "became", "sequence", "gone", "last gone"])
def test_a_changed_history_shows(workplace: Workplace, held: review.Held, tampering: str) -> None:
    with workplace.database.transaction() as session:
        assert not list(broken_chains(session, workplace.database.keyring))
        first, last = session.query(EventRow).where(EventRow.subject == "charge").order_by(EventRow.id)[:2]
        match tampering:
            case "actor":
                first.actor = "somebody else"
            case "became":
                first.became = "void"
            case "sequence":
                first.sequence = 9
            case "gone":
                session.delete(first)
            case _:
                session.delete(last)
        session.flush()
        assert list(broken_chains(session, workplace.database.keyring)) == [
            f"The events of charge {held.charge_number} were changed after they were written."
        ]


def test_the_worklist_pages_and_filters(workplace: Workplace) -> None:
    workplace.source.put(
        *(charge(line("99213"), line("20610"), key=str(number)) for number in range(3)),
        charge(line(units=Decimal(0)), key="units"),
    )
    workplace.run("pull", "judge")
    everything = review.held(workplace.database)
    assert review.count_held(workplace.database) == len(everything) == 4
    first = review.held(workplace.database, limit=2)
    rest = review.held(workplace.database, after=first[-1].charge_number)
    assert [*first, *rest] == everything
    assert len(review.held(workplace.database, rule="CHG-007")) == 1
    assert not review.held(workplace.database, practice="elsewhere")


def test_what_does_not_exist_is_said(workplace: Workplace) -> None:
    with pytest.raises(Refused, match="no charge 77"):
        review.case(workplace.database, 77)
    with pytest.raises(Refused, match="no review item 77"):
        _waive(workplace, 77)
