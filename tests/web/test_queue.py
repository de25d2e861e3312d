"""The queue and the charge in the browser: what stands there, what the forms do, and who may."""

import csv
import io
import re
from datetime import date
from typing import Any

import pytest

from charges.tables import ChargeStatus, LookRow, Role
from rules.examples import PATIENT, charge
from tests.desk.workers import Desk, patient_of, pointless, without_25
from tests.web.conftest import Browser, Hall

STRANGE = ("<script>alert(1)</script>", "=cmd|' /C calc'!A0", "O'Neil~*^", "x" * 300, "שלום עולם")


@pytest.fixture
def desk(hall: Hall) -> Desk:
    at = Desk(hall.workplace)
    at.hold(without_25("visit"), without_25("visit-2", dollars=99), pointless("pointless"))
    return at


def _act(browser: Browser, desk: Desk, key: str, act: str, view: str = "", **fields: Any) -> str:
    """Send one of the forms of a charge's page as it stands there now; gives the page that opens."""
    number = desk.number(key)
    given = {"seen": str(desk.seen(key)), **{name: str(value) for name, value in fields.items()}}
    answer = browser.submit(f"/charges/{number}/{act}?{view}", given, on=f"/charges/{number}")
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["location"]).text


def test_the_queue_says_what_is_wrong_and_leads_to_each_charge(hall: Hall, desk: Desk) -> None:
    browser = hall.signed_in("ann", Role.BILLER)
    listed = browser.get("/queue?sort=dollars").text
    assert "visit 99213 stands beside procedure 20610 and has no modifier 25" in listed
    assert f"/charges/{desk.number('visit')}?sort=dollars" in listed
    assert "Prairie Mutual Health" in listed
    assert "Do to the chosen" not in listed, "a biller acts on one charge at a time"
    assert "3 charges" in browser.get("/queue/groups").text or "2 charges" in browser.get("/queue/groups").text
    assert browser.get("/queue?sort=colour").status_code == 400
    assert "Nothing is held in this view." in browser.get("/queue?rule=NONE-1").text


def test_the_charge_shows_all_that_is_needed_to_decide(hall: Hall, desk: Desk) -> None:
    shown = hall.signed_in("ann").get(f"/charges/{desk.number('visit')}").text
    for word in (
        "has no modifier 25",
        "Authority:",
        "CARC",
        "lines[0].modifiers",
        "<ins>25</ins>",
        "SV1*HC:99213*150*UN*1***1",
        'class="at-fault"',
        "captured</b> by <bdi>intake",
    ):
        assert word in shown, word


def test_a_suggestion_is_taken_and_the_next_charge_opens(hall: Hall, desk: Desk) -> None:
    browser = hall.signed_in("ann", Role.BILLER)
    shown = _act(browser, desk, "visit", "fix", item=desk.item("visit", "GLB-002"))
    assert f"Corrected on charge {desk.number('visit')}: lines[0].modifiers." in shown
    assert f"<title>Charge {desk.number('visit-2')}" in shown
    assert "Undo what was done" in shown
    assert "lines[0].modifiers" in browser.get("/queue/corrections").text
    _act(browser, desk, "visit", "withdraw")
    assert "Nothing is to be entered." in browser.get("/queue/corrections").text


def test_what_somebody_else_did_is_told_and_nothing_is_lost(hall: Hall, desk: Desk) -> None:
    ann, bo = hall.signed_in("ann"), hall.signed_in("bo")
    number, seen, item = desk.number("visit"), desk.seen("visit"), desk.item("visit", "GLB-002")
    ann.get(f"/charges/{number}")
    assert "ann is here too." in bo.get(f"/charges/{number}").text
    _act(ann, desk, "visit", "ask", text="A visit of its own?")
    assert "ann, asked the provider" in bo.get(f"/charges/{number}/here?seen={seen}").text
    given = {"seen": str(seen), "item": str(item), "reason": "documented"}
    answer = bo.submit(f"/charges/{number}/waive", given, on=f"/charges/{number}")
    assert "changed since you opened it: ann, asked the provider" in bo.get(answer.headers["location"]).text
    assert hall.workplace.states()["visit"] is ChargeStatus.HELD


def test_acts_are_refused_in_words_on_the_charges_page(hall: Hall, desk: Desk) -> None:
    browser = hall.signed_in("ann", Role.BILLER)
    item = desk.item("visit", "GLB-002")
    assert "Give a reason" in _act(browser, desk, "visit", "waive", item=item)
    assert "Name the day as YYYY-MM-DD." in _act(browser, desk, "visit", "snooze", until="soon")
    assert "has no review item" in _act(browser, desk, "pointless", "waive", item=item, reason="another's")
    number = str(desk.number("visit"))
    for act, fields in (("void", {"reason": "twice"}), ("assign", {"to": "bo"})):
        assert browser.submit(f"/charges/{number}/{act}", fields).status_code == 403
    assert browser.submit(f"/charges/{number}/explode").status_code == 404
    auditor = hall.signed_in("cy", Role.AUDITOR)
    assert auditor.submit(f"/charges/{number}/comment", {"text": "?"}).status_code == 403
    assert "Waive, because" not in auditor.get(f"/charges/{number}").text


def test_whose_charge_it_is_is_said_on_its_page(hall: Hall, desk: Desk) -> None:
    stranger = patient_of("visit").model_copy(update={"first_name": "Max", "birth_date": date(2012, 3, 9)})
    desk.hold(charge(key="mixed-up", patient=stranger))
    browser = hall.signed_in("ann", Role.BILLER)
    shown = browser.get(f"/charges/{desk.number('mixed-up')}").text
    assert "Odette Larkspur, born 1961-04-03, number Rvisit" in shown
    assert '<option value="1">' in shown
    assert "Name the number of a patient" in _act(browser, desk, "mixed-up", "link", patient="Max", reason="it says so")
    assert "is of nobody known" in _act(browser, desk, "mixed-up", "link", patient="none", reason="a number given anew")
    assert hall.workplace.states()["mixed-up"] is ChargeStatus.CAPTURED


def test_a_lead_waives_many_with_one_reason_after_seeing_what_it_does(hall: Hall, desk: Desk) -> None:
    browser = hall.signed_in("ann")
    view = "/queue/bulk?rule=GLB-002"
    shown = browser.submit(view, {"act": "waive", "reason": "documented in the note"}).text
    assert "To 2 charges, because: documented in the note" in shown
    assert shown.count("Waived, and judged again.") == 2
    chosen = [f"{desk.number(key)}~{desk.seen(key)}" for key in ("visit", "visit-2")]
    desk.hold(without_25("visit-2", dollars=98))
    fields = {"act": "waive", "reason": "documented", "rule": "GLB-002", "chosen": chosen}
    told = browser.submit("/queue/bulk/do", fields).text  # type: ignore[arg-type]
    assert "Done to 1 charge" in told
    assert "changed since you opened it: scrub, judged" in told
    assert hall.workplace.states()["visit"] is ChargeStatus.CAPTURED
    assert browser.submit("/queue/bulk", {"act": "waive", "reason": "all"}).status_code == 400
    biller = hall.signed_in("bo", Role.BILLER)
    assert biller.submit(view, {"act": "waive", "reason": "?"}).status_code == 403


def test_a_practice_one_may_not_see_is_not_there(hall: Hall, desk: Desk) -> None:
    stranger = hall.signed_in("ida", Role.LEAD, "hillside")
    number = desk.number("visit")
    assert "Nothing is held" in stranger.get("/queue").text
    for address in (f"/charges/{number}", f"/charges/{number}/here?seen=1", "/charges/999999"):
        assert stranger.get(address).status_code == 404
    assert stranger.submit(f"/charges/{number}/comment", {"text": "?"}).status_code == 404
    chosen = {"act": "relook", "reason": "?", "chosen": f"{number}~{desk.seen('visit')}"}
    assert "There is no charge" in stranger.submit("/queue/bulk/do", chosen).text
    assert "visit" not in stranger.get("/queue/export.csv").text


def test_a_search_leads_to_the_charge_and_no_patient_stands_in_an_address(hall: Hall, desk: Desk) -> None:
    browser = hall.signed_in("ann")
    found = browser.submit("/queue/search", {"text": "Rvisit"})
    assert (found.status_code, found.headers["location"]) == (303, f"/charges/{desk.number('visit')}")
    assert "No charge has that number" in browser.submit("/queue/search", {"text": "nothing"}).text


def test_views_are_saved_shared_and_forgotten(hall: Hall, desk: Desk) -> None:
    ann, bo = hall.signed_in("ann"), hall.signed_in("bo")
    ann.submit("/queue/views", {"name": "Dear ones", "address": "sort=dollars&after=1~2", "shared": "true"})
    assert '<a href="/queue?sort=dollars">Dear ones</a>' in bo.get("/queue").text
    ann.submit("/queue/views/forget", {"name": "Dear ones"})
    assert "Dear ones" not in bo.get("/queue").text


def test_the_columns_wanted_stand_in_the_address_and_in_saved_views(hall: Hall, desk: Desk) -> None:
    browser = hall.signed_in("ann", Role.BILLER)
    assert browser.get("/queue").text.count('<th scope="col"') == 9
    shown = browser.get("/queue?sort=dollars&columns=payer&columns=dollars").text
    heads = re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', shown)
    assert heads == ["Charge", "What is wrong", "Dollars", "Payer"]
    assert shown.count("<td") == 3 * len(heads)
    assert "sort=dollars&amp;columns=dollars%2Cpayer" in shown, "the next page has the same columns"
    browser.submit("/queue/views", {"name": "Money", "address": "sort=dollars&columns=dollars%2Cpayer"})
    assert '<a href="/queue?sort=dollars&amp;columns=dollars%2Cpayer">Money</a>' in browser.get("/queue").text
    assert browser.get("/queue?columns=ssn").status_code == 400


def test_giving_a_charge_to_somebody_can_be_undone(hall: Hall, desk: Desk) -> None:
    ann, bea = hall.signed_in("ann"), hall.signed_in("bea", Role.BILLER)
    number = desk.number("visit")
    _act(ann, desk, "visit", "assign", to="Bo Li")
    shown = _act(ann, desk, "visit", "assign", to="ann")
    assert 'name="to" value="Bo Li"' in shown.partition("Undo what was done")[0][-400:]
    assert f"Charge {number} is Bo Li&#39;s." in _act(ann, desk, "visit", "assign", to="Bo Li")
    assert "Undo what was done" not in _act(bea, desk, "visit", "assign", to="bea"), "a biller gives nothing to others"
    assert "Undo what was done" in _act(bea, desk, "visit", "assign", to="")


def test_strange_names_are_shown_right_and_exported_safe(hall: Hall) -> None:
    desk = Desk(hall.workplace)
    browser = hall.signed_in("ann")
    for number, name in enumerate(STRANGE):
        patient = PATIENT.model_copy(update={"last_name": name, "first_name": name, "record_number": name})
        desk.hold(pointless(f"s{number}", patient=patient))
    for number, name in enumerate(STRANGE):
        key = f"s{number}"
        shown = _act(browser, desk, key, "comment", text=name)
        assert "<script>alert" not in shown
        assert (
            shown.count(name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")) >= 3
        )
        _act(browser, desk, key, "assign", to=name[:80])
    exported = browser.get("/queue/export.csv")
    assert exported.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(exported.text)))
    assert {row[8] for row in rows[1:]} == {name[:80] if name[0] != "=" else f"'{name}" for name in STRANGE}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_who_saw_a_charge_or_took_it_away_is_written_down(hall: Hall, desk: Desk) -> None:
    browser = hall.signed_in("ann")
    browser.get(f"/charges/{desk.number('visit')}")
    browser.get("/queue/export.csv?rule=STR-008")
    browser.get("/queue?sort=dollars&rule=STR-008")
    browser.get("/queue?rule=STR-008")
    hall.program("charges:read").get("/api/queue?rule=STR-008")
    with hall.database.transaction() as session:
        looks = sorted((each.charge_id, each.actor, each.how) for each in session.query(LookRow))
    visit, pointless = desk.number("visit"), desk.number("pointless")
    assert looks == [
        (visit, "ann", "page"),
        (pointless, "ann", "export"),
        (pointless, "ann", "list"),
        (pointless, "program 1", "list"),
    ]
    hall.later(minutes=14)
    browser.get("/queue?rule=STR-008")
    hall.later(minutes=2)
    browser.get("/queue?rule=STR-008")
    with hall.database.transaction() as session:
        assert session.query(LookRow).filter_by(how="list", actor="ann").count() == 2


def test_a_program_reads_the_queue_and_works_on_it(hall: Hall, desk: Desk) -> None:
    program = hall.program("charges:read", "charges:work")
    listed = program.get("/api/queue?rule=GLB-002&sort=dollars").json()
    assert [each["charge"] for each in listed["charges"]] == [desk.number("visit"), desk.number("visit-2")]
    assert (listed["count"], listed["is_more"], listed["after"]) == (2, False, "")
    assert program.get("/api/queue/groups").json()["groups"][0]["charges"] == 2
    first = listed["charges"][0]
    file = program.get(f"/api/charges/{first['charge']}").json()
    (told,) = (each for each in file["findings"] if each["rule"] == "GLB-002")
    assert told["suggestion"] == {
        "changes": [{"at": "lines[0].modifiers", "was": "", "now": "25"}],
        "still_held_by": [],
    }
    given = {"seen": first["seen"], "item": told["item"]}
    assert program.post(f"/api/charges/{first['charge']}/fix", json=given).json()["left_the_queue"] is True
    assert program.post(f"/api/charges/{first['charge']}/fix", json=given).status_code == 409
    assert program.post(f"/api/charges/{first['charge']}/void", json={"reason": "?"}).status_code == 403
    assert program.get("/api/queue?shelf=top").status_code == 422
    reader = hall.program("charges:read", practices=("hillside",))
    assert reader.get("/api/queue").json()["charges"] == []
    assert reader.get(f"/api/charges/{first['charge']}").status_code == 404
    assert reader.post(f"/api/charges/{first['charge']}/comment", json={"text": "?"}).status_code == 403


def test_a_program_saves_views_and_forgets_them(hall: Hall, desk: Desk) -> None:
    program = hall.program("charges:read")
    view = {"name": "Dear ones", "address": "sort=dollars&after=1~2", "shared": True}
    assert program.post("/api/queue/views", json=view).status_code == 204
    (kept,) = program.get("/api/queue/views").json()
    assert kept == view | {"address": "sort=dollars", "owner": "program 0"}
    assert "Dear ones" in hall.signed_in("ann").get("/queue").text
    assert program.post("/api/queue/views", json=view | {"address": "sort=colour"}).status_code == 400
    assert program.delete("/api/queue/views?name=Dear ones").status_code == 204
    assert program.get("/api/queue/views").json() == []


def test_a_program_acts_on_many_and_searches(hall: Hall, desk: Desk) -> None:
    program = hall.program("charges:read", "charges:work", "charges:lead")
    many = {"act": "waive", "reason": "documented", "rule": "GLB-002"}
    shown = program.post("/api/queue/bulk/preview?rule=GLB-002", json=many).json()
    assert [(each["charge"], each["can"]) for each in shown] == [
        (desk.number("visit"), True),
        (desk.number("visit-2"), True),
    ]
    chosen = [{"charge": each["charge"], "seen": each["seen"]} for each in shown]
    assert program.post("/api/queue/bulk", json=many | {"chosen": chosen}).json() == {"count": 2, "failures": []}
    again = program.post("/api/queue/bulk", json=many | {"chosen": chosen}).json()
    assert (again["count"], len(again["failures"])) == (0, 2)
    (found,) = program.post("/api/queue/search", json={"text": "Rvisit"}).json()
    assert (found["charge"], found["status"]) == (desk.number("visit"), "captured")
    assert program.get("/api/queue/corrections").json() == []
