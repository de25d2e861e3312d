"""What tests of the page share: an installation with two practices, people of each role, and a browser without a window."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pyotp
import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from charges.db import Database, create_database_engine, upgrade
from charges.practice.profile import parse_profile
from charges.settings import Settings
from charges.tables import Role
from charges.users import accounts, secrets, tokens
from charges.users.accounts import Credentials, Wanted
from charges.web.app import create_app
from tests.conftest import KEYRING, NOON
from tests.practice import PROFILE, Workplace

ADDRESS = "http://127.0.0.1:8080"
PASSWORD = "seven otters cross the weir"


class Browser(TestClient):
    """A browser as far as the page can tell: it keeps cookies, and its forms bring along what their page put into them."""

    def submit(self, address: str, fields: dict[str, str] | None = None, *, on: str = "") -> httpx2.Response:
        """Send a form of a page, with the token that stands in the page."""
        token = csrf_on(self.get(on or "/account/password").text)
        return self.post(address, data={"csrf": token, **(fields or {})}, headers={"Sec-Fetch-Site": "same-origin"})


def csrf_on(html: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', html)
    return found[1] if found else ""


@dataclass
class Hall:
    """An installation with its page. ``now`` is what the clock says."""

    workplace: Workplace
    settings: Settings = field(default_factory=Settings)
    now: datetime = NOON
    people: dict[str, Credentials] = field(default_factory=dict)
    rooms: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.database = self.workplace.database
        self.app = create_app(self.database, self.settings, self.clock)

    def clock(self) -> datetime:
        return self.now

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    def browser(self) -> Browser:
        return self.rooms.enter_context(Browser(self.app, base_url=ADDRESS, follow_redirects=False))

    def employ(self, name: str, role: Role = Role.LEAD, *practices: str) -> Credentials:
        """A user with a one-time password; without a practice named they see the first one."""
        wanted = Wanted(role, practices or ("lakeside",))
        made = accounts.add(self.database, name, wanted, by="engineer", clock=self.clock)
        assert made is not None
        self.people[name] = made
        return made

    def code(self, name: str) -> str:
        """What the authenticator of a person shows now, in a half minute of its own."""
        self.later(seconds=30)
        return pyotp.TOTP(self.people[name].totp).at(self.now)

    def sign_in(self, browser: Browser, name: str, password: str = "") -> httpx2.Response:
        fields = {"name": name, "password": password or self.people[name].password, "code": self.code(name)}
        return browser.post("/sign-in", data=fields, headers={"Sec-Fetch-Site": "same-origin"})

    def signed_in(self, name: str, role: Role = Role.LEAD, *practices: str) -> Browser:
        """The browser of a new user who signed in and chose a password."""
        self.employ(name, role, *practices)
        browser = self.browser()
        assert self.sign_in(browser, name).status_code == 303
        old = self.people[name].password
        changed = browser.submit("/account/password", {"old": old, "new": PASSWORD})
        assert changed.status_code == 303, changed.text
        return browser

    def program(self, *scopes: str, role: Role = Role.LEAD, practices: tuple[str, ...] = ()) -> Browser:
        """A program with a token of a user of its own."""
        name = f"program {len(self.people)}"
        self.employ(name, role, *practices)
        token = tokens.make(self.database, name, "test", scopes, days=1, by="engineer", clock=self.clock)
        program = self.browser()
        program.headers["Authorization"] = f"Bearer {token}"
        return program


def with_second_practice(workplace: Workplace) -> None:
    """Another practice on the same installation, whose charges not everybody may see."""
    other = PROFILE.replace("code: lakeside", "code: hillside").replace("Lakeside Family", "Hillside Family")
    other = other.replace("code: prairie-rcm", "code: hill-rcm").replace("sender_id: LAKE01", "sender_id: HILL01")
    workplace.pipeline.apply(parse_profile(other), by="engineer")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables and nothing in them, to be copied: making the tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "chargerouter.db"
    engine = create_database_engine(Settings(database_url=f"sqlite:///{path}"))
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture
def hall(empty_database: Path, tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[Hall]:
    """The installation on SQLite."""
    path = shutil.copy(empty_database, tmp_path / "chargerouter.db")
    database = Database(create_database_engine(Settings(database_url=f"sqlite:///{path}")), KEYRING)
    workplace = Workplace(database, tmp_path, clock)
    with_second_practice(workplace)
    opened = Hall(workplace)
    with opened.rooms:
        yield opened
    database.close()


@pytest.fixture
def halls(workplace: Workplace) -> Iterator[Hall]:
    """The same on each kind of database."""
    with_second_practice(workplace)
    opened = Hall(workplace)
    with opened.rooms:
        yield opened


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost nothing; that they cost something in use is a test of its own."""
    monkeypatch.setattr(secrets, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
