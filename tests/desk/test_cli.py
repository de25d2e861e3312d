"""The acts of the review as commands: what they say, and what they exit with."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from charges.cli import shared
from charges.cli.main import main
from charges.db import create_database_engine, open_database, upgrade
from charges.settings import Settings
from tests.conftest import NOON
from tests.desk.workers import Desk, without_25
from tests.practice import Workplace

Review = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Review:
    """`charges review` in an empty folder, by ada; gives exit code and what was said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shared.out, "width", 200)
    monkeypatch.setenv("CHARGES_ACTOR", "ada")

    def review(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["review", *words])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return review


def test_a_charge_is_worked_on_from_the_command_line(run: Review, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["keys", "new", "chargerouter.key"])
    settings = Settings(key_file=tmp_path / "chargerouter.key")
    upgrade(create_database_engine(settings))
    desk = Desk(Workplace(open_database(settings), tmp_path, lambda: NOON))
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
