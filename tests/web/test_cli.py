"""Users on the command line, and the page served for real."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pyotp
import pytest

from charges.cli.main import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out + said.err


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A fresh installation with the example's practice, as an operator makes one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKESIDE_ECW_SECRET", "secret")
    run(capsys, "keys", "new", "chargerouter.key")
    run(capsys, "db", "upgrade")
    _, example = run(capsys, "practice", "example")
    Path("practice.yaml").write_text(example)
    run(capsys, "practice", "apply", "practice.yaml")
    return tmp_path


def test_users_are_looked_after_on_the_command_line(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add = ("users", "add", "Ann", "--role", "lead")
    assert run(capsys, *add)[0] == 2, "which practices?"
    assert "hillside" in run(capsys, *add, "--practice", "hillside")[1]
    code, said = run(capsys, *add, "--practice", "lakeside", "--json")
    made = json.loads(said)
    assert (code, made["user"], len(made["recovery_codes"])) == (0, "ann", 8)
    assert made["address"].startswith("otpauth://totp/Chargerouter:ann?secret=")
    assert run(capsys, *add, "--all-practices")[0] == 2, "there is an Ann"
    assert run(capsys, "users", "disable", "ann")[0] == 2, "why?"
    assert run(capsys, "users", "disable", "ann", "--because", "left")[0] == 0
    assert run(capsys, "users", "enable", "ann", "--because", "came back")[0] == 0
    assert run(capsys, "users", "change", "ann", "--role", "auditor", "--all-practices")[0] == 0
    (listed,) = json.loads(run(capsys, "users", "list", "--json")[1])
    assert (listed["role"], listed["status"], listed["practices"]) == ("auditor", "active", "all")
    assert "one-time password" in run(capsys, "users", "reset", "ann", "--because", "lost it")[1]
    assert run(capsys, "users", "token", "ann", "--label", "x", "--scope", "files:send")[0] == 2, (
        "auditors send nothing"
    )
    assert run(capsys, "users", "token", "ann", "--label", "x", "--scope", "files:read")[1].startswith("charges_")
    assert "files:read" in run(capsys, "users", "tokens")[1]
    assert run(capsys, "users", "revoke", "ann", "--label", "x")[0] == 0
    assert run(capsys, "db", "verify")[0] == 0


def test_a_practice_is_opened_in_an_emergency(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "users", "add", "ann", "--role", "biller", "--practice", "lakeside")

    assert run(capsys, "users", "emergency", "ann", "--practice", "lakeside", "--because", "x")[0] == 2, "hers anyhow"
    assert run(capsys, "users", "emergency", "ann", "--practice", "nowhere", "--because", "x")[0] == 2


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_the_page_is_served_and_somebody_signs_in(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads(run(capsys, "users", "add", "ann", "--role", "lead", "--practice", "lakeside", "--json")[1])
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "CHARGES_WEB_URL": address}
    served = subprocess.Popen(
        [sys.executable, "-m", "charges", "web", "--port", str(port)],
        cwd=installation,
        env=environment,
        stderr=subprocess.PIPE,
    )
    try:
        assert served.stderr is not None
        assert address.encode() in served.stderr.readline()
        transport = httpx2.HTTPTransport(retries=5)
        with httpx2.Client(base_url=address, transport=transport, timeout=30) as browser:
            code = pyotp.TOTP(made["totp"]).now()
            fields = {"name": "ann", "password": made["password"], "code": code}
            answer = browser.post("/sign-in", data=fields, headers={"Sec-Fetch-Site": "same-origin"})
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            assert re.search("one-time password", browser.get("/account/password").text)
    finally:
        served.send_signal(signal.SIGINT)
        served.wait(timeout=30)


def test_a_folder_without_a_demo_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, "web", "--dir", str(tmp_path / "nothing"))

    assert code == 2
    assert "charges demo" in said
