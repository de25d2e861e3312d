"""A server on a port of its own, and people with a browser each."""

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from charges.settings import Settings
from charges.tables import Role
from tests.web.conftest import PASSWORD, Hall

expect.set_options(timeout=20_000)  # a machine that does much else is slow, and nothing here waits in vain
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window; skipped where there is none, which fails where CI demands it.

    Of a module: while Playwright is open its event loop runs, and no other can.
    """
    if CHROMIUM is None:
        sentence = "chromium is not installed"
        if os.environ.get("CHARGES_REQUIRE_SERVICES") == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Office:
    """The installation, served at ``address``, and the people in it."""

    hall: Hall
    chromium: Browser
    address: str
    pages: dict[str, Page] = field(default_factory=dict)

    def come_in(self, name: str, role: Role = Role.LEAD, *, scripts: bool = True) -> Page:
        """A new user signs in with password and second factor, and chooses a password of their own."""
        self.hall.employ(name, role)
        page = self.chromium.new_context(java_script_enabled=scripts).new_page()
        page.goto(f"{self.address}/sign-in")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(self.hall.people[name].password)
        page.get_by_label("Code").fill(self.hall.code(name))
        page.get_by_role("button", name="Sign in").click()
        old, new = page.locator("input[name=old]"), page.locator("input[name=new]")
        old.fill(self.hall.people[name].password)
        new.fill(PASSWORD)
        new.press("Enter")
        page.get_by_text("Your password is changed.").wait_for()
        return page

    def open(self, page: Page, path: str) -> None:
        page.goto(f"{self.address}{path}")


@pytest.fixture
def office(hall: Hall, chromium: Browser) -> Iterator[Office]:
    """The installation on SQLite, answering on this machine."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    served = Hall(hall.workplace, settings=Settings(web_url=address))
    server = uvicorn.Server(uvicorn.Config(served.app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    _until(lambda: server.started)
    opened = Office(served, chromium, address)
    yield opened
    for context in chromium.contexts:
        context.close()
    server.should_exit = True
    thread.join(timeout=10)


def _until(is_so: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(600):
        if is_so():
            return
        waiting.wait(0.05)
    pytest.fail("the server did not start")
