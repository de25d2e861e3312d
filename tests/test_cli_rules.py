"""`charges rules` and `charges explain` as their users meet them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from charges.model import Payer
from rules.engine import load
from rules.examples import COVERAGE, charge, line
from rules.payer.catalogue import FACTS
from tests.practice import Workplace
from tests.rules.test_payer import LIFE, VIDEO, written
from tests.test_cli import Run, installed, run  # noqa: F401 - fixtures


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """A file of two payer rules, one a draft whose case fails."""
    wrong = VIDEO | {"id": "PRM-002", "life": LIFE[:1], "when": {"line.place": "11"}}
    path = tmp_path / "prairie.yaml"
    path.write_text(written(VIDEO, wrong), encoding="utf-8")
    return path


def test_payer_rules_are_listed_and_shown_with_the_others(run: Run, sheet: Path) -> None:  # noqa: F811
    listed = json.loads(run("rules", "list", "--json", CHARGES_PAYER_RULES=str(sheet)).stdout)
    assert [each["id"] for each in listed] == [*(each.id for each in load()), "PRM-001", "PRM-002"]
    assert [each["stage"] for each in listed[-2:]] == ["hold", "draft"]
    assert {each["stage"] for each in listed[:-2]} == {"installed"}
    shown = run("rules", "show", "prm-001", CHARGES_PAYER_RULES=str(sheet)).stdout
    assert "Codes: 99202-99215." in shown
    assert "warn since 2026-11-12, by Imogen Vale: 19 findings in shadow, all right." in shown
    assert run("rules", "show", "PRM-001").returncode == 2


def test_cases_are_run_and_a_failure_is_told_with_its_line(run: Run, sheet: Path) -> None:  # noqa: F811
    done = run("rules", "test", str(sheet))
    assert done.returncode == 1
    assert "PRM-001 (hold): 3 cases, all hold" in done.stdout
    assert "PRM-002 (draft): 3 cases, fails:" in done.stdout
    assert "case 'video without 95' should fire, and PRM-002 finds nothing" in done.stdout
    assert [bool(each["failures"]) for each in json.loads(run("rules", "test", "--json", str(sheet)).stdout)] == [
        False,
        True,
    ]


def test_a_faulty_file_is_refused_with_sentences(run: Run, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "wrong.yaml").write_text("rules: [{id: GLB-002}]\n", encoding="utf-8")
    done = run("rules", "test", "wrong.yaml")
    assert done.returncode == 2
    assert "wrong.yaml line 1: rules[0].life is missing" in done.stderr
    assert run("rules", "test", "absent.yaml").returncode == 2


def test_all_facts_are_listed(run: Run) -> None:  # noqa: F811
    assert {each["fact"] for each in json.loads(run("rules", "facts", "--json").stdout)} == set(FACTS)
    assert "line.days_since_last" in run("rules", "facts").stdout


def test_the_rules_are_measured(run: Run) -> None:  # noqa: F811
    measured = json.loads(run("bench", "rules", "--charges", "20", "--payer-rules", "60", "--json").stdout)
    assert set(measured["microseconds_per_line"]) == {each.id for each in load()} | {"which to ask"}
    assert min(measured["lines_per_second"].values()) > 0


def test_the_doctor_looks_at_the_rules(installed: Run, sheet: Path, tmp_path: Path) -> None:  # noqa: F811
    assert "rules are installed" in installed("doctor").stdout
    (tmp_path / "wrong.yaml").write_text("rules: [{}]\n", encoding="utf-8")
    done = installed("doctor", CHARGES_PAYER_RULES=str(tmp_path / "wrong.yaml"))
    assert "rules[0].life is missing" in done.stdout + done.stderr
    assert done.returncode == 1


@pytest.fixture
def explain(workplace: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`charges explain` on a database with two charges, of which Prairie Mutual's rule holds the first."""
    folder = tmp_path / "payer-rules"
    folder.mkdir()
    (folder / "prairie.yaml").write_text(written(VIDEO), encoding="utf-8")
    workplace.apply(payer_rules=folder)
    other = COVERAGE.model_copy(update={"payer": Payer(payer_id="OTH01", claim_filing_code="CI")})
    origins = {"lines[0].modifiers": "edi_inv_cpt.Mod1-4"}
    workplace.source.put(
        charge(line("99213", place_of_service="10"), key="1", origins=origins),
        charge(line("99213", "95", place_of_service="10"), key="2", coverages=(other,)),
    )
    workplace.run("pull", "judge")
    monkeypatch.setattr("charges.cli.operate.open_pipeline", lambda: workplace.pipeline)

    def explained(*words: str) -> str:
        from typer.testing import CliRunner

        from charges.cli.main import app

        result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["explain", *words])
        assert result.exit_code == 0, result.output
        return result.output

    return explained


def test_a_payer_rule_is_explained(explain: Callable[..., str]) -> None:
    said = json.loads(explain("1", "PRM-001", "--json"))
    assert {"at": "lines[0].modifiers", "value": "none", "origin": "edi_inv_cpt.Mod1-4"} in said["facts"]
    assert [(each["holds"], each["says"].strip()) for each in said["condition"]] == [
        (True, "all"),
        (True, "line.place in 02 10"),
        (True, "line.modifiers has_none 95"),
    ]
    assert [each["at"] for each in said["findings"]] == ["lines[0].modifiers"]
    assert json.loads(explain("2", "PRM-001", "--json"))["is_asked"] is False


def test_an_installed_rule_is_explained(explain: Callable[..., str]) -> None:
    said = json.loads(explain("2", "TEL-002", "--json"))
    assert {"at": "lines[0].place_of_service", "value": "10", "origin": ""} in said["facts"]
    assert {each["origin"] for each in said["facts"] if each["at"].startswith("policy.")} == {"practice profile"}
    assert said["findings"] == []
    assert "It has nothing to say." in explain("2", "TEL-002")
    assert "lines[0].place_of_service" in explain("2", "TEL-002")


def test_the_rows_of_tables_that_a_rule_saw_are_told_with_their_release(explain: Callable[..., str]) -> None:
    said = json.loads(explain("1", "NCC-011", "--json"))
    (look,) = said["tables"]
    assert (look["table"], look["asked"]) == ("add_on", "99213 on 2026-11-16")
    assert look["release"]
