"""What axe-core finds wrong with the pages for people who do not see, hear or point well: nothing (WCAG 2.2 A and AA)."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from charges.tables import Role
from rules.examples import charge, line
from tests.desk.workers import Desk, patient_of, without_25
from tests.telling.listeners import Post, Receiver
from tests.web.browser.conftest import Office

STANDARD = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def _faults(page: Page) -> list[str]:
    found = Axe().run(page, options=STANDARD).response["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_queue_and_the_charge_can_be_used_by_everybody(office: Office, colours: str) -> None:
    desk = Desk(office.hall.workplace)
    desk.hold(
        without_25("one"),
        charge(line("99213", diagnoses=()), line("20610", "RT"), key="both", patient=patient_of("both")),
    )
    page = office.come_in("ann")
    page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    for path in (
        "/queue?rule=GLB-002&sort=dollars",
        "/queue/groups",
        "/queue/corrections",
        f"/charges/{desk.number('both')}",
    ):
        office.open(page, path)
        assert not _faults(page), path
    page.keyboard.press("?")
    assert not _faults(page), "the help sheet"
    page.keyboard.press("Escape")
    office.open(page, "/queue?rule=GLB-002")
    page.get_by_label("Reason").fill("documented")
    page.get_by_role("button", name="Show what it will do").click()
    page.get_by_role("button", name="Do it to").wait_for()
    assert not _faults(page), "the preview"
    page.set_viewport_size({"width": 375, "height": 700})
    office.open(page, f"/charges/{desk.number('both')}")
    assert not _faults(page), "on a telephone"


def test_what_one_is_told_and_who_else_can_be_chosen_by_everybody(office: Office) -> None:
    post = Post(office.hall.workplace)
    post.add(Receiver(url="https://hooks.example/charges"))
    post.open_breaker()
    post.notice()
    page = office.come_in("olu", Role.OPERATOR)
    for path in ("/account/telling", "/telling", "/telling/lakeside/vendor"):
        office.open(page, path)
        assert not _faults(page), path
    office.open(page, "/account/telling")
    page.get_by_label("Your address").fill("olu@lakeside.example")
    page.get_by_label("a claim file was rejected").uncheck()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("You are told so from now on.").wait_for()
    assert not page.get_by_label("a claim file was rejected").is_checked()
    assert page.get_by_label("nobody knows whether").is_checked()
    assert not _faults(page), "with a subscription"


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_overview_can_be_read_by_everybody(office: Office, colours: str) -> None:
    desk = Desk(office.hall.workplace)
    desk.hold(without_25("one"), charge(line("99213"), key="clean", patient=patient_of("clean")))
    desk.workplace.run("generate", "deliver")
    desk.workplace.pipeline.figures(desk.workplace.applied)
    page = office.come_in("ann")
    page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    office.open(page, "/overview")
    assert not _faults(page)
    assert page.get_by_role("img", name="Clean at first pass: 1 of 2 charges").is_visible()
    page.get_by_role("table", name="Charges held by rule").get_by_role("link", name="1", exact=True).click()
    page.get_by_role("link", name=str(desk.number("one")), exact=True).wait_for()
    assert not _faults(page), "the list behind a figure"
    page.set_viewport_size({"width": 375, "height": 700})
    office.open(page, "/overview")
    assert not _faults(page), "on a telephone"
