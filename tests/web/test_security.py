"""What no request gets past, and what binds the browser. That no route is forgotten is what ``test_walk`` sees to."""

import logging
from collections.abc import Iterator

import pytest

from charges.settings import read_settings
from charges.web.security import LARGEST_BODY
from charges.web.site import Site
from tests.web.conftest import ADDRESS, Browser, Hall


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
