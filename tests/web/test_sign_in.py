"""Signing in: who gets in, who does not, and for how long."""

import pytest

from charges.tables import Role
from tests.web.conftest import PASSWORD, Hall


def test_somebody_signs_in_and_chooses_a_password(halls: Hall) -> None:
    browser = halls.signed_in("Ann")

    assert browser.get("/").status_code == 200
    assert "lakeside" in browser.get("/").text
    assert "hillside" not in browser.get("/").text


def test_nobody_gets_in_unasked(hall: Hall) -> None:
    answer = hall.browser().get("/?state=open")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/%3Fstate%3Dopen"


def test_a_one_time_password_opens_nothing_but_the_form_for_another(hall: Hall) -> None:
    hall.employ("ann")
    browser = hall.browser()
    hall.sign_in(browser, "ann")

    assert browser.get("/").headers["location"] == "/account/password"
    assert browser.get("/account/password").status_code == 200


@pytest.mark.parametrize("wrong", ["name", "password", "code"])
def test_whatever_is_wrong_is_told_in_the_same_words(hall: Hall, wrong: str) -> None:
    made = hall.employ("ann")
    fields = {"name": "ann", "password": made.password, "code": hall.code("ann"), wrong: "000000"}

    answer = hall.browser().post("/sign-in", data=fields, headers={"Sec-Fetch-Site": "same-origin"})

    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert not answer.cookies


def test_a_code_counts_once(hall: Hall) -> None:
    made = hall.employ("ann")
    fields = {"name": "ann", "password": made.password, "code": hall.code("ann")}
    first, second = (
        hall.browser().post("/sign-in", data=fields, headers={"Sec-Fetch-Site": "same-origin"}) for _ in range(2)
    )

    assert (first.status_code, second.status_code) == (303, 401)


def test_a_recovery_code_takes_the_place_of_the_authenticator_once(hall: Hall) -> None:
    made = hall.employ("ann")
    fields = {"name": "ann", "password": made.password, "code": made.recovery_codes[0].upper()}
    first, second = (
        hall.browser().post("/sign-in", data=fields, headers={"Sec-Fetch-Site": "same-origin"}) for _ in range(2)
    )

    assert (first.status_code, second.status_code) == (303, 401)


def test_guessing_locks_the_account_longer_and_longer(hall: Hall) -> None:
    hall.employ("ann")
    browser = hall.browser()
    for _ in range(5):
        assert hall.sign_in(browser, "ann", "a wrong password").status_code == 401

    assert hall.sign_in(browser, "ann").status_code == 401, "locked for a minute, whatever is tried"
    hall.later(minutes=1)
    assert hall.sign_in(browser, "ann", "a wrong password").status_code == 401
    hall.later(minutes=1)
    assert hall.sign_in(browser, "ann").status_code == 401, "now for two"
    hall.later(minutes=1)
    assert hall.sign_in(browser, "ann").status_code == 303


def test_a_session_ends_when_it_is_not_used(hall: Hall) -> None:
    browser = hall.signed_in("ann")
    hall.later(minutes=14, seconds=59)
    assert browser.get("/").status_code == 200
    hall.later(minutes=15, seconds=1)
    assert browser.get("/").status_code == 303


def test_a_session_ends_after_half_a_day_however_busy(hall: Hall) -> None:
    browser = hall.signed_in("ann")
    for _ in range(12 * 6):
        assert browser.get("/").status_code == 200
        hall.later(minutes=10)
    assert browser.get("/").status_code == 303


def test_signing_out_ends_the_session_and_not_only_the_cookie(hall: Hall) -> None:
    browser = hall.signed_in("ann")
    cookie = browser.cookies["session"]

    assert browser.submit("/sign-out").headers["clear-site-data"] == '"cache"'
    browser.cookies.set("session", cookie)

    assert browser.get("/").status_code == 303


def test_another_session_is_begun_at_each_sign_in(hall: Hall) -> None:
    browser = hall.signed_in("ann")
    before = browser.cookies["session"]
    hall.sign_in(browser, "ann", PASSWORD)
    after = browser.cookies["session"]
    browser.cookies.set("session", before, domain="127.0.0.1")

    assert before != after
    other = hall.browser()
    other.cookies.set("session", before)
    assert other.get("/").status_code == 303, "the one before has ended"


def test_a_changed_password_ends_the_other_sessions(hall: Hall) -> None:
    first = hall.signed_in("ann")
    second = hall.browser()
    hall.sign_in(second, "ann", PASSWORD)

    second.submit("/account/password", {"old": PASSWORD, "new": "nine herons on a roof"})

    assert first.get("/").status_code == 303
    assert second.get("/").status_code == 200


@pytest.mark.parametrize("new", ["short", "aaaaaaaaaaaaaaaaaa", "ann has a password"])
def test_a_poor_password_is_refused(hall: Hall, new: str) -> None:
    browser = hall.signed_in("ann")

    assert browser.submit("/account/password", {"old": PASSWORD, "new": new}).status_code == 400


def test_who_is_disabled_is_out_at_once(hall: Hall) -> None:
    from charges.users import accounts

    browser = hall.signed_in("ann")
    accounts.disable(hall.database, "ann", by="engineer", because="left", clock=hall.clock)

    assert browser.get("/").status_code == 303
    assert hall.sign_in(browser, "ann", PASSWORD).status_code == 401


def test_a_role_changed_counts_from_the_next_click(hall: Hall) -> None:
    from charges.users import accounts
    from charges.users.accounts import Wanted

    browser = hall.signed_in("ann")
    accounts.change(hall.database, "ann", Wanted(Role.BILLER, ("hillside",)), by="engineer", clock=hall.clock)

    assert "hillside" in browser.get("/").text
    assert "lakeside" not in browser.get("/").text
