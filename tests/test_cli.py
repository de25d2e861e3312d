"""The command line as its users meet it: sentences, exit codes, JSON, and never a traceback."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charges.model import Claim
from charges.scrutiny import judging as scrutiny
from charges.simulator import build_practice, running, simulator_app
from charges.x12.interchange import ControlNumbers, write
from rules.examples import charge, line
from tests.practice import PROFILE, practice_in

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `charges` as a user would, in an empty folder."""

    def run_charges(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CHARGES_")}
        done = subprocess.run(
            [sys.executable, "-m", "charges", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=kept | {"COLUMNS": "200"} | environment,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return run_charges


@pytest.fixture
def installed(run: Run, tmp_path: Path) -> Run:
    """A key, tables and the invented practice; its source answers nowhere."""
    (tmp_path / "lakeside.yaml").write_text(PROFILE)
    assert run("keys", "new", "chargerouter.key").returncode == 0
    assert run("db", "upgrade").returncode == 0
    assert run("practice", "apply", "lakeside.yaml", "--by", "engineer").returncode == 0
    return run


def _file(folder: Path, *claims: Claim) -> Path:
    path = folder / "claims.837"
    partner = practice_in(folder).trading_partner
    path.write_bytes(write(list(claims), partner, ControlNumbers(1), datetime(2026, 11, 23, tzinfo=UTC)).content)
    return path


def _json_of(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


# charges check


def test_a_clean_file_exits_0(run: Run, tmp_path: Path) -> None:
    file = _file(tmp_path, Claim(number="CR1", charge=charge()))
    done = run("check", str(file), "--json", "--as-of", "2026-11-23")
    assert done.returncode == 0, done.stdout
    assert _json_of(done) == {"file": str(file), "claims": 1, "verdict": "clean", "findings": []}


def test_a_doubtful_file_exits_1_and_names_the_place(run: Run, tmp_path: Path) -> None:
    file = _file(
        tmp_path,
        Claim(number="CR1", charge=charge()),
        Claim(number="CR2", charge=charge(line("99213"), line("20610"))),
    )
    done = run("check", str(file), "--json", "--as-of", "2026-11-23")
    assert done.returncode == 1
    verdict = _json_of(done)
    assert verdict["claims"] == 2
    assert verdict["verdict"] == "held"
    finding = next(each for each in verdict["findings"] if each["rule"] == "GLB-002")
    assert set(finding) == {"rule", "severity", "claim", "line", "loop", "segment", "element", "message"}
    assert (finding["claim"], finding["line"], finding["loop"], finding["segment"]) == ("CR2", 1, "2400", "SV1")


def test_the_day_of_judgement_can_be_chosen(run: Run, tmp_path: Path) -> None:
    file = _file(tmp_path, Claim(number="CR1", charge=charge()))
    early = _json_of(run("check", str(file), "--json", "--as-of", "2026-11-01"))
    assert "STR-003" in {each["rule"] for each in early["findings"]}
    late = _json_of(run("check", str(file), "--json", "--as-of", "2028-11-23"))
    assert "PAY-005" in {each["rule"] for each in late["findings"]}


def test_a_fault_against_the_guide_is_found_in_its_claim(run: Run, tmp_path: Path) -> None:
    file = _file(tmp_path, Claim(number="CR1", charge=charge()), Claim(number="CR2", charge=charge()))
    content = file.read_bytes()
    second = content.index(b"CLM*CR2")
    file.write_bytes(content[:second] + content[second:].replace(b"*HC:99213*", b"*ZZ:99213*", 1))
    found = _json_of(run("check", str(file), "--json", "--as-of", "2026-11-23"))["findings"]
    assert {each["claim"] for each in found if each["rule"].startswith("X12")} == {"CR2"}


def test_a_doubtful_file_is_shown_with_each_fault_under_its_segment(run: Run, tmp_path: Path) -> None:
    file = _file(tmp_path, Claim(number="CR2", charge=charge(line("99213"), line("20610"))))
    shown = run("check", str(file), "--as-of", "2026-11-23").stdout.splitlines()
    at = next(number for number, each in enumerate(shown) if "SV1*HC:99213*150" in each)
    assert shown[at - 1] == "claim CR2"
    assert "GLB-002" in shown[at + 1]
    assert shown[-1] == "claims.837: 1 claim, held."


def test_the_page_stands_alone_and_runs_nothing(run: Run, tmp_path: Path) -> None:
    evil = charge(line("99213"), line("20610"), note="<SCRIPT>ALERT(1)</SCRIPT>")
    file = _file(tmp_path, Claim(number="CR2", charge=evil))
    assert run("check", str(file), "--as-of", "2026-11-23", "--html", "page.html").returncode == 1
    page = (tmp_path / "page.html").read_text()
    assert "GLB-002" in page
    assert "SV1*HC:99213" in page
    assert "<script" not in page.lower()
    assert "http" not in page


def test_a_receivers_answers_are_written(run: Run, tmp_path: Path) -> None:
    file = _file(tmp_path, Claim(number="CR1", charge=charge()))
    assert run("check", str(file), "--as-of", "2026-11-23", "--999", "a.999", "--ta1", "a.ta1").returncode == 0
    assert "AK9*A*1*1*1~" in (tmp_path / "a.999").read_text()
    assert "TA1*000000001*" in (tmp_path / "a.ta1").read_text()
    done = run("check", str(file), "--999", "nowhere/a.999")
    assert (done.returncode, "cannot be written" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty", b""),
        ("text", b"Dear Sir or Madam"),
        ("cut", b"ISA*00*          *00*      "),
        ("bytes", bytes(range(256)) * 4),
        ("newlines", b"\n" * 500),
    ],
)
def test_an_unreadable_file_exits_2_with_a_sentence(run: Run, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    done = run("check", name)
    assert done.returncode == 2
    assert len(done.stdout.split()) > 5
    verdict = _json_of(run("check", name, "--json"))
    assert verdict["verdict"] == "unreadable"


def test_a_file_that_is_not_there_exits_2(run: Run) -> None:
    assert run("check", "nowhere.837").returncode == 2
    assert run("check", ".").returncode == 2


def test_a_day_that_is_none_is_said(run: Run, tmp_path: Path) -> None:
    file = _file(tmp_path, Claim(number="CR1", charge=charge()))
    done = run("check", str(file), "--as-of", "yesterday")
    assert done.returncode == 2
    assert "YYYY-MM-DD" in done.stderr


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1), length=st.integers(0, 40), put=st.binary(max_size=8))
def test_no_damage_to_a_file_is_a_crash(tmp_path: Path, position: float, length: int, put: bytes) -> None:
    file = _file(tmp_path, Claim(number="CR1", charge=charge()))
    content = file.read_bytes()
    start = int(position * len(content))
    file.write_bytes(content[:start] + put + content[start + length :])
    verdict = scrutiny.scrutinise(file, date(2026, 11, 23))
    assert verdict.verdict in ("clean", "held", "unreadable")
    assert verdict.verdict == "clean" or verdict.findings or verdict.sentence


# Running a practice


def test_work_without_a_key_says_how_to_make_one(run: Run) -> None:
    done = run("work")
    assert done.returncode == 2
    assert "charges keys new" in done.stderr


def test_work_without_tables_says_what_to_do(run: Run) -> None:
    run("keys", "new", "chargerouter.key")
    done = run("work")
    assert done.returncode == 2
    assert "charges db upgrade" in done.stderr


def test_work_with_an_unreachable_source_exits_3_and_goes_on_later(installed: Run, tmp_path: Path) -> None:
    done = installed("work", LAKESIDE_SECRET="x")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "127.0.0.1" in done.stdout
    assert "Nothing is lost" in done.stdout


def test_work_without_the_secret_exits_2_and_names_it(installed: Run) -> None:
    done = installed("work")
    assert done.returncode == 2
    assert "LAKESIDE_SECRET" in done.stdout


def test_a_practice_is_worked_through_the_command_line(run: Run, tmp_path: Path) -> None:
    simulated = build_practice(seed=3, patients=20, today=datetime.now(UTC).date())
    from charges.simulator import CLIENT_SECRET

    with running(simulator_app(simulated)) as base_url:
        example = run("practice", "example").stdout
        import re

        example = re.sub(r"base_url: .*", f"base_url: {base_url}", example)
        for demanded in ("days: 5", "charges: 100", "clean_rate: 0.80", "acceptance_rate: 0.95"):
            assert demanded in example
            example = example.replace(demanded, f"{demanded.partition(':')[0]}: 0")
        (tmp_path / "lakeside.yaml").write_text(example)
        run("keys", "new", "chargerouter.key")
        run("db", "upgrade")
        applied = run("practice", "apply", "lakeside.yaml")
        assert applied.returncode == 0, applied.stderr
        assert "nothing leaves" in applied.stdout
        for _ in ("shadow", "cohort", "full"):
            assert run("rollout", "advance", "--reason", "rehearsed").returncode == 0
        secret = re.search(r"env: (\w+)", example)
        assert secret
        done = run("work", "--json", **{secret[1]: CLIENT_SECRET})
        assert done.returncode == 0, done.stdout + done.stderr
        counts = _json_of(done)
        assert counts["pulled"] == counts["clean"] + counts["held"] + counts["self_pay"] + _void(run)
        again = _json_of(run("work", "--json", **{secret[1]: CLIENT_SECRET}))
        assert (again["claims"], again["sent"]) == (0, 0)
    waiting = _json_of(run("review", "list", "--json"))
    assert len(waiting) == counts["held"]
    number = waiting[0]["charge"]
    shown = run("review", "show", str(number))
    assert shown.returncode == 0
    assert waiting[0]["items"][0]["message"].split(":")[0] in shown.stdout.replace("\n", " ")
    refused = run("review", "void", str(number))
    assert refused.returncode == 2
    assert "reason" in refused.stderr
    assert run("review", "void", str(number), "--reason", "billed by hand", "--by", "ada").returncode == 0
    assert run("review", "void", str(number), "--reason", "again", "--by", "ada").returncode == 4
    assert run("db", "verify").returncode == 0
    assert run("doctor", **{secret[1]: CLIENT_SECRET}).returncode == 0
    without_secret = run("doctor")
    assert without_secret.returncode == 1
    assert secret[1] in without_secret.stdout
    assert run("status", "--json").returncode == 0
    file = _json_of(run("files", "list", "--json"))[0]
    assert file["status"] == "sent"
    _is_looked_after(run, tmp_path, file)
    assert run("files", "show", "99").returncode == 2
    rotated = run("keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    assert _json_of(run("keys", "list", "--json"))["current"] == 2
    assert run("review", "show", str(number)).returncode == 0


def _is_looked_after(run: Run, tmp_path: Path, file: dict[str, Any]) -> None:
    dropped = tmp_path / "outbound" / file["name"]
    number_of_file = str(file["file"])
    assert run("files", "download", number_of_file, "-").stdout == dropped.read_text()
    assert run("files", "download", number_of_file, "copy.837").returncode == 0
    assert (tmp_path / "copy.837").read_bytes() == dropped.read_bytes()
    assert (tmp_path / "copy.837").stat().st_mode & 0o777 == 0o600
    assert "not touched" in run("files", "download", number_of_file, "copy.837").stderr
    events = _json_of(run("files", "show", number_of_file, "--json"))["events"]
    assert [each["what"] for each in events if each["what"] != "downloaded"][-2:] == ["staged", "sent"]
    assert file["name"] in run("files", "show", number_of_file).stdout
    assert run("files", "resend", number_of_file).returncode == 2
    assert run("files", "resend", number_of_file, "--reason", "lost by the vendor", "--by", "ada").returncode == 0
    assert "to be sent again by ada" in run("files", "show", number_of_file).stdout


def test_a_reply_that_cannot_be_read_is_told_and_listed(installed: Run, tmp_path: Path) -> None:
    assert "No reply came yet." in installed("files", "replies").stdout
    (tmp_path / "inbound").mkdir()
    (tmp_path / "inbound" / "letter.edi").write_text("Dear Sir or Madam")
    assert "Not carried out: 1 reply" in installed("work", LAKESIDE_SECRET="x").stdout
    (reply,) = _json_of(installed("files", "replies", "--json"))
    assert (reply["name"], reply["state"]) == ("letter.edi", "unreadable")
    assert "not X12" in reply["outcome"]


def test_a_practice_that_is_misspelt_is_no_empty_worklist(installed: Run) -> None:
    assert installed("review", "list", "--practice", "lakeside").returncode == 0
    assert installed("review", "list", "--practice", "lakside").returncode == 2


def _void(run: Run) -> int:
    counted = _json_of(run("status", "--json"))
    return int(counted["lakeside"]["charges"].get("void", 0))


def test_a_bad_profile_is_refused_with_lines(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(PROFILE.replace('npi: "1993999998"', 'npi: "1993999990"').replace("IL", "Ill"))
    done = run("practice", "apply", "--check", "bad.yaml")
    assert done.returncode == 2
    assert "line " in done.stderr
    assert "billing_provider.npi" in done.stderr
    assert "2 faults" in done.stderr


def test_doctor_names_each_fault(run: Run) -> None:
    done = run("doctor", "--json", CHARGES_BROKER_URL="amqp://127.0.0.1:1//")
    assert done.returncode == 1
    faults = {each["what"]: each["says"] for each in _json_of(done) if not each["ok"]}
    assert "does not answer" in faults["broker"]
    assert "charges keys new" in faults["key"]


def test_a_bad_setting_is_refused_by_every_command(run: Run) -> None:
    done = run("work", CHARGES_BATCH_SIZE="many")
    assert done.returncode == 2
    assert "CHARGES_BATCH_SIZE" in done.stderr


@pytest.mark.parametrize("words", [("nonsense",), ("review", "show", "x"), ("check",), ("demo", "--patients", "0")])
def test_a_wrong_call_exits_2(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).returncode == 2


# The demo


def test_the_demo_leaves_a_valid_file_and_figures_that_add_up(run: Run, tmp_path: Path) -> None:
    done = run("demo", "--dir", "d", "--patients", "60", "--seed", "7")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["pulled"] == figures["clean"] + figures["held"] + figures["void"] + figures["self_pay"]
    assert figures["claimed"] == figures["clean"] > 0
    assert figures["files"] == len(list((tmp_path / "d" / "outbound").glob("*.837"))) == 1
    assert (figures["precision"], figures["recall"]) == (1.0, 1.0)
    again = run("demo", "--dir", "d", "--patients", "60", "--seed", "7", "--as-of", "2027-03-01")
    assert json.loads(again.stdout.splitlines()[-1]) == figures
    assert "this run added 0" in again.stdout


def test_another_demo_in_the_same_folder_is_refused(run: Run) -> None:
    run("demo", "--dir", "d", "--patients", "5", "--seed", "7")
    done = run("demo", "--dir", "d", "--patients", "6", "--seed", "7")
    assert done.returncode == 2
    assert "another --dir" in done.stderr
