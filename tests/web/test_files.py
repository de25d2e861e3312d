"""Claim files in the browser: where they stand, their exact bytes, and who may have them."""

import pytest

from charges import overview
from charges.tables import Role
from rules.examples import PATIENT, charge
from tests.replies import accepted
from tests.web.conftest import Hall


@pytest.fixture
def sent(hall: Hall) -> Hall:
    """An installation whose first file went out."""
    hall.workplace.source.put(charge(key="1"))
    hall.workplace.run()
    return hall


def test_a_file_is_found_with_its_claims_and_what_happened(sent: Hall) -> None:
    browser = sent.signed_in("ann")
    (name,) = (path.name for path in sent.workplace.files())

    listed, shown = browser.get("/files").text, browser.get("/files/1").text

    assert name in listed
    assert all(word in shown for word in (name, "built", "sent", "Nothing yet.", "Send the same bytes again"))


def test_the_reply_chain_stands_with_the_file(sent: Hall) -> None:
    inbound = sent.workplace.folder / "inbound"
    inbound.mkdir(exist_ok=True)
    (inbound / "answer.999").write_bytes(accepted(1))
    sent.workplace.run("queue")
    browser = sent.signed_in("ann")

    shown = browser.get("/files/1").text

    assert "answer.999" in shown
    assert "Send the same bytes again" not in shown, "who answered has it"
    assert browser.get("/files/replies/1").content == accepted(1)
    assert "reply 1 downloaded" in browser.get("/files/1").text


def test_the_exact_bytes_are_handed_out_and_it_is_written_down(sent: Hall) -> None:
    browser = sent.signed_in("ann")
    (path,) = sent.workplace.files()

    answer = browser.get("/files/1/content")

    assert answer.content == path.read_bytes()
    assert answer.headers["content-disposition"] == f'attachment; filename="{path.name}"'
    assert ("downloaded", "ann") in {(each.what, each.by) for each in overview.history_of(sent.database, 1).events}


def test_a_file_is_sent_again_with_a_reason_only(sent: Hall) -> None:
    browser = sent.signed_in("ann")

    assert browser.submit("/files/1/resend", {"reason": " "}).status_code == 400
    told = browser.submit("/files/1/resend", {"reason": "the vendor lost it"}, on="/files/1")

    assert told.headers["location"] == "/files/1"
    page = browser.get("/files/1").text
    assert "goes out in the next run" in page
    assert "the vendor lost it" in page
    assert "goes out in the next run" not in browser.get("/files/1").text, "told once"


def test_a_file_of_another_practice_is_not_there(sent: Hall) -> None:
    browser = sent.signed_in("bea", Role.LEAD, "hillside")

    assert "prairie-rcm" not in browser.get("/files").text
    for address in ("/files/1", "/files/1/content", "/files?practice=lakeside", "/files/replies?practice=lakeside"):
        assert browser.get(address).status_code == 404
    assert browser.submit("/files/1/resend", {"reason": "mine now"}).status_code == 404
    assert browser.submit("/files/1/settle", {"reason": "mine now", "received": "true"}).status_code == 404


def test_an_operator_sees_where_files_stand_and_has_no_patients_data(sent: Hall) -> None:
    browser = sent.signed_in("omar", Role.OPERATOR)
    shown = browser.get("/files/1")

    assert shown.status_code == 200
    assert PATIENT.last_name not in shown.text
    assert "Download" not in shown.text
    assert browser.get("/files/1/content").status_code == 403


def test_long_lists_go_on_from_page_to_page(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charges.web.pages.files.PAGE", 2)
    for number in range(5):
        patient = PATIENT.model_copy(update={"record_number": str(number)})
        hall.workplace.source.put(charge(key=str(number), patient=patient))
        hall.workplace.run("pull", "judge", "generate")
    browser, address, seen = hall.signed_in("ann"), "/files?state=built", []
    while address:
        html = browser.get(address).text
        seen += [int(each.split('"')[0]) for each in html.split('<a href="/files/')[1:] if each[0].isdigit()]
        more = html.partition('rel="next" href="')[2].partition('"')[0]
        address = more.replace("&amp;", "&")

    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("query", ["state=nothing", "before=x", "practice=nowhere"])
def test_an_address_that_makes_no_sense_is_a_page_and_no_crash(hall: Hall, query: str) -> None:
    assert hall.signed_in("ann").get(f"/files?{query}").status_code in (404, 422)
