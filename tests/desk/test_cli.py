"""The acts of the review as commands: what they say, and what they exit with."""

import json
from collections.abc import Callable
from datetime import date

import pytest

from rules.examples import PATIENT, charge
from tests.conftest import Charges
from tests.desk.workers import Desk, without_25
from tests.practice import Workplace

Review = Callable[..., tuple[int, str]]


@pytest.fixture
def run(charges: Charges, monkeypatch: pytest.MonkeyPatch) -> Review:
    """`charges review` by ada; gives exit code and what was said."""
    monkeypatch.setenv("CHARGES_ACTOR", "ada")

    def review(*words: str) -> tuple[int, str]:
        code, out, err = charges("review", *words)
        return code, out + err

    return review


def test_a_charge_is_worked_on_from_the_command_line(run: Review, installed_workplace: Workplace) -> None:
    desk = Desk(installed_workplace)
    desk.hold(without_25("visit"))
    number, item = str(desk.number("visit")), str(desk.item("visit", "GLB-002"))

    assert run("assign", number, "bo") == (0, f"Charge {number} is given to bo.\n")
    assert run("snooze", number, "2001-01-01")[0] == 2
    assert run("snooze", number) == (0, f"Charge {number} is in the queue again.\n")
    assert run("ask", number, "A visit of its own?") == (0, f"Charge {number} waits for the answer.\n")
    assert run("ask", number, "Yes.", "--answer") == (0, f"Charge {number} is in the queue again.\n")
    assert run("comment", number, "Called [twice].")[0] == 0
    assert run("fix", item, "--set", "lines[0].units") == (
        2,
        "Write each correction as FIELD=VALUE, for example --set 'lines[0].modifiers=25'.\n",
    )
    code, said = run("fix", item)
    assert (code, said.splitlines()[0]) == (0, "lines[0].modifiers: nothing became 25")
    (listed,) = json.loads(run("corrected", "--json")[1])
    assert (listed["key"], listed["fields"]) == ("visit", [{"at": "lines[0].modifiers", "was": "", "now": "25"}])
    assert "lines[0].modifiers" in run("corrected")[1]
    assert run("fix", item, "--undo", "--reason", "not documented")[0] == 0
    assert run("corrected") == (0, "Nothing is to be entered at the source.\n")
    assert run("fix", item)[0] == 4


def test_whose_charge_it_is_is_said_from_the_command_line(run: Review, installed_workplace: Workplace) -> None:
    desk = Desk(installed_workplace)
    stranger = PATIENT.model_copy(update={"first_name": "Max", "birth_date": date(2012, 3, 9)})
    desk.hold(charge(key="mine"), charge(key="mixed-up", patient=stranger))
    number = str(desk.number("mixed-up"))

    shown = run("show", number)[1]
    assert "PAT-002: The record number is that of somebody who differs in birth date, first name." in shown
    assert "patient 1: Odette Larkspur, born 1961-04-03, number 100234; agrees: record number, last name" in shown
    assert "--none" in run("link", number, "--reason", "why")[1]
    assert run("link", number, "99", "--reason", "why")[0] == 2
    assert run("link", number, "1")[0] == 2
    assert run("link", number, "--none", "--reason", "a number given anew") == (
        0,
        f"Charge {number} is of nobody known; it is captured and is judged again in the next run.\n",
    )
