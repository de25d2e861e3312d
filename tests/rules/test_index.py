"""The index of rules: it hides none that has something to say, and what it remembers is so."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib.resources import as_file, files
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from charges import model
from charges.model import Charge, Diagnosis, Encounter, HistoryLine, Record, Severity
from charges.practice.completion import complete
from charges.practice.profile import read_profile
from charges.simulator import build_practice
from charges.sources.eclinicalworks.mapping import to_charge
from rules.cases import facts_of
from rules.engine import RULE_ERROR, Facts, Problem, Rule, judge, load, rendering_npi, rule
from rules.examples import MEDICARE, TABLES, TODAY, charge, earlier, facts, line
from rules.index import AROUND, LINE, PROVIDER, Catalogue
from rules.reference import TableMissing
from rules.witness import reads

RULES = load()
CASES = Path(__file__).parent / "cases"


def cases_of(each: Rule) -> list[Facts]:
    """The facts of every case of a rule."""
    written = yaml.safe_load((CASES / f"{each.id}.yml").read_text(encoding="utf-8"))
    return [facts_of(case or {}) for case in (*written["fires"].values(), *written["passes"].values())]


LINE_BY_LINE = [each for each in RULES if each.line_by_line]


def stored(seen: Facts) -> Facts:
    """The same facts, their charge read as it is stored: without what it says by default."""
    kept = seen.charge.model_dump_json(exclude_defaults=True)
    return replace(seen, charge=Charge.model_validate_json(kept))


def verdicts(asked: Catalogue, seen: Facts) -> tuple[Any, Any]:
    """What the catalogue's rules say, and what all rules say; each with the tables that it missed."""
    by_catalogue: dict[str, TableMissing] = {}
    by_all: dict[str, TableMissing] = {}
    found = judge(asked.of(seen), seen, silent=by_catalogue), judge(RULES, seen, silent=by_all)
    return (found[0], by_catalogue.keys()), (found[1], by_all.keys())


def test_a_catalogue_says_of_every_case_what_all_rules_say() -> None:
    catalogue = Catalogue(RULES)
    for seen in chain.from_iterable(map(cases_of, RULES)):
        of_catalogue, of_all = verdicts(catalogue, stored(seen))
        assert of_catalogue == of_all


def test_a_catalogue_says_of_a_simulated_practice_what_all_rules_say() -> None:
    with as_file(files("charges").joinpath("practice/examples/lakeside.yaml")) as path:
        profile = read_profile(path)
    catalogue = Catalogue(RULES)
    histories: dict[str, list[HistoryLine]] = defaultdict(list)
    for version in build_practice(seed=5, patients=150, today=TODAY).visible:
        given_charge = complete(profile, to_charge(version.body))
        history = histories[given_charge.patient.record_number]
        seen = Facts(given_charge, TODAY, tuple(history), profile.policy(given_charge), TABLES())
        of_catalogue, of_all = verdicts(catalogue, stored(seen))
        assert of_catalogue == of_all, version.mistake
        history += [
            HistoryLine(
                charge_key=version.key,
                service_date=each.service_date or TODAY,
                code=each.code,
                modifiers=each.modifiers,
                rendering_npi=rendering_npi(given_charge, each),
            )
            for each in given_charge.billed_lines
        ]


FEW = st.fixed_dictionaries(
    {},
    optional={
        "code": st.sampled_from(["99213", "99214", "20610", "J3301", "36415", "0001F", "99441", "A0428", "992"]),
        "modifiers": st.lists(st.sampled_from(["25", "59", "LT", "RT", "50", "GT", "ZZ", "26"]), max_size=3).map(tuple),
        "units": st.sampled_from([None, *map(Decimal, (0, 1, 2, 40))]),
        "unit": st.sampled_from(["UN", "MJ", "XX"]),
        "charge": st.sampled_from([None, *map(Decimal, ("0", "0.01", "12.345", "150.00", "9000"))]),
        "place_of_service": st.sampled_from(["", "02", "10", "11", "21", "22", "88"]),
        "service_date": st.sampled_from(
            [None, date(2026, 11, 16), date(2026, 11, 15), date(2020, 5, 1), date(2026, 12, 1)]
        ),
    },
)
SOME_CHARGES = st.builds(
    lambda lines, coverages, encounter: charge(
        *(line(**{"code": "99213"} | each) for each in lines), coverages=coverages, encounter=encounter
    ),
    st.lists(FEW, min_size=1, max_size=4),
    st.sampled_from([charge().coverages, (MEDICARE,), (MEDICARE, *charge().coverages), ()]),
    st.sampled_from([charge().encounter, Encounter(), Encounter(start_date=date(2026, 11, 15), place_of_service="22")]),
)
LASTING = Catalogue(RULES)


@given(SOME_CHARGES)
@settings(max_examples=300, deadline=None)
def test_what_was_learnt_of_lines_holds_for_every_charge_with_them(given_charge: Charge) -> None:
    of_catalogue, of_all = verdicts(LASTING, stored(facts(given_charge)))
    assert of_catalogue == of_all


TEXTS = st.sampled_from(
    ["", " ", "x", "AB12", "12345", "1111", "SELF", "IL", "62704", "62704-1", "P.O. Box 3", "A*B", "ünal"]
)
PARTS = st.sampled_from(
    [
        *(f"patient.{name}" for name in ("last_name", "first_name", "sex", "address.line1", "address.city")),
        *(f"patient.address.{name}" for name in ("state", "postal_code", "country")),
        *(
            f"coverages.0.{name}"
            for name in ("member_id", "group_number", "relationship", "payer.name", "payer.payer_id")
        ),
        *(f"coverages.0.payer.address.{name}" for name in ("state", "postal_code")),
        *("coverages.0.subscriber.last_name", "coverages.0.subscriber.address.postal_code"),
        *(f"billing_provider.address.{name}" for name in ("line1", "city", "state", "postal_code", "country")),
        *("references.clia", "references.prior_authorization", "references.payer_claim_number"),
        *("provider_signature", "assignment", "benefits_assigned", "release_of_information"),
        *("lines.0.clia", "lines.0.prior_authorization", "lines.0.diagnoses.0", "lines.0.modifiers.0"),
        *("diagnoses.0.code", "facility.name", "facility.clia"),
    ]
)


@given(PARTS, TEXTS)
@settings(max_examples=400, deadline=None)
def test_what_is_ordinary_gives_no_rule_cause_to_speak(path: str, text: str) -> None:
    content = charge().model_dump(mode="json", exclude_defaults=True)
    place: Any = content
    steps = path.split(".")
    last = steps[-1]
    for name, following in pairwise(steps):
        place = place[int(name)] if name.isdigit() else place.setdefault(name, [] if following == "0" else {})
    if last == "0":
        place[:1] = [text]
    else:
        place[last] = text
    of_catalogue, of_all = verdicts(LASTING, facts(Charge.model_validate_json(json.dumps(content))))
    assert of_catalogue == of_all


@pytest.mark.parametrize("each", LINE_BY_LINE, ids=lambda each: each.id)
def test_what_judges_line_by_line_looks_at_nothing_else(each: Rule) -> None:
    allowed = {"lines[].patient_share", "coverages", *AROUND, *(f"lines[].{name}" for name in LINE)}
    for seen in cases_of(each):
        assert looked_at(each, seen) <= allowed


@pytest.mark.parametrize("each", [each for each in RULES if each.line_where], ids=lambda each: each.id)
def test_what_a_rule_asks_of_a_line_is_answered_by_what_makes_lines_alike(each: Rule) -> None:
    asked = each.line_where
    assert asked
    asking = replace(each, check=lambda seen: [Problem("", str(asked(seen, line))) for _, line in seen.billed])
    allowed = {"lines[].patient_share", "coverages", *AROUND, *(f"lines[].{name}" for name in LINE)}
    for seen in cases_of(each):
        assert looked_at(asking, seen) <= allowed


@pytest.mark.parametrize("each", [each for each in RULES if each.providers_only], ids=lambda each: each.id)
def test_what_looks_at_providers_only_looks_at_nothing_else_but_its_fields(each: Rule) -> None:
    allowed = {f"{who}_provider.{name}" for who in ("billing", "rendering") for name in PROVIDER}
    others = tuple(path.replace("lines.", "lines[].") for path in each.fields)
    for seen in cases_of(each):
        paths = {
            path for path in looked_at(each, seen) if not path.startswith(("lines[].code", "lines[].patient_share"))
        }
        assert {path for path in paths - allowed if not path.startswith(others)} <= {
            "billing_provider",
            "rendering_provider",
            "facility",
        }


def looked_at(each: Rule, seen: Facts) -> set[str]:
    """The paths that a rule reads where there are lines and earlier ones, of any line."""
    watched = replace(
        seen,
        charge=seen.charge if seen.charge.lines else seen.charge.model_copy(update={"lines": (line(),)}),
        history=(earlier("99213", TODAY),),
    )
    return {re.sub(r"^lines\[\d+\]", "lines[]", path) for path in reads(each, watched)}


@pytest.mark.parametrize("each", LINE_BY_LINE, ids=lambda each: each.id)
def test_what_judges_line_by_line_says_the_same_of_a_line_alone(each: Rule) -> None:
    for seen in cases_of(each):
        lines = seen.charge.lines
        try:
            together = [problem.evidence for problem in each(seen)]
            apart = [
                problem.evidence
                for one in lines
                for problem in each(replace(seen, charge=seen.charge.model_copy(update={"lines": (one,)})))
            ]
        except TableMissing:
            continue
        assert together == apart


def test_rules_name_fields_that_there_are() -> None:
    for each in RULES:
        for path in each.fields:
            part, _, name = path.rpartition(".")
            assert name in _model_of(part).model_fields, (each.id, path)


def _model_of(part: str) -> type[Record]:
    if not part:
        return Charge
    text = str(Charge.model_fields[part].annotation)
    found = re.search(r"charges\.model\.(\w+)", text)
    assert found, part
    named: type[Record] = getattr(model, found[1])
    return named


def test_a_rule_about_diagnoses_is_asked_once_for_each_list_of_them() -> None:
    asked: list[str] = []

    @rule("TST-004", Severity.HOLD, diagnoses_only=True)
    def about_diagnoses(facts: Facts) -> Iterator[Problem]:
        """No diagnosis is a cold."""
        asked.extend(each.code for each in facts.charge.diagnoses)
        for index, each in enumerate(facts.charge.diagnoses):
            if each.code == "J06.9":
                yield Problem(f"diagnoses[{index}]", "A cold.")

    catalogue = Catalogue([about_diagnoses])
    well, ill = (facts(charge(diagnoses=(Diagnosis(code=code),))) for code in ("I10", "J06.9"))
    assert [catalogue.of(each) for each in (well, ill, well, ill)] == [[], [about_diagnoses], [], [about_diagnoses]]
    assert asked == ["I10", "J06.9"]


def test_a_rule_about_diagnoses_that_fails_is_told_with_the_charge() -> None:
    @rule("TST-005", Severity.HOLD, diagnoses_only=True)
    def fails_at_diagnoses(facts: Facts) -> list[Problem]:
        """It cannot judge."""
        refuse(facts)

    assert [each.rule for each in judge(Catalogue([fails_at_diagnoses]).of(facts()), facts())] == [RULE_ERROR]


def refuse(facts: Facts) -> NoReturn:
    raise KeyError(facts.charge.key)


def test_a_rule_that_judges_line_by_line_is_asked_once_for_lines_that_are_alike() -> None:
    asked: list[str] = []

    @rule("TST-006", Severity.HOLD, line_by_line=True)
    def about_lines(facts: Facts) -> Iterator[Problem]:
        """No line is without units."""
        for index, each in facts.billed:
            asked.append(each.code)
            if not each.units:
                yield Problem(f"lines[{index}].units", "No units.")

    catalogue = Catalogue([about_lines])
    good = facts(charge(line("99213"), line("20610"), line("99213")))
    assert catalogue.of(good) == []
    assert asked == ["99213", "20610"]
    assert catalogue.of(facts(charge(line("20610"), line("99213", units=None)))) == [about_lines]
    assert asked == ["99213", "20610", "99213"]


def test_rules_with_a_shared_question_are_asked_where_it_finds_something_or_fails() -> None:
    def second_lines(facts: Facts) -> list[int]:
        assert facts.charge.key != "broken"
        return [index for index, _ in facts.billed[1:]]

    @rule("TST-007", Severity.HOLD, where=second_lines)
    def no_second_line(facts: Facts) -> Iterator[Problem]:
        """There is one line."""
        for index in facts.once(second_lines):
            yield Problem(f"lines[{index}]", "Another line.")

    catalogue = Catalogue([no_second_line])
    assert catalogue.of(facts()) == []
    assert catalogue.of(facts(charge(line(), line()))) == [no_second_line]
    assert catalogue.of(facts(charge(key="broken"))) == [no_second_line]


def test_a_catalogue_does_not_remember_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Catalogue, "KEPT", 2)
    catalogue = Catalogue(load())
    for code in ("I10", "E11.9", "W19.XXXA", "I10"):
        seen = facts(charge(diagnoses=(Diagnosis(code=code),)))
        assert ("ICD-006" in {each.id for each in catalogue.of(seen)}) is code.startswith("W")
