"""Faults that other billing programs had, by the number under which they were reported: none of them is ours."""

from datetime import date
from decimal import Decimal

import pytest
import yaml

from charges.errors import BadProfile
from charges.model import Adjudication, Adjustment, Facility, LineAdjudication, References
from charges.practice.profile import parse_profile
from charges.tables import ChargeStatus
from charges.x12 import check
from rules.examples import (
    BILLING_PROVIDER,
    COVERAGE,
    MEDICARE,
    PATIENT,
    REFERRING_PROVIDER,
    SERVICE_DATE,
    charge,
    line,
)
from tests.practice import PROFILE, Workplace
from tests.x12.files import claim, said, segments, written


def test_the_submitters_electronic_id_is_there() -> None:
    """openemr#5025: NM1*41 went out without NM109."""
    assert said(written(charge()), "NM1*41") == ["NM1*41*2*LAKESIDE FAMILY MEDICINE*****46*LAKE01"]
    document = yaml.safe_load(PROFILE)
    for empty in ("", None):
        document["trading_partner"]["submitter"]["id"] = empty
        with pytest.raises(BadProfile, match=r"trading_partner\.submitter\.id"):
            parse_profile(yaml.safe_dump(document))


def test_who_referred_is_named() -> None:
    """openemr#445: the referring provider was missing."""
    content = written(charge(referring_provider=REFERRING_PROVIDER))
    assert said(content, "NM1*DN") == ["NM1*DN*1*ASHDOWN*MIRELA****XX*1679576722"]
    assert check.check(content).valid


def test_a_secondary_payer_sees_what_the_first_one_adjusted() -> None:
    """openemr#1959: secondary claims lacked the adjustments."""
    decided = (
        Adjustment(group="CO", reason="45", amount=Decimal("40.00")),
        Adjustment(group="PR", reason="2", amount=Decimal("22.00")),
    )
    first = MEDICARE.model_copy(
        update={"responsibility": "P", "adjudication": Adjudication(paid=Decimal("88.00"), paid_on=SERVICE_DATE)}
    )
    second = COVERAGE.model_copy(update={"responsibility": "S"})
    decision = LineAdjudication(
        payer_id="00952",
        paid=Decimal("88.00"),
        paid_units=Decimal(1),
        code="99213",
        adjustments=decided,
        paid_on=SERVICE_DATE,
    )
    content = written(charge(line(adjudications=(decision,)), coverages=(second, first)))
    assert [each.split("*")[1] for each in said(content, "SBR")] == ["S", "P"]
    assert said(content, "AMT*D", "SVD", "CAS") == [
        "AMT*D*88",
        "SVD*00952*88*HC:99213**1",
        "CAS*CO*45*40",
        "CAS*PR*2*22",
    ]
    assert check.check(content).valid


@pytest.mark.parametrize("npi", [BILLING_PROVIDER.npi, "1992700008", ""])
def test_a_facility_that_is_the_billing_provider_is_not_said_twice(npi: str) -> None:
    """openemr#2929: Blue Cross refused claims whose facility is the billing provider, by number or by street."""
    site = Facility(name="Lakeside", npi=npi, address=BILLING_PROVIDER.address)
    assert said(written(charge(facility=site)), "NM1*77") == []
    elsewhere = Facility(
        name="Annex", npi="1992700008", address=BILLING_PROVIDER.address.model_copy(update={"line1": "9 Pier Road"})
    )
    assert len(said(written(charge(facility=elsewhere)), "NM1*77")) == 1


def test_who_ordered_is_named_on_the_line() -> None:
    """openemr#7403: loop 2420E was missing."""
    content = written(charge(line("80053", ordering_provider=REFERRING_PROVIDER)))
    assert said(content, "NM1*DK") == ["NM1*DK*1*ASHDOWN*MIRELA****XX*1679576722"]
    assert check.check(content).valid


def test_the_billing_providers_taxonomy_is_there() -> None:
    """openemr#9376: PRV of loop 2000A was missing."""
    lines = segments(written(charge()))
    assert lines[lines.index("HL*1**20*1") + 1] == "PRV*BI*PXC*207Q00000X"


@pytest.mark.parametrize("kind", ["12", "13", "47"])
def test_why_medicare_pays_second_is_said(kind: str) -> None:
    """openemr#11869: SBR05 was wrong or missing where Medicare is secondary."""
    medicare = MEDICARE.model_copy(update={"responsibility": "S", "insurance_type": kind})
    first = COVERAGE.model_copy(
        update={"responsibility": "P", "adjudication": Adjudication(paid=Decimal(80), paid_on=date(2026, 11, 20))}
    )
    content = written(charge(coverages=(medicare, first)))
    assert said(content, "SBR") == [f"SBR*S*18***{kind}****MB", "SBR*P*18*GRP-2201******CI"]
    assert check.check(content).valid


def test_a_policy_after_medicare_says_no_reason() -> None:
    """openemr#11869: SBR05 belongs to Medicare where it is not first, and to nobody else."""
    content = written(charge(coverages=(MEDICARE, COVERAGE)))
    assert [each.split("*")[5] for each in said(content, "SBR")] == ["", ""]
    assert check.check(content).valid


def test_a_void_is_frequency_8_with_the_payers_number() -> None:
    """openemr#5634: a claim could not be voided."""
    content = written(claim(charge(references=References(payer_claim_number="ICN77")), frequency="8"))
    assert said(content, "CLM")[0].split("*")[5] == "11:B:8"
    assert said(content, "REF*F8") == ["REF*F8*ICN77"]


def test_a_code_that_says_nothing_by_itself_has_its_description() -> None:
    """openemr#4300: codes not otherwise classified went out without words."""
    content = written(charge(line("J3490", "JZ", description="Bupivacaine, 10 ml")))
    assert said(content, "SV1")[0].split("*")[1] == "HC:J3490:JZ::::BUPIVACAINE, 10 ML"
    assert check.check(content).valid


def test_se_counts_every_segment_of_its_set() -> None:
    """openemr#1068: SE01 was off."""
    content = written(*[charge(line(), line("20610"))] * 7)
    inside = segments(content)[2:-2]
    assert inside[-1] == f"SE*{len(inside)}*0001"


def test_two_batches_of_one_minute_are_two_files(small_workplace: Workplace) -> None:
    """LibreHealth lh-ehr#1022: the second was appended to the first."""
    for key in ("1", "2"):
        small_workplace.source.put(charge(key=key, patient=PATIENT.model_copy(update={"record_number": key})))
        small_workplace.run()
    first, second = small_workplace.files()
    assert first.name != second.name
    assert [each.read_bytes().count(b"ISA*") for each in (first, second)] == [1, 1]
    assert first.read_bytes()[90:99] != second.read_bytes()[90:99]


def test_an_incomplete_claim_never_leaves(small_workplace: Workplace) -> None:
    """LibreHealth lh-ehr#1023: incomplete claims could be exported."""
    small_workplace.source.put(
        charge(key="whole"),
        charge(key="no payer", coverages=()),
        charge(key="no line", patient=PATIENT.model_copy(update={"record_number": "2"})).model_copy(
            update={"lines": ()}
        ),
        charge(key="no name", patient=PATIENT.model_copy(update={"record_number": "3", "last_name": ""})),
    )
    small_workplace.run()
    states = small_workplace.states()
    assert states.pop("whole") is ChargeStatus.CLAIMED
    assert set(states.values()) == {ChargeStatus.HELD}
    (file,) = small_workplace.files()
    assert file.read_bytes().count(b"CLM*") == 1
