"""What became of the claims that findings let pass, and which denials nobody foresaw."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from charges import review
from charges.model import Diagnosis, Severity
from charges.outcomes import ENOUGH, Let, Outcomes, outcomes
from rules.engine import load
from rules.examples import COVERAGE, PATIENT, charge, line
from rules.prevents import Prevented, prevented
from tests.practice import Workplace
from tests.replies import a835, about_claims, decided, denied, no, paid, refused, taken_back

WARNED = {"coverages": (COVERAGE.model_copy(update={"member_id": "pmh8812345"}),)}
"""Small letters in a member id: STR-017 warns, and expects CARC 31."""
HELD = {"diagnoses": (Diagnosis(code="I10"), Diagnosis(code="I10"))}
"""A diagnosis twice: ICD-010 holds, and says nothing of payers' codes."""


def number(charge_id: int, claim: int = 1) -> str:
    return f"CR{charge_id:09d}{claim:02d}"


def _sent(workplace: Workplace, *kinds: Mapping[str, Any]) -> None:
    """A claim of each kind of charge; what holds one is waived."""
    for key, changes in enumerate(kinds, 1):
        person = PATIENT.model_copy(update={"record_number": f"P{key}"})
        workplace.source.put(charge(**{"key": str(key), "patient": person, **changes}))
    workplace.run("pull", "judge")
    for held in review.held(workplace.database):
        for item in held.items:
            review.waive(workplace.database, item.number, by="ada", reason="right so", clock=workplace.clock)
    workplace.run("judge", "generate", "deliver")


def _reply(workplace: Workplace, *contents: bytes) -> Outcomes:
    inbound = workplace.folder / "inbound"
    inbound.mkdir(exist_ok=True)
    for content in contents:
        (inbound / f"{len(list(inbound.iterdir())):03d}.x12").write_bytes(content)
        workplace.run("queue")
    return _outcomes(workplace)


def _outcomes(workplace: Workplace) -> Outcomes:
    applied = workplace.applied
    return outcomes(workplace.database, applied.id, applied.practice, load())


def _rule(found: Outcomes, rule: str) -> Let:
    return next(each for each in found.rules if each.rule == rule)


def test_a_warning_that_came_true_one_that_did_not_and_a_denial_that_nobody_foresaw(workplace: Workplace) -> None:
    _sent(workplace, WARNED, WARNED, WARNED, {}, {})
    answer = a835(
        *denied(number(1), "31"),
        *denied(number(2), "50"),
        *paid(number(3)),
        *denied(number(4), "31"),
        *paid(number(5)),
        paid="160",
    )
    found = _reply(workplace, answer)
    assert (found.decided, found.denied, found.refused) == (5, 3, 0)
    rule = _rule(found, "STR-017")
    assert (rule.passed, rule.waived, rule.hits, rule.missed) == (3, 0, 1, 1)
    assert rule.precision == pytest.approx(1 / 3)
    assert rule.recall == pytest.approx(1 / 2)
    assert not rule.advice
    unforeseen = {each.code: each for each in found.unforeseen}
    assert {(each.code, each.claims, str(each.amount)) for each in found.unforeseen} == {
        ("31", 1, "150.00"),
        ("50", 1, "150.00"),
    }
    assert "STR-017" in unforeseen["31"].expected_by
    assert "MED-001" in unforeseen["50"].expected_by


def test_a_waived_finding_of_a_rule_without_codes_is_held_against_any_denial(small_workplace: Workplace) -> None:
    _sent(small_workplace, HELD, HELD)
    found = _reply(small_workplace, a835(*denied(number(1)), *paid(number(2)), paid="80"))
    rule = _rule(found, "ICD-010")
    assert (rule.passed, rule.waived, rule.hits, rule.recall) == (2, 2, 1, None)
    assert not found.unforeseen


def test_a_finding_about_another_line_foresaw_nothing(small_workplace: Workplace) -> None:
    lines = (line(), line("36415", units=Decimal(3)))
    _sent(small_workplace, {"lines": lines}, {"lines": lines})

    def line_denied(charge_id: int, *codes: str) -> list[str]:
        segments = []
        for code in ("99213", "36415"):
            segments += [f"SVC*HC:{code}*150*{0 if code in codes else 150}**1"]
            segments += ["CAS*CO*151*150"] if code in codes else []
        return decided(number(charge_id), "300*150*0", *segments)

    found = _reply(small_workplace, a835(*line_denied(1, "36415"), *line_denied(2, "99213"), paid="300"))
    rule = _rule(found, "NCC-008")
    assert (rule.passed, rule.hits, rule.missed) == (2, 1, 1)
    assert [(each.code, each.claims) for each in found.unforeseen] == [("151", 1)]


def test_refusals_count_for_rules_that_expect_an_unfit_claim(small_workplace: Workplace) -> None:
    _sent(small_workplace, {"coverages": (COVERAGE,)}, WARNED)
    found = _reply(small_workplace, about_claims(no(number(1))))
    assert (found.decided, found.refused, found.denied) == (1, 1, 0)
    assert [(each.code, each.claims) for each in found.unforeseen] == [("277CA A7:562", 1)]
    assert _rule(found, "STR-001").missed == 1
    assert "STR-017" not in {each.rule for each in found.rules}, "31 is nothing that a receiver looks for"


def test_a_file_that_was_refused_refused_its_claims(small_workplace: Workplace) -> None:
    _sent(small_workplace, {})
    found = _reply(small_workplace, refused(1, "IK3*NM1*8*2010*8", "IK4*9*67*1"))
    assert [(each.code, each.claims) for each in found.unforeseen] == [("999", 1)]


def test_a_denial_that_was_taken_back_is_none(small_workplace: Workplace) -> None:
    _sent(small_workplace, WARNED)
    back = decided(number(1), "-150*0*0", "SVC*HC:99213*-150*0**1", "CAS*CO*31*-150", status="22")
    found = _reply(
        small_workplace,
        a835(*denied(number(1), "31"), paid="0"),
        a835(*back, *paid(number(1)), paid="80", trace="EFT2"),
    )
    rule = _rule(found, "STR-017")
    assert (rule.passed, rule.hits) == (1, 0)
    found = _reply(small_workplace, a835(*taken_back(number(1)), paid="-80", trace="EFT3"))
    assert found.decided == 0


def test_a_finding_of_an_earlier_version_is_not_what_the_claim_left_with(small_workplace: Workplace) -> None:
    small_workplace.source.put(charge(key="1", **WARNED))
    small_workplace.run("pull", "judge")
    small_workplace.source.put(charge(key="1"))
    small_workplace.run()
    found = _reply(small_workplace, a835(*denied(number(1), "31"), paid="0"))
    assert (_rule(found, "STR-017").passed, _rule(found, "STR-017").missed) == (0, 1)


# What is advised


def _let(**counts: Any) -> Let:
    return Let("TEL-003", Severity.WARN, Prevented(frozenset({"5"})), **counts)


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"passed": ENOUGH, "hits": ENOUGH // 2}, "let it hold (`rules: {TEL-003: hold}` in the profile)"),
        ({"passed": ENOUGH, "hits": ENOUGH, "waived": ENOUGH}, "stop waiving it"),
        ({"passed": ENOUGH, "hits": 1}, 'weigh it less (`rules: {TEL-003: "off"}`)'),
        ({"passed": ENOUGH, "hits": 0, "waived": ENOUGH}, "weigh it less (`rules: {TEL-003: warn}`)"),
        ({"missed": ENOUGH}, f"{ENOUGH} denied claims that it should have found had no finding"),
    ],
)
def test_advice_where_numbers_suffice(counts: dict[str, int], says: str) -> None:
    assert says in _let(**counts).advice


@pytest.mark.parametrize(
    "counts",
    [
        {"passed": ENOUGH - 1, "hits": ENOUGH - 1},
        {"passed": ENOUGH - 1},
        {"passed": ENOUGH, "hits": ENOUGH // 4},
        {"missed": ENOUGH - 1},
        {"missed": ENOUGH, "passed": 60, "hits": ENOUGH},
    ],
)
def test_no_advice_where_they_do_not(counts: dict[str, int]) -> None:
    assert not _let(**counts).advice


def test_every_rule_that_names_codes_is_understood() -> None:
    said = {rule.id: rule.authority for rule in load() if "CARC" in rule.authority}
    assert len(said) > 100
    for rule, authority in said.items():
        told = prevented(authority)
        assert told.reasons, rule
        assert bool(told.remarks) == ("RARC" in authority), rule
        assert all(len(code) <= 5 for code in told.reasons | told.remarks), rule
