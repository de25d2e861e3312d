"""The queue worked on in a browser: by keys alone, by two people, without scripts, with hostile names."""

import pytest
from playwright.sync_api import Page, expect

from charges.tables import ChargeStatus, Role
from rules.examples import PATIENT
from tests.desk.workers import Desk, pointless, without_25
from tests.web.browser.conftest import Office


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office.hall.workplace)


def _held(desk: Desk) -> int:
    return sum(status is ChargeStatus.HELD for status in desk.workplace.states().values())


def test_ten_charges_are_cleared_by_keyboard_alone(office: Office, desk: Desk) -> None:
    desk.hold(*(without_25(f"c{number}", dollars=100 + number) for number in range(10)))
    page = office.come_in("ann", Role.BILLER)
    office.open(page, "/queue?sort=dollars")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    for number in range(10):
        expect(page).to_have_title(f"Charge {desk.number(f'c{9 - number}')} – Chargerouter")  # noqa: RUF001 - as it stands
        if number % 2:
            page.keyboard.press("a")
        else:
            page.keyboard.press("w")
            page.keyboard.type("documented in the note")
            page.keyboard.press("Enter")
        page.get_by_text("Corrected on charge" if number % 2 else "Waived on charge").wait_for()
    expect(page.get_by_text("Nothing is held in this view.")).to_be_visible()
    assert _held(desk) == 0


def test_the_last_act_is_undone_by_a_key_and_the_help_sheet_says_so(office: Office, desk: Desk) -> None:
    desk.hold(without_25("one"), without_25("two", dollars=90))
    page = office.come_in("ann", Role.BILLER)
    office.open(page, f"/charges/{desk.number('one')}?sort=dollars")
    page.keyboard.press("a")
    page.get_by_text("Corrected on charge").wait_for()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Undo what was done to charge")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    page.get_by_text("The correction of charge").wait_for()
    desk.workplace.run("judge")
    assert _held(desk) == 2


def test_a_charge_taken_by_mistake_is_given_back_by_a_key_and_columns_are_chosen_by_ticking(
    office: Office, desk: Desk
) -> None:
    desk.hold(without_25("one"))
    page = office.come_in("ann", Role.BILLER)
    office.open(page, f"/charges/{desk.number('one')}")
    page.keyboard.press("m")
    page.get_by_text("is ann's.").wait_for()
    page.keyboard.press("u")
    expect(page.get_by_text("is nobody's.")).to_be_visible()
    office.open(page, "/queue")
    page.get_by_text("Filter and sort").click()
    page.get_by_label("Held since").uncheck()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("columnheader", name="File by")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Held since")).to_have_count(0)


def test_a_suggestion_taken_stands_in_the_file_for_the_vendor(office: Office, desk: Desk) -> None:
    desk.hold(without_25("one"))
    page = office.come_in("ann", Role.BILLER)
    office.open(page, f"/charges/{desk.number('one')}")
    expect(page.locator(".claim .at-fault")).to_contain_text("SV1*HC:99213*")
    expect(page.locator("ins").first).to_have_text("25")
    page.get_by_role("button", name="Apply").click()
    page.get_by_text("Corrected on charge").wait_for()
    desk.workplace.run("judge", "generate", "deliver")
    (file,) = desk.workplace.files()
    assert b"SV1*HC:99213:25*" in file.read_bytes()


def test_many_are_waived_with_one_reason_after_a_preview(office: Office, desk: Desk) -> None:
    desk.hold(*(without_25(f"c{number}") for number in range(4)), pointless("other"))
    page = office.come_in("ann")
    office.open(page, "/queue/groups")
    page.get_by_role("link", name="4 charges, same rule, same provider").click()
    page.get_by_label("Reason").fill("separate visits, documented")
    page.get_by_role("button", name="Show what it will do").click()
    expect(page.get_by_text("Waived, and judged again.")).to_have_count(4)
    page.get_by_role("button", name="Do it to 4 charges").click()
    expect(page.get_by_text("Done to 4 charges.")).to_be_visible()
    desk.workplace.run("judge")
    assert _held(desk) == 1


def test_two_people_on_one_charge_are_told_of_each_other(office: Office, desk: Desk) -> None:
    desk.hold(without_25("one"))
    number = desk.number("one")
    ann, bo = office.come_in("ann"), office.come_in("bo")
    office.open(ann, f"/charges/{number}")
    office.open(bo, f"/charges/{number}")
    expect(bo.get_by_text("ann is here too.")).to_be_visible()
    ann.get_by_role("button", name="Take it").click()
    ann.get_by_text(f"Charge {number} is ann's.").wait_for()
    bo.keyboard.press("w")
    bo.keyboard.type("documented")
    bo.keyboard.press("Enter")
    expect(bo.get_by_text("changed since you opened it: ann, assigned")).to_be_visible()
    assert _held(desk) == 1


def test_forms_work_without_scripts(office: Office, desk: Desk) -> None:
    desk.hold(without_25("one"))
    page = office.come_in("ann", scripts=False)
    office.open(page, "/queue")
    page.get_by_role("link", name=str(desk.number("one")), exact=True).click()
    page.get_by_label("Waive, because").fill("documented")
    page.get_by_role("button", name="Waive", exact=True).click()
    expect(page.get_by_text("Waived on charge")).to_be_visible()
    assert _held(desk) == 0


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "=cmd()", "O'Neil~*^", "x" * 300, "שלום עולם"])
def test_hostile_names_are_shown_as_they_are(office: Office, desk: Desk, name: str) -> None:
    patient = PATIENT.model_copy(update={"last_name": name, "first_name": name, "record_number": name})
    desk.hold(pointless("one", patient=patient))
    page = office.come_in("ann")
    page.set_viewport_size({"width": 375, "height": 700})
    alerts: list[str] = []
    page.on("dialog", lambda dialog: alerts.append(dialog.message))
    office.open(page, f"/charges/{desk.number('one')}")
    expect(page.locator(".facts bdi").first).to_have_text(name)
    assert not alerts
    assert _fits(page), "the page does not scroll sideways on a telephone"


def _fits(page: Page) -> bool:
    fits: bool = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return fits
