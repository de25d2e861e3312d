"""Claims as the loops of 005010X222A1: what is written, where, and that nothing a charge says can break a file."""

import io
import re
import tracemalloc
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import count, islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyx12.error_handler import errh_null
from pyx12.params import ParamsBase
from pyx12.x12context import X12ContextReader

from charges.model import (
    SELF,
    Adjudication,
    Attachment,
    Charge,
    Claim,
    Condition,
    Coverage,
    Diagnosis,
    Patient,
    Payer,
    Provider,
    References,
    RelatedCauses,
    Subscriber,
    walk,
)
from charges.x12 import check, oracle
from charges.x12.interchange import ControlNumbers, stream
from charges.x12.options import options_of
from charges.x12.professional import cannot_be_written
from rules.examples import (
    BILLING_PROVIDER,
    CHILD_SUBSCRIBER,
    COVERAGE,
    MEDICARE,
    PATIENT,
    RENDERING_PROVIDER,
    charge,
    line,
)
from rules.full_charge import full_charge
from tests.x12.files import AT, PARTNER, claim, partner, said, segments, written

LOOPS = "/ISA_LOOP/GS_LOOP/ST_LOOP/DETAIL/2000A/"


def loops(content: bytes) -> list[tuple[str, str]]:
    """Each segment of the detail as pyx12 places it: the loop and the segment."""
    found = []
    for tree in X12ContextReader(ParamsBase(), errh_null(), io.StringIO(content.decode())).iter_segments():
        path: str = tree.x12_map_node.get_path()
        if path.startswith(LOOPS):
            *_, loop, name = path.split("/")
            found.append((loop, name))
    return found


def every_place() -> set[tuple[str, str]]:
    """Each loop and segment that the guide has from 2000A on."""

    def inside(node: Any) -> Iterator[Any]:
        for child in (each for children in node.pos_map.values() for each in children):
            if child.is_loop():
                yield from inside(child)
            else:
                yield child

    paths = [each.get_path() for each in inside(oracle.load_map("837.5010.X222.A1.xml"))]
    return {(path.split("/")[-2], path.split("/")[-1]) for path in paths if path.startswith(LOOPS)}


def test_every_loop_and_segment_of_the_guide_can_be_written() -> None:
    places = {each for dependent in (True, False) for each in loops(written(full_charge(dependent=dependent)))}
    # pyx12 reads a certificate of medical necessity as the attachment that stands before it.
    assert every_place() - places == {("2400", "PWK[CT]")}


@pytest.mark.parametrize("dependent", [True, False])
def test_loops_stand_in_the_order_of_the_guide(*, dependent: bool) -> None:
    order = [loop for loop, _ in loops(written(full_charge(dependent=dependent)))]
    assert list(dict.fromkeys(order)) == [
        *("2000A", "2010AA", "2010AB", "2010AC", "2000B", "2010BA", "2010BB"),
        *(("2000C", "2010CA") if dependent else ()),
        *("2300", "2310A", "2310B", "2310C", "2310D", "2310E", "2310F"),
        *("2320", "2330A", "2330B", "2330C", "2330D", "2330E", "2330F", "2330G", "2400", "2410"),
        *("2420A", "2420B", "2420C", "2420D", "2420E", "2420F", "2420G", "2420H", "2430", "2440"),
    ]


@pytest.mark.parametrize("payers", [2, 3, 11])
@pytest.mark.parametrize("dependent", [True, False])
def test_two_to_eleven_payers_and_the_guide_agrees(payers: int, *, dependent: bool) -> None:
    content = written(full_charge(payers=payers, dependent=dependent))
    assert check.check(content).valid
    assert oracle.pyx12_alone(content)
    policies = [each.split("*")[1] for each in said(content, "SBR*")]
    assert policies == list("PSTABCDEFGH"[:payers])


def test_the_same_claims_make_the_same_bytes() -> None:
    charges = [charge(), full_charge(), charge(line("85025"), coverages=(MEDICARE,))]
    again = [Charge.model_validate_json(each.model_dump_json()) for each in charges]
    assert written(*charges) == written(*again)


# Counts and control numbers


def test_segments_are_counted_from_st_to_se() -> None:
    content = written(charge(), full_charge())
    inside = segments(content)[2:-2]
    assert inside[0].startswith("ST*837*0001*")
    assert inside[-1] == f"SE*{len(inside)}*0001"


def test_numbers_of_interchange_group_and_sets_agree_and_none_is_used_twice() -> None:
    to = partner(claims_per_transaction=2)
    content = written(*[charge()] * 5, to=to, control=730)
    assert said(content, "ISA")[0].split("*")[13] == "000000730"
    assert said(content, "IEA") == ["IEA*1*000000730"]
    assert said(content, "GS")[0].split("*")[6] == "730"
    assert said(content, "GE") == ["GE*3*730"]
    assert [each.split("*")[2] for each in said(content, "ST*")] == ["0001", "0002", "0003"]
    assert [each.split("*")[2] for each in said(content, "SE*")] == ["0001", "0002", "0003"]
    assert len(set(said(content, "BHT"))) == 3
    assert [len(re.findall(r"\bCLM\*", part)) for part in content.decode().split("ST*837")[1:]] == [2, 2, 1]


def test_a_file_without_claims_has_no_transaction_set() -> None:
    assert [each.split("*")[0] for each in segments(written())] == ["ISA", "GS", "GE", "IEA"]


def test_levels_are_numbered_through_a_set_and_begin_anew_with_the_next() -> None:
    child = charge(coverages=(COVERAGE.model_copy(update={"relationship": "19", "subscriber": CHILD_SUBSCRIBER}),))
    other = charge(billing_provider=BILLING_PROVIDER.model_copy(update={"npi": "1245319599"}))
    content = written(charge(), child, other, charge(), to=partner(claims_per_transaction=3))
    assert said(content, "HL*") == [
        "HL*1**20*1",
        "HL*2*1*22*0",
        "HL*3*1*22*1",
        "HL*4*3*23*0",
        "HL*5**20*1",
        "HL*6*5*22*0",
        "HL*1**20*1",
        "HL*2*1*22*0",
    ]


def test_claims_of_one_billing_provider_stand_under_one_level() -> None:
    same = charge(billing_provider=Provider.model_validate_json(BILLING_PROVIDER.model_dump_json()))
    assert len(said(written(charge(), same, charge()), "NM1*85")) == 1


# The claim


@pytest.mark.parametrize("frequency", ["7", "8"])
def test_a_replacement_and_a_void_name_the_payers_own_number(frequency: str) -> None:
    content = written(claim(charge(references=References(payer_claim_number="ICN 4711")), frequency=frequency))
    assert said(content, "CLM")[0].split("*")[5] == f"11:B:{frequency}"
    assert said(content, "REF*F8") == ["REF*F8*ICN 4711"]
    assert check.check(content).valid


def test_a_dependent_has_a_level_of_their_own() -> None:
    coverage = COVERAGE.model_copy(update={"relationship": "19", "subscriber": CHILD_SUBSCRIBER})
    content = written(charge(coverages=(coverage,)))
    assert said(content, "SBR") == ["SBR*P**GRP-2201******CI"]
    assert said(content, "PAT") == ["PAT*19"]
    assert said(content, "NM1*IL", "NM1*QC") == [
        "NM1*IL*1*LARKSPUR*CASIMIR****MI*PMH8812345",
        "NM1*QC*1*LARKSPUR*ODETTE",
    ]
    assert check.check(content).valid


def test_the_amount_of_the_claim_is_the_sum_of_the_lines_that_a_payer_gets() -> None:
    content = written(
        charge(line(charge=Decimal("150.10")), line("20610", charge=Decimal("0.90")), line(patient_share=True))
    )
    assert said(content, "CLM")[0].split("*")[2] == "151"
    assert [each.split("*")[2] for each in said(content, "SV1")] == ["150.1", ".9"]
    assert said(content, "LX") == ["LX*1", "LX*2"]


def test_lines_point_at_diagnoses_by_their_place_on_the_claim() -> None:
    given = charge(
        line(diagnoses=("E11.9", "I10", "e11.9")),
        line(diagnoses=("Z00.00",)),
        diagnoses=(Diagnosis(code="I10"), Diagnosis(code="E11.9")),
    )
    content = written(given)
    assert said(content, "HI") == ["HI*ABK:I10*ABF:E119"]
    assert [each.split("*")[7:8] for each in said(content, "SV1")] == [["2:1"], []]


def test_codes_of_the_ninth_revision_say_so() -> None:
    given = charge(diagnoses=(Diagnosis(code="401.9", icd9=True), Diagnosis(code="250.00", icd9=True)))
    assert said(written(given), "HI") == ["HI*BK:4019*BF:25000"]


def test_a_medicare_number_is_sent_without_the_dashes_of_the_card() -> None:
    coverage = MEDICARE.model_copy(update={"member_id": "1EG4-TE5-MK73"})
    assert said(written(charge(coverages=(coverage,))), "NM1*IL")[0].endswith("*MI*1EG4TE5MK73")


def test_the_place_of_a_line_is_said_only_where_it_differs() -> None:
    content = written(charge(line(), line(place_of_service="22")))
    assert [each.split("*")[5] for each in said(content, "SV1")] == ["", "22"]


def test_an_employer_holds_the_policy_of_workers_compensation() -> None:
    coverage = Coverage(
        payer=Payer(name="State Fund", payer_id="STF01", claim_filing_code="WC"),
        member_id="WC-1",
        relationship="20",
        subscriber=Subscriber(organization_name="Harbor Cranes Inc"),
        property_casualty_number="2026-778",
    )
    content = written(charge(coverages=(coverage,)))
    assert said(content, "NM1*IL") == ["NM1*IL*2*HARBOR CRANES INC*****MI*WC-1"]
    assert said(content, "REF*Y4") == ["REF*Y4*2026-778"]


def test_what_is_rented_bought_or_kept_ready_is_said_of_its_line() -> None:
    content = written(full_charge())
    assert said(content, "SV5") == ["SV5*HC:E0570*DA*30*18.75*180*4"]
    assert said(content, "CR3") == ["CR3*I*MO*6"]
    assert said(content, "PS1") == ["PS1*SELLER1*9.99"]


def test_more_adjustments_of_a_group_than_a_segment_holds_go_on_in_the_next() -> None:
    assert said(written(full_charge(payers=2)), "CAS*PR") == [
        "CAS*PR*1*1.5**2*1.5**3*1.5**4*1.5**5*1.5**6*1.5",
        "CAS*PR*7*1.5",
    ]


def test_paperwork_kept_by_the_provider_is_announced() -> None:
    content = written(charge(attachments=(Attachment(kind="OZ", transmission="AD"),)))
    assert said(content, "PWK") == ["PWK*OZ*AD"]
    assert check.check(content).valid


# Text made safe


def test_values_are_brought_into_the_basic_character_set() -> None:
    patient = PATIENT.model_copy(update={"last_name": "Müller~CLM*1:2^3", "first_name": "  Zoë \n Anaïs "})
    content = written(charge(patient=patient))
    assert said(content, "NM1*IL")[0].split("*")[3:5] == ["MULLER CLM 1 2 3", "ZOE ANAIS"]


def test_values_longer_than_their_element_are_cut() -> None:
    patient = PATIENT.model_copy(update={"last_name": "x" * 70, "first_name": "y" * 40})
    assert [len(each) for each in said(written(charge(patient=patient)), "NM1*IL")[0].split("*")[3:5]] == [60, 35]


EVERYTHING = full_charge()
TEXTS = [path for path, value in walk(EVERYTHING) if isinstance(value, str) and value]
HOSTILE = st.text(alphabet="*~:^|>\r\n\x00\x1c\u2028éß@# Ab", min_size=1, max_size=90)


def changed(whole: Any, path: str, value: object) -> Any:
    """A record with another value at a path."""
    name, _, rest = path.partition(".")
    field, _, index = name.partition("[")
    old = getattr(whole, field)
    if index:
        place = int(index.rstrip("]"))
        new = changed(old[place], rest, value) if rest else value
        return whole.model_copy(update={field: (*old[:place], new, *old[place + 1 :])})
    return whole.model_copy(update={field: changed(old, rest, value) if rest else value})


@settings(max_examples=300, deadline=None)
@given(path=st.sampled_from(TEXTS), value=HOSTILE)
def test_no_value_ever_splits_or_joins_segments(path: str, value: str) -> None:
    for to in (PARTNER, partner(character_set="extended", letter_case="as_given")):
        spoilt = segments(written(changed(EVERYTHING, path, value), to=to))
        plain = segments(written(changed(EVERYTHING, path, "X"), to=to))
        assert [each.split("*")[0] for each in spoilt] == [each.split("*")[0] for each in plain]
        for each, other in zip(spoilt, plain, strict=True):
            assert each.count("*") <= other.count("*")
            assert each.count(":") <= other.count(":")


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.text(max_size=40), min_size=6, max_size=6),
    delimiters=st.sampled_from([("*", ":", "^", "~"), ("|", ">", "!", "\n"), ("\x1d", "\x1f", "\x1e", "\x1c")]),
)
def test_whatever_people_type_stays_in_its_element(values: list[str], delimiters: tuple[str, str, str, str]) -> None:
    element, component, repetition, segment = delimiters
    to = partner(
        delimiters={"element": element, "component": component, "repetition": repetition, "segment": segment},
        line_end="none",
        character_set="extended",
    )
    last, first, street, note, plan, member = values
    given_charge = charge(
        line(note=note, description=note),
        patient=Patient(
            last_name=last,
            first_name=first,
            birth_date=date(1961, 4, 3),
            sex="F",
            address=PATIENT.address.model_copy(update={"line1": street, "city": street}),
        ),
        note=note,
        coverages=(COVERAGE.model_copy(update={"member_id": member, "group_name": plan, "group_number": ""}),),
    )
    usual = segments(written(charge(line(note="X", description="X"), note="X")))
    usual = [each.split("*")[0] for each in usual if note or not each.startswith("NTE")]
    content = written(given_charge, to=to).decode("ascii")
    found = content.split(segment)[:-1]
    assert [each.split(element)[0] for each in found] == usual
    assert all(len(each.split(element)) <= 17 for each in found)


# What no file can carry


def test_a_claim_that_cannot_be_written_is_told_with_its_places() -> None:
    bare = Charge(lines=(line(service_date=None, code="99*13", modifiers=("2~",)),), coverages=(Coverage(),))
    found = {each.at: each.message for each in cannot_be_written(claim(bare))}
    assert set(found) == {
        "billing_provider",
        "diagnoses",
        "patient.last_name",
        "coverages[0].subscriber.last_name",
        "coverages[0].payer.name",
        "coverages[0].payer.payer_id",
        "lines[0].code",
        "lines[0].service_date",
        "lines[0].modifiers",
    }
    assert (
        found["lines[0].service_date"]
        == "Line 1: the date of service is missing, and a claim cannot be written without it."
    )


def test_a_note_is_never_cut_silently() -> None:
    (found,) = cannot_be_written(claim(charge(note="n" * 81)))
    assert (found.at, found.message) == ("note", "The claim note has 81 characters; a claim carries 80. Shorten it.")


@pytest.mark.parametrize(
    ("changes", "at", "message"),
    [
        (
            {"diagnoses": tuple(Diagnosis(code=f"E11{number:02d}") for number in range(13))},
            "diagnoses",
            "The claim's diagnoses are 13; a claim carries 12.",
        ),
        ({"coverages": (COVERAGE,) * 12}, "coverages", "The claim's coverages are 12; a claim carries 11."),
        (
            {"related_causes": RelatedCauses(auto_accident=True, employment=True, other_accident=True, state="IL")},
            "related_causes",
            "The related causes are 3; a claim carries 2.",
        ),
        (
            {"conditions": (Condition(category="07", applies=True, codes=("01",) * 6),)},
            "conditions[0].codes",
            "The codes of a condition are 6; a claim carries 5.",
        ),
        (
            {"references": References(payer_claim_number="ICN_77#1")},
            "references.payer_claim_number",
            "The payer claim number has characters or a length that X12 cannot carry.",
        ),
        (
            {"lines": (line("99213", "1", "2", "3", "4", "5"),)},
            "lines[0].modifiers",
            "Line 1: the modifiers are 5; a claim carries 4.",
        ),
    ],
)
def test_nothing_of_many_is_left_out_and_no_number_altered(changes: dict[str, Any], at: str, message: str) -> None:
    (found,) = cannot_be_written(claim(charge(**changes)))
    assert (found.at, found.message) == (at, message)


def test_a_partner_of_the_extended_set_takes_more_numbers() -> None:
    given = claim(charge(references=References(payer_claim_number="ICN_77#1")))
    assert not cannot_be_written(given, options_of(partner(character_set="extended")).text)


def test_what_the_source_said_and_no_field_holds_keeps_the_claim_from_leaving() -> None:
    (found,) = cannot_be_written(claim(charge(unread=("REF*ZZ*1",))))
    assert found.at == "unread"


def test_lines_that_the_patient_pays_are_not_judged() -> None:
    assert not cannot_be_written(claim(charge(line(), line(code="???", patient_share=True))))


@pytest.mark.parametrize("dependent", [True, False])
def test_a_full_charge_can_be_written(*, dependent: bool) -> None:
    assert not cannot_be_written(claim(full_charge(dependent=dependent)))


# Streams


def test_memory_does_not_grow_with_the_number_of_claims() -> None:
    given = full_charge(payers=2)

    def peak(number: int) -> int:
        claims: Iterator[Claim] = (claim(given, f"CR{each:09d}01") for each in islice(count(), number))
        tracemalloc.start()
        size = sum(len(piece) for piece in stream(claims, PARTNER, ControlNumbers(1), AT))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert size > number * 4000
        return most

    peak(10)
    assert peak(600) - peak(60) < 1_000_000


def test_pieces_of_a_stream_are_the_file() -> None:
    claims = [claim(charge(), f"CR{number:09d}01") for number in range(900)]
    pieces = list(stream(claims, PARTNER, ControlNumbers(1), AT))
    assert len(pieces) > 3
    assert b"".join(pieces) == written(*claims)


@pytest.mark.parametrize("relationship", [SELF, "01"])
def test_what_an_other_payer_decided_stands_with_its_policy(relationship: str) -> None:
    other = MEDICARE.model_copy(
        update={
            "relationship": relationship,
            "subscriber": Subscriber() if relationship == SELF else CHILD_SUBSCRIBER,
            "adjudication": Adjudication(paid=Decimal("80.00"), paid_on=date(2026, 11, 20)),
        }
    )
    content = written(charge(coverages=(COVERAGE, other), rendering_provider=RENDERING_PROVIDER))
    assert said(content, "AMT*D", "OI", "DTP*573") == ["AMT*D*80", "OI***Y***Y", "DTP*573*D8*20261120"]
    assert check.check(content).valid
