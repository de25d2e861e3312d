"""Rules written as data: what can be asked, what is refused and where, how far a rule goes, whom it is asked of."""

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from charges import remedy
from charges.errors import BadRules
from charges.model import Attachment, Change, Charge, Coverage, Finding, HistoryLine, RelatedCauses, Severity
from rules.engine import Facts, judge
from rules.examples import COVERAGE, PATIENT, PAYER, SERVICE_DATE, charge, facts, line
from rules.payer.book import EMPTY, Book, read_book, read_texts
from rules.payer.catalogue import FACTS, Kind, table
from rules.payer.conditions import OPERATORS, Compiler, said
from rules.payer.definitions import STEPS, Stage, codes
from tests.rules.test_promises import ANY_FACTS

Raw = dict[str, Any]

LIFE = [
    {"stage": "draft", "date": "2026-11-02", "by": "Imogen Vale"},
    {"stage": "shadow", "date": "2026-11-05", "by": "Imogen Vale"},
    {"stage": "warn", "date": "2026-11-12", "by": "Imogen Vale", "reason": "19 findings in shadow, all right."},
    {"stage": "hold", "date": "2026-11-20", "by": "Imogen Vale"},
]
VIDEO: Raw = {
    "id": "PRM-001",
    "title": "Prairie Mutual wants 95 on visits by video.",
    "reason": "14 visits by video of October 2026 were denied with CARC 4.",
    "life": LIFE,
    "payers": ["PRM01"],
    "codes": ["99202-99215"],
    "when": {"line.place": ["02", "10"], "line.modifiers": {"has_none": ["95"]}},
    "then": {
        "message": "{line.code} was given at place {line.place} and has no modifier 95.",
        "suggest": {"line.modifiers": {"add": "95"}},
    },
    "cases": {
        "fires": {
            "video without 95": {
                "charge": {"lines": [{"code": "99213", "place_of_service": "10"}]},
                "at": ["lines[0].modifiers"],
            }
        },
        "passes": {
            "with 95": {"charge": {"lines": [{"code": "99213", "place_of_service": "10", "modifiers": ["95"]}]}},
            "another payer": {
                "charge": {
                    "lines": [{"code": "99213", "place_of_service": "10"}],
                    "coverages": [{"payer": {"payer_id": "OTH01"}}],
                }
            },
        },
    },
}
BY_VIDEO = charge(line("99213", place_of_service="10"))


def book_of(*rules: Raw) -> Book:
    return read_texts("The rules", {"rules.yaml": written(*rules)})


def written(*rules: Raw) -> str:
    """The file of these rules, each written out."""
    return yaml.safe_dump(json.loads(json.dumps({"rules": rules}, default=str)), sort_keys=False)


def faults_of(*rules: Raw) -> Sequence[str]:
    with pytest.raises(BadRules) as refused:
        book_of(*rules)
    return refused.value.faults


def found(
    book: Book, given_charge: Charge, severities: Mapping[str, Severity | str] | None = None
) -> Sequence[Finding]:
    return judge(book.of(facts(given_charge)), facts(given_charge), severities)


def holds(when: Raw, given_facts: Facts | None = None, index: int = 0) -> bool:
    compiler = Compiler()
    node = compiler.condition(when, ())
    assert compiler.faults == []
    return node.test(given_facts or facts(), index)


def test_a_rule_says_where_what_and_how_to_mend_it() -> None:
    (finding,) = found(book_of(VIDEO), BY_VIDEO)
    assert (finding.rule, finding.severity, finding.at) == ("PRM-001", Severity.HOLD, "lines[0].modifiers")
    assert finding.message == "Line 1: 99213 was given at place 10 and has no modifier 95."
    assert finding.evidence == {"line.code": "99213", "line.place": "10"}
    assert finding.fix == "Add 95."
    assert finding.remedy == (Change(at="lines[0].modifiers", op="add", value="95"),)
    assert found(book_of(VIDEO), remedy.apply(BY_VIDEO, finding.remedy)) == ()


# What can be asked

TOLD = facts(
    charge(
        line("99213", "25", units=Decimal(2), note="see letter"),
        line("J3301", diagnoses=("E11.9",), charge=None, service_date=None),
        line("20610", patient_share=True),
        related_causes=RelatedCauses(employment=True),
    ),
    history=[HistoryLine(charge_key="1", service_date=date(2026, 10, 17), code="99213")],
)


@pytest.mark.parametrize(
    ("when", "wanted"),
    [
        ({"line.code": "99213"}, True),
        ({"line.code": 99213}, True),
        ({"line.code": {"is_not": "99213"}}, False),
        ({"line.code": ["99212", "99213"]}, True),
        ({"line.code": {"not_in": ["99212"]}}, True),
        ({"line.code": {"begins": ["992", "J"]}}, True),
        ({"line.code": {"shape": "9999X"}}, True),
        ({"line.code": {"shape": ["A9999", "9999A"]}}, False),
        ({"line.note": {"empty": False}}, True),
        ({"line.ndc": {"empty": "yes"}}, True),
        ({"line.units": 2}, True),
        ({"line.units": {"above": 1, "below": "2.5"}}, True),
        ({"line.units": {"at_least": 3}}, False),
        ({"line.units": {"at_most": 2}}, True),
        ({"line.units": {"is_not": 2}}, False),
        ({"line.charge": {"at_least": "150.00"}}, True),
        ({"line.date": "2026-11-16"}, True),
        ({"line.date": {"on_or_after": SERVICE_DATE, "on_or_before": SERVICE_DATE}}, True),
        ({"line.date": {"after": SERVICE_DATE}}, False),
        ({"line.date": {"before": "2026-11-17"}}, True),
        ({"line.modifiers": "25"}, True),
        ({"line.modifiers": ["57", "25"]}, True),
        ({"line.modifiers": {"has_all": ["57", "25"]}}, False),
        ({"line.modifiers": {"has_none": ["57"]}}, True),
        ({"line.modifiers": {"empty": True}}, False),
        ({"line.diagnoses": "i10"}, True),
        ({"charge.diagnoses": {"has_all": ["E11.9", "I10"]}}, True),
        ({"charge.diagnoses": {"begins": "E11"}}, True),
        ({"charge.first_diagnosis": "I10"}, True),
        ({"charge.codes": {"has": "20610"}}, False),
        ({"charge.causes": "EM"}, True),
        ({"charge.lines": 2}, True),
        ({"charge.total": 150}, True),
        ({"charge.age": 7}, True),
        ({"line.emergency": "no"}, True),
        ({"patient.age": {"at_least": 65}}, True),
        ({"patient.state": "IL"}, True),
        ({"payer.class": "CI", "payer.id": "PRM01", "payer.count": 1}, True),
        ({"line.days_since_last": 30}, True),
        ({"line.times_in_a_year": {"at_least": 1}}, True),
        ({"any": [{"line.code": "1"}, {"line.number": 1}]}, True),
        ({"all": [{"line.code": "1"}, {"line.number": 1}]}, False),
        ({"not": {"line.code": "1"}}, True),
        ({"any_line": {"line.code": "J3301"}}, True),
        ({"any_line": {"line.code": "20610"}}, False),
        ({"all_lines": {"line.units": {"at_least": 1}}}, True),
        ({"no_line": {"line.code": {"begins": "J"}}}, False),
        (
            {"charge.total": {"above": 1}, "any_line": {"all": [{"line.code": "J3301"}, {"line.diagnoses": "E119"}]}},
            True,
        ),
    ],
)
def test_what_can_be_asked(when: Raw, wanted: bool) -> None:
    assert holds(when, TOLD) is wanted


def test_what_is_absent_passes_no_comparison_but_the_negative_ones() -> None:
    bare = Facts(charge=Charge(lines=(line("", charge=None, units=None, service_date=None),)), today=SERVICE_DATE)
    for name, fact in FACTS.items():
        if fact.read(bare, 0) in (None, ""):
            operand: Any = {Kind.TEXT: "I10", Kind.NUMBER: 1, Kind.DATE: SERVICE_DATE}[fact.kind]
            true = {each for each in set(OPERATORS[fact.kind]) - {"empty"} if holds({name: {each: operand}}, bare)}
            assert true == {"is_not", "not_in"} & set(OPERATORS[fact.kind])
            assert holds({name: {"empty": True}}, bare)


def test_every_fact_stands_where_it_says() -> None:
    for fact in FACTS.values():
        at = fact.at(0)
        top = at.partition(".")[0].partition("[")[0]
        assert top in Charge.model_fields, fact.name
        assert fact.is_of_a_line is at.startswith("lines[0]")
        assert fact.says.endswith(".")


@given(ANY_FACTS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_fact_can_be_read_of_any_charge(given_facts: Facts) -> None:
    for index, _ in given_facts.billed:
        for fact in FACTS.values():
            value = fact.read(given_facts, index)
            kinds = {Kind.TEXT: str, Kind.NUMBER: Decimal, Kind.DATE: date, Kind.FLAG: bool, Kind.TEXTS: tuple}
            assert value is None or isinstance(value, kinds[fact.kind])


def test_the_tree_of_a_condition_can_be_shown_with_its_truth() -> None:
    node = Compiler().condition({"any": [{"line.code": "99213"}, {"line.units": 9}]}, ())
    assert said(node, facts(), 0) == [
        (0, True, "any"),
        (1, True, "line.code is 99213"),
        (1, False, "line.units is 9"),
    ]


# What is said and required


def test_what_is_required_and_absent_is_found_and_there_it_passes() -> None:
    for required, given_line, given_charge in (
        ("authorization", {"prior_authorization": "A1"}, {}),
        ("referral", {"referral_number": "R1"}, {}),
        ("attachment", {}, {"attachments": (Attachment(kind="OZ", transmission="EL"),)}),
    ):
        has = {"code": "99213", **given_line}
        rule = VIDEO | {
            "when": None,
            "then": {"message": f"{{line.code}} needs its {required}.", "require": required},
            "cases": {
                "fires": {"without": None},
                "passes": {"other code": {"charge": {"lines": ["85025"]}}},
            },
        }
        book = book_of(rule)
        (finding,) = found(book, charge())
        assert finding.at.startswith("lines[0].")
        assert finding.fix.endswith(".")
        assert found(book, charge(line(**has), **given_charge)) == ()
    policy = COVERAGE.model_copy(update={"prior_authorization": "A9"})
    rule["then"] = {"message": "{line.code} needs its authorization.", "require": "authorization"}
    assert found(book_of(rule), charge(coverages=(policy,))) == ()


def test_a_rule_of_the_charge_speaks_once() -> None:
    rule = VIDEO | {
        "codes": [],
        "when": {"patient.age": {"at_least": 65}, "any_line": {"line.code": "99213"}},
        "then": {"message": "The patient is {patient.age}.", "severity": "warn", "at": "patient.age", "fix": "Ask."},
        "cases": {
            "fires": {"65": {"at": ["patient.birth_date"]}},
            "passes": {"young": {"charge": {"patient": {"birth_date": "2001-01-01"}}}},
        },
    }
    (finding,) = found(book_of(rule), charge(line("99213"), line("99213", "25")))
    assert (finding.at, finding.message) == ("patient.birth_date", "The patient is 65.")


def test_a_modifier_can_be_suggested_away_and_a_place_set() -> None:
    away = VIDEO | {
        "when": {"line.modifiers": "95"},
        "then": {"message": "95 is not taken.", "suggest": {"line.modifiers": {"remove": "95"}}},
        "cases": {
            "fires": {"95": {"charge": {"lines": [{"code": "99213", "modifiers": ["95"]}]}}},
            "passes": {"none": None},
        },
    }
    given_charge = charge(line("99213", "95", "25", "95"))
    (finding,) = found(book_of(away), given_charge)
    assert remedy.apply(given_charge, finding.remedy).lines[0].modifiers == ("25",)
    place = away | {"then": {"message": "Telehealth is 10.", "suggest": {"line.place": {"set": "10"}}}}
    (finding,) = found(book_of(place), given_charge)
    assert remedy.apply(given_charge, finding.remedy).lines[0].place_of_service == "10"
    full = charge(line("99213", "25", "24", "57", "GT", place_of_service="10"))
    assert found(book_of(VIDEO), full)[0].remedy == ()


# How far a rule may go


def test_a_rule_weighs_no_more_than_its_stage() -> None:
    weighed = [found(book_of(VIDEO | {"life": LIFE[: n + 1]}), BY_VIDEO, {"PRM-001": "stop"}) for n in range(4)]
    assert [[each.severity for each in judged] for judged in weighed] == [
        [],
        [Severity.INFO],
        [Severity.WARN],
        [Severity.HOLD],
    ]
    assert weighed[1][0].evidence["stage"] == "shadow"
    retired = VIDEO | {"life": [*LIFE, {"stage": "retired", "date": "2026-12-01", "by": "Imogen Vale"}]}
    assert found(book_of(retired), BY_VIDEO) == ()
    assert found(book_of(VIDEO), BY_VIDEO, {"PRM-001": "off"}) == ()


@pytest.mark.parametrize("way", list(itertools.permutations(Stage, 2)))
def test_a_life_goes_step_by_step(way: tuple[Stage, Stage]) -> None:
    ways = {Stage.DRAFT: [], Stage.SHADOW: ["shadow"], Stage.WARN: ["shadow", "warn"]}
    ways |= {Stage.HOLD: ["shadow", "warn", "hold"], Stage.RETIRED: ["retired"]}
    stages = ["draft", *ways[way[0]], way[1].value]
    rule = VIDEO | {"life": [{"stage": each, "date": "2026-11-02", "by": "Imogen Vale"} for each in stages]}
    if way[1] in STEPS[way[0]]:
        assert len(book_of(rule)) == 1
    else:
        assert f"life cannot go from {way[0]} to {way[1]}" in faults_of(rule)[0]


def test_a_rule_whose_case_fails_stays_a_draft() -> None:
    wrong = VIDEO | {"when": {"line.place": "11"}}
    assert len(book_of(wrong | {"life": LIFE[:1]})) == 1
    (faults, other) = faults_of(wrong)[0], faults_of(wrong)
    assert "case 'video without 95' should fire, and PRM-001 finds nothing" in faults
    assert faults.startswith("rules.yaml line ")
    assert len(other) == 1
    wrong = VIDEO | {"when": None}
    assert any("'with 95' should pass, and PRM-001 finds lines[0].modifiers" in each for each in faults_of(wrong))
    elsewhere = json.loads(json.dumps(VIDEO))
    elsewhere["cases"]["fires"]["video without 95"]["at"] = ["lines[0].code"]
    assert "should fire at lines[0].code, and PRM-001 finds lines[0].modifiers" in faults_of(elsewhere)[0]


# What is refused


@pytest.mark.parametrize(
    ("changes", "said_of_it"),
    [
        ({"id": "prm-1"}, "rules[0].id"),
        ({"life": []}, "rules[0].life"),
        ({"life": LIFE[1:]}, "life begins with draft"),
        ({"life": [LIFE[0], LIFE[1] | {"date": "2026-10-01"}]}, "stands after"),
        ({"codes": ["992"]}, "992 is not a code"),
        ({"codes": ["99215-99202"]}, "is not a range"),
        ({"codes": ["00000-99999"]}, "is not a range"),
        ({"codes": ["J0000-Q9999"]}, "is not a code, a range"),
        ({"since": "2026-02-30"}, "rules[0].since"),
        ({"since": "2026-02-20", "until": "2026-01-01"}, "until lies before since"),
        ({"cases": {"fires": {}, "passes": {"x": None}}}, "rules[0].cases.fires"),
        ({"cases": {"fires": {"x": None}}}, "rules[0].cases.passes is missing"),
        ({"cases": {"fires": {"x": {"charges": {}}}, "passes": {"x": None}}}, "a case knows"),
        (
            {"cases": {"fires": {"x": {"charge": {"lines": [{"colour": "red"}]}}}, "passes": {"x": None}}},
            "the case's lines",
        ),
        ({"when": "always"}, "a condition is a mapping"),
        ({"when": {"line.plaice": "10"}}, "is no fact; is line.place meant?"),
        ({"when": {"line.place": {"at_least": "10"}}}, "it can be asked: is, is_not"),
        ({"when": {"line.place": True}}, "put quotes around it"),
        ({"when": {"line.place": []}}, "needs a list of 1 to 2000 texts"),
        ({"when": {"line.place": ["10"] * 2001}}, "needs a list of 1 to 2000 texts"),
        ({"when": {"line.units": "many"}}, "needs a number"),
        ({"when": {"line.units": "NaN"}}, "needs a number"),
        ({"when": {"line.date": "soon"}}, "needs a date"),
        ({"when": {"line.emergency": "perhaps"}}, "needs yes or no"),
        ({"when": {"any": []}}, "any holds a list of conditions"),
        ({"when": {"any_line": {"no_line": {"line.code": "1"}}}}, "cannot stand within a question about every line"),
        ({"when": {"all": [{"line.code": "99213"}] * 61}}, "asks at most 60 things"),
        ({"then": {"message": "no full stop"}}, "end with a full stop"),
        ({"then": {"message": "Of {line.colour}."}}, "is no fact"),
        ({"then": {"message": "X.", "severity": "stop"}}, "rules[0].then.severity"),
        ({"then": {"message": "X.", "suggest": {"patient.sex": {"set": "F"}}}}, "a rule may suggest to change"),
        (
            {"then": {"message": "X.", "suggest": {"line.modifiers": {"add": "1", "remove": "2"}}}},
            "suggest names one fact",
        ),
        ({"then": {"message": "X.", "require": "luck"}}, "rules[0].then.require"),
        ({"eval": "1"}, "rules[0].eval is not a setting that exists"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(changes: Raw, said_of_it: str) -> None:
    faults = faults_of(VIDEO | changes)
    assert any(said_of_it in each for each in faults), faults
    assert all(each.startswith("rules.yaml line ") for each in faults)


def test_conditions_stand_only_so_deep() -> None:
    deep: Raw = {"line.code": "99213"}
    for _ in range(8):
        deep = {"not": deep}
    assert "at most 8 deep" in faults_of(VIDEO | {"when": deep})[0]


def test_all_faults_of_all_files_are_told_with_their_lines() -> None:
    text = written(VIDEO)
    texts = {
        "a.yaml": text.replace("line.place", "line.plaice", 1).replace("stage: warn", "stage: won"),
        "b.yaml": "rules: [",
        "c.json": '{"rules": [1], "x": 2}',
        "d.csv": "id,colour\n",
        "e.yaml": text,
        "f.yaml": text,
    }
    with pytest.raises(BadRules) as refused:
        read_texts("The rules", texts, taken={"GLB-002"})
    faults = refused.value.faults
    number = text.splitlines().index("    line.place:") + 1
    assert f"a.yaml line {number}: rules[0].when.line.plaice: is no fact; is line.place meant?" in faults
    assert any(each.startswith("a.yaml") and "life[2].stage" in each for each in faults)
    assert any(each.startswith("b.yaml line ") and "is not YAML" in each for each in faults)
    assert "c.json line 1: a file of payer rules has rules, a list, and nothing else" in faults
    assert "d.csv line 1: colour is no column of payer rules" in faults
    assert any(each == "f.yaml line 2: PRM-001 stands in e.yaml line 2 too" for each in faults)
    with pytest.raises(BadRules, match="PRM-001 is the id of a rule that is installed"):
        read_texts("The rules", {"e.yaml": text}, taken={"PRM-001"})


NAMES = st.sampled_from(["all", "any", "not", "any_line", "line.code", "line.units", "is", "in", "x"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=20,
)


@given(ANYTHING)
@settings(max_examples=100, deadline=None)
def test_any_condition_is_compiled_or_refused_never_an_error(when: Any) -> None:
    compiler = Compiler()
    node = compiler.condition(when, ())
    assert isinstance(node.test(facts(), 0), bool)


@given(st.text(alphabet="rules:[]{}-\n \"'idPRM01,|;=*&!", max_size=80), st.sampled_from(["a.yaml", "a.csv", "a.json"]))
@settings(max_examples=100, deadline=None)
@example("rules: 0000-0-0 0:00:00", "a.yaml")
def test_any_text_is_read_or_refused_never_an_error(text: str, name: str) -> None:
    try:
        assert len(read_texts("The rules", {name: text})) == 0
    except BadRules as refused:
        said_of_it = refused.faults
        assert said_of_it


# Which charges it is asked of


def test_a_rule_is_found_by_payer_class_and_code() -> None:
    medicare = COVERAGE.model_copy(
        update={"payer": PAYER.model_copy(update={"payer_id": "MC", "claim_filing_code": "MB"})}
    )
    drugs = VIDEO | {
        "id": "MCR-1",
        "payers": [],
        "payer_classes": ["MB"],
        "codes": ["J*", "20610"],
        "when": None,
        "then": {"message": "{line.code} is a drug."},
        "cases": {"fires": {"x": {"charge": {"lines": ["J3301"]}}}, "passes": {"x": None}},
    }
    everyone = drugs | {"id": "ALL-1", "payer_classes": [], "codes": ["99213"]}
    everyone["cases"] = {"fires": {"x": None}, "passes": {"x": {"charge": {"lines": ["99212"]}}}}
    book = book_of(VIDEO, drugs, everyone)

    def asked(given_charge: Charge) -> list[str]:
        return sorted(each.id for each in book.of(facts(given_charge)))

    assert asked(BY_VIDEO) == ["ALL-1", "PRM-001"]
    assert asked(charge()) == ["ALL-1"], "no line of its codes is as its condition says"
    assert asked(charge(line("99212", place_of_service="10"))) == ["PRM-001"]
    assert asked(charge(line("J3301"), line("J1100"), line("20610"))) == []
    assert asked(charge(line("J3301"), line("J1100"), line("20610"), coverages=(medicare,))) == ["MCR-1"]
    assert asked(charge(line("99213"), coverages=())) == ["ALL-1"]
    assert asked(charge(coverages=(medicare, COVERAGE))) == ["ALL-1"]
    assert EMPTY.of(facts()) == []


def test_a_rule_is_in_force_for_its_dates_of_service() -> None:
    case = {"charge": {"lines": [{"code": "99213", "place_of_service": "10", "service_date": "2026-11-17"}]}}
    book = book_of(VIDEO | {"since": "2026-11-17", "cases": {"fires": {"later": case}, "passes": {"office": None}}})
    days = [line("99213", place_of_service="10", service_date=date(2026, 11, day)) for day in (16, 17)]
    assert [each.at for each in found(book, charge(*days))] == ["lines[1].modifiers"]


@given(ANY_FACTS, st.sampled_from(["PRM01", "", "CI"]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_index_hides_no_rule_that_has_something_to_say(given_facts: Facts, payer: str) -> None:
    choices: dict[str, Raw] = {"CI": {"payers": [], "payer_classes": ["CI"]}, "": {"payers": []}}
    payers = choices.get(payer, {})
    rules = [
        VIDEO | payers | {"id": f"PRM-{n}", "codes": list(named), "when": None, "life": LIFE[:1]}
        for n, named in enumerate(((), ("99213",), ("J*", "99202-99396"), ("2*",)))
    ]
    drafts = book_of(*rules).rules
    judging = book_of(*(each | {"life": LIFE, "cases": _loose(each)} for each in rules))
    speaking = [each.rule.id for each in drafts if each.concerns(given_facts.charge) and each.rule(given_facts)]
    assert set(speaking) <= {each.id for each in judging.of(given_facts)}


def _loose(rule: Raw) -> Raw:
    code = {"PRM-0": "99213", "PRM-1": "99213", "PRM-2": "J3301", "PRM-3": "20610"}[rule["id"]]
    return {
        "fires": {"x": {"charge": {"lines": [code]}}},
        "passes": {"x": {"charge": {"lines": [{"code": code, "patient_share": True}]}}},
    }


def test_codes_are_listed_as_people_do() -> None:
    chosen = codes(("99202-99205", "0001F-0003F", "J0120-J0122", "G2211", "Q51*"))
    assert {"99202", "99205", "0002F", "J0121", "G2211", "Q5101"} == {
        each
        for each in ("99202", "99205", "99206", "0002F", "J0121", "J0123", "G2211", "Q5101", "Q4101")
        if each in chosen
    }


# Files


SHEET = """id,title,reason,life,payers,codes,if,if_2,severity,message,require,suggest,fires,passes
OTH-1,MRI needs an authorization.,Contract of 2026.,draft 2026-11-02 Imogen Vale; shadow 2026-11-05 I. Vale; warn 2026-11-06 I. Vale; hold 2026-11-07 I. Vale,OTH01 PRM01,70000-79999,line.charge above 100,patient.age at_least 18,hold,{line.code} has no authorization.,authorization,,70551|72148 place=22,70551 authorization=A1|99213|70551 charge=50
OTH-2,Video is 95.,Denials.,draft 2026-11-02 Imogen Vale; shadow 2026-11-05 Imogen Vale,OTH01,99213,line.place in 02 10,line.modifiers has_none 95 93,warn,{line.code} has no 95.,,line.modifiers add 95,99213 place=10; 85025 dx=E11.9/I10,99213 95 place=10
"""  # noqa: E501 - a row is a line


def test_a_spreadsheet_says_simple_rules(tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("\ufeff" + SHEET.replace("\n", "\r\n"), encoding="utf-8")
    (tmp_path / "more.yaml").write_text(written(VIDEO), encoding="utf-8")
    (tmp_path / "more.json").write_text(json.dumps({"rules": [VIDEO | {"id": "PRM-002"}]}, indent=1), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a rule", encoding="utf-8")
    book = read_book([tmp_path])
    assert sorted(each.rule.id for each in book.rules) == ["OTH-1", "OTH-2", "PRM-001", "PRM-002"]
    (finding,) = found(book, charge(line("70551")))
    assert (finding.message, finding.at) == ("Line 1: 70551 has no authorization.", "lines[0].prior_authorization")
    child = PATIENT.model_copy(update={"birth_date": date(2020, 1, 1)})
    assert found(book, charge(line("70551"), patient=child)) == ()


@pytest.mark.parametrize(
    ("old", "new", "said_of_it"),
    [
        ("line.charge above 100", "line.charge", "line 2: if: needs a fact"),
        ("line.modifiers add 95", "add 95", "line 3: suggest: needs a fact"),
        ("place=22", "plaice=22", "line 2: fires: plaice is not known"),
        ("above 100", "above many", "line 2: when.all[0].line.charge.above: needs a number"),
        ("draft 2026-11-02 Imogen", "daft 2026-11-02 Imogen", "line 2: life[0].stage"),
        ("id,title", "title,id", "line 2: id: String should match"),
        ("payers,codes", "payers,payers", "line 1: the column payers stands twice"),
        (",reason", ",raison", "line 1: the column reason is missing"),
        ("95 place=10\n", "95 place=10,beyond\n", "line 3: the row has more cells than there are columns"),
        ("OTH-2", '"OTH-2', "is not CSV"),
    ],
)
def test_a_fault_of_a_spreadsheet_is_told_with_its_row(old: str, new: str, said_of_it: str) -> None:
    with pytest.raises(BadRules) as refused:
        read_texts("The rules", {"rules.csv": SHEET.replace(old, new, 1)})
    assert any(said_of_it in each for each in refused.value.faults), refused.value.faults


def test_what_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRules, match="does not exist"):
        read_book([tmp_path / "nowhere"])
    (tmp_path / "rules.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadRules, match="cannot be read as a text file"):
        read_book([tmp_path])
    assert read_book([]) is EMPTY


def test_the_digest_changes_with_every_change() -> None:
    text = written(VIDEO)
    one, same = (read_texts("x", {"a.yaml": text}).digest for _ in range(2))
    assert one == same != read_texts("x", {"a.yaml": text + "# a remark\n"}).digest
    assert EMPTY.digest == ""


def test_a_coverage_without_a_payer_is_no_rules_matter() -> None:
    assert book_of(VIDEO).of(facts(charge(coverages=(Coverage(),)))) == []


# What the documentation shows

PAGE = (Path(__file__).parents[2] / "docs" / "payer-rules.md").read_text(encoding="utf-8")


def test_the_rules_that_teach_how_to_write_one_work() -> None:
    rule, condition = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    (sheet,) = re.findall(r"```csv\n(.*?)```", PAGE, flags=re.DOTALL)
    book = read_texts("The page", {"prairie.yaml": rule, "other.csv": sheet})
    assert [(each.rule.id, each.definition.stage) for each in book.rules] == [
        ("OTH-1", Stage.SHADOW),
        ("PRM-001", Stage.WARN),
    ]
    assert [each.severity for each in found(book, BY_VIDEO)] == [Severity.WARN]
    compiler = Compiler()
    compiler.condition(yaml.safe_load(condition)["when"], ())
    assert compiler.faults == []


def test_the_page_tells_every_fact_and_question() -> None:
    assert f"<!-- facts -->\n{table()}\n<!-- /facts -->" in PAGE, "put rules.payer.catalogue.table() into the page"
    for kind, asked in OPERATORS.items():
        assert f"| {kind} | {', '.join(f'`{each}`' for each in asked)} |" in PAGE
