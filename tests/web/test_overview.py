"""The overview in the browser and for programs: figures of one's own practices, and lists of exactly what they count."""

import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from charges.db import Database, create_database_engine
from charges.settings import Settings
from charges.tables import LookRow, Role
from charges.users.permissions import Permission
from tests.conftest import KEYRING
from tests.figures.days import Days
from tests.web.conftest import Hall, with_second_practice

WEEK = "from=2026-11-12&to=2026-11-18"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def floor(empty_database: Path, tmp_path: Path) -> Iterator[Hall]:
    """An installation on which something happened for three days, all of which is counted."""
    path = shutil.copy(empty_database, tmp_path / "chargerouter.db")
    database = Database(create_database_engine(Settings(database_url=f"sqlite:///{path}")), KEYRING)
    days = Days.of(database, tmp_path)
    with_second_practice(days.workplace)
    days.pass_by()
    days.waive(EVIL, "p")
    for each in days.workplace.pipeline.practices():
        days.workplace.pipeline.figures(each)
    opened = Hall(days.workplace, now=days.watch.now)
    with opened.rooms:
        yield opened
    database.close()


def links(html: str) -> list[tuple[str, str]]:
    """Where figures lead, with what is written there."""
    found = re.findall(r'<a href="(/overview/behind[^"]*)">([^<]*)</a>', html)
    return [(unescape(address), text.strip()) for address, text in found]


def test_the_page_shows_plots_with_tables_and_when_they_were_counted(floor: Hall) -> None:
    shown = floor.signed_in("ann").get(f"/overview?{WEEK}").text

    assert "As of 2026-11-18 18:00 UTC." in shown
    assert shown.count('<svg class="plot" role="img"') == 8
    for each in ("Charge lag", "Dollars held now", "GLB-002", "277CA", "99213 of office, known patient", "grace"):
        assert each in shown
    assert "nothing was" not in shown.lower()


def test_each_figure_leads_to_exactly_the_charges_behind_it(floor: Hall) -> None:
    ann = floor.signed_in("ann")
    found = links(ann.get(f"/overview?{WEEK}").text)

    assert len(found) > 20
    for address, text in found:
        shown = ann.get(address)
        assert shown.status_code == 200, address
        if text.isdecimal():
            assert shown.text.count("<tr data-row>") == int(text), address
    (rule,) = (address for address, _ in found if "measure=found" in address and "GLB-002" in address)
    held = {str(floor.workplace.rows()[key].id) for key in "abc"}
    assert set(re.findall(r'href="/charges/(\d+)"', ann.get(rule).text)) == held


def test_who_looked_at_the_charges_behind_a_figure_is_written_down(floor: Hall) -> None:
    floor.signed_in("ann").get(f"/overview/behind?measure=found&key=GLB-002&{WEEK}")

    with floor.database.transaction() as session:
        looks = {(each.charge_id, each.actor, each.how) for each in session.query(LookRow)}
    assert looks == {(floor.workplace.rows()[key].id, "ann", "list") for key in "abc"}


def test_days_are_in_the_address_and_the_last_thirty_when_none_are(floor: Hall) -> None:
    ann = floor.signed_in("ann")

    assert 'value="2026-10-20"' in ann.get("/overview").text
    assert "No charge was first seen in these days." in ann.get("/overview?from=2026-10-01&to=2026-10-31").text
    for days, status in (
        ("from=2026-11-18&to=2026-11-12", 400),
        ("from=2020-01-01", 400),
        ("to=0001-01-01", 400),
        ("to=tomorrow", 422),
    ):
        assert ann.get(f"/overview?{days}").status_code == status, days


def test_a_practice_that_one_does_not_see_does_not_count(floor: Hall) -> None:
    bo = floor.signed_in("bo", Role.LEAD, "hillside")
    shown = bo.get(f"/overview?{WEEK}").text

    assert "GLB-002" not in shown
    assert "Nothing is held." in shown
    assert bo.get("/overview?practice=lakeside").status_code == 404
    assert bo.get("/overview/behind?measure=found&practice=lakeside").status_code == 404
    assert "<tr data-row>" not in bo.get(f"/overview/behind?measure=found&{WEEK}").text
    both = floor.signed_in("cy", Role.LEAD, "hillside", "lakeside")
    assert "GLB-002" in both.get(f"/overview?{WEEK}").text
    assert "GLB-002" not in both.get(f"/overview?practice=hillside&{WEEK}").text


def test_an_operator_sees_figures_and_neither_charges_nor_people(floor: Hall) -> None:
    oz = floor.signed_in("oz", Role.OPERATOR)
    shown = oz.get(f"/overview?{WEEK}").text

    assert "GLB-002" in shown
    assert not links(shown)
    assert "/queue" not in shown
    assert "grace" not in shown
    assert oz.get("/overview/behind?measure=found").status_code == 403
    assert floor.signed_in("bea", Role.BILLER).get("/overview").status_code == 403


def test_a_name_is_no_markup(floor: Hall) -> None:
    ann = floor.signed_in("ann")
    (address,) = (each for each, _ in links(ann.get(f"/overview?{WEEK}").text) if "script" in each)

    for shown in (ann.get(f"/overview?{WEEK}").text, ann.get(address).text):
        assert EVIL not in shown
        assert "&lt;script&gt;alert(1)" in shown


def test_programs_read_the_same_figures(floor: Hall) -> None:
    program = floor.program(Permission.READ_FIGURES, Permission.READ_CHARGES)
    found = program.get(f"/api/overview?{WEEK}").json()

    assert found["as_of"] == "2026-11-18T18:00:00Z"
    assert found["people"] is None, "not within the token's scopes"
    assert {"key": "GLB-002", "count": 3, "dollars": "1050.00", "before": 0, "dollars_before": "0"} in found["rules"]
    for each in found["rules"]:
        behind = program.get(f"/api/overview/behind?measure=found&key={each['key']}&{WEEK}").json()
        assert (len(behind["entries"]), behind["count"]) == (each["count"], each["count"])
    assert program.get("/api/overview/behind?measure=left").status_code == 403
    assert program.get("/api/overview/behind?measure=nothing").status_code == 422
    assert floor.program(Permission.READ_FILES).get("/api/overview").status_code == 403


def test_nothing_counted_is_said(hall: Hall) -> None:
    assert "Not everything was counted yet" in hall.signed_in("ann").get("/overview").text
