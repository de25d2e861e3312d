"""The claim to the next payer, made from the remittance of the one before it."""

import pytest

from charges import review, secondary
from charges.errors import Refused
from charges.reconcile import reconcile
from charges.tables import ChargeStatus, ClaimRow
from charges.x12 import check, reader
from rules.examples import COVERAGE, MEDICAID, MEDICARE, TODAY, charge, facts
from rules.structure.other_payer_out_of_balance import other_payer_out_of_balance
from tests.practice import Workplace
from tests.replies import a835, decided, denied, paid, taken_back

FIRST, SECOND = "CR00000000101", "CR00000000102"


@pytest.fixture
def sent(workplace: Workplace) -> Workplace:
    """A charge of a patient with two policies, claimed of the first payer."""
    workplace.source.put(charge(coverages=(COVERAGE, MEDICAID)))
    workplace.run()
    return workplace


def _reply(workplace: Workplace, content: bytes) -> None:
    inbound = workplace.folder / "inbound"
    inbound.mkdir(exist_ok=True)
    (inbound / f"{len(list(inbound.iterdir())):03d}.x12").write_bytes(content)
    workplace.run("queue", "generate", "deliver")


def _claims(workplace: Workplace) -> list[tuple[int, bool]]:
    with workplace.database.transaction() as session:
        return [(row.payer_rank, row.live) for row in session.query(ClaimRow).order_by(ClaimRow.id)]


def _what(workplace: Workplace) -> list[tuple[str, str]]:
    return [(event.what, event.detail) for event in review.case(workplace.database, 1).events]


def test_the_next_payer_is_told_what_the_first_decided(sent: Workplace) -> None:
    _reply(sent, a835(*paid(FIRST), paid="80"))
    assert _claims(sent) == [(1, True), (2, True)]
    assert list(sent.states().values()) == [ChargeStatus.CLAIMED]
    content = sent.files()[1].read_bytes()
    assert check.pyx12_alone(content)
    assert check.check(content).valid
    text = content.decode()
    for segment in (
        "SBR*S*18*",
        "NM1*PR*2*ILLINOIS MEDICAID*",
        "SBR*P*18*GRP-2201",
        "AMT*D*80~",
        "SVD*PRM01*80*HC:99213**1~",
        "CAS*CO*45*50~",
        "CAS*PR*3*20~",
        "DTP*573*D8*20261201~",
        "AMT*EAF*20~",
    ):
        assert segment in text, segment


def test_it_is_billed_once_however_often_the_stage_runs(sent: Workplace) -> None:
    _reply(sent, a835(*paid(FIRST), paid="80"))
    sent.run("generate", "generate")
    assert _claims(sent) == [(1, True), (2, True)]


def test_a_denial_goes_on_only_when_a_person_asks(sent: Workplace) -> None:
    with pytest.raises(Refused, match="not decided yet"):
        secondary.ask(sent.database, 1, by="rosalind", reason="benefit exhausted", clock=sent.clock)
    _reply(sent, a835(*denied(FIRST, "119"), paid="0"))
    item = next(each for each in review.case(sent.database, 1).items if each.finding.rule == "835")
    review.waive(sent.database, item.number, by="rosalind", reason="right", clock=sent.clock)
    sent.run("generate")
    assert _claims(sent) == [(1, True)]
    assert _what(sent)[-1] == ("no next payer", "The payer denied the claim.")
    secondary.ask(sent.database, 1, by="rosalind", reason="benefit exhausted", clock=sent.clock)
    sent.run("generate")
    assert _claims(sent) == [(1, True), (2, True)]


@pytest.mark.parametrize(
    ("status", "amounts", "why"),
    [
        ("19", "150*80*20", "The payer sent the claim on itself."),
        ("1", "150*100*0", "The patient owes nothing."),
    ],
)
def test_what_needs_no_claim_is_left_with_the_reason(sent: Workplace, status: str, amounts: str, why: str) -> None:
    _, dollars, owed = amounts.split("*")
    segments = [f"SVC*HC:99213*150*{dollars}**1", "CAS*CO*45*50", *([f"CAS*PR*3*{owed}"] if owed != "0" else [])]
    _reply(sent, a835(*decided(FIRST, amounts, *segments, status=status), paid=dollars))
    assert _claims(sent) == [(1, True)]
    assert _what(sent)[-1] == ("no next payer", why)


def test_a_decision_taken_back_after_the_next_claim_left_is_put_before_a_person(sent: Workplace) -> None:
    _reply(sent, a835(*paid(FIRST), paid="80"))
    _reply(sent, a835(*taken_back(FIRST), *denied(FIRST), paid="-80", trace="EFT2"))
    assert list(sent.states().values()) == [ChargeStatus.HELD]
    assert _claims(sent) == [(1, True), (2, True)]


def test_what_does_not_balance_is_held_with_a_sentence(sent: Workplace) -> None:
    _reply(sent, a835(*decided(FIRST, "140*70*20", "SVC*HC:99213*140*70**1", "CAS*CO*45*50", "CAS*PR*3*20"), paid="70"))
    assert _claims(sent) == [(1, True)]
    assert [each.finding.message for each in review.case(sent.database, 1).items if each.finding.rule == "COB-001"] == [
        (
            f"The claim to the next payer after claim {FIRST} cannot be made. "
            "The claim is 150.00, but the payer paid 70.00 and adjusted 70.00 of it."
        )
    ]


# The third payer


def _second_paid(number: str) -> list[str]:
    """What the second payer decided of 150.00: 12.00 paid, 8.00 owed, 130.00 settled by the first one."""
    line = ("SVC*HC:99213*150*12**1", "DTM*472*20261116", "CAS*OA*23*130", "CAS*PR*2*8")
    return decided(number, "150*12*8", *line, payer_number="MDC77")


@pytest.fixture
def three(workplace: Workplace) -> Workplace:
    """A charge of a patient with three policies, of which the first two payers decided."""
    workplace.source.put(charge(coverages=(MEDICARE, COVERAGE, MEDICAID)))
    workplace.run()
    _reply(workplace, a835(*paid(FIRST), paid="80"))
    _reply(workplace, a835(*_second_paid(SECOND), paid="12", trace="EFT2"))
    return workplace


def test_the_third_payer_is_told_what_both_before_it_decided(three: Workplace) -> None:
    assert _claims(three) == [(1, True), (2, True), (3, True)]
    content = three.files()[2].read_bytes()
    assert check.pyx12_alone(content)
    assert check.check(content).valid
    told = [segment.strip() for segment in content.decode().split("~")]
    assert [each[:6] for each in told if each.startswith("SBR*")] == ["SBR*T*", "SBR*P*", "SBR*S*"]
    assert [each.split("*")[9] for each in told if each.startswith("NM1*PR*")] == ["ILMCD", "00952", "PRM01"]
    assert [each for each in told if each.startswith("AMT*D*")] == ["AMT*D*80", "AMT*D*12"]
    of_line = told[told.index("SVD*00952*80*HC:99213**1") :]
    assert [each for each in of_line if each.split("*")[0] in ("SVD", "CAS", "AMT")] == [
        "SVD*00952*80*HC:99213**1",
        "CAS*CO*45*50",
        "CAS*PR*3*20",
        "AMT*EAF*20",
        "SVD*PRM01*12*HC:99213**1",
        "CAS*OA*23*130",
        "CAS*PR*2*8",
        "AMT*EAF*8",
    ]
    (claim,) = reader.read(content)
    assert not other_payer_out_of_balance(facts(claim.charge)), "each payer's decision comes to the charge"
    applied = three.applied
    assert reconcile(three.database, applied.id, applied.practice, TODAY).holds


def test_the_third_payer_waits_for_the_second(workplace: Workplace) -> None:
    workplace.source.put(charge(coverages=(MEDICARE, COVERAGE, MEDICAID)))
    workplace.run()
    _reply(workplace, a835(*paid(FIRST), paid="80"))
    workplace.run("generate")
    assert _claims(workplace) == [(1, True), (2, True)]
