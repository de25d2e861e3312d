"""How people share the work: who is at a charge, what waits, what was asked, who looks on, and what can be undone."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from charges import review
from charges.desk import corrections
from charges.desk import sharing as acts
from charges.errors import Refused, Stale, Unavailable
from charges.lifecycle import broken_chains
from charges.tables import ChargeStatus, LookRow, Role
from charges.users import accounts
from tests.desk.workers import Desk, pointless, without_25
from tests.practice import Workplace


@pytest.fixture
def there(small_workplace: Workplace) -> Desk:
    at = Desk(small_workplace)
    at.hold(without_25("visit"), pointless("pointless"))
    return at


def _events(at: Desk, key: str, by: str = "ada") -> list[tuple[str, str]]:
    happened = review.case(at.workplace.database, at.number(key)).events
    return [(each.what, each.detail) for each in happened if each.actor == by]


def test_everything_that_people_do_with_a_charge_stands_in_its_history(there: Desk) -> None:
    database, clock, number = there.workplace.database, there.workplace.clock, there.number("visit")
    tomorrow = clock().date() + timedelta(days=1)
    acts.assign(database, number, "bo", by="ada", clock=clock, reason="your provider")
    acts.assign(database, number, "", by="ada", clock=clock)
    acts.snooze(database, number, tomorrow, by="ada", clock=clock, reason="the note is not signed")
    acts.snooze(database, number, None, by="ada", clock=clock)
    acts.ask(database, number, "A visit of its own?", by="ada", clock=clock)
    acts.answer(database, number, "Yes, for the knee.", by="ada", clock=clock)
    acts.comment(database, number, "Called twice.", by="ada", clock=clock)
    assert _events(there, "visit") == [
        ("assigned", "bo: your provider"),
        ("unassigned", ""),
        (f"snoozed to {tomorrow}", "the note is not signed"),
        ("woken", ""),
        ("asked the provider", "A visit of its own?"),
        ("provider answered", "Yes, for the knee."),
        ("commented", "Called twice."),
    ]
    assert there.workplace.states()["visit"] is ChargeStatus.HELD
    with database.transaction() as session:
        assert not list(broken_chains(session, database.keyring))


def test_what_makes_no_sense_is_refused_in_words(there: Desk) -> None:
    database, clock, number = there.workplace.database, there.workplace.clock, there.number("visit")
    today = clock().date()
    for days, why in ((0, "not in the future"), (91, "more than 90 days")):
        with pytest.raises(Refused, match=why):
            acts.snooze(database, number, today + timedelta(days=days), by="ada", clock=clock)
    there.hold(without_25("late", on=today - timedelta(days=350)))
    with pytest.raises(Refused, match="payer takes the claim"):
        acts.snooze(database, there.number("late"), today + timedelta(days=30), by="ada", clock=clock)
    with pytest.raises(Refused, match="Nothing is asked"):
        acts.answer(database, number, "Yes.", by="ada", clock=clock)
    with pytest.raises(Refused, match="Write the question"):
        acts.ask(database, number, "  ", by="ada", clock=clock)
    with pytest.raises(Refused, match="shorter"):
        acts.comment(database, number, "x" * 5000, by="ada", clock=clock)
    with pytest.raises(Refused, match="who you are"):
        acts.assign(database, number, "bo", by=" ", clock=clock)
    review.void(database, number, by="ada", reason="twice", clock=clock)
    with pytest.raises(Stale, match="does not wait"):
        acts.assign(database, number, "bo", by="ada", clock=clock)


def test_a_snooze_ends_when_the_charge_changes(there: Desk) -> None:
    number, clock = there.number("visit"), there.workplace.clock
    acts.snooze(there.workplace.database, number, clock().date() + timedelta(days=9), by="ada", clock=clock)
    assert there.keys() == ["pointless"]
    there.hold(without_25("visit", dollars=175))
    assert set(there.keys()) == {"visit", "pointless"}


def test_a_waiver_is_undone_until_a_claim_is_made(there: Desk) -> None:
    database, clock, item = there.workplace.database, there.workplace.clock, there.item("visit", "GLB-002")
    given: dict[str, Any] = {"by": "ada", "clock": clock}
    for judged in (False, True):
        review.waive(database, item, reason="documented", **given)
        if judged:
            there.workplace.run("judge")
        assert review.unwaive(database, item, **given) is ChargeStatus.HELD
        assert there.item("visit", "GLB-002") == item
    with pytest.raises(Stale, match="not waived"):
        review.unwaive(database, item, **given)
    review.waive(database, item, reason="documented", **given)
    there.workplace.run("judge", "generate")
    with pytest.raises(Refused, match="went on and is claimed"):
        review.unwaive(database, item, **given)


def test_a_charge_given_up_is_taken_up_again_unless_the_source_voided_it(there: Desk) -> None:
    database, clock, number = there.workplace.database, there.workplace.clock, there.number("visit")
    review.void(database, number, by="ada", reason="twice", clock=clock)
    assert review.revive(database, number, by="bo", clock=clock) is ChargeStatus.CAPTURED
    there.workplace.run("judge")
    assert there.item("visit", "GLB-002")
    there.hold(without_25("visit", voided=True))
    with pytest.raises(Refused, match="not given up here"):
        review.revive(database, number, by="bo", clock=clock)


def test_nobody_decides_about_something_else_than_they_saw(workplace: Workplace) -> None:
    at = Desk(workplace)
    at.hold(without_25("visit"))
    database, number, item = workplace.database, at.number("visit"), at.item("visit", "GLB-002")
    given: dict[str, Any] = {"by": "ada", "clock": workplace.clock, "seen": at.seen("visit")}
    at.hold(without_25("visit", dollars=175))
    for act in (
        lambda: review.waive(database, item, reason="?", **given),
        lambda: review.void(database, number, reason="?", **given),
        lambda: review.relook(database, number, reason="?", **given),
        lambda: acts.assign(database, number, "bo", **given),
        lambda: acts.ask(database, number, "Why?", **given),
    ):
        with pytest.raises(Stale, match="changed since you opened it: scrub, judged, 2026-11-23 18:00"):
            act()
    assert at.workplace.states()["visit"] is ChargeStatus.HELD


def test_of_two_who_act_at_the_same_moment_one_is_told(workplace: Workplace) -> None:
    at = Desk(workplace)
    at.hold(without_25("visit"))
    database, clock, item, seen = workplace.database, workplace.clock, at.item("visit", "GLB-002"), at.seen("visit")
    together = threading.Barrier(2)

    def act(name: str) -> str:
        together.wait()
        try:
            if name == "ada":
                corrections.correct(database, item, by=name, clock=clock, seen=seen)
            else:
                review.waive(database, item, by=name, reason="documented", clock=clock, seen=seen)
        except (Stale, Unavailable) as told:
            return type(told).__name__
        return "done"

    with ThreadPoolExecutor(2) as pool:
        became = sorted(pool.map(act, ("ada", "bo")))
    assert became == ["Stale", "done"]
    assert len(_events(at, "visit", "ada")) + len(_events(at, "visit", "bo")) == 1
    with database.transaction() as session:
        assert not list(broken_chains(session, database.keyring))


def test_whoever_looks_is_written_down_and_seen_by_others_while_they_stay(there: Desk) -> None:
    database, now, number = there.workplace.database, there.workplace.clock(), there.number("visit")

    def look(by: str, seconds: int) -> tuple[str, ...]:
        return acts.look(database, number, by=by, clock=lambda: now + timedelta(seconds=seconds))

    assert look("ada", 0) == ()
    assert look("bo", 60) == ("ada",)
    assert look("ada", 80) == ("bo",)
    assert look("cy", 400) == ()
    with database.transaction() as session:
        kept = [(each.actor, each.began_at, each.seen_at) for each in session.query(LookRow).order_by(LookRow.id)]
    assert kept[0] == ("ada", now, now + timedelta(seconds=80))
    assert [each[0] for each in kept] == ["ada", "bo", "cy"]


def test_views_are_ones_own_or_shared(there: Desk) -> None:
    database, clock = there.workplace.database, there.workplace.clock
    here, elsewhere = {there.workplace.applied.id}, {987654}
    accounts.add(database, "ada", accounts.Wanted(Role.BILLER, ("lakeside",)), by="engineer", clock=clock)
    acts.save_view(database, " Dear  ones ", "sort=dollars", by="ada", shared=True, clock=clock)
    acts.save_view(database, "Mine", "assignee=me", by="ada", shared=False, clock=clock)
    acts.save_view(database, "Mine", "assignee=me&sort=age", by="ada", shared=False, clock=clock)
    assert [(each.name, each.address) for each in acts.views(database, "ada", here)] == [
        ("Dear ones", "sort=dollars"),
        ("Mine", "assignee=me&sort=age"),
    ]
    assert [each.name for each in acts.views(database, "bo", here)] == ["Dear ones"]
    assert not acts.views(database, "ida", elsewhere), "ada works for no practice of hers"
    acts.forget_view(database, "Dear ones", by="bo")
    acts.forget_view(database, "Mine", by="ada")
    assert [each.name for each in acts.views(database, "ada", here)] == ["Dear ones"]
    with pytest.raises(Refused, match="a name"):
        acts.save_view(database, "", "", by="ada", shared=False, clock=clock)
