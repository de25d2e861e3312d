"""Every case of ``cases/<ID>.yml``: exactly the places it names are found by its rule.

A case gives the charge as differences from the clean one of ``rules.examples``; how is told in docs/adding-a-rule.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from charges import remedy
from rules.cases import charge_of, facts_of, places
from rules.engine import Rule, load
from rules.examples import charge, line

CASES = Path(__file__).parent / "cases"
RULES = {rule.id: rule for rule in load()}


class Case(NamedTuple):
    rule: Rule
    name: str
    given: Mapping[str, Any]
    fires: bool


def cases() -> Iterator[Case]:
    for path in sorted(CASES.glob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert content["rule"] == path.stem, f"{path.name} is about rule {content['rule']}"
        assert set(content) == {"rule", "fires", "passes"}, f"{path.name} has rule, fires and passes, nothing else"
        rule = RULES[content["rule"]]
        for name, given in content["fires"].items():
            yield Case(rule, name, given, fires=True)
        for name, given in content["passes"].items():
            yield Case(rule, name, given or {}, fires=False)


ALL = list(cases())
every = pytest.mark.parametrize("case", ALL, ids=[f"{case.rule.id}: {case.name}" for case in ALL])


@every
def test_exactly_the_named_places_are_found(case: Case) -> None:
    wanted = case.given.get("at", [])
    assert bool(wanted) is case.fires, "a case that fires says where (at), one that passes does not"
    assert places(case.rule, facts_of(case.given)) == sorted(wanted)


@every
def test_what_is_said_can_be_acted_on(case: Case) -> None:
    for problem in case.rule(facts_of(case.given)):
        for sentence in (problem.message, problem.fix):
            assert sentence.endswith("."), sentence
            assert sentence[:1].isupper(), sentence
        for value in problem.evidence.values():
            assert value in problem.message, f"{value!r} was seen and is not in: {problem.message}"


@every
def test_a_remedy_mends_what_it_is_for(case: Case) -> None:
    given = facts_of(case.given)
    found = case.rule(given)
    for problem in found:
        if problem.remedy:
            mended = replace(given, charge=remedy.apply(given.charge, problem.remedy))
            assert len(case.rule(mended)) < len(found)


REMEDIED = {
    "add modifier 24, 25 or 57": "EM-004 GLB-001 GLB-002 GLB-003 IMM-006 MOD-006 NCC-002",
    "drop the line that is not paid": "CHG-001 EM-008 NCC-001 NCC-010",
    "use the 7th character": "ICD-002",
    "swap diagnoses": "ICD-006 ICD-007 ICD-010 ICD-013 ICD-017 ICD-018",
}
"""What is to be done, and the rules that know where."""


@pytest.mark.parametrize("rule", [id for ids in REMEDIED.values() for id in ids.split()])
def test_a_rule_that_knows_the_remedy_carries_it(rule: str) -> None:
    fired = [facts_of(case.given) for case in ALL if case.rule.id == rule and case.fires]
    assert any(problem.remedy for given in fired for problem in RULES[rule](given))


def test_a_case_that_is_none_is_refused_with_a_sentence() -> None:
    for wrong, said in (
        ({"charges": {}}, "a case knows at, charge, history, policy, tables, today and not charges"),
        ({"charge": {"lines": [{"unit": 5}]}}, "lines.0.unit"),
        ({"charge": []}, "charge is a mapping"),
    ):
        with pytest.raises(ValueError, match=said):
            facts_of(wrong)


def test_a_case_is_merged_over_the_clean_charge() -> None:
    given = charge_of({"patient": {"sex": ""}, "lines": ["20610", {"code": "99213", "modifiers": ["25"]}]})
    assert given.patient == charge().patient.model_copy(update={"sex": ""})
    assert given.lines == (line("20610"), line("99213", "25"))
    assert charge_of({}) == charge()
    assert facts_of({"today": date(2026, 1, 1)}).today == date(2026, 1, 1)
