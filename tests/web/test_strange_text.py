"""What people type into a source, a form or a name is shown as it is, kept as it is, and safe wherever it is taken to."""

import csv
import io
import json
from html.parser import HTMLParser
from typing import Any

import pytest
from pydantic import ValidationError

from charges.model import Charge
from charges.tables import Role
from rules.examples import charge, line
from tests.desk.workers import Desk
from tests.web.conftest import Hall

STRANGE = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "O'Neil~*^",
    "x" * 300,
    "שלום עולם",
    '"><img src=x onerror=y>',
)


class Reading(HTMLParser):
    """A page as a person reads it: its text and the values of its fields, and what it would run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.runs: list[str] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.words += [given.get("value") or "", given.get("title") or ""]
        is_ours = tag == "script" and (given.get("src") or "").startswith("/static/")
        if (tag in ("script", "img", "iframe", "object") and not is_ours) or any(
            each.startswith("on") for each in given
        ):
            self.runs.append(tag)

    @property
    def text(self) -> str:
        return "\n".join(self.words)


def spoilt(clean: Charge, text: str) -> Charge:
    """The charge with the text in every field that takes any text at all."""
    document = clean.model_dump(mode="json")
    for holder, name in list(_places(document)):
        was, holder[name] = holder[name], text
        try:
            Charge.model_validate_json(json.dumps(document))
        except ValidationError:
            holder[name] = was
    document["key"] = clean.key
    return Charge.model_validate_json(json.dumps(document))


def _places(value: Any) -> Any:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in pairs:
        if isinstance(each, str):
            yield value, name
        yield from _places(each)


@pytest.fixture(params=STRANGE, ids=["script", "formula", "delimiters", "long", "right-to-left", "attribute"])
def text(request: pytest.FixtureRequest) -> str:
    given: str = request.param
    return given


def test_text_in_every_field_of_a_charge_is_kept_and_shown_and_runs_nowhere(hall: Hall, text: str) -> None:
    desk = Desk(hall.workplace)
    strange = spoilt(charge(line("99213", diagnoses=()), key="strange"), text)
    assert strange.patient.last_name == strange.lines[0].code == text, "it stands everywhere"
    desk.hold(strange)
    number, browser = desk.number("strange"), hall.signed_in("ann")
    program = hall.program("charges:read", "charges:work", "charges:lead")

    document = program.get(f"/api/charges/{number}").json()["document"]
    assert document["patient"]["last_name"] == document["lines"][0]["code"] == text
    for address in (f"/charges/{number}", "/queue?shelf=all", "/queue/groups"):
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert not Reading(answer.text).runs, address
    assert text in Reading(browser.get(f"/charges/{number}").text).text
    preview = browser.submit("/queue/bulk?shelf=all", {"act": "relook", "reason": text}, on="/queue")
    assert preview.status_code == 200
    assert not Reading(preview.text).runs
    assert text in Reading(preview.text).text
    rows = list(csv.reader(io.StringIO(browser.get("/queue/export.csv?shelf=all").text)))
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))], "a formula"


def test_text_in_the_names_of_people_splits_no_segment_of_a_claim(hall: Hall, text: str) -> None:
    desk = Desk(hall.workplace)
    plain = charge(line("99213", diagnoses=()), key="strange")
    people = {"last_name": text, "first_name": text, "middle_name": text}
    desk.hold(plain.model_copy(update={"patient": plain.patient.model_copy(update=people)}))

    file = hall.program("charges:read").get(f"/api/charges/{desk.number('strange')}").json()

    named = [each for each in file["claim"] if each.startswith(("NM1*IL", "NM1*QC"))]
    assert len(named) == len([each for each in file["claim"] if each.startswith("SBR")]), (
        "one subscriber, not split in two"
    )
    assert all(each.count("*") <= 9 and not set("~^") & set(each) for each in named)


def test_text_in_what_people_write_here_is_kept_and_shown_and_runs_nowhere(hall: Hall, text: str) -> None:
    desk = Desk(hall.workplace)
    desk.hold(charge(line("99213", diagnoses=()), key="held"))
    number = desk.number("held")
    browser = hall.signed_in("ann")
    address = f"/charges/{number}"
    for act, fields in (("comment", {"text": text}), ("ask", {"text": text}), ("answer", {"text": text})):
        assert browser.submit(f"{address}/{act}", fields, on=address).status_code == 303, act
    browser.submit(f"{address}/assign", {"to": text[:80], "reason": text}, on=address)
    browser.submit("/queue/views", {"name": text[:80], "address": "sort=dollars", "shared": "true"})

    shown, listed = Reading(browser.get(address).text), Reading(browser.get("/queue").text)
    assert shown.text.count(text) >= 3
    assert not shown.runs
    assert text[:80] in listed.text
    assert not listed.runs


def test_text_in_the_name_of_a_user_or_token_is_shown_and_runs_nowhere(hall: Hall, text: str) -> None:
    name = text[:80].casefold()
    browser = hall.signed_in("omar", Role.OPERATOR)
    made = browser.submit("/users", {"name": name, "role": "biller", "practice": "lakeside"})
    assert not Reading(made.text).runs

    listed = Reading(browser.get("/users").text)

    assert name in listed.text
    assert not listed.runs
    assert not Reading(browser.submit("/rules/payer/lakeside/new", {"text": text}).text).runs
    assert not Reading(browser.get("/rules", params={"search": text}).text).runs
    assert not Reading(browser.post("/queue/search", data={"text": text}).text).runs
