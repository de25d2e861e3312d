"""The moves: what the drawing allows happens once, what it does not allow never."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charges import lifecycle
from charges.errors import Stale
from charges.lifecycle import BREAKER_MOVES, FILE_MOVES, MOVES, ROLL_OUT_MOVES, Deed
from charges.tables import BreakerStatus, ChargeRow, ChargeStatus, EventRow, FileStatus, Mode
from rules.examples import charge
from tests.practice import Workplace


def test_every_state_is_in_the_drawing() -> None:
    assert set(MOVES) == set(ChargeStatus)
    assert set(FILE_MOVES) == set(FileStatus)
    assert set(BREAKER_MOVES) == set(BreakerStatus)
    assert set(ROLL_OUT_MOVES) == set(Mode)


def test_only_clean_charges_become_claimed_and_only_captured_ones_clean() -> None:
    before = {to: {was for was, allowed in MOVES.items() if to in allowed} for to in ChargeStatus}
    assert before[ChargeStatus.CLEAN] == {ChargeStatus.CAPTURED}
    assert before[ChargeStatus.CLAIMED] == {ChargeStatus.CLEAN, ChargeStatus.HELD, ChargeStatus.ACCEPTED}


def test_a_row_somebody_else_moved_is_stale(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"))
    workplace.run("pull")
    old = workplace.rows()["1"]
    workplace.run("judge")
    with pytest.raises(Stale, match="changed by somebody else"), workplace.database.transaction() as session:
        lifecycle.move(session, [old], ChargeStatus.VOID, _deed(workplace))
    assert workplace.states() == {"1": ChargeStatus.CLEAN}


def _deed(workplace: Workplace) -> Deed:
    return Deed("tested", "test", workplace.clock(), workplace.database.keyring)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(targets=st.lists(st.sampled_from(list(ChargeStatus)), max_size=8))
def test_any_walk_stays_on_the_drawing_and_is_written_down(
    small_workplace: Workplace, targets: list[ChargeStatus]
) -> None:
    workplace = small_workplace
    workplace.source.put(charge(key="1"))
    workplace.run("pull")
    with workplace.database.transaction() as session:
        row = session.query(ChargeRow).one()
        for target in targets:
            if target in MOVES[row.status]:
                lifecycle.move(session, [row], target, _deed(workplace))
            else:
                with pytest.raises(AssertionError):
                    lifecycle.move(session, [row], target, _deed(workplace))
        events = session.query(EventRow).filter_by(subject="charge").order_by(EventRow.sequence).all()
        states = [event.became for event in events]
        assert states[-1] == row.status.value
        assert all(now == was or ChargeStatus(now) in MOVES[ChargeStatus(was)] for was, now in pairwise(states))
        assert not list(lifecycle.broken_chains(session, workplace.database.keyring))
