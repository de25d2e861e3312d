"""A remittance (835): what was paid, denied or taken back, and whether it adds up."""

import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charges.errors import Unreadable
from charges.model import Adjustment
from charges.x12.remittance import ClaimPayment, Decision, LinePayment, ProviderAdjustment, Remittance
from charges.x12.remittance_balance import unbalanced
from charges.x12.responses import Addressee, remittances
from charges.x12.scanner import Delimiters
from tests.replies import a835, accepted, decided, denied, group, interchange, paid, payment, taken_back

OTHERS = Path(__file__).parents[3] / "shared" / "data" / "x12"


def _remittance(content: bytes) -> Remittance:
    (found,) = remittances(content)
    return found


def _claim(*segments: str) -> ClaimPayment:
    (found,) = _remittance(a835(*segments, paid="0")).claims
    return found


def _sentences(content: bytes) -> list[str]:
    return [fault.sentence for each in remittances(content) for fault in unbalanced(each)]


# Read


def test_a_payment_names_who_pays_whom_what_and_when() -> None:
    found = _remittance(a835(*paid("CR1"), paid="80"))
    assert (found.trace, found.payer_number, found.paid, found.method) == ("EFT1001", "1370000001", Decimal(80), "ACH")
    assert (found.paid_on, found.produced_on) == (date(2026, 12, 1), date(2026, 11, 30))
    assert (found.payer.name, found.payee.identifier) == ("PRAIRIE MUTUAL HEALTH", "1993999998")
    assert found.payee_tax_number == "364711208"
    assert not unbalanced(found)


def test_a_claim_has_its_amounts_numbers_dates_and_lines() -> None:
    segments = decided(
        "CR1",
        "300*180*20",
        "NM1*74*1*LARKSPUR*ODETTA",
        "NM1*TT*2*HARBOR SUPPLEMENT*****PI*HS1",
        "MOA***MA01*MA18",
        "DTM*232*20261116",
        "DTM*050*20261124",
        "SVC*HC:99214:25*150*100**1*HC:99215",
        "DTM*150*20261116",
        "DTM*151*20261117",
        "CAS*CO*45*30**253*20*1",
        "REF*6R*CR1-1",
        "AMT*B6*120",
        "LQ*HE*N130",
        "SVC*NU:0450*150*80*0450*2",
        "CAS*PR*3*20",
        "CAS*CO*45*50",
        status="19",
    )
    claim = _claim(*segments)
    assert (claim.number, claim.status, claim.payer_claim_number) == ("CR1", "19", "PRM26A7")
    assert [claim.charged, claim.paid, claim.patient_responsibility, claim.written_off] == [300, 180, 20, 100]
    assert (claim.statement_from, claim.received_on) == (date(2026, 11, 16), date(2026, 11, 24))
    assert claim.remarks == ("MA01", "MA18")
    assert claim.patient is not None
    assert claim.corrected_patient is not None
    assert claim.next_payer is not None
    assert (claim.patient.name, claim.corrected_patient.first_name) == ("LARKSPUR", "ODETTA")
    assert claim.next_payer.name == "HARBOR SUPPLEMENT"
    first, second = claim.lines
    assert (first.code, first.modifiers, first.original_code, first.control_number) == (
        "99214",
        ("25",),
        "99215",
        "CR1-1",
    )
    assert (first.service_from, first.service_to) == (date(2026, 11, 16), date(2026, 11, 17))
    assert first.allowed == Decimal(120)
    assert first.adjustments == (
        Adjustment(group="CO", reason="45", amount=Decimal(30)),
        Adjustment(group="CO", reason="253", amount=Decimal(20), quantity=Decimal(1)),
    )
    assert first.remarks == ("N130",)
    assert (second.code, second.revenue_code, second.units) == ("0450", "0450", Decimal(2))


def test_an_inpatient_claim_has_its_remarks() -> None:
    claim = _claim(*decided("CR1", "150*150*0", "MIA*3**5*150*N106"))
    assert claim.inpatient is not None
    assert (claim.inpatient.covered_days, claim.remarks) == (Decimal(3), ("N106",))


def test_the_providers_account_has_each_reason_with_its_amount() -> None:
    found = _remittance(a835(*paid("CR1"), "PLB*1993999998*20261231*WO:PRM77*30*L6*-1.50*FB:X*-5", paid="56.5"))
    assert [(each.reason, each.amount) for each in found.provider_adjustments] == [
        ("WO", 30),
        ("L6", Decimal("-1.50")),
        ("FB", -5),
    ]
    assert found.provider_adjustments[0].reference == "PRM77"
    assert not unbalanced(found)


@pytest.mark.parametrize(
    "cut",
    [
        Delimiters(element="|", component=">", repetition="!", segment="\n"),
        Delimiters(element="\x1d", component="\x1f", repetition="\x1e", segment="\x1c"),
    ],
)
def test_any_delimiters(cut: Delimiters) -> None:
    segments = [*paid("CR1"), *denied("CR2")]
    assert _remittance(a835(*segments, paid="80", cut=cut)) == _remittance(a835(*segments, paid="80"))


def test_payments_come_one_by_one_from_several_interchanges_and_transaction_sets() -> None:
    two = group(
        payment(*paid("CR1"), paid="80", trace="A"), payment(*paid("CR2"), paid="80", trace="B"), code="HP", version="X"
    )
    content = interchange(*two) + a835(*paid("CR3"), paid="80", trace="C") + b"\r\n" + accepted(1)
    assert [each.trace for each in remittances(io.BytesIO(content))] == ["A", "B", "C"]
    started = remittances(content[: content.index(b"TRN*1*C")])
    assert (next(started).trace, next(started).trace) == ("A", "B")
    with pytest.raises(Unreadable):
        next(started)


@pytest.mark.parametrize("version", ["005010X221", "005010X221A1", "004010X091A1", ""])
def test_every_guide_of_remittances_is_read(version: str) -> None:
    content = interchange(*group(payment(*paid("CR1"), paid="80"), code="HP", version=version))
    assert _remittance(content).claims[0].paid == 80


def test_nobody_stands_in_a_repr() -> None:
    shown = repr(_remittance(a835(*paid("CR1"), "PLB*1993999998*20261231*WO:ACCOUNT77*0", paid="80")))
    assert not [each for each in ("LARKSPUR", "ODETTE", "PMH8812345", "ACCOUNT77", "364711208") if each in shown]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (accepted(1), "holds no remittance"),
        (a835(*paid("CR1"), paid="80").replace(b"BPR*I*80*", b"BPR*I*8O*"), "BPR02 of the payment"),
        (a835(*paid("CR1"), paid="80").replace(b"TRN*1*EFT1001", b"TRN*1*"), "does not name its payment"),
        (a835(*decided("CR1", "150*"), paid="0"), "CLP04 of claim 1"),
        (a835(*paid("CR1"), *decided("CR2", "150*1E3"), paid="0"), "CLP04 of claim 2"),
        (a835(*decided("CR1", f"150*{10**12}"), paid="0"), "CLP04 of claim 1"),
        (a835(*paid("CR1"), "SVC*HC:99213*x*0", paid="80"), "SVC02 of claim 1, line 2"),
        (a835(*paid("CR1"), "CAS*CO*45*x", paid="80"), "claim 1, line 1 that cannot be read"),
        (a835(*decided("CR1", "150*0", "CAS*CO**150"), paid="80"), "claim 1 that cannot be read"),
        (a835("PLB*1993999998*20261231*WO*", paid="80"), "PLB04 of the provider's account"),
    ],
)
def test_money_that_cannot_be_read_is_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence) as refused:
        list(remittances(content))
    assert str(refused.value).endswith(".")


# What was decided


@pytest.mark.parametrize(
    ("segments", "decision"),
    [
        (paid("CR1"), Decision.PAID),
        (denied("CR1"), Decision.DENIED),
        (decided("CR1", "150*0*150", "CAS*PR*27*150", status="4"), Decision.DENIED),
        (decided("CR1", "150*0*0", "CAS*CO*29*150"), Decision.DENIED),
        (decided("CR1", "150*0*0", "CAS*OA*18*150"), Decision.DENIED),
        (decided("CR1", "150*0*100", "SVC*HC:99213*150*0", "CAS*CO*45*50", "CAS*PR*1*100"), Decision.PAID),
        (decided("CR1", "150*0*0", "CAS*CO*24*150"), Decision.PAID),
        (decided("CR1", "150*0*0", "CAS*OA*23*150", status="2"), Decision.PAID),
        (
            decided(
                "CR1", "160*150*0", "SVC*HC:99213*150*150", "SVC*HC:36415*10*0", "CAS*CO*97*10", "SVC*HC:0001F*0*0"
            ),
            Decision.PARTLY_DENIED,
        ),
        (taken_back("CR1"), Decision.REVERSED),
        (decided("CR1", "150*0*0", status="23"), Decision.UNDECIDED),
        (decided("CR1", "150*0*0", "CAS*OA*101*150", status="25"), Decision.UNDECIDED),
    ],
)
def test_what_a_payer_decided_is_told_by_status_reasons_and_lines(segments: Sequence[str], decision: Decision) -> None:
    assert _claim(*segments).decision is decision


# Balance


def test_a_denial_a_zero_payment_and_a_reversal_add_up() -> None:
    assert not _sentences(a835(*denied("CR1"), paid="0"))
    assert not _sentences(a835(*taken_back("CR1"), *paid("CR1"), paid="0"))
    assert not _sentences(a835(*taken_back("CR1"), "PLB*1993999998*20261231*FB:EFT1002*-80", paid="0"))


def test_a_debit_may_be_written_with_or_without_a_minus() -> None:
    content = a835(*taken_back("CR1"), paid="80")
    assert _sentences(content)
    debit = content.replace(b"BPR*I*80*C", b"BPR*I*80*D")
    assert not _sentences(debit)
    assert not _sentences(debit.replace(b"BPR*I*80", b"BPR*I*-80"))


def test_what_does_not_add_up_is_told_with_its_place() -> None:
    segments = decided("ACCOUNT9", "150*80*20", "SVC*HC:99213*140*80**1", "CAS*CO*45*50", "CAS*PR*3*20")
    content = a835(*paid("CR1"), *segments, "PLB*1993999998*20261231*WO:X*10", paid="160")
    assert _sentences(content) == [
        (
            "Line 1 of claim 2 of payment EFT1001: 140.00 charged (SVC02) less adjustments (CAS) of 70.00 is 70.00, but "
            "80.00 is paid (SVC03)."
        ),
        "Claim 2 of payment EFT1001: 150.00 is charged (CLP03), but its lines (SVC02) come to 140.00.",
        (
            "Payment EFT1001 is 160.00 (BPR02), but its claims (CLP04) come to 160.00 and the provider's account (PLB) "
            "takes 10.00, which leaves 150.00."
        ),
    ]
    (remittance,) = remittances(content)
    assert [fault.claim_number for fault in unbalanced(remittance)] == ["ACCOUNT9", "ACCOUNT9", ""]


AMOUNTS = st.decimals(-9999, 9999, places=2)
ADJUSTMENTS = st.lists(
    st.builds(
        Adjustment, group=st.sampled_from(["CO", "PR", "OA"]), reason=st.sampled_from(["1", "45", "97"]), amount=AMOUNTS
    ),
    max_size=3,
).map(tuple)


def _taken(adjustments: Sequence[Adjustment]) -> Decimal:
    return sum((each.amount for each in adjustments), Decimal(0))


@st.composite
def lines(draw: st.DrawFn) -> LinePayment:
    """A line that balances."""
    charged, adjustments = draw(AMOUNTS), draw(ADJUSTMENTS)
    return LinePayment("HC", "99213", charged, charged - _taken(adjustments), adjustments=adjustments)


@st.composite
def claims(draw: st.DrawFn) -> ClaimPayment:
    """A claim that balances, with or without lines."""
    parts, adjustments = tuple(draw(st.lists(lines(), max_size=3))), draw(ADJUSTMENTS)
    charged = sum((line.charged for line in parts), Decimal(0)) if parts else draw(AMOUNTS)
    before = sum((line.paid for line in parts), Decimal(0)) if parts else charged
    return ClaimPayment("CR1", "1", charged, before - _taken(adjustments), adjustments=adjustments, lines=parts)


@st.composite
def balanced(draw: st.DrawFn) -> Remittance:
    """A payment that balances."""
    decisions = tuple(draw(st.lists(claims(), max_size=3)))
    account = tuple(
        ProviderAdjustment("1993999998", None, "WO", "", each) for each in draw(st.lists(AMOUNTS, max_size=2))
    )
    total = sum((each.paid for each in decisions), Decimal(0)) - sum((each.amount for each in account), Decimal(0))
    return Remittance(
        to=Addressee(("LAKE01", "LAKE01"), "T"),
        transaction="0001",
        version="005010X221A1",
        handling="I",
        paid=total,
        is_debit=False,
        method="ACH",
        paid_on=None,
        trace="EFT1",
        payer_number="1",
        claims=decisions,
        provider_adjustments=account,
    )


@given(balanced())
def test_what_balances_has_no_fault(remittance: Remittance) -> None:
    assert not unbalanced(remittance)


@given(balanced(), AMOUNTS.filter(bool))
def test_a_payment_that_is_more_or_less_has_one_fault(remittance: Remittance, difference: Decimal) -> None:
    (fault,) = unbalanced(replace(remittance, paid=remittance.paid + difference))
    assert fault.place == "payment EFT1"


@given(balanced().filter(lambda each: bool(each.claims)), AMOUNTS.filter(bool), st.data())
def test_a_changed_amount_of_a_claim_or_line_is_found_there(
    remittance: Remittance, difference: Decimal, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(remittance.claims) - 1))
    claim = remittance.claims[place]
    name = data.draw(st.sampled_from(["charged", "paid"]))
    if bool(claim.lines) and data.draw(st.booleans()):
        first, *rest = claim.lines
        wrong: Any = {name: getattr(first, name) + difference}
        changed = replace(claim, lines=(replace(first, **wrong), *rest))
        wanted = f"line 1 of claim {place + 1} of payment EFT1"
    else:
        wrong = {name: getattr(claim, name) + difference}
        changed = replace(claim, **wrong)
        wanted = f"claim {place + 1} of payment EFT1"
    decisions = (*remittance.claims[:place], changed, *remittance.claims[place + 1 :])
    assert wanted in {fault.place for fault in unbalanced(replace(remittance, claims=decisions))}


# Whatever comes

WHOLE = a835(*paid("CR1"), *denied("CR2"), *taken_back("CR1"), "PLB*1993999998*20261231*WO:X*10", paid="-10")


def _read_or_refuse(content: bytes) -> None:
    with suppress(Unreadable):
        for each in remittances(content):
            unbalanced(each)
            assert all(claim.decision in Decision for claim in each.claims)


@given(st.data())
def test_a_damaged_remittance_is_read_or_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(WHOLE)))
    end = data.draw(st.integers(start, min(len(WHOLE), start + 40)))
    pieces = st.sampled_from([b"~", b"*", b"CLP*1", b"~SVC*HC:1*1*1~", b"~CAS*CO*45*1~", b"~MIA*x~", b"\xff\x00"])
    _read_or_refuse(WHOLE[:start] + data.draw(st.one_of(st.binary(max_size=20), pieces)) + WHOLE[end:])


@given(st.permutations(list(range(8, 34))), st.integers(0, 26))
def test_segments_in_any_order_are_read_or_refused(order: list[int], kept: int) -> None:
    segments = WHOLE.split(b"~")
    middle = [segments[place] for place in order[:kept]]
    _read_or_refuse(b"~".join((*segments[:8], *middle, *segments[-4:])))


# Files that others wrote


def _others() -> list[Path]:
    files = (path for path in OTHERS.rglob("*") if path.is_file() and path.suffix != ".tsv")
    return sorted(path for path in files if b"ST*835*" in path.read_bytes()[:600])


@pytest.mark.skipif(not OTHERS.is_dir(), reason="the files that others wrote are not on this machine")
def test_remittances_that_others_wrote_are_read_and_the_faulty_ones_named() -> None:
    faults = {path.name: len(_sentences(path.read_bytes())) for path in _others()}
    assert len(faults) >= 9
    assert {name for name, count in faults.items() if count} == {
        "sample1.txt",  # one cent between a line and its claim
        "sample2.txt",  # 4,000 paid of 4,199.68 with 1,201.68 owed by the patient
        "tertiary-payment.835",  # an asterisk where a component separator should be
    }
