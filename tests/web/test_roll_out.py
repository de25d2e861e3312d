"""The roll-out in the browser: what a practice has shown, and bringing it on or back."""

from charges.practice.profile import Promotion
from charges.tables import Mode, Role
from tests.web.conftest import Hall


def test_a_practice_goes_back_at_once_with_a_reason(hall: Hall) -> None:
    browser = hall.signed_in("ann")
    was = hall.workplace.pipeline.roll_out("lakeside").standing.mode

    assert was.value in browser.get("/roll-out").text
    assert browser.submit("/roll-out/lakeside/retreat", {"to": "observe"}).status_code == 400
    told = browser.submit("/roll-out/lakeside/retreat", {"to": "observe", "reason": "a wrong name"})

    assert told.status_code == 303
    assert hall.workplace.pipeline.roll_out("lakeside").standing.mode is Mode.OBSERVE
    page = browser.get("/roll-out/lakeside").text
    assert "a wrong name" in page
    assert "What the next mode demands" in page


def test_nobody_goes_on_before_the_practice_has_shown_enough(hall: Hall) -> None:
    plan = hall.workplace.applied.practice.roll_out
    hall.workplace.apply(Mode.OBSERVE, roll_out=plan.model_copy(update={"promotion": Promotion()}))
    browser = hall.signed_in("ann")

    answer = browser.submit("/roll-out/lakeside/advance", {"reason": "in a hurry"})

    assert answer.status_code == 400
    assert hall.workplace.pipeline.roll_out("lakeside").standing.mode is Mode.OBSERVE


def test_the_roll_out_of_another_practice_is_not_there(hall: Hall) -> None:
    browser = hall.signed_in("hilda", Role.LEAD, "hillside")

    assert "lakeside" not in browser.get("/roll-out").text
    assert browser.get("/roll-out/lakeside").status_code == 404
    assert browser.submit("/roll-out/lakeside/retreat", {"to": "observe", "reason": "x"}).status_code == 404
