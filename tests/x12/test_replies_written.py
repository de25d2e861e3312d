"""A 277CA and an 835 as we write them: valid by their guides, and read back as what they say."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charges.model import Adjustment, Person
from charges.x12 import claim_acknowledgment, oracle, remittance_writing, reply, responses
from charges.x12.answers import Addressee, ClaimAnswer, FileAnswer, Outcome
from charges.x12.claim_acknowledgment import Acknowledged, ClaimStatus, LineStatus, ProviderStatus, Status
from charges.x12.remittance import ClaimPayment, LinePayment, Party, ProviderAdjustment, Remittance
from charges.x12.remittance_writing import VERSION, Office
from charges.x12.scanner import scan
from tests.conftest import NOON
from tests.x12.test_guide import PLAIN

ISA, GS = [segment for segment, _ in scan(PLAIN)][:2]
TO = Addressee((ISA[6].strip(), GS[2]), ISA[15])
DAY = date(2026, 11, 16)
OFFICE = Office("1 Prairie Way", "Springfield", "IL", "62701", "217-555-0199")
TAKEN, REFUSED = Status("A2", "20", "PR"), Status("A7", "562", "85", "NOT ENROLLED WITH US")


def _back(group: reply.Group) -> bytes:
    return reply.as_bytes(reply.interchange(ISA, GS, [group], NOON, 5))


# 277CA


def _claim(number: str, status: Status, *lines: LineStatus) -> ClaimStatus:
    who = Person(last_name="Larkspur", first_name="Odette")
    payer_number = "PRM0001" if status is TAKEN else ""
    return ClaimStatus(number, who, "PMH8812345", Decimal(150), DAY, status, payer_number, lines)


def _acknowledged(*providers: ProviderStatus, **of_all: Status) -> bytes:
    said = Acknowledged(
        "0000000010001", ("PRAIRIE", "PRM01"), ("LAKESIDE", "LAKE01"), Decimal(300), providers, **of_all
    )
    return _back(claim_acknowledgment.functional_group([said], NOON))


def test_claims_are_acknowledged_one_by_one() -> None:
    line = LineStatus("99213", Decimal(150), DAY, Status("A7", "454"))
    claims = (_claim("CR1", TAKEN), _claim("CR2", REFUSED), _claim("CR3", Status("A7", "454"), line))
    answers = responses.read(_acknowledged(ProviderStatus("1993999998", "LAKESIDE", claims)))
    said = [(each.claim_number, each.outcome, each.codes) for each in answers if isinstance(each, ClaimAnswer)]
    assert said == [
        ("CR1", Outcome.ACCEPTED, ("A2:20:PR",)),
        ("CR2", Outcome.REJECTED, ("A7:562:85",)),
        ("CR3", Outcome.REJECTED, ("A7:454",)),
    ]
    taken, refused, of_line = answers
    assert isinstance(taken, ClaimAnswer)
    assert taken.payer_claim_number == "PRM0001"
    assert isinstance(refused, ClaimAnswer)
    assert "NOT ENROLLED WITH US" in refused.sentence
    assert isinstance(of_line, ClaimAnswer)
    assert "service line 99213" in of_line.sentence


@pytest.mark.parametrize(
    ("providers", "of_all", "provider"),
    [
        ((), {"status": Status("A3", "24", "41")}, ""),
        ((ProviderStatus("1993999998", "LAKESIDE", status=REFUSED),), {}, "1993999998"),
    ],
    ids=["receiver", "provider"],
)
def test_all_claims_of_a_level_are_refused_at_once(
    providers: tuple[ProviderStatus, ...], of_all: dict[str, Status], provider: str
) -> None:
    said = [each for each in responses.read(_acknowledged(*providers, **of_all)) if isinstance(each, FileAnswer)]
    (refusal,) = [each for each in said if each.outcome is Outcome.REJECTED]
    assert (refusal.control_number, refusal.transactions, refusal.provider) == (1, ("0001",), provider)


# What pyx12's map of the 277CA demands and the guide does not: a status of the provider beside those of its claims.
DEMANDED = {("STC", "3")}


def test_the_277ca_is_valid_by_its_own_guide() -> None:
    line = LineStatus("99213", Decimal(150), DAY, Status("A7", "454"))
    claims = (_claim("CR1", TAKEN), _claim("CR2", REFUSED), _claim("CR3", Status("A7", "454"), line))
    content = _acknowledged(ProviderStatus("1993999998", "LAKESIDE", claims))
    assert {(each.segment, each.code) for each in oracle.ask([content.decode()]).faults} == DEMANDED


# 835


MONEY = st.decimals(-9_999, 9_999, places=2)
WORDS = st.text("ABCDEFGHKLMNPRSTUVWXYZ", min_size=1, max_size=12)
DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
PEOPLE = st.builds(Party, name=WORDS, first_name=WORDS, qualifier=st.just("MI"), identifier=WORDS)
# Adjustments of one group are written together, so one of each group is as good as several.
ADJUSTMENTS = st.lists(
    st.builds(
        Adjustment, group=st.sampled_from(("CO", "PR", "OA")), reason=st.sampled_from(("45", "2", "197")), amount=MONEY
    ),
    max_size=3,
    unique_by=lambda each: each.group,
).map(tuple)
LINES = st.builds(
    LinePayment,
    code_qualifier=st.just("HC"),
    code=st.sampled_from(("99213", "36415", "J3420")),
    charged=MONEY,
    paid=MONEY,
    modifiers=st.sampled_from(((), ("25",), ("95", "GT"))),
    units=st.integers(1, 20).map(Decimal),
    original_code=st.sampled_from(("", "99214")),
    service_from=DAYS,
    service_to=DAYS,
    adjustments=ADJUSTMENTS,
    remarks=st.sampled_from(((), ("N115",), ("M62", "N19"))),
    control_number=WORDS,
    allowed=st.none() | MONEY,
)
CLAIMS = st.builds(
    ClaimPayment,
    number=WORDS,
    status=st.sampled_from(("1", "2", "4", "22")),
    charged=MONEY,
    paid=MONEY,
    patient_responsibility=MONEY,
    filing_code=st.sampled_from(("12", "MB")),
    payer_claim_number=WORDS,
    facility_type=st.just("11"),
    frequency=st.sampled_from("178"),
    adjustments=ADJUSTMENTS,
    patient=PEOPLE,
    corrected_patient=st.none() | PEOPLE,
    next_payer=st.none() | st.builds(Party, name=WORDS, qualifier=st.just("PI"), identifier=WORDS),
    statement_from=st.none() | DAYS,
    received_on=st.none() | DAYS,
    lines=st.lists(LINES, max_size=3).map(tuple),
)
REMITTANCES = st.builds(
    Remittance,
    to=st.just(TO),
    transaction=st.just("0001"),
    version=st.just(VERSION),
    handling=st.sampled_from("IH"),
    paid=st.decimals(0, 99_999, places=2),
    is_debit=st.booleans(),
    method=st.sampled_from(("CHK", "NON")),
    paid_on=DAYS,
    trace=WORDS,
    payer_number=st.from_regex(r"1[0-9]{9}", fullmatch=True),
    produced_on=st.none() | DAYS,
    payer=st.builds(Party, name=WORDS),
    payee=st.builds(Party, name=WORDS, qualifier=st.just("XX"), identifier=st.just("1993999998")),
    payee_tax_number=st.sampled_from(("", "364711208")),
    claims=st.lists(CLAIMS, max_size=3).map(tuple),
    provider_adjustments=st.lists(
        st.builds(
            ProviderAdjustment,
            provider=st.just("1993999998"),
            fiscal_period_end=DAYS,
            reason=st.sampled_from(("WO", "FB", "L6")),
            reference=WORDS,
            amount=MONEY,
        ),
        max_size=2,
    ).map(tuple),
)


@given(st.lists(REMITTANCES, min_size=1, max_size=2))
def test_a_remittance_is_read_back_as_it_was_written(remittances: list[Remittance]) -> None:
    read = responses.read(_back(remittance_writing.functional_group(remittances, OFFICE)))
    assert len(read) == len(remittances)
    for place, (before, after) in enumerate(zip(remittances, read, strict=True), 1):
        assert isinstance(after, Remittance)
        assert after == Remittance(
            **{name: getattr(before, name) for name in before.__slots__} | {"transaction": f"{place:04d}"}
        )


def test_the_835_is_valid_by_its_own_guide() -> None:
    line = LinePayment(
        "HC",
        "99213",
        Decimal(150),
        Decimal(80),
        ("25",),
        service_from=DAY,
        service_to=DAY,
        adjustments=(
            Adjustment(group="CO", reason="45", amount=Decimal(50)),
            Adjustment(group="PR", reason="3", amount=Decimal(20)),
        ),
        remarks=("N115",),
        control_number="CR1-1",
        allowed=Decimal(100),
    )
    who = Party("LARKSPUR", "ODETTE", "", "MI", "PMH8812345")
    claim = ClaimPayment(
        "CR1", "1", Decimal(150), Decimal(80), Decimal(20), "12", "PRM0001", "11", "1", patient=who, lines=(line,)
    )
    paid = Remittance(
        to=TO,
        transaction="0001",
        version=VERSION,
        handling="I",
        paid=Decimal(80),
        is_debit=False,
        method="CHK",
        paid_on=DAY,
        trace="CHK1001",
        payer_number="1370000001",
        produced_on=DAY,
        payer=Party("PRAIRIE MUTUAL HEALTH"),
        payee=Party("LAKESIDE FAMILY MEDICINE", "", "", "XX", "1993999998"),
        payee_tax_number="364711208",
        claims=(claim,),
    )
    content = _back(remittance_writing.functional_group([paid], OFFICE))
    assert oracle.ask([content.decode()]).faults == []
