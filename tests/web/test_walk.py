"""Every route of the site is walked: by nobody, by each role, by programs, and by people of the practice next door."""

from dataclasses import dataclass

import pytest

from charges.tables import Role
from charges.users.permissions import PERMISSIONS
from charges.web.acts import ACTS
from tests.desk.workers import Desk, without_25
from tests.web.conftest import Browser, Hall, csrf_on
from tests.web.walk import BODIES, NOTHING, ONES_OWN, OPEN, PARAMETERS, QUERIES, ROUTES, NextDoor, Route, may

GUARDED = [each for each in ROUTES if each.path not in OPEN]
STAFFED = [each for each in GUARDED if each.path not in ONES_OWN]


@dataclass
class Walker:
    """Somebody of lakeside with a role, as a person and as a program with all that the role may do."""

    role: Role
    browser: Browser
    csrf: str
    program: Browser

    @classmethod
    def of(cls, hall: Hall, role: Role) -> "Walker":
        browser = hall.signed_in(f"{role} of lakeside", role)
        csrf = csrf_on(browser.get("/account/password").text)
        return cls(role, browser, csrf, hall.program(*PERMISSIONS[role], role=role))

    def by(self, route: Route) -> Browser:
        return self.program if route.is_of_programs else self.browser


def test_every_route_can_be_walked_and_nothing_is_said_of_routes_that_are_gone() -> None:
    unknown = [each for route in ROUTES for each in route.unknown]
    names = {each.name for each in ROUTES}
    said = {each for route in ROUTES for each in route.parameters}

    assert not unknown, "say in tests/web/walk.py what these stand for"
    assert set(BODIES) <= names
    assert set(PARAMETERS) <= said


def test_each_path_says_what_it_demands() -> None:
    assert {each.path for each in ROUTES if not each.permissions} == OPEN | ONES_OWN


def test_nobody_gets_past_the_sign_in_on_any_path(hall: Hall) -> None:
    browser = hall.browser()
    for route in GUARDED:
        answer = route.ask(browser, NOTHING)
        if route.is_of_programs:
            assert (answer.status, answer.location) == (401, ""), route.name
        else:
            assert (answer.status, answer.location.partition("?")[0]) == (303, "/sign-in"), route.name


def test_a_form_without_the_token_of_its_session_is_refused_on_any_path(hall: Hall) -> None:
    browser = hall.signed_in("ann")
    for route in GUARDED:
        if route.changes and not route.is_of_programs:
            assert route.ask(browser, NOTHING, csrf="").status == 403, route.name
            assert route.ask(browser, NOTHING, csrf="of another session").status == 403, route.name


def test_nothing_is_changed_by_asking_for_a_page(hall: Hall) -> None:
    browser = hall.signed_in("ann")
    for route in GUARDED:
        if route.changes and not route.is_of_programs:
            status = browser.get(route.address(NOTHING)).status_code
            assert status in (303, 404, 405) or f"GET {route.path}" in {each.name for each in ROUTES}, route.name


@pytest.mark.parametrize("role", Role)
def test_each_role_may_what_the_table_says_and_nothing_else(hall: Hall, role: Role) -> None:
    walker = Walker.of(hall, role)
    for route in STAFFED:
        is_forbidden = route.ask(walker.by(route), NOTHING, walker.csrf).status == 403
        assert is_forbidden is not may(role, route), route.name


def test_a_program_may_nothing_that_its_token_was_not_made_for(hall: Hall) -> None:
    for role in Role:
        for scope in PERMISSIONS[role]:
            program = hall.program(scope, role=role)
            for route in STAFFED:
                if route.is_of_programs and may(role, route):
                    is_forbidden = route.ask(program, NOTHING).status == 403
                    assert is_forbidden is (route.permissions != (scope,)), f"{scope}: {route.name}"


@pytest.fixture
def next_door(hall: Hall) -> NextDoor:
    return NextDoor(hall)


@pytest.mark.parametrize("role", Role)
def test_what_is_of_the_practice_next_door_is_as_if_it_were_not_there(
    hall: Hall, next_door: NextDoor, role: Role
) -> None:
    walker, before = Walker.of(hall, role), next_door.state()
    for route in STAFFED:
        if not may(role, route):
            continue
        for act in ACTS if route.is_about("act") else ("",):
            things, nothing = next_door.things | {"act": act}, dict(NOTHING) | {"act": act}
            theirs = route.ask(walker.by(route), things, walker.csrf)
            none = route.ask(walker.by(route), nothing, walker.csrf)
            where = f"{route.name} {act}"
            if route.parameters:
                assert theirs.status in (403, 404), where
            assert theirs == none.as_about(things), where
            assert not [each for each in next_door.marks if each in none.text], where
    assert next_door.state() == before


@pytest.mark.parametrize("role", Role)
def test_a_question_about_the_practice_next_door_finds_nothing(hall: Hall, next_door: NextDoor, role: Role) -> None:
    walker = Walker.of(hall, role)
    for route in STAFFED:
        if route.changes or route.parameters or not may(role, route):
            continue
        for name, value in QUERIES.items():
            theirs = route.ask(walker.by(route), NOTHING, query=f"{name}={value.format(**next_door.things)}")
            none = route.ask(walker.by(route), NOTHING, query=f"{name}={value.format(**NOTHING)}")
            where = f"{route.name}?{name}"
            assert theirs == none.as_about(next_door.things), where
            assert not [each for each in next_door.marks if each in none.text], where


def test_a_finding_or_a_file_of_theirs_is_not_reached_by_way_of_what_is_ones_own(
    hall: Hall, next_door: NextDoor
) -> None:
    desk = Desk(hall.workplace)
    desk.hold(without_25("ours"))
    walker, before = Walker.of(hall, Role.LEAD), next_door.state()
    ours = {"charge": desk.number("ours"), "practice": "lakeside", "seen": desk.seen("ours")}
    for route in STAFFED:
        if not (route.is_about("charge") or route.is_about("rules_file")) or not may(Role.LEAD, route):
            continue
        for act in ("waive", "unwaive", "fix") if route.is_about("act") else ("",):
            mixed = next_door.things | ours | {"act": act}
            nothing = dict(NOTHING) | ours | {"act": act}
            theirs = route.ask(walker.by(route), mixed, walker.csrf)
            none = route.ask(walker.by(route), nothing, walker.csrf)
            assert theirs == none.as_about(mixed), f"{route.name} {act}"
    assert next_door.state() == before


def test_whoever_may_see_it_finds_all_that_was_walked_past(hall: Hall, next_door: NextDoor) -> None:
    """The things next door are there: what the other tests do not find is found by who belongs there."""
    program = hall.program(*PERMISSIONS[Role.LEAD], practices=("hillside",))
    browser = hall.signed_in("bo", Role.LEAD, "hillside")
    for route in STAFFED:
        if route.parameters and not route.changes and not route.is_about("user") and may(Role.LEAD, route):
            asked = program if route.is_of_programs else browser
            assert route.ask(asked, next_door.things).status == 200, route.name
