"""Every page on a telephone, and enlarged to twice its size: nothing is out of reach, and nothing scrolls sideways."""

from playwright.sync_api import Page

from charges.tables import Role
from rules.examples import charge
from tests.desk.workers import Desk, pointless, without_25
from tests.web.browser.conftest import Office
from tests.web.walk import OPEN, ROUTES, may

TELEPHONE, ENLARGED = 375, 1366 // 2
"""Widths in CSS pixels; a window of 1366 at 200 % is half as wide."""
OUT_OF_REACH = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, summary")]
    .filter(each => !each.closest(".scroll, dialog:not([open]), .skip, .claim") && each.checkVisibility())
    .filter(each => { const box = each.getBoundingClientRect(); return box.left < 0 || box.right > window.innerWidth + 1; })
    .map(each => each.outerHTML.slice(0, 120))"""
SIDEWAYS = "document.documentElement.scrollWidth > window.innerWidth"


def _pages(role: Role) -> list[str]:
    return [
        each.path
        for each in ROUTES
        if each.method == "GET"
        and not (each.parameters or each.is_of_programs or each.path in OPEN or "." in each.path)
        and may(role, each)
    ]


def _faults(office: Office, page: Page, paths: list[str]) -> list[str]:
    found = []
    for width in (ENLARGED, TELEPHONE):
        page.set_viewport_size({"width": width, "height": 700})
        for path in paths:
            office.open(page, path)
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            if page.evaluate(SIDEWAYS):
                found.append(f"{path} scrolls sideways at {width}")
            found += [f"{path} at {width}: {each}" for each in page.evaluate(OUT_OF_REACH)]
    return found


def test_every_page_fits_a_telephone_and_twice_its_size(office: Office) -> None:
    desk = Desk(office.hall.workplace)
    desk.hold(without_25("one"), pointless("two"))
    desk.workplace.source.put(charge(key="fine"))
    desk.workplace.run()
    page = office.come_in("ann")
    about = [f"/charges/{desk.number('one')}", "/files/1", "/rules/GLB-002", "/rules/payer/lakeside/new"]
    about += ["/sources/lakeside", "/roll-out/lakeside"]
    assert not _faults(office, page, [*_pages(Role.LEAD), *about])

    operator = office.come_in("omar", Role.OPERATOR)
    assert not _faults(office, operator, ["/users", "/users/ann"])
