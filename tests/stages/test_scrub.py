"""Stage 2: clean goes on, doubt waits, a waiver holds for its version."""

from collections.abc import Iterator
from decimal import Decimal

from charges import review, scrub
from charges.model import Severity
from charges.tables import ChargeStatus, HistoryLineRow
from rules.engine import Facts, Problem, Rule, load
from rules.examples import COVERAGE, PATIENT, charge, line
from tests.practice import Workplace

CLEAN, HELD, SELF_PAY = ChargeStatus.CLEAN, ChargeStatus.HELD, ChargeStatus.SELF_PAY


def test_a_clean_charge_is_clean(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"))
    workplace.run("pull", "judge")
    assert workplace.states() == {"1": CLEAN}


def test_a_doubtful_charge_is_held_with_a_sentence(workplace: Workplace) -> None:
    workplace.source.put(charge(line("99213"), line("20610"), key="1"))
    workplace.run("pull", "judge")
    assert workplace.states() == {"1": HELD}
    (held,) = review.held(workplace.database)
    assert [item.finding.rule for item in held.items] == ["GLB-002"]
    assert "modifier 25" in held.items[0].finding.message


def test_a_self_pay_charge_goes_to_nobody(workplace: Workplace) -> None:
    workplace.source.put(
        charge(key="1", self_pay=True, coverages=()),
        charge(line("99213", patient_share=True), key="2"),
    )
    workplace.run("pull", "judge", "generate")
    assert workplace.states() == {"1": SELF_PAY, "2": SELF_PAY}


def test_every_charge_ends_in_one_group(workplace: Workplace) -> None:
    workplace.source.put(
        charge(key="clean"),
        charge(line(units=Decimal(0)), key="held"),
        charge(key="self-pay", self_pay=True),
        charge(key="void", voided=True),
    )
    scrubbed = None
    workplace.run("pull")
    scrubbed = workplace.pipeline.judge(workplace.applied)
    assert (scrubbed.clean, scrubbed.held, scrubbed.self_pay) == (1, 1, 1)
    assert scrubbed.findings["CHG-007"] == 1


def test_of_two_same_services_the_later_is_the_duplicate(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"), charge(key="2"))
    workplace.run("pull", "judge")
    assert workplace.states() == {"1": CLEAN, "2": HELD}
    (held,) = review.held(workplace.database)
    assert {item.finding.rule for item in held.items} == {"CHG-002"}


def test_patients_without_a_number_are_not_each_others_duplicates(workplace: Workplace) -> None:
    unknown = PATIENT.model_copy(update={"record_number": ""})
    workplace.source.put(charge(key="1", patient=unknown), charge(key="2", patient=unknown))
    workplace.run("pull")
    with workplace.database.transaction() as session:
        assert len({row.patient_key for row in session.query(HistoryLineRow)}) == 2


def test_what_the_profile_knows_is_filled_in_before_judging(workplace: Workplace) -> None:
    bare = COVERAGE.payer.model_copy(update={"payer_id": "", "claim_filing_code": ""})
    workplace.source.put(
        charge(key="1", billing_provider=None, coverages=(COVERAGE.model_copy(update={"payer": bare}),))
    )
    workplace.run("pull", "judge")
    assert workplace.states() == {"1": CLEAN}


def test_a_corrected_profile_has_held_charges_judged_again(workplace: Workplace) -> None:
    unknown = COVERAGE.payer.model_copy(update={"source_id": "99", "payer_id": ""})
    workplace.source.put(charge(key="1", coverages=(COVERAGE.model_copy(update={"payer": unknown}),)))
    workplace.run("pull", "judge")
    assert workplace.states() == {"1": HELD}
    payer = workplace.applied.practice.payers[0].model_copy(update={"source_ids": ("17", "99")})
    workplace.apply(payers=(payer,))
    workplace.run("judge")
    assert workplace.states() == {"1": CLEAN}


def test_a_practice_weighs_rules_its_own_way(workplace: Workplace) -> None:
    workplace.source.put(charge(line("99213"), line("20610"), key="1"))
    workplace.apply(rules={"GLB-002": Severity.WARN})
    workplace.run("pull", "judge")
    assert workplace.states() == {"1": CLEAN}


def test_a_rule_that_fails_holds_the_charge_and_stops_nothing(workplace: Workplace) -> None:
    def fails(facts: Facts) -> Iterator[Problem]:
        raise KeyError(facts.charge.patient.last_name)

    broken = Rule("ZZZ-999", "Always fails.", Severity.WARN, fails, "")
    workplace.source.put(charge(key="1"), charge(key="2", patient=PATIENT.model_copy(update={"record_number": "2"})))
    workplace.run("pull")
    scrub.scrub(
        workplace.database,
        workplace.applied.id,
        workplace.applied.practice,
        workplace.applied.digest,
        (*load(), broken),
        workplace.clock,
    )
    assert set(workplace.states().values()) == {HELD}
    for held in review.held(workplace.database):
        assert [item.finding.rule for item in held.items] == ["ENG-001"]
        assert "Larkspur" not in held.items[0].finding.message


def test_a_waiver_holds_for_its_version_only(workplace: Workplace) -> None:
    workplace.source.put(charge(line("99213"), line("20610"), key="1"))
    workplace.run("pull", "judge")
    (held,) = review.held(workplace.database)
    review.waive(
        workplace.database, held.items[0].number, by="ada", reason="separate knee problem", clock=workplace.clock
    )
    workplace.run("judge")
    assert workplace.states() == {"1": CLEAN}
    workplace.source.put(charge(line("99214"), line("20610"), key="1"))
    workplace.run("pull", "judge")
    assert workplace.states() == {"1": HELD}


def test_what_was_mended_at_the_source_leaves_the_queue(workplace: Workplace) -> None:
    workplace.source.put(charge(line("99213"), line("20610"), key="1"))
    workplace.run("pull", "judge")
    workplace.source.put(charge(line("99213", "25"), line("20610"), key="1"))
    workplace.run("pull", "judge")
    assert workplace.states() == {"1": CLEAN}
    assert not review.held(workplace.database)


def test_no_claim_without_scrub(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"))
    workplace.run("pull", "generate", "deliver")
    assert not workplace.files()


def test_a_charge_whose_claim_is_out_is_not_judged_again_by_a_new_profile(workplace: Workplace) -> None:
    workplace.source.put(charge(key="1"))
    workplace.run()
    workplace.source.put(charge(line(charge=Decimal("175.00")), key="1"))
    workplace.run("pull")
    workplace.apply(rules={"EM-004": "off"})
    workplace.run("judge")
    assert workplace.states() == {"1": ChargeStatus.HELD}
    (held,) = review.held(workplace.database)
    review.waive(workplace.database, held.items[0].number, by="ada", reason="the claim stands", clock=workplace.clock)
    workplace.run("judge", "generate", "deliver")
    assert workplace.states() == {"1": ChargeStatus.CLAIMED}
    assert len(workplace.files()) == 1
