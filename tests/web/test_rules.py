"""Rules in the browser: why each is there, how much it weighs, and payer rules written and tried before they count."""

from pathlib import Path

import pytest

from charges.tables import LookRow, Role
from charges.users import accounts
from rules.examples import charge, line
from tests.web.conftest import Hall, csrf_on

RULES = """rules:
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
AT = "/rules/payer/lakeside"


@pytest.fixture
def folder(hall: Hall) -> Path:
    """The practice's folder of payer rules, empty."""
    made = hall.workplace.folder / "payer-rules"
    made.mkdir()
    hall.workplace.apply(payer_rules=made)
    return made


def test_every_rule_is_found_with_its_reasons(hall: Hall) -> None:
    browser = hall.signed_in("ann", Role.BILLER)

    listed = browser.get("/rules?search=preventive").text
    assert "EM-004" in listed
    assert "STR-001" not in listed
    shown = browser.get("/rules/EM-004").text
    assert "A preventive visit covers small findings." in shown
    assert "Authority" in shown
    assert browser.get("/rules/NO-999").status_code == 404


def test_hits_and_weights_stand_with_the_rule(hall: Hall) -> None:
    from charges.model import Severity

    hall.workplace.apply(rules={"EM-004": Severity.WARN})
    hall.workplace.source.put(charge(line("36415", diagnoses=()), key="1"))
    hall.workplace.run("pull", "judge")
    browser = hall.signed_in("ann")

    assert "warn" in browser.get("/rules/EM-004").text
    assert "Open now: 1 finding" in browser.get("/rules/STR-008").text
    other = hall.signed_in("hilda", Role.LEAD, "hillside")
    assert "Open now: 0 findings" in other.get("/rules/STR-008").text


def test_cases_are_run_while_a_rule_is_typed(hall: Hall, folder: Path) -> None:
    browser = hall.signed_in("ann")
    csrf = csrf_on(browser.get(f"{AT}/new").text)
    headers = {"Sec-Fetch-Site": "same-origin", "HX-Request": "true", "X-CSRF-Token": csrf}

    def typed(text: str) -> str:
        return browser.post(f"{AT}/new/try", data={"text": text, "file": "prairie.yaml"}, headers=headers).text

    assert "every case holds" in typed(RULES)
    assert "<html" not in typed(RULES), "a part of the page"
    assert "finds nothing" in typed(RULES.replace('["02", "10"]', '["02"]'))
    assert "line 5" in typed(RULES.replace("life:", "lief:"))
    assert "taken" in typed(RULES.replace("PRM-001", "EM-004"))
    assert not list(folder.iterdir()), "nothing is stored"


def test_without_scripts_the_whole_page_comes_back_with_the_text(hall: Hall, folder: Path) -> None:
    answer = hall.signed_in("ann").submit(f"{AT}/new/try", {"text": RULES, "file": "prairie.yaml"})

    assert "every case holds" in answer.text
    assert "Prairie Mutual wants 95" in answer.text.partition("<textarea")[2]


def test_a_rule_is_tried_on_stored_charges_before_it_counts(hall: Hall, folder: Path) -> None:
    hall.workplace.source.put(charge(line("99213", place_of_service="10"), key="1"), charge(key="2"))
    hall.workplace.run("pull")
    browser = hall.signed_in("ann")

    answer = browser.submit(f"{AT}/new/shadow", {"text": RULES, "file": "prairie.yaml"}).text

    assert "In the 2 newest charges" in answer
    assert "It would speak 1 time." in answer
    assert "99213 was given at place 10" in answer
    with hall.database.transaction() as session:
        looks = {(each.charge_id, each.actor, each.how) for each in session.query(LookRow)}
    assert looks == {(number.id, "ann", "trial") for number in hall.workplace.rows().values()}


def test_a_file_is_saved_whole_written_down_and_counts(hall: Hall, folder: Path) -> None:
    browser = hall.signed_in("ann")

    answer = browser.submit(f"{AT}/new", {"text": RULES, "file": "prairie.yaml"})

    assert answer.headers["location"] == f"{AT}/prairie.yaml"
    assert (folder / "prairie.yaml").read_text() == RULES
    assert "PRM-001" in browser.get("/rules").text
    assert "payer rules written" in {each.what for each in accounts.history(hall.database, "ann")}


def test_a_faulty_file_is_refused_and_the_one_before_stays(hall: Hall, folder: Path) -> None:
    (folder / "prairie.yaml").write_text(RULES)
    browser = hall.signed_in("ann")
    digest = browser.get(f"{AT}/prairie.yaml").text.partition('name="digest" value="')[2].partition('"')[0]

    answer = browser.submit(f"{AT}/prairie.yaml", {"text": "rules: [", "digest": digest})

    assert answer.status_code == 400
    assert (folder / "prairie.yaml").read_text() == RULES


def test_nobodys_change_is_overwritten(hall: Hall, folder: Path) -> None:
    (folder / "prairie.yaml").write_text(RULES)
    browser = hall.signed_in("ann")

    answer = browser.submit(f"{AT}/prairie.yaml", {"text": RULES, "digest": "of a text before"})

    assert answer.status_code == 409
    assert browser.submit(f"{AT}/new", {"text": RULES, "file": "prairie.yaml"}).status_code == 409


@pytest.mark.parametrize("name", ["../outside.yaml", ".hidden.yaml", "rules.py", "", "a/b.yaml"])
def test_no_file_is_written_elsewhere(hall: Hall, folder: Path, name: str) -> None:
    before = set(hall.workplace.folder.rglob("*"))

    assert hall.signed_in("ann").submit(f"{AT}/new", {"text": RULES, "file": name}).status_code == 400
    assert {path for path in hall.workplace.folder.rglob("*") if path.suffix in (".yaml", ".py")} <= before


def test_a_biller_reads_rules_and_writes_none_and_nobody_anothers(hall: Hall, folder: Path) -> None:
    assert hall.signed_in("bea", Role.BILLER).get(f"{AT}/new").status_code == 403
    assert hall.signed_in("hilda", Role.LEAD, "hillside").get(f"{AT}/new").status_code == 404
