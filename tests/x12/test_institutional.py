"""Facilities' bills as the loops of 005010X223A2: what is written, where, and that all of it is read back."""

import io
import re
from collections.abc import Callable, Iterator
from datetime import date, time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyx12.error_handler import errh_null
from pyx12.params import ParamsBase
from pyx12.x12context import X12ContextReader

from charges.errors import Refused, Unreadable
from charges.model import (
    Charge,
    Diagnosis,
    InpatientProcedure,
    Institutional,
    Occurrence,
    OccurrenceSpan,
    Provider,
    ServiceLine,
    ValueAmount,
    walk,
)
from charges.x12 import check, oracle, parting, places
from charges.x12.interchange import ControlNumbers, stream
from charges.x12.kinds import INSTITUTIONAL, PROFESSIONAL, kind_of
from charges.x12.professional import cannot_be_written
from rules.engine import Facts, judge, load
from rules.examples import charge
from rules.full_bill import full_bill
from rules.index import Catalogue
from rules.reference.shipped import shipped
from tests.x12.files import AT, FAITHFUL, FOREIGN, carried, claim, foreign_files, partner, read, said, segments, written
from tests.x12.test_round_trip import DAYS, MONEY, WORDS

LOOPS = "/ISA_LOOP/GS_LOOP/ST_LOOP/DETAIL/2000A/"
FULL = written(full_bill(), to=FAITHFUL)


def outpatient(**changes: Any) -> Charge:
    """A visit to a health centre: one revenue code, one test."""
    bill = Institutional(
        facility_type="77",
        statement_from=date(2026, 11, 16),
        statement_to=date(2026, 11, 16),
        patient_status="01",
        attending_provider=Provider(last_name="Fenwick", first_name="Tobias", npi="1245319599"),
    )
    lines = (
        ServiceLine(
            revenue_code="0521",
            code="99213",
            charge=Decimal(190),
            units=Decimal(1),
            service_date=date(2026, 11, 16),
        ),
    )
    institutional = bill.model_copy(update=changes.pop("bill", {}))
    return charge().model_copy(update={"institutional": institutional, "lines": lines} | changes)


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

    paths = [each.get_path() for each in inside(oracle.load_map("837Q3.I.5010.X223.A1.xml"))]
    return {(path.split("/")[-2], path.split("/")[-1]) for path in paths if path.startswith(LOOPS)}


# Written


def test_every_loop_and_segment_of_the_guide_can_be_written() -> None:
    places = {each for dependent in (True, False) for each in loops(written(full_bill(dependent=dependent)))}
    assert every_place() - places == set()


@pytest.mark.parametrize("dependent", [True, False])
def test_loops_stand_in_the_order_of_the_guide(*, dependent: bool) -> None:
    order = [loop for loop, _ in loops(written(full_bill(dependent=dependent)))]
    assert list(dict.fromkeys(order)) == [
        *("2000A", "2010AA", "2010AB", "2010AC", "2000B", "2010BA", "2010BB"),
        *(("2000C", "2010CA") if dependent else ()),
        *("2300", "2310A", "2310B", "2310C", "2310D", "2310E", "2310F"),
        *("2320", "2330A", "2330B", "2330C", "2330D", "2330E", "2330F", "2330G", "2330H", "2330I"),
        *("2400", "2420A", "2420B", "2420C", "2420D", "2430", "2410"),
    ]


@pytest.mark.parametrize("payers", [1, 2, 11])
@pytest.mark.parametrize("dependent", [True, False])
def test_one_to_eleven_payers_and_the_guide_agrees(payers: int, *, dependent: bool) -> None:
    content = written(full_bill(payers=payers, dependent=dependent))
    assert check.check(content).valid
    assert oracle.pyx12_alone(content)


def test_the_guide_is_named_in_the_group_and_the_set() -> None:
    content = written(outpatient())
    assert said(content, "GS*")[0].endswith("*X*005010X223A2")
    assert said(content, "ST*") == ["ST*837*0001*005010X223A2"]


def test_a_visit_to_a_health_centre() -> None:
    content = written(outpatient())
    assert check.check(content).valid
    assert said(content, "CLM*", "DTP*434", "CL1*", "SV2*") == [
        "CLM*CR00000000101*190***77:A:1**A*Y*Y",
        "DTP*434*RD8*20261116-20261116",
        "CL1***01",
        "SV2*0521*HC:99213*190*UN*1",
    ]


def test_a_line_may_be_known_by_its_revenue_code_alone() -> None:
    room = ServiceLine(revenue_code="0120", charge=Decimal("6400.50"), unit="DA", units=Decimal(4))
    content = written(outpatient(lines=(room,)))
    assert check.check(content).valid
    assert said(content, "SV2*") == ["SV2*0120**6400.5*DA*4"]
    assert not said(content, "DTP*472")


@pytest.mark.parametrize(
    ("changes", "segment"),
    [
        ({"admission_time": time(7, 5)}, "DTP*435*DT*202611150705"),
        ({}, "DTP*435*D8*20261115"),
    ],
)
def test_the_hour_of_admission_stands_with_its_day(changes: dict[str, Any], segment: str) -> None:
    visit = outpatient(bill=changes)
    admitted = visit.model_copy(update={"dates": visit.dates.model_copy(update={"admission": date(2026, 11, 15)})})
    assert said(written(admitted), "DTP*435") == [segment]


def test_codes_of_the_ninth_revision_have_their_own_qualifiers() -> None:
    old = outpatient(
        diagnoses=(Diagnosis(code="366.9", icd9=True, present_on_admission="Y"), Diagnosis(code="401.9", icd9=True)),
        bill={
            "admitting_diagnosis": Diagnosis(code="3669", icd9=True),
            "reasons_for_visit": (Diagnosis(code="3669", icd9=True),),
            "external_causes": (Diagnosis(code="E9750", icd9=True),),
            "principal_procedure": InpatientProcedure(code="8154", performed_on=date(2015, 9, 1), icd9=True),
            "other_procedures": (InpatientProcedure(code="9904", performed_on=date(2015, 9, 2), icd9=True),),
        },
    )
    content = written(old)
    assert check.check(content).valid
    assert said(content, "HI*") == [
        "HI*BK:3669:::::::Y",
        "HI*BJ:3669",
        "HI*PR:3669",
        "HI*BN:E9750",
        "HI*BF:4019",
        "HI*BR:8154:D8:20150901",
        "HI*BQ:9904:D8:20150902",
    ]


def test_a_procedure_of_alternative_medicine() -> None:
    procedure = InpatientProcedure(code="CBDAA", performed_on=date(2026, 11, 16), abc=True)
    content = written(outpatient(bill={"principal_procedure": procedure}))
    assert check.check(content).valid
    (found,) = read(content)
    assert found.charge.institutional is not None
    assert found.charge.institutional.principal_procedure == procedure


def test_twenty_four_of_what_may_be_twenty_four() -> None:
    on = date(2026, 11, 16)
    codes = [f"{number:02d}" for number in range(24)]
    many = outpatient(
        diagnoses=tuple(Diagnosis(code=f"Z7{code}") for code in [*codes, "99"]),
        condition_codes=tuple(codes),
        bill={
            "other_procedures": tuple(InpatientProcedure(code=f"0QS63{code}", performed_on=on) for code in codes),
            "occurrences": tuple(Occurrence(code=code, on=on) for code in codes),
            "occurrence_spans": tuple(OccurrenceSpan(code=code, start=on, end=on) for code in codes),
            "values": tuple(ValueAmount(code=code, amount=Decimal("1.25")) for code in codes),
            "treatment_codes": tuple(codes),
            "external_causes": tuple(Diagnosis(code=f"V43{code}") for code in codes[:12]),
        },
    )
    assert not cannot_be_written(claim(many))
    content = written(many, to=FAITHFUL)
    assert check.check(content).valid
    assert max(each.count("*") for each in said(content, "HI*")) == 12
    (found,) = read(content)
    assert found.charge == carried_bill(many)


@pytest.mark.parametrize(
    ("own", "of_claim", "written_as"),
    [("1", "1", "1"), ("2", "1", "2"), ("4", "1", "4"), ("0", "1", "0"), ("1", "7", "7"), ("2", "8", "8")],
)
def test_the_frequency_is_the_bills_until_it_is_replaced(own: str, of_claim: str, written_as: str) -> None:
    content = written(claim(outpatient(bill={"frequency": own}), frequency=of_claim))
    assert said(content, "CLM*")[0].split("*")[5] == f"77:A:{written_as}"
    (found,) = read(content)
    assert found.frequency == of_claim
    assert found.charge.institutional is not None
    assert found.charge.institutional.frequency == (own if of_claim == "1" else "1")


def test_who_rendered_is_left_out_where_the_attending_provider_did() -> None:
    attending = outpatient().institutional
    assert attending is not None
    visit = outpatient(rendering_provider=attending.attending_provider)
    assert not said(written(visit), "NM1*82")
    assert said(written(visit, to=FAITHFUL), "NM1*82")


def test_what_a_facility_cannot_say_of_its_patient_is_left_out() -> None:
    visit = outpatient()
    patient = visit.patient.model_copy(update={"death_date": date(2026, 11, 17), "pregnant": True})
    policy = visit.coverages[0].model_copy(update={"insurance_type": "12", "patient_signature_source": "P"})
    content = written(visit.model_copy(update={"patient": patient, "coverages": (policy,)}))
    assert not said(content, "PAT*")
    assert check.check(content).valid


def test_the_same_bills_make_the_same_bytes() -> None:
    again = Charge.model_validate_json(full_bill().model_dump_json())
    assert written(full_bill(), outpatient()) == written(again, outpatient())


def test_many_bills_of_several_sets() -> None:
    to = partner(**FAITHFUL.model_dump() | {"claims_per_transaction": 2})
    bills = [full_bill(), outpatient(), full_bill(dependent=False), outpatient(), full_bill()]
    content = written(*bills, to=to)
    assert check.check(content).valid
    assert [each.charge for each in read(content)] == [carried_bill(each) for each in bills]


# One kind a file


def test_a_charge_has_the_kind_of_what_it_says() -> None:
    assert kind_of(charge()) is PROFESSIONAL
    assert kind_of(outpatient()) is INSTITUTIONAL


@pytest.mark.parametrize("order", [lambda: (charge(), outpatient()), lambda: (outpatient(), charge())])
def test_a_file_of_both_kinds_is_refused(order: Callable[[], tuple[Charge, Charge]]) -> None:
    with pytest.raises(Refused, match=r"each kind into a file of its own\."):
        list(stream(map(claim, order()), FAITHFUL, ControlNumbers(1), AT))


def test_a_file_may_hold_sets_of_both_kinds_when_it_is_read() -> None:
    group = re.search(rb"GS\*.*GE\*1\*1~\n", written(charge(), to=FAITHFUL), re.DOTALL)
    assert group is not None
    bill = written(outpatient(), to=FAITHFUL)
    both = bill.replace(b"IEA*", group[0] + b"IEA*")
    assert [kind_of(each.charge).name for each in read(both)] == ["837I", "837P"]


# Told and not written


@pytest.mark.parametrize(
    ("changes", "at", "words"),
    [
        ({"bill": {"facility_type": ""}}, "institutional.facility_type", "The type of bill is missing"),
        ({"bill": {"patient_status": ""}}, "institutional.patient_status", "status at the end is missing"),
        (
            {"bill": {"statement_from": None, "statement_to": None}},
            "institutional.statement_from",
            "The first day billed is missing",
        ),
        ({"bill": {"admission_time": time(8)}}, "dates.admission", "day that the hour of admission belongs to"),
        (
            {"bill": {"reasons_for_visit": (Diagnosis(code="R52"),) * 4}},
            "institutional.reasons_for_visit",
            "reasons for visit are 4; a claim carries 3.",
        ),
        ({"diagnoses": (Diagnosis(code="R52"),) * 26}, "diagnoses", "diagnoses are 26; a claim carries 25."),
        ({"patient_paid": Decimal(5)}, "patient_paid", "Patient paid has no place in an institutional claim."),
        ({"lines": (ServiceLine(code="99213"),)}, "lines[0].revenue_code", "Line 1: the revenue code is missing"),
        (
            {"lines": (ServiceLine(revenue_code="0521", note="LATE"),)},
            "lines[0].note",
            "Line 1: note has no place in an institutional claim.",
        ),
    ],
)
def test_what_no_institutional_claim_can_carry_is_told(changes: dict[str, Any], at: str, words: str) -> None:
    (fault,) = cannot_be_written(claim(outpatient(**changes)))
    assert fault.at == at
    assert words in fault.message


def test_a_full_bill_can_be_written() -> None:
    assert not cannot_be_written(claim(full_bill(payers=11)))
    assert not cannot_be_written(claim(outpatient()))


# Read


@pytest.mark.parametrize("guide", INSTITUTIONAL.read_as)
def test_any_guide_of_the_family_is_read(guide: str) -> None:
    content = FULL.replace(b"005010X223A2", guide.encode())
    assert [each.charge for each in read(content)] == [full_bill()]
    assert check.check(content).valid


@pytest.mark.parametrize("guide", ["004010X096A1", "005010X224A2", "005010X298"])
def test_other_guides_are_refused_with_a_sentence(guide: str) -> None:
    with pytest.raises(Unreadable, match=rf"follows guide {guide}\. Claims are read of .*\.$"):
        read(FULL.replace(b"005010X223A2", guide.encode()))


def test_a_statement_of_one_day_may_be_said_as_a_day() -> None:
    content = written(outpatient(), to=FAITHFUL)
    assert read(content.replace(b"DTP*434*RD8*20261116-20261116", b"DTP*434*D8*20261116")) == read(content)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("11:A:2", "11:B:2"),
        ("**A*Y*Y*", "*N*A*Y*Y*"),
        ("DTP*096*TM*0930", "DTP*096*TM*2460"),
        ("DTP*435*DT*202611022205", "DTP*435*DT*20261102"),
        ("DTP*434*RD8*20261102-20261106", "DTP*434*RD8*20261102"),
        ("AMT*F3*1340", "AMT*F5*1340"),
        ("REF*G4*PRO-77", "REF*X4*PRO-77"),
        ("CRC*ZZ*Y", "CRC*07*Y"),
        ("HI*DR:470", "HI*DR:470:X"),
        ("HI*ABJ:M25551", "HI*ABJ:M25551:::::::Y"),
        ("HI*APR:M25551", "HI*APR:M25551*APR:R11*APR:R12*APR:R13"),
        ("HI*BBR:0SR9019:D8:20261103", "HI*BBR:0SR9019:RD8:20261103"),
        ("BI:72:RD8:20261001-20261004", "BI:72:D8:20261001"),
        ("BH:01:D8:20261101", "BH:01:D8:20261301"),
        ("BE:01:::850.5", "BE:01:::MUCH"),
        ("BE:01:::850.5", "XX:01"),
        ("SV2*0120**6400*DA*4**150.5", "SV2*0120**6400*DA*4*1600*150.5"),
        ("AMT*GT*1.1", "AMT*T*1.1"),
        ("NTE*TPO*", "NTE*ADD*"),
        ("REF*9B*RL-1", "REF*G1*RL-1"),
        ("MIA*.25*", "MIA*.25*1"),
        ("NM1*ZZ*1*QUILL", "NM1*DQ*1*QUILL"),
        ("DTP*472*RD8*20261103-20261104", "DTP*607*D8*20261103"),
    ],
)
def test_what_has_no_place_is_kept_as_it_stood(old: str, new: str) -> None:
    assert old.encode() in FULL
    (found,) = read(FULL.replace(old.encode(), new.encode(), 1))
    assert any(new[:2] in each for each in found.charge.unread)
    assert cannot_be_written(found)


@pytest.mark.parametrize("segment", ["CR1*LB*95**A*DH*12", "LQ*UT*484.03", "PS1*SELLER*5", "SV1*HC:99213*5*UN*1***1"])
def test_segments_of_professional_claims_have_no_place(segment: str) -> None:
    (found,) = read(FULL.replace(b"SE*", segment.encode() + b"~\nSE*", 1))
    assert found.charge.unread == (segment,)


def test_a_bill_is_parted_from_its_file_by_the_first_day_billed() -> None:
    parts = list(parting.part(written(outpatient(), full_bill(), to=FAITHFUL)))
    assert [each.first_day for each in parts] == ["20261116", "20261102"]
    assert [read(each.content)[0].charge for each in parts] == [carried_bill(outpatient()), full_bill()]


# Where a field stands


@pytest.mark.parametrize(
    ("at", "where"),
    [
        ("institutional.facility_type", ("2300", "CLM", "CLM05-1")),
        ("institutional.statement_from", ("2300", "DTP", "DTP03")),
        ("institutional.patient_status", ("2300", "CL1", "CL103")),
        ("institutional.reasons_for_visit[1].code", ("2300", "HI", "HI02-2")),
        ("institutional.drg", ("2300", "HI", "HI01-2")),
        ("institutional.attending_provider.npi", ("2310A", "NM1", "NM109")),
        ("institutional", ("", "", "")),
        ("diagnoses[0].code", ("2300", "HI", "HI01-2")),
        ("diagnoses[1].code", ("2300", "HI", "HI01-2")),
        ("diagnoses[13].code", ("2300", "HI", "HI01-2")),
        ("rendering_provider.npi", ("2310D", "NM1", "NM109")),
        ("facility.address.city", ("2310E", "N4", "N401")),
        ("lines[0].revenue_code", ("2400", "SV2", "SV201")),
        ("lines[0].modifiers[1]", ("2400", "SV2", "SV202-4")),
        ("lines[0].units", ("2400", "SV2", "SV205")),
        ("lines[0].drug.ndc", ("2410", "LIN", "LIN03")),
        ("lines[0].operating_provider.last_name", ("2420A", "NM1", "NM103")),
        ("lines[0].adjudications[0].paid", ("2430", "SVD", "")),
        ("lines[0]", ("2400", "SV2", "")),
    ],
)
def test_a_field_is_found_where_the_bill_has_it(at: str, where: tuple[str, str, str]) -> None:
    assert places.place(at, full_bill()) == where


# Files that others wrote


def files_of_others() -> list[Path]:
    return [
        FOREIGN / row["path"]
        for row in foreign_files()
        if row["kind"] == "837I" and row["gs08"].startswith("005010") and "imsweb" not in row["path"]
    ]


def mended(content: bytes) -> bytes:
    """A file whose ISA names the component separator that it uses, and which says what the guide's addenda allow."""
    if b">A>" in content:
        content = content.replace(b"*T*:", b"*T*>", 1)
    return re.sub(rb"(CLM\*[^~]*?:A:1|CLM\*[^~]*?>A>1)\*Y", rb"\1*", content)


@pytest.mark.skipif(not FOREIGN.exists(), reason="the files of other projects are not at hand")
@pytest.mark.parametrize("path", files_of_others(), ids=lambda path: path.name)
def test_a_file_of_others_read_and_written_reads_the_same(path: Path) -> None:
    content = mended(path.read_bytes())
    claims = read(content)
    assert claims
    assert not [each for one in claims for each in one.charge.unread]
    again = written(*claims, to=FAITHFUL)
    assert [each.charge for each in read(again)] == [_without_second_group_name(each.charge) for each in claims]
    assert check.check(again).valid
    if b"DTP*434*D8" not in content:  # which the addenda do not allow any more
        assert check.check(content).valid


def _without_second_group_name(charge: Charge) -> Charge:
    """A group that has a number is not named too (SBR04)."""
    return charge.model_copy(
        update={
            "coverages": tuple(
                each.model_copy(update={"group_name": "" if each.group_number else each.group_name})
                for each in charge.coverages
            )
        }
    )


@pytest.mark.skipif(not FOREIGN.exists(), reason="the files of other projects are not at hand")
def test_every_institutional_file_is_read_or_refused_with_a_sentence() -> None:
    for row in foreign_files():
        if row["kind"] == "837I":
            try:
                read((FOREIGN / row["path"]).read_bytes())
            except Unreadable as refused:
                assert str(refused).endswith(".")  # noqa: PT017 - either is right


# Bills of every make


def carried_bill(bill: Charge) -> Charge:
    """What a file can carry of a bill: as of any charge, but no places of service, nor who rendered by what taxonomy."""
    found = carried(bill)
    rendering = found.rendering_provider
    return found.model_copy(
        update={
            "encounter": type(found.encounter)(),
            "rendering_provider": rendering and rendering.model_copy(update={"taxonomy": ""}),
            "provider_signature": "",
            "patient_signature_source": "",
            "lines": tuple(each.model_copy(update={"place_of_service": "", "diagnoses": ()}) for each in found.lines),
        }
    )


_FREE = frozenset(
    ("last_name", "first_name", "middle_name", "line1", "line2", "city", "note", "description", "text", "name")
)
_MUST_OF_BILL = frozenset(("facility_type", "statement_from", "statement_to", "patient_status"))
_MUST_OF_LINE = frozenset(("revenue_code", "code", "charge", "units", "service_date"))
_MANY = ("other_procedures", "occurrences", "values")
_MUST = frozenset(("patient", "billing_provider", "coverages", "lines", "diagnoses", "institutional", "encounter"))


@st.composite
def bills(draw: st.DrawFn) -> Charge:
    """A bill that says some of what a bill can say, in any words, amounts and days."""
    whole = full_bill(payers=draw(st.sampled_from([1, 2, 4])), dependent=draw(st.booleans()))
    lines = tuple(
        _some(draw, line, _MUST_OF_LINE) for line in draw(st.permutations(whole.lines))[: draw(st.integers(1, 3))]
    )
    some = _some(draw, whole, _MUST)
    some = some.model_copy(update={"diagnoses": some.diagnoses[:4], "condition_codes": some.condition_codes[:3]})
    bill = _some(draw, whole.institutional, _MUST_OF_BILL)
    bill = bill.model_copy(update={name: getattr(bill, name)[:2] for name in _MANY})
    if "admission" not in some.dates.model_fields_set:
        bill = bill.model_copy(update={"admission_time": None})
    if "references" not in some.model_fields_set:
        bill = bill.model_copy(update={"further_devices": ()})
    some = some.model_copy(update={"lines": lines, "institutional": bill})
    return Charge.model_validate(_varied(draw, some.model_dump()))


_OTHERS: dict[type, st.SearchStrategy[Any]] = {
    Decimal: MONEY.filter(bool),
    date: DAYS,
    time: st.times().map(lambda hour: hour.replace(second=0, microsecond=0)),
    str: WORDS,
}


def _some(draw: st.DrawFn, record: Any, kept: frozenset[str]) -> Any:
    """A record without some of what it may leave out."""
    names = sorted(record.model_fields_set - kept)
    gone = draw(st.sets(st.sampled_from(names))) if names else set()
    return type(record)(**{name: getattr(record, name) for name in record.model_fields_set - gone})


def _varied(draw: st.DrawFn, value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _varied(draw, each, key) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_varied(draw, each) for each in value)
    if not value or isinstance(value, bool) or (isinstance(value, str) and name not in _FREE):
        return value
    return draw(_OTHERS[type(value)])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(bills())
def test_a_bill_written_and_read_is_the_same(bill: Charge) -> None:
    (found,) = read(written(claim(bill), to=FAITHFUL))
    assert dict(walk(found.charge)) == dict(walk(carried_bill(bill)))
    assert found.charge == carried_bill(bill)


def test_every_field_that_a_bill_has_is_in_the_full_bill() -> None:
    """So that a new field is either written and read, or seen to be missing here."""
    bill = full_bill().institutional
    assert bill is not None
    assert set(Institutional.model_fields) - bill.model_fields_set == set()
    decided = full_bill(payers=2).coverages[1].adjudication
    assert decided is not None
    assert decided.inpatient is not None
    assert set(type(decided.inpatient).model_fields) == decided.inpatient.model_fields_set


def test_a_file_is_written_as_the_bills_come() -> None:
    one = claim(outpatient())
    pieces = stream((one for _ in iter(int, 1)), FAITHFUL, ControlNumbers(1), AT)
    assert len(list(islice(pieces, 3))) == 3


def test_the_delimiters_of_a_partner() -> None:
    marks = {"element": "|", "component": ">", "repetition": "^", "segment": "!"}
    content = written(full_bill(), to=partner(**FAITHFUL.model_dump() | {"delimiters": marks}))
    assert [each.charge for each in read(content)] == [full_bill()]
    assert len(segments(content.translate(bytes.maketrans(b"|>!", b"*:~")))) == len(segments(FULL))


def test_a_right_bill_is_clean_by_the_rules() -> None:
    bill = outpatient()
    facts = Facts(charge=bill, today=date(2026, 11, 23), tables=shipped())
    assert judge(Catalogue(load()).of(facts), facts) == ()


def test_a_bill_is_held_by_rules_that_serve_both_kinds() -> None:
    bill = outpatient(diagnoses=(Diagnosis(code="I109"),))
    facts = Facts(charge=bill, today=date(2026, 11, 23), tables=shipped())
    assert "COD-001" in {each.rule for each in judge(Catalogue(load()).of(facts), facts)}
