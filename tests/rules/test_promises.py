"""What every rule promises, asked of all at once."""

import doctest
import importlib
import re
import types
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from charges.model import Charge, HistoryLine, PayerPolicy, Severity
from rules.cases import facts_of
from rules.catalogue import page
from rules.engine import RULE_ERROR, Facts, Rule, judge, load
from rules.examples import TABLES, TODAY, facts
from rules.index import Catalogue

RULES = load()
CASES = Path(__file__).parent / "cases"
ROOT = Path(__file__).parents[2]
SILENCE = "Nothing to say.\n"

every = pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])


@every
def test_is_silent_on_the_clean_charge(rule: Rule) -> None:
    assert rule(facts()) == []


@every
def test_has_a_well_formed_id_and_a_title(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z]{2,3}-[0-9]{3}", rule.id)
    assert rule.title[0].isupper() or rule.title[0].isdigit()
    assert rule.title.endswith(".")
    assert (rule.check.__doc__ or "").strip() == rule.title


@every
def test_is_explained_shown_firing_and_passing_and_has_an_authority(rule: Rule) -> None:
    shown = [each.want for each in doctest.DocTestParser().get_examples(rule.documentation) if each.want]
    assert SILENCE in shown
    assert set(shown) - {SILENCE}
    prose = rule.documentation.partition(">>>")[0].strip().split("\n\n")
    assert len(prose) > 1, "the first paragraph says what is wrong, the second why it matters"
    last = rule.documentation.strip().split("\n\n")[-1]
    assert last.startswith("Authority: ")
    assert rule.authority.endswith(".")


@every
def test_has_cases_that_fire_and_cases_that_pass(rule: Rule) -> None:
    cases = yaml.safe_load((CASES / f"{rule.id}.yml").read_text(encoding="utf-8"))
    assert min(len(cases["fires"]), len(cases["passes"])) >= 2


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.diagnoses_only], ids=lambda rule: rule.id)
def test_what_looks_at_diagnoses_only_says_the_same_of_any_charge_with_them(rule: Rule) -> None:
    written = yaml.safe_load((CASES / f"{rule.id}.yml").read_text())
    for given_facts in map(facts_of, [*written["fires"].values(), *written["passes"].values()]):
        bare = Charge(diagnoses=given_facts.charge.diagnoses)
        assert rule(Facts(bare, date.min)) == rule(given_facts)


def test_every_rule_stands_alone_in_its_module() -> None:
    modules = [rule.check.__module__ for rule in RULES]
    assert len(set(modules)) == len(modules)


def test_every_cases_file_belongs_to_a_rule() -> None:
    assert {path.stem for path in CASES.iterdir()} == {rule.id for rule in RULES}


def test_the_page_of_rules_is_in_step() -> None:
    written = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert written == page(RULES), "run: python -m rules.catalogue > docs/rules.md"


def test_the_rule_that_teaches_how_to_add_one_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "adding-a-rule.md").read_text(encoding="utf-8")
    blocks: dict[str, str] = dict(re.findall(r"```(\w+)\n(.*?)```", text, flags=re.DOTALL))
    (tmp_path / "taught_rule.py").write_text(blocks["python"], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("taught_rule")
    assert doctest.testmod(module) == (0, 3)
    taught = module.left_and_right_on_one_line
    assert (taught.severity, taught.family) == (Severity.WARN, "taught_rule")
    cases = yaml.safe_load(blocks["yaml"])
    assert cases["rule"] == taught.id
    for case in (*cases["fires"].values(), *cases["passes"].values()):
        assert [problem.at for problem in taught(facts_of(case))] == case.get("at", [])


# Words that rules know, by the field they stand in, and text of every sort and script anywhere.
KNOWN = {
    "code": "99213 99396 20610 90471 90472 90662 J3301 99442 99024 80053 80048 83036 A0429 9921 I10 Z23 W19.XXXA U07.1",
    "modifiers": "25 57 59 95 93 26 TC 50 RT GT JW JZ SL",
    "diagnoses": "I10 e11.9 Z23",
    "place_of_service": "02 10 11 21 27 30",
    "relationship": "18 19 self",
    "claim_filing_code": "MB CI",
    "member_id": "1EG4-TE5-MK73 1EG4TS5MK73",
    "npi": "1245319599 1234567890",
    "rendering_npi": "1245319599",
    "tax_id": "364711208 00-1234567",
    "taxonomy": "207Q00000X 207Q",
    "clia": "05D1234567 05D",
    "ndc": "00069080901 0069-0809-01",
    "postal_code": "62704 627040001",
    "unit": "UN MJ ML",
}
SPARSE = {"lines", "service_date", "claim_filing_code", "coverages", "tax_id_kind"}
"""Fields, beside those above, without which a charge is too bare for most rules; they are never left out."""

ODD = ("", " ", "PO Box 12", "\x00", "*~:^", "\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT TWO}" * 5, "J" * 40)
TEXT = st.sampled_from(ODD) | st.text(max_size=5)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    date: st.just(date(2026, 11, 16)) | st.dates(),
    Decimal: st.just(Decimal(1)) | st.decimals(allow_nan=False, allow_infinity=False),
    int: st.integers(-10, 10_000),
    time: st.times(),
}


def records(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Any record of a model, each of its fields absent, known or odd."""
    fields = model.model_fields
    given = {name: values(name, field.annotation) for name, field in fields.items()}
    always = {name for name, field in fields.items() if field.is_required() or name in KNOWN or name in SPARSE}
    return st.fixed_dictionaries(
        {name: value for name, value in given.items() if name in always},
        optional={name: value for name, value in given.items() if name not in always},
    ).map(lambda content: model(**content))


def values(name: str, annotation: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that occurs in the model, for a field of that name."""
    if annotation is str:
        return st.sampled_from(KNOWN[name].split()) | TEXT if name in KNOWN else TEXT
    if annotation in SCALARS:
        return SCALARS[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return st.one_of(*(values(name, each) for each in arguments if each is not types.NoneType), st.none())
    if origin is tuple:
        return st.lists(values(name, arguments[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.just({})
    return st.deferred(lambda: records(annotation))


ANY_FACTS = st.builds(
    Facts,
    charge=records(Charge),
    today=st.just(TODAY),
    history=st.lists(records(HistoryLine), max_size=3),
    policy=records(PayerPolicy),
    tables=st.just(TABLES()),
)


@given(ANY_FACTS, st.randoms())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_rule_judges_any_charge_in_any_order(given_facts: Facts, chance: Any) -> None:
    is_bill = given_facts.charge.institutional is not None
    asked = [each for each in RULES if not (is_bill and each.professional_only)]
    found = judge(asked, given_facts)
    assert [finding.evidence for finding in found if finding.rule == RULE_ERROR] == []
    assert judge(Catalogue(RULES).of(given_facts), given_facts) == found, "a rule speaks of what it is not about"
    shuffled = list(asked)
    chance.shuffle(shuffled)
    assert judge(shuffled, given_facts) == found
