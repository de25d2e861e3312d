"""What a trading partner's profile can say of its files, each wish by what it changes in a file."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from charges.errors import BadProfile
from charges.model import SELF, Charge, Facility, LineAdjudication, Provider
from charges.practice.partner import Delimiters, TradingPartner
from charges.practice.profile import parse_profile, read_profile
from charges.x12 import check
from rules.examples import BILLING_PROVIDER, CHILD_SUBSCRIBER, COVERAGE, MEDICARE, PATIENT, charge, line
from rules.full_charge import full_charge
from tests.practice import PROFILE
from tests.x12.files import partner, read, said, written

EXAMPLE = Path(__file__).parents[2] / "charges" / "practice" / "examples" / "lakeside.yaml"
CHILD = COVERAGE.model_copy(
    update={"relationship": "19", "subscriber": CHILD_SUBSCRIBER, "patient_member_id": "PMH8812345-02"}
)


def wish(given: Charge, *beginnings: str, **wishes: Any) -> list[str]:
    """The segments that begin so, in the file of a charge to a partner with these wishes."""
    content = written(given, to=partner(**wishes))
    assert check.check(content).valid
    return said(content, *beginnings)


def faults(**wishes: Any) -> list[str]:
    """What is said of a profile whose partner has these wishes."""
    document = yaml.safe_load(PROFILE)
    document["trading_partner"] |= wishes
    with pytest.raises(BadProfile) as caught:
        parse_profile(yaml.safe_dump(document))
    return [re.sub(r"^line \d+: ", "", each) for each in caught.value.faults]


# Who is who


def test_ids_stand_in_both_envelopes() -> None:
    ids = {"sender_qualifier": "30", "sender_id": "364711208", "receiver_qualifier": "01", "receiver_id": "133052274"}
    isa, gs = wish(charge(), "ISA", "GS", **ids)
    assert isa.split("*")[5:9] == ["30", "364711208      ", "01", "133052274      "]
    assert gs.split("*")[2:4] == ["364711208", "133052274"]


def test_the_application_may_have_ids_of_its_own() -> None:
    isa, gs = wish(charge(), "ISA", "GS", application_sender_id="LAKEAPP", application_receiver_id="CLAIMS")
    assert [each.strip() for each in isa.split("*")[6:9:2]] == ["LAKE01", "PRAIRIE"]
    assert gs.split("*")[2:4] == ["LAKEAPP", "CLAIMS"]


def test_ids_for_test_count_until_production() -> None:
    for_test = {"sender_id": "LAKE01", "receiver_id": "PRAIRIETEST"}
    for usage, receiver in (("T", "PRAIRIETEST"), ("P", "PRAIRIE")):
        isa, gs = wish(charge(), "ISA", "GS", usage=usage, for_test=for_test)
        assert (isa.split("*")[8].strip(), isa.split("*")[15], gs.split("*")[3]) == (receiver, usage, receiver)


def test_a_ta1_is_asked_for_or_not() -> None:
    for wanted in (True, False):
        (isa,) = wish(charge(), "ISA", acknowledgment_requested=wanted)
        assert isa.split("*")[14] == str(int(wanted))


def test_an_interchange_is_always_106_characters_to_its_first_terminator() -> None:
    assert written(charge(), to=partner(sender_id="A", receiver_id="ABCDEFGHIJKLMNO"))[:106].endswith(b":~")


# Spelling


def test_delimiters_of_the_partner() -> None:
    marks = {"element": "|", "component": ">", "repetition": "!", "segment": "\n"}
    content = written(full_charge(), to=partner(delimiters=marks, line_end="none"))
    assert content.startswith(b"ISA|00|")
    assert content[82:83] + content[104:106] == b"!>\n"
    assert b"\nSV1|HC>A0429>RH|350.75|UN|1|||1\n" in content
    assert not {b"~", b"^", b":", b"*"} & {content[place : place + 1] for place in range(len(content))}
    assert check.check(content).valid


def test_the_partners_own_delimiters_are_taken_out_of_text() -> None:
    patient = PATIENT.model_copy(update={"last_name": "A|B>C!D"})
    marks = {"element": "|", "component": ">", "repetition": "!", "segment": "~"}
    content = written(charge(patient=patient), to=partner(delimiters=marks, character_set="extended"))
    assert b"NM1|IL|1|A B C D|" in content


@pytest.mark.parametrize(("line_end", "ending"), [("none", b""), ("lf", b"\n"), ("crlf", b"\r\n")])
def test_line_ends(line_end: str, ending: bytes) -> None:
    content = written(charge(), to=partner(line_end=line_end))
    assert content.endswith(b"IEA*1*000000001~" + ending)
    assert content.count(b"~" + ending) == content.count(b"~")
    assert content.count(b"\n") == (0 if line_end == "none" else content.count(b"~"))


def test_small_letters_need_the_extended_set() -> None:
    patient = PATIENT.model_copy(update={"first_name": "Zoë_m@rie"})
    given = charge(patient=patient)
    assert wish(given, "NM1*IL")[0].split("*")[3:5] == ["LARKSPUR", "ZOE M RIE"]
    assert wish(given, "NM1*IL", character_set="extended")[0].split("*")[3:5] == ["LARKSPUR", "ZOE_M@RIE"]
    as_given = wish(given, "NM1*IL", character_set="extended", letter_case="as_given")
    assert as_given[0].split("*")[3:5] == ["Larkspur", "Zoe_m@rie"]


def test_an_e_mail_address_is_sent_where_it_can_be_spelt() -> None:
    given = charge(billing_provider=BILLING_PROVIDER.model_copy(update={"email": "office@lakeside.example"}))
    assert wish(given, "PER")[1] == "PER*IC*IMOGEN VALE*TE*2175550100"
    assert wish(given, "PER", character_set="extended")[1].endswith("*EM*OFFICE@LAKESIDE.EXAMPLE")


# Limits


def test_claims_of_a_transaction_set() -> None:
    assert partner().claims_per_transaction == 5000
    content = written(*[charge()] * 5, to=partner(claims_per_transaction=2))
    assert len(said(content, "ST*")) == 3
    assert len(said(content, "ISA")) == len(said(content, "GS*")) == 1


# Numbers


def test_the_template_of_claim_numbers() -> None:
    assert partner().number_of_claim(42, 1) == "CR00000004201"
    assert partner(claim_number="LK-{charge}-{attempt}").number_of_claim(42, 3) == "LK-42-3"


def test_the_template_of_line_numbers_counts_where_a_line_has_none() -> None:
    given = charge(line(), line(control_number="OWN7"))
    assert wish(given, "REF*6R") == ["REF*6R*CR00000000101-1", "REF*6R*OWN7"]
    assert wish(given, "REF*6R", line_number="{claim}L{line:02d}") == ["REF*6R*CR00000000101L01", "REF*6R*OWN7"]
    assert wish(given, "REF*6R", line_number="") == ["REF*6R*OWN7"]


def test_the_name_of_a_file() -> None:
    built = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
    named = partner(file_name="{usage}_{partner}_{built:%Y%m%d%H%M}_{control:09d}_{digest}.x12")
    assert named.name_of_file(7, "abcdef0123456789", built) == "T_prairie-rcm_202611231205_000000007_abcdef012345.x12"


# Wishes


def test_zip_codes() -> None:
    short = BILLING_PROVIDER.address.model_copy(update={"postal_code": "62701"})
    site = Facility(name="Annex", npi="1992700008", address=short.model_copy(update={"line1": "9 Pier Road"}))
    patient = PATIENT.model_copy(update={"address": PATIENT.address.model_copy(update={"postal_code": "62704-1234"})})
    given = charge(
        billing_provider=BILLING_PROVIDER.model_copy(update={"address": short}), facility=site, patient=patient
    )

    def codes(**wishes: Any) -> list[str]:
        return [each.split("*")[3] for each in said(written(given, to=partner(**wishes)), "N4")]

    assert codes() == ["62701", "627041234", "62701"]
    assert codes(zip_extension="9998") == ["627019998", "627041234", "627019998"]
    assert codes(zip_elsewhere="five") == ["62701", "62704", "62701"]
    assert check.check(written(given, to=partner(zip_extension="9998"))).valid


def test_a_foreign_postal_code_is_left_alone() -> None:
    abroad = PATIENT.address.model_copy(update={"postal_code": "K1A0B1", "country": "CA", "state": "ON"})
    given = charge(patient=PATIENT.model_copy(update={"address": abroad}))
    assert wish(given, "N4", zip_elsewhere="five")[1] == "N4*SPRINGFIELD*ON*K1A0B1*CA"


def test_taxonomies_may_be_left_out() -> None:
    assert wish(charge(), "PRV") == ["PRV*BI*PXC*207Q00000X", "PRV*PE*PXC*207Q00000X"]
    assert wish(full_charge(), "PRV", taxonomies=False) == []


def test_a_facility_that_is_the_billing_provider_is_left_out_or_repeated() -> None:
    site = Facility(name="Lakeside Family Medicine", npi=BILLING_PROVIDER.npi, address=BILLING_PROVIDER.address)
    assert wish(charge(facility=site), "NM1*77") == []
    repeated = wish(charge(facility=site), "NM1*77", omit_facility_equal_to_billing=False)
    assert repeated == ["NM1*77*2*LAKESIDE FAMILY MEDICINE*****XX*1993999998"]


def test_a_rendering_provider_who_is_the_billing_provider_is_left_out_or_repeated() -> None:
    alone = Provider(last_name="Fenwick", first_name="Tobias", npi=BILLING_PROVIDER.npi)
    assert wish(charge(rendering_provider=alone), "NM1*82") == []
    repeated = wish(charge(rendering_provider=alone), "NM1*82", omit_rendering_equal_to_billing=False)
    assert repeated == ["NM1*82*1*FENWICK*TOBIAS****XX*1993999998"]


@pytest.mark.parametrize("named", ["PRM01", "CI"])
def test_a_dependent_is_sent_as_subscriber_to_payers_that_know_no_dependents(named: str) -> None:
    given = charge(coverages=(CHILD,))
    content = written(given, to=partner(dependent_as_subscriber=[named]))
    assert said(content, "SBR", "NM1*IL", "NM1*QC", "PAT") == [
        "SBR*P*18*GRP-2201******CI",
        "NM1*IL*1*LARKSPUR*ODETTE****MI*PMH8812345-02",
    ]
    assert check.check(content).valid
    assert len(said(written(given, to=partner(dependent_as_subscriber=["MB"])), "NM1*QC")) == 1


def test_a_dependent_of_an_other_payer_too() -> None:
    other = CHILD.model_copy(update={"payer": MEDICARE.payer})
    (found,) = read(written(charge(coverages=(COVERAGE, other)), to=partner(dependent_as_subscriber=["MB"])))
    assert [each.relationship for each in found.charge.coverages] == [SELF, SELF]


def test_the_partners_ids_of_payers_stand_wherever_a_payer_is_named() -> None:
    other = MEDICARE.model_copy(update={"relationship": SELF})
    decided = line(
        adjudications=(LineAdjudication(payer_id="00952", paid=Decimal(80), code="99213", paid_units=Decimal(1)),)
    )
    given = charge(decided, coverages=(COVERAGE, other))
    content = written(given, to=partner(payer_ids={"PRM01": "60054", "00952": "SMIL0"}))
    assert [each.rsplit("*", 1)[1] for each in said(content, "NM1*PR")] == ["60054", "SMIL0"]
    assert said(content, "SVD")[0].startswith("SVD*SMIL0*80*")
    numbers = written(full_charge(), to=partner(payer_ids={"PAY01": "REAL1"}))
    assert said(numbers, "REF*G1*AUTH-OF", "REF*9F*REFERRAL-OF") == [
        "REF*G1*AUTH-OF-1**2U:REAL1",
        "REF*9F*REFERRAL-OF-1**2U:REAL1",
    ]


def test_the_partners_codes_of_claim_filing() -> None:
    (policy,) = wish(charge(), "SBR", claim_filing_codes={"CI": "BL"})
    assert policy.endswith("*BL")


def test_wishes_change_the_file_and_never_the_charge() -> None:
    given = charge(coverages=(CHILD,))
    before = given.model_dump_json()
    written(given, to=partner(dependent_as_subscriber=["CI"], payer_ids={"PRM01": "X1"}, zip_elsewhere="five"))
    assert given.model_dump_json() == before


# Faults


@pytest.mark.parametrize(
    ("wishes", "place", "sentence"),
    [
        ({"sender_id": "SIXTEENCHARACTER"}, "sender_id", "needs 1 to 15 capitals"),
        ({"sender_id": "a*b"}, "sender_id", "needs 1 to 15 capitals"),
        ({"usage": "X"}, "usage", "'T' or 'P'"),
        ({"for_test": {"sender_id": "A"}}, "for_test.receiver_id", "is missing"),
        ({"delimiters": {"element": "~"}}, "delimiters", "four different ASCII characters"),
        ({"delimiters": {"element": "**"}}, "delimiters", "four different ASCII characters"),
        ({"delimiters": {"element": "-"}}, "delimiters", "a delimiter is no letter, digit, dot or dash"),
        ({"delimiters": {"segment": "\n"}}, "trading_partner", "line_end is none where a line break is the segment"),
        ({"letter_case": "as_given"}, "trading_partner", "letter_case as_given needs character_set extended"),
        ({"character_set": "utf-8"}, "character_set", "'basic' or 'extended'"),
        ({"claims_per_transaction": 0}, "claims_per_transaction", "greater than or equal to 1"),
        ({"claim_number": "CR{charge}{attempt}"}, "trading_partner", "it must tell every charge and attempt apart"),
        ({"claim_number": "CR{charge:09d}"}, "trading_partner", "it must tell every charge and attempt apart"),
        ({"claim_number": "{patient}-{charge}-{attempt}"}, "trading_partner", "claim_number is made of capitals"),
        ({"claim_number": "LAKESIDE-{charge:09d}-{attempt:02d}"}, "trading_partner", "in at most 20 characters"),
        ({"line_number": "{claim}"}, "trading_partner", "it must tell every claim and line apart"),
        ({"line_number": "{line:09d}"}, "trading_partner", "it must tell every claim and line apart"),
        ({"zip_extension": "99"}, "zip_extension", "needs four digits or nothing"),
        ({"claim_filing_codes": {"CI": "LONG"}}, "claim_filing_codes", "needs a code of one or two characters"),
        ({"file_name": "{partner}_{built:%Y%m%d%H%M}.837"}, "trading_partner", "it must use {control}"),
        ({"file_name": "{partner}/{control}"}, "trading_partner", "file_name is made of letters"),
        ({"payer_id_map": {}}, "payer_id_map", "is not a setting that exists; check the spelling"),
    ],
)
def test_a_fault_is_told_with_its_place(wishes: dict[str, Any], place: str, sentence: str) -> None:
    (fault,) = faults(**wishes)
    assert fault.startswith(f"trading_partner.{place}" if place != "trading_partner" else place)
    assert sentence in fault


def test_every_setting_is_shown_in_the_example() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    part = text[text.index("trading_partner:") : text.index("billing_provider:")]
    for name in (*TradingPartner.model_fields, *Delimiters.model_fields):
        assert re.search(rf"[\s{{#]{name}:", part), f"{name} is not shown"
    assert read_profile(EXAMPLE).trading_partner.code == "prairie-rcm"


def test_what_the_example_leaves_open_is_what_the_guide_wants() -> None:
    shown = read_profile(EXAMPLE).trading_partner
    given = [charge(), full_charge(), charge(coverages=(CHILD,))]
    assert written(*given, to=shown) == written(*given, to=partner())
