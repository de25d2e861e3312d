"""Counts that take long are kept in a large installation, and made when they are asked in a small one."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from charges import kept, overview
from rules.examples import charge
from tests.conftest import NOON
from tests.practice import Workplace


class Counter:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, session: Session) -> int:
        self.asked += 1
        return self.asked


def test_a_small_installation_counts_whenever_it_is_asked(workplace: Workplace) -> None:
    count = Counter()
    for number in (1, 2):
        found = kept.look(workplace.database, "x", "", count, NOON, kept.OLD)
        assert (found.document, found.counted_at) == (number, None)


def test_a_large_one_counts_when_what_is_kept_is_too_old_or_of_another_time(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "SMALL", -1)
    count, later = Counter(), NOON + timedelta(minutes=20)

    def look(at: object = NOON, stamp: str = "", oldest: timedelta = kept.OLD) -> tuple[int, object]:
        found = kept.look(workplace.database, "x", stamp, count, at, oldest)  # type: ignore[arg-type]
        return found.document, found.counted_at

    assert look() == look() == look(later) == (1, NOON)
    assert look(later, oldest=kept.AGING) == look(later) == (2, later), "a worker counts before it is too old"
    assert look(later, oldest=kept.NOW) == (3, None)
    assert look(later, stamp="advanced") == (4, later)
    with workplace.database.alone_at("count x"):
        assert look(later + kept.OLD, stamp="advanced") == (4, later), "what was before is told while another counts"


def test_pages_of_a_large_installation_say_when_they_were_counted(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "SMALL", -1)
    pipeline = workplace.pipeline
    workplace.source.put(charge(key="1"))
    workplace.run()
    was = pipeline.roll_out("lakeside", kept.OLD)
    states, counted_at = overview.kept_by_state(workplace.database, NOON, kept.OLD)
    assert (was.counted_at, counted_at) == (NOON, NOON)
    assert states == overview.count_by_state(workplace.database)
    workplace.source.put(charge(key="2"))
    workplace.run()
    assert pipeline.roll_out("lakeside", kept.OLD) == was
    now = pipeline.roll_out("lakeside")
    judged = [each.shown.clean + each.shown.held for each in (was, now)]
    assert (now.counted_at, judged) == (None, [1, 2])
    states, _ = overview.kept_by_state(workplace.database, NOON, kept.OLD)
    assert states != overview.count_by_state(workplace.database)
    pipeline.retreat("lakeside", by="engineer", reason="wrong")
    assert pipeline.roll_out("lakeside", kept.OLD).standing.mode is not was.standing.mode
    assert pipeline.roll_out("lakeside", kept.OLD).shown != was.shown
