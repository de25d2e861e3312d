"""The API for programs: the same acts and limits as the page, as JSON."""

import pytest

from charges.tables import Role
from rules.examples import charge
from tests.web.conftest import Hall


@pytest.fixture
def sent(hall: Hall) -> Hall:
    """An installation whose first file went out."""
    hall.workplace.source.put(charge(key="1"))
    hall.workplace.run()
    return hall


def test_a_program_reads_files_and_takes_their_bytes(sent: Hall) -> None:
    program = sent.program("files:read", "files:download")
    (path,) = sent.workplace.files()

    (listed,) = program.get("/api/files").json()
    assert (listed["number"], listed["status"], listed["total"]) == (1, "sent", f"{charge().total}")
    assert program.get("/api/files/1").json()["file"] == listed
    assert len(program.get("/api/files/1/claims").json()) == 1
    assert program.get("/api/files/1/content").content == path.read_bytes()
    assert program.get("/api/files/1").json()["events"][-1]["what"] == "downloaded"


def test_a_program_does_only_what_its_token_was_made_for(sent: Hall) -> None:
    program = sent.program("files:read")

    assert program.get("/api/files/1/content").status_code == 403
    answer = program.post("/api/files/1/resend", json={"reason": "lost"})
    assert answer.status_code == 403
    assert "files:send" in answer.json()["detail"]


def test_a_program_has_a_file_sent_again(sent: Hall) -> None:
    program = sent.program("files:read", "files:send")

    assert program.post("/api/files/1/resend", json={"reason": "lost"}).status_code == 204
    assert program.get("/api/files/1").json()["file"]["status"] == "built"
    assert program.post("/api/files/1/settle", json={"reason": "lost", "received": True}).status_code == 400


def test_what_is_of_another_practice_is_not_there(sent: Hall) -> None:
    program = sent.program("files:read", "files:download", "files:send", "sources:accept", practices=("hillside",))

    assert program.get("/api/files").json() == []
    for address in ("/api/files/1", "/api/files/1/claims", "/api/files/1/content", "/api/files?practice=lakeside"):
        assert program.get(address).status_code == 404
    assert program.post("/api/files/1/resend", json={"reason": "mine"}).status_code == 404
    assert program.post("/api/sources/lakeside/accept", json={"reason": "mine"}).status_code == 404


def test_a_session_is_no_token_and_a_token_no_session(sent: Hall) -> None:
    browser, program = sent.signed_in("ann"), sent.program("files:read")

    assert browser.get("/api/files").status_code == 401
    assert browser.get("/api/files").headers["www-authenticate"] == "Bearer"
    assert program.get("/files").status_code == 303


def test_faults_are_named_and_what_was_sent_is_not_repeated(sent: Hall) -> None:
    program = sent.program("files:send")

    answer = program.post("/api/files/1/settle", json={"reason": "for DOE JANE", "received": "DOE JANE"})

    assert answer.status_code == 422
    assert "received" in answer.json()["detail"]
    assert "JANE" not in answer.text


def test_sources_and_users_are_told(sent: Hall) -> None:
    (source,) = sent.program("sources:read").get("/api/sources").json()
    assert (source["practice"], source["kind"], source["lag_seconds"], source["stops"]) == (
        "lakeside",
        "eclinicalworks",
        0,
        False,
    )
    program = sent.program("users:manage", role=Role.OPERATOR)
    assert {each["name"] for each in program.get("/api/users").json()} == {"program 0", "program 1"}
    assert program.get("/api/users/program 1/events").json()[0]["what"] == "token made"


def test_the_numbers_of_prometheus_are_of_ones_own_practices(sent: Hall) -> None:
    lakeside = sent.program("metrics:read", role=Role.OPERATOR).get("/metrics").text
    hillside = sent.program("metrics:read", role=Role.OPERATOR, practices=("hillside",)).get("/metrics").text

    assert 'chargerouter_charges{practice="lakeside",state="claimed"} 1.0' in lakeside
    assert 'chargerouter_source_lag_seconds{practice="lakeside"' in lakeside
    assert "lakeside" not in hillside


def test_rules_are_listed_and_texts_tried(hall: Hall) -> None:
    program = hall.program("rules:read", "rules:write")

    assert "EM-004" in {each["id"] for each in program.get("/api/rules").json()}
    tried = program.post("/api/rules/try", json={"text": "rules: []"}).json()
    assert tried == {"holds": True, "faults": [], "rules": []}
    assert program.post("/api/rules/try", json={"text": "rules: ["}).json()["faults"]


def test_the_roll_out_is_told_and_moved(hall: Hall) -> None:
    program = hall.program("roll-out:read", "roll-out:move")

    (told,) = program.get("/api/roll-out").json()
    assert told["practice"] == "lakeside"
    done = program.post("/api/roll-out/lakeside/retreat", json={"to": "observe", "reason": "a wrong name"}).json()
    assert done["mode"] == "observe"
    assert program.post("/api/roll-out/hillside/retreat", json={"to": "observe", "reason": "x"}).status_code == 404
    assert program.post("/api/roll-out/lakeside/advance", json={"reason": ""}).status_code == 422


def test_the_contract_is_published_and_names_every_path_of_the_api(hall: Hall) -> None:
    contract = hall.browser().get("/api/openapi.json").json()

    assert {"/api/files", "/api/sources", "/api/users", "/healthz", "/metrics"} <= contract["paths"].keys()
    assert not [path for path in contract["paths"] if path.startswith("/sign-in")]


def test_healthz_says_when_the_tables_are_of_another_version(hall: Hall) -> None:
    from sqlalchemy import text

    assert hall.browser().get("/healthz").json() == {"ok": True, "says": "works"}
    with hall.database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    answer = hall.browser().get("/healthz")
    assert (answer.status_code, answer.json()["ok"]) == (503, False)
