"""Pictures of the page for the documents: ``make screenshots``.

The demo's invented practice, on a day that is always the same, is looked at with Debian's Chromium. Every page without a
parameter is taken by itself, with what its function says of it below; those about one thing stand in ``about_one_thing``.
A picture changes only when its page does.
"""

import inspect
import re
import shutil
import socket
import sys
import tempfile
import threading
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import pyotp
import uvicorn
from fastapi import APIRouter
from fastapi.routing import APIRoute
from playwright.sync_api import Browser, Page, sync_playwright

from charges import overview
from charges.clearinghouses.folder import Folder
from charges.demo import prepared, source_at
from charges.desk import casefile, corrections, queue
from charges.desk import sharing as desk
from charges.desk.queue import Reader
from charges.desk.views import Wanted
from charges.pipeline import Applied, Pipeline, clearinghouse_of
from charges.settings import Settings
from charges.simulator import build_practice, running, simulator_app
from charges.tables import Role
from charges.users import accounts
from charges.users.permissions import PERMISSIONS
from charges.web import pages
from charges.web.app import create_app
from tests.desk.workers import without_25
from tests.practice import StillSource
from tests.replies import accepted
from tests.web.walk import demanded

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
DOCUMENT = ROOT / "docs" / "web.md"
DAY = date(2026, 11, 16)
WIDTH, HEIGHT = 1366, 768
PASSWORD = "seven otters cross the weir"
NO_PICTURE = {"/queue/export.csv", "/overview/behind", "/sign-in/oidc", "/sign-in/oidc/back", "/account/password"}
PEOPLE = {"imogen": Role.LEAD, "omar": Role.OPERATOR, "bea": Role.BILLER}
EDITED = """rules:
  - id: PRM-001
    title: Prairie Mutual wants 95 on visits by video.
    reason: 14 visits by video were denied.
    life:
      - {stage: draft, date: 2026-11-02, by: Imogen Vale}
    payers: [PRM01]
    codes: [99202-99215]
    when:
      line.place: ["02", "10"]
      line.modifiers: {has_none: ["95"]}
    then:
      severity: hold
      message: "{line.code} was given at place {line.place} and has no modifier 95."
    cases:
      fires:
        video without 95: {charge: {lines: [{code: "99213", place_of_service: "10"}]}}
      passes:
        in the office: {charge: {lines: ["99213"]}}
"""


@dataclass(frozen=True)
class Picture:
    """A page to be taken: under which name, at which address, by whom, and what is said of it."""

    name: str
    address: str
    by: str
    says: str


@dataclass
class Installation:
    """The demo's practice after a day's work, and the people who look at it at ``now``."""

    pipeline: Pipeline
    applied: Applied
    now: datetime
    people: Mapping[str, accounts.Credentials]

    def clock(self) -> datetime:
        return self.now


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    """The demo's charges, and some with a suggestion, pulled, judged, claimed and answered; some are worked on."""
    now = datetime(DAY.year, DAY.month, DAY.day, 18, tzinfo=UTC)
    at: list[datetime] = [now]
    simulated = build_practice(seed=1, patients=100, today=DAY)
    with running(simulator_app(simulated)) as base_url, prepared(folder, lambda: at[0]) as (pipeline, plain):
        rules = folder / "payer-rules"
        rules.mkdir()
        (rules / "prairie.yaml").write_text(EDITED)
        pipeline.apply(plain.practice.model_copy(update={"payer_rules": rules}), by="demo")
        applied = pipeline.practice(plain.practice.code)
        pipeline.pull(applied, source=source_at(applied, base_url))
        pipeline.pull(applied, source=StillSource(*(without_25(f"7100{each}", on=DAY) for each in range(5))))
        pipeline.judge(applied)
        pipeline.generate(applied)
        pipeline.deliver(applied)
        at[0] += timedelta(hours=2)
        clearinghouse = clearinghouse_of(applied.practice)
        assert isinstance(clearinghouse, Folder)
        clearinghouse.inbound.mkdir(exist_ok=True)
        (clearinghouse.inbound / "prairie-rcm.999").write_bytes(accepted(1))
        pipeline.queue(applied)
        people = {}
        for name, role in PEOPLE.items():
            made = accounts.add(
                pipeline.database, name, accounts.Wanted(role, sees_all=True), by="omar", clock=lambda: at[0]
            )
            assert made is not None
            people[name] = made
        opened = Installation(pipeline, applied, at[0], people)
        _work(opened)
        pipeline.figures(applied)
        yield opened


def _work(opened: Installation) -> None:
    """What a morning leaves: one charge corrected, one given to somebody, one asked about, a view saved."""
    database, clock = opened.pipeline.database, opened.clock
    held = queue.page(database, Wanted(), Reader("imogen", opened.now)).entries
    mendable = [each for each in held if _suggested(opened, each.charge_number)]
    if len(mendable) > 1:
        item = next(
            each.item.number
            for each in casefile.read(opened.pipeline, mendable[-1].charge_number).points
            if each.remedied
        )
        corrections.correct(database, item, by="bea", clock=clock)
    others = [each.charge_number for each in held if each not in mendable]
    desk.assign(database, others[0], "bea", by="imogen", clock=clock)
    desk.ask(database, others[1], "Was the second service of another session?", by="bea", clock=clock)
    desk.save_view(database, "Dear ones", "sort=dollars&least=200", by="imogen", shared=True, clock=clock)


def _suggested(opened: Installation, number: int) -> bool:
    return any(each.remedied for each in casefile.read(opened.pipeline, number).points)


def pictures(opened: Installation) -> list[Picture]:
    """Every page without a parameter, then those about one thing, in the order of the navigation."""
    found = [*_by_themselves(), *about_one_thing(opened)]
    order = [each.path.strip("/") for each in pages.NAVIGATION]

    def place(picture: Picture) -> tuple[int, str]:
        first = picture.address.strip("/").split("/")[0].split("?")[0]
        first = "queue" if first == "charges" else first
        return (order.index(first) if first in order else -1, picture.address.partition("?")[0])

    return sorted(found, key=place)


def _by_themselves() -> Iterator[Picture]:
    for router in cast("tuple[APIRouter, ...]", pages.ROUTERS):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            if "GET" not in (route.methods or ()) or "{" in route.path or route.path in NO_PICTURE:
                continue
            needed = set(demanded(route.dependant))
            may = next((name for name, role in PEOPLE.items() if needed <= PERMISSIONS[role]), "imogen")
            who = "" if route.path.startswith("/sign-in") else may
            name = route.path.strip("/").replace("/", "-") or "start"
            says = (inspect.getdoc(route.endpoint) or name).split("\n")[0]
            yield Picture(name, route.path, who, says)


def about_one_thing(opened: Installation) -> Iterator[Picture]:
    """The pages about one charge, file, rule, source, practice or user; a new page of this kind is added here."""
    code = opened.applied.practice.code
    held = queue.page(opened.pipeline.database, Wanted(), Reader("imogen", opened.now)).entries
    mendable = next((each for each in held if _suggested(opened, each.charge_number)), held[0])
    rule = mendable.findings[0].finding.rule
    file = overview.claim_files(opened.pipeline.database, practices=None)[0]
    yield Picture(
        "charge", f"/charges/{mendable.charge_number}", "imogen", "A held charge: all that is needed to decide."
    )
    yield Picture(
        "file", f"/files/{file.number}", "imogen", "A claim file: its claims, what happened, what was answered."
    )
    yield Picture("rule", f"/rules/{rule}", "imogen", "A rule: why it is there, and how much it weighs for whom.")
    yield Picture(
        "rules-editor", f"/rules/payer/{code}/prairie.yaml", "imogen", "Payer rules, written with their cases."
    )
    yield Picture("source", f"/sources/{code}", "imogen", "A source: how its records compare with what they were.")
    yield Picture("roll-out-practice", f"/roll-out/{code}", "imogen", "A practice's way to sending all it bills.")
    yield Picture("user", "/users/bea", "omar", "A user: practices, tokens, and what happened to the account.")


@contextmanager
def served(opened: Installation) -> Iterator[str]:
    """The page on a free port of this machine; yields its address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    app = create_app(opened.pipeline.database, Settings(web_url=address), opened.clock)
    server = uvicorn.Server(uvicorn.Config(app, port=int(address.rpartition(":")[2]), log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def come_in(browser: Browser, address: str, opened: Installation, name: str) -> Page:
    """The browser of somebody who signed in, of nobody where there is no name."""
    page = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce").new_page()
    if name:
        made = opened.people[name]
        page.goto(f"{address}/sign-in")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(made.password)
        page.get_by_label("Code").fill(pyotp.TOTP(made.totp).at(opened.now))
        page.get_by_role("button", name="Sign in").click()
        page.locator("input[name=old]").fill(made.password)
        page.locator("input[name=new]").fill(PASSWORD)
        page.locator("input[name=new]").press("Enter")
        page.get_by_text("Your password is changed.").wait_for()
        page.goto(f"{address}/")
    return page


def taken(page: Page) -> bytes:
    """What stands in the window, as WebP: a tenth of a PNG."""
    page.bring_to_front()
    shot = page.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": 70})
    return b64decode(shot["data"])


def main() -> int:
    """Take all pictures, and name them in the document."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("Pictures are taken with Debian's chromium, which is not installed.", file=sys.stderr)  # noqa: T201
        return 1
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, installed(Path(folder)) as opened, served(opened) as address:
        wanted = pictures(opened)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            at = {name: come_in(browser, address, opened, name) for name in ("", *PEOPLE)}
            for each in wanted:
                at[each.by].goto(address + each.address)
                (IMAGES / f"{each.name}.webp").write_bytes(taken(at[each.by]))
            browser.close()
    _write(wanted)
    return 0


def _write(wanted: list[Picture]) -> None:
    """Name the pictures in the document, and remove those that are no more."""
    for old in IMAGES.glob("*.webp"):
        if old.stem not in {each.name for each in wanted}:
            old.unlink()
    shown = "\n\n".join(f"![{each.says}](images/{each.name}.webp)\n\n{each.says}" for each in wanted)
    text = DOCUMENT.read_text(encoding="utf-8")
    between = r"(<!-- pictures -->\n).*(<!-- /pictures -->)"
    DOCUMENT.write_text(
        re.sub(between, lambda found: f"{found[1]}\n{shown}\n\n{found[2]}", text, flags=re.DOTALL), encoding="utf-8"
    )


if __name__ == "__main__":
    sys.exit(main())
