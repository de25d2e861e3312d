"""Payer rules in the pipeline: files are loaded, a change judges held charges again, a fault lets nothing out."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from charges import review
from charges.errors import BadRules
from charges.model import Charge
from charges.practice.profile import parse_profile
from charges.settings import Settings
from charges.tables import ChargeStatus
from rules.examples import charge, line
from tests.practice import PROFILE, Workplace
from tests.rules.test_payer import LIFE, VIDEO, written

CLEAN, HELD, CAPTURED = ChargeStatus.CLEAN, ChargeStatus.HELD, ChargeStatus.CAPTURED

GT_VISIT = VIDEO | {"when": {"line.modifiers": {"has_none": ["GT"]}, "line.place": "10"}}
GT_VISIT["cases"] = {
    "fires": VIDEO["cases"]["fires"],
    "passes": {"with GT": {"charge": {"lines": [{"code": "99213", "place_of_service": "10", "modifiers": ["GT"]}]}}},
}
BY_VIDEO = charge(line("99213", "95", place_of_service="10"), key="1")


@pytest.fixture
def rules(workplace: Workplace, tmp_path: Path) -> Path:
    """A folder of payer rules that the practice's profile names."""
    folder = tmp_path / "payer-rules"
    folder.mkdir()
    (folder / "prairie.yaml").write_text(written(GT_VISIT), encoding="utf-8")
    workplace.apply(payer_rules=folder)
    return folder


def judged(workplace: Workplace, *charges: Charge) -> dict[str, ChargeStatus]:
    workplace.source.put(*charges)
    workplace.run("pull", "judge")
    return workplace.states()


def test_a_payers_rule_holds_what_the_built_in_rules_let_pass(workplace: Workplace, rules: Path) -> None:
    assert judged(workplace, BY_VIDEO, charge(key="2")) == {"1": HELD, "2": CLEAN}
    (held,) = review.held(workplace.database)
    assert [item.finding.rule for item in held.items] == ["PRM-001"]
    assert held.items[0].finding.remedy


def test_a_changed_rule_judges_what_waits_and_what_is_clean_again(workplace: Workplace, rules: Path) -> None:
    assert judged(workplace, BY_VIDEO) == {"1": HELD}
    before = workplace.rows()["1"].judged_with
    (rules / "prairie.yaml").write_text(written(GT_VISIT | {"life": LIFE[:2]}), encoding="utf-8")
    workplace.run("judge")
    assert workplace.states() == {"1": CLEAN}
    assert workplace.rows()["1"].judged_with != before
    (rules / "prairie.yaml").write_text(written(GT_VISIT), encoding="utf-8")
    workplace.run("generate")
    assert workplace.states() == {"1": CAPTURED}, "a clean charge is not claimed under rules it was not judged with"
    workplace.run("judge")
    assert workplace.states() == {"1": HELD}


def test_judging_again_under_the_same_rules_changes_nothing(workplace: Workplace, rules: Path) -> None:
    judged(workplace, BY_VIDEO)
    number = review.held(workplace.database)[0].charge_number
    events = len(review.case(workplace.database, number).events)
    workplace.run("judge", "judge")
    assert len(review.case(workplace.database, number).events) == events


def test_a_fault_in_a_file_lets_nothing_out(workplace: Workplace, rules: Path) -> None:
    (rules / "other.yaml").write_text("rules: [{id: X}]", encoding="utf-8")
    with pytest.raises(BadRules, match=r"other\.yaml line 1"):
        judged(workplace, charge(key="2"))
    assert workplace.states() == {"2": CAPTURED}
    (rules / "other.yaml").unlink()
    workplace.run("judge")
    assert workplace.states() == {"2": CLEAN}


def test_the_id_of_an_installed_rule_is_not_taken_twice(workplace: Workplace, rules: Path) -> None:
    (rules / "other.yaml").write_text(written(VIDEO | {"id": "GLB-002"}), encoding="utf-8")
    with pytest.raises(BadRules, match="GLB-002 is the id of a rule that is installed"):
        workplace.run("judge")


def test_rules_of_the_installation_hold_for_every_practice(workplace: Workplace, tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    file.write_text(yaml.safe_dump(yaml.safe_load(written(GT_VISIT))), encoding="utf-8")
    workplace.pipeline = replace(workplace.pipeline, settings=Settings(payer_rules=file))
    assert judged(workplace, BY_VIDEO) == {"1": HELD}


def test_the_nearest_weight_counts() -> None:
    text = PROFILE.replace("payer_id: PRM01", "payer_id: PRM01, rules: {C-1: 'off', D-1: 'off'}")
    assert text != PROFILE
    practice = parse_profile(
        f"""{text}
rules: {{A-1: info, B-1: info, C-1: info, D-1: info}}
rules_by_class: {{CI: {{B-1: warn, C-1: warn, D-1: warn}}}}
providers:
  - {{source_id: "1", last_name: Fenwick, first_name: Tobias, npi: "1245319599", rules: {{D-1: stop}}}}
"""
    )
    assert practice.weights(charge()) == {"A-1": "info", "B-1": "warn", "C-1": "off", "D-1": "stop"}
    assert practice.weights(Charge()) == practice.rules
