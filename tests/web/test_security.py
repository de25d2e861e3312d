"""What no request gets past, and what binds the browser. That no route is forgotten is what ``test_walk`` sees to."""

import base64
import logging
import re
from collections.abc import Iterator

import pytest

from charges.settings import read_settings
from charges.tables import Role
from charges.web.security import LARGEST_BODY
from charges.web.site import Site
from rules.examples import PATIENT, charge
from tests.desk.workers import Desk, pointless
from tests.replies import accepted
from tests.web.conftest import ADDRESS, Browser, Hall
from tests.web.walk import ROUTES


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_what_another_site_sends_is_refused(hall: Hall, site: str) -> None:
    answer = hall.browser().post("/sign-in", data={"name": "ann"}, headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 403


def test_browsers_that_say_only_the_origin_are_believed(hall: Hall) -> None:
    browser = hall.browser()

    assert browser.post("/sign-in", headers={"Origin": ADDRESS}).status_code == 401, "no such user, but asked"
    assert browser.post("/sign-in", headers={"Origin": "https://elsewhere.example"}).status_code == 403
    assert browser.post("/sign-in", headers={"Origin": "null"}).status_code == 403
    assert browser.post("/sign-in").status_code == 403


def test_another_name_of_this_machine_is_refused(hall: Hall) -> None:
    assert hall.browser().get("/sign-in", headers={"Host": "elsewhere.example"}).status_code == 421
    assert hall.browser().get("/healthz", headers={"Host": "10.0.0.7:8080"}).status_code == 200


@pytest.mark.parametrize("address", ["/sign-in", "/nothing", "/static/app.css", "/healthz", "/api/openapi.json"])
def test_every_answer_binds_the_browser(hall: Hall, address: str) -> None:
    headers = hall.browser().get(address).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    is_static = address.startswith("/static")
    assert headers["cache-control"] == ("public, max-age=31536000, immutable" if is_static else "no-store")


def test_no_page_has_a_script_or_style_of_its_own(hall: Hall) -> None:
    browser = hall.signed_in("ann")
    for address in ("/sign-in", "/", "/account/password", "/nothing"):
        html = browser.get(address, follow_redirects=True).text
        assert "<script>" not in html
        assert " style=" not in html
        assert " onclick=" not in html


def test_over_tls_the_cookie_is_bound_to_the_host(hall: Hall) -> None:
    settings = read_settings({"CHARGES_WEB_URL": "https://charges.example"})
    secure = Hall(hall.workplace, settings)
    made = secure.employ("ann")
    with Browser(secure.app, base_url="https://charges.example", follow_redirects=False) as browser:
        fields = {"name": "ann", "password": made.password, "code": secure.code("ann")}
        answer = browser.post("/sign-in", data=fields, headers={"Sec-Fetch-Site": "same-origin"})

    said = answer.headers["set-cookie"]
    assert said.startswith("__Host-session=")
    assert all(word in said for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"))
    assert "Domain" not in said
    assert "max-age=" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize("url", ["http://charges.example", "ftp://x", "https://a.example/path", "charges.example"])
def test_the_page_is_not_served_in_the_clear_but_on_this_machine(url: str) -> None:
    from charges.errors import Refused

    with pytest.raises(Refused, match="CHARGES_WEB_URL"):
        read_settings({"CHARGES_WEB_URL": url})


def test_an_endless_body_is_refused_whether_its_length_is_told_or_not(hall: Hall) -> None:
    browser = hall.browser()

    def endless() -> Iterator[bytes]:
        for _ in range(LARGEST_BODY // 1000 + 2):
            yield b"x" * 1000

    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
    assert browser.post("/sign-in", content=b"x" * (LARGEST_BODY + 1), headers=headers).status_code == 413
    assert browser.post("/sign-in", content=endless(), headers=headers).status_code == 413


def test_a_program_reads_in_its_own_form_what_is_refused_before_any_route_is_asked(hall: Hall) -> None:
    program = hall.program("rules:read", "rules:write")

    too_large = program.post("/api/rules/try", json={"text": "x" * LARGEST_BODY})
    elsewhere = program.get("/api/rules", headers={"Host": "elsewhere.example"})

    assert (too_large.status_code, too_large.json()) == (413, {"detail": "What was sent is too large."})
    assert (elsewhere.status_code, set(elsewhere.json())) == (421, {"detail"})


def test_a_mistake_of_ours_tells_nobody_what_it_was_about(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    browser = hall.signed_in("ann")

    def fails(_: Site) -> str:
        raise ValueError("Doe, Jane, born 1970-01-01")

    monkeypatch.setattr("charges.web.pages.home.page", fails)
    with caplog.at_level(logging.DEBUG):
        answer = browser.get("/")

    assert answer.status_code == 500
    said = answer.text + caplog.text + "".join(capsys.readouterr())
    assert "Jane" not in said
    assert "Chargerouter made a mistake" in answer.text


def test_what_is_written_into_a_field_is_shown_as_it_is_and_never_run(hall: Hall) -> None:
    name = "<script>alert(1)</script>"
    answer = hall.browser().post("/sign-in", data={"name": name}, headers={"Sec-Fetch-Site": "same-origin"})

    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text


def test_after_signing_in_nobody_is_led_to_another_site(hall: Hall) -> None:
    made = hall.employ("ann")
    fields = {"name": "ann", "password": made.password, "code": hall.code("ann"), "next": "//elsewhere.example"}
    answer = hall.browser().post("/sign-in", data=fields, headers={"Sec-Fetch-Site": "same-origin"})

    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "name", ["practice", "payer", "provider", "rule", "family", "assignee", "patient", "after", "before"]
)
def test_text_of_sql_is_text_that_nothing_matches(hall: Hall, name: str) -> None:
    Desk(hall.workplace).hold(pointless("held"))
    browser = hall.signed_in("ann")

    answer = browser.get("/queue", params={name: "' OR 1=1 --"})

    assert answer.status_code in (200, 400)
    assert "/charges/1?" not in answer.text


def test_pages_load_nothing_from_elsewhere_and_keep_nothing_in_the_browser(hall: Hall) -> None:
    browser = hall.signed_in("omar", Role.OPERATOR, "lakeside", "hillside")
    for route in ROUTES:
        if route.method == "GET" and not route.parameters and not route.is_of_programs:
            loaded = re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="([^"]+)"', browser.get(route.path).text)
            assert all(each.startswith("/static/") for each in loaded), route.name
    ours = browser.get("/static/app.js").text
    assert set(re.findall(r"localStorage\.\w+\((\w+)", ours)) == {"KEPT"}, "whether single keys act, and nothing else"
    assert "sessionStorage" not in ours
    assert "indexedDB" not in ours


def test_no_address_on_a_page_names_a_patient_and_no_list_does(hall: Hall) -> None:
    desk = Desk(hall.workplace)
    patient = PATIENT.model_copy(update={"record_number": "R-777", "last_name": "Quillfeather"})
    desk.hold(pointless("held", patient=patient))
    browser = hall.signed_in("ann")
    number = desk.number("held")
    for address in ("/queue", "/queue/groups", f"/charges/{number}", "/queue/corrections"):
        html = browser.get(address).text
        addresses = " ".join(re.findall(r'(?:href|action|hx-get|hx-post)="([^"]*)"', html))
        for word in ("Quillfeather", "R-777", f"{patient.birth_date}"):
            assert word not in addresses, address
            assert word not in html or address.startswith("/charges/"), f"{address} shows patients one did not open"


def test_the_token_of_a_session_cannot_be_guessed_and_is_another_each_time(hall: Hall) -> None:
    first, second = hall.signed_in("ann").cookies["session"], hall.signed_in("bo").cookies["session"]

    assert len(base64.urlsafe_b64decode(first + "==")) >= 32
    assert first[:8] != second[:8]


def test_signing_out_clears_what_the_browser_kept(hall: Hall) -> None:
    answer = hall.signed_in("ann").submit("/sign-out")

    assert answer.headers["clear-site-data"] == '"cache"'
    assert answer.headers["cache-control"] == "no-store"


def test_the_name_of_a_reply_is_no_header_and_no_path(hall: Hall) -> None:
    inbound = hall.workplace.folder / "inbound"
    inbound.mkdir()
    (inbound / 'a"; filename="b.exe\r\nSet-Cookie: x=1\n.999').write_bytes(accepted(1))
    hall.workplace.source.put(charge(key="1"))
    hall.workplace.run()

    answer = hall.signed_in("ann").get("/files/replies/1")

    assert answer.content == accepted(1)
    assert "set-cookie" not in answer.headers
    said = answer.headers["content-disposition"]
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]+"', said), said


def test_nobody_writes_lines_into_the_log(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    name = 'ann\n{"event": "signed in", "user": "root"}'
    hall.browser().post("/sign-in", data={"name": name}, headers={"Sec-Fetch-Site": "same-origin"})

    said = "".join(capsys.readouterr())
    assert not [line for line in said.splitlines() if line.startswith('{"event": "signed in"')]


@pytest.mark.parametrize("act", ["waive", "void", "relook", "comment"])
def test_steps_are_not_taken_out_of_order(hall: Hall, act: str) -> None:
    """What is claimed is no longer in the queue, and no act of the queue reaches it but a comment."""
    hall.workplace.source.put(charge(key="fine"))
    hall.workplace.run()
    number = hall.workplace.rows()["fine"].id
    browser, before = hall.signed_in("ann"), hall.workplace.states()

    browser.submit(f"/charges/{number}/{act}", {"reason": "?", "text": "?", "item": "1"}, on=f"/charges/{number}")

    assert hall.workplace.states() == before
