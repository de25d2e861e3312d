"""HL7 v2 messages read by place, whatever their senders do, and made into charges by their dialect."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from charges.errors import Unreadable
from charges.model import Address, Charge, Drug
from charges.practice.dialect import Sender
from charges.sources.hl7.mapping import to_charge
from charges.sources.hl7.message import Message, find, frame, unframed
from charges.sources.hl7.screening import NotTaken, Role, screen
from tests.sources.hl7 import EHR, IN1, PID, SAMPLES, adt, dft, ft1, message, msh, pv1, settings

HERE = settings(Path())


def charge_of(*messages: bytes, sender: Sender = EHR) -> Charge:
    others = Sender(code="registry", application="REGISTRY")
    return to_charge([Message(each) for each in messages], settings(Path(), sender, others))


def codes(charge: Charge) -> list[str]:
    return [each.code for each in charge.lines]


# Reading


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_any_line_end_will_do(end: str) -> None:
    content = dft().replace(b"\r", end.encode())
    assert Message(content).text("PID-5.2") == "Odette"


def test_the_message_says_which_signs_part_it() -> None:
    content = b"MSH#*!?%#CHARTWELL#LAKE#####DFT*P03#1#P#2.3\rPID###7*8!9#10%11*12?F?"
    read = Message(content)
    assert (read.text("PID-3"), read.text("PID-3.2"), read.text("PID-4.1.2"), read.text("PID-4.2")) == (
        "7", "8", "11", "12#",
    )  # fmt: skip


def test_escapes_become_what_they_stand_for() -> None:
    read = Message(message(msh(), r"NTE|1||R\T\D \S\ \E\ \F\ \R\ \X41\ \.br\end \Zkept\ "))
    assert read.text("NTE-3") == r"R&D ^ \ | ~ A  end \Zkept\ ".strip()


def test_what_was_taken_away_is_empty() -> None:
    assert Message(message(msh(), 'PID|1||""')).text("PID-3") == ""


@pytest.mark.parametrize(
    ("named", "encoding"), [("", "utf-8"), ("", "latin-1"), ("8859/1", "latin-1"), ("UNICODE UTF-8", "utf-8")]
)
def test_names_keep_their_letters(named: str, encoding: str) -> None:
    content = message(msh(f18=named), PID).decode().replace("Fairweather", "Müller").encode(encoding)
    assert Message(content).text("PID-5") == "Müller"


def test_a_line_end_within_a_text_does_not_part_a_segment() -> None:
    assert Message(message(msh(), "NTE|1||first", "second half|x", PID)).text("NTE-3") == "first second half"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "does not begin with an MSH"),
        (b"PID|1", "does not begin with an MSH"),
        (b"MSH", "MSH-2 does not say"),
        (b"MSH|AB|x", "MSH-2 does not say"),
        (b"MSH|^^\\&|x", "gives one sign two meanings"),
        (message(msh(f18="ISO IR87")), "names a character set"),
        (message(msh(f18="UNICODE UTF-8")) + b"PID|\xff", "not in the character set"),
        (dft() + dft(), "Several messages stand in one"),
    ],
)
def test_what_is_no_message_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        Message(content)


def test_a_batch_is_parted_into_its_messages() -> None:
    first, second = dft(control="1"), dft(control="2")
    batch = b"FHS|^~\\&|x\rBHS|^~\\&|x\r" + first + second + b"BTS|2\rFTS|1\r"
    assert [batch[start:end] for start, end in find(batch)] == [first, second]
    framed = frame(first) + frame(second)
    assert [framed[start:end].rstrip(b"\x0b\x1c\r") for start, end in find(framed)] == [
        first.rstrip(b"\r"), second.rstrip(b"\r"),
    ]  # fmt: skip
    assert unframed(framed) == [first, second]


# What is taken


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (message(msh("SIU^S12"), PID), r"Messages of SIU\^S12 are not read here"),
        (message(msh("DFT^P03", application="STRANGER"), PID, ft1()), "No sender of the practice's profile"),
        (message(msh(f11="T"), PID, ft1()), "training or debugging"),
    ],
)
def test_what_nobody_waits_for_is_not_taken(content: bytes, sentence: str) -> None:
    with pytest.raises(NotTaken, match=sentence):
        screen(Message(content), HERE)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (message(msh(""), PID), "MSH-9 is missing"),
        (message(msh(), PID, pv1()), "no FT1 segment"),
        (message(msh(), PID, PID, ft1()), "of several patients"),
        (message(msh("ADT^A08"), "PID|1"), "no patient number"),
        (message(msh("ADT^A40"), PID), "MRG-1 is missing"),
    ],
)
def test_what_lacks_its_matter_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        screen(Message(content), HERE)


def test_a_sender_may_send_what_is_to_be_ignored() -> None:
    chatty = EHR.model_copy(update={"ignored": ("SIU", "ADT^A03")})
    for kind in ("SIU^S12", "ADT^A03"):
        assert screen(Message(message(msh(kind))), settings(Path(), chatty)).role is Role.IGNORED


# One message


def test_a_charge_and_where_each_fact_came_from() -> None:
    charge = charge_of(dft(ft1(f26="25~59", f29="00054327099^^NDC", f21="1679576722^Marsh^Otto")))
    (line,) = charge.lines
    assert (line.code, line.modifiers, line.charge, line.units) == (
        "99213",
        ("25", "59"),
        Decimal("150.00"),
        Decimal(1),
    )
    assert (line.service_date, line.diagnoses, line.drug) == (date(2026, 11, 16), ("E11.9",), Drug(ndc="00054327099"))
    assert charge.patient.record_number == "100001"
    assert charge.patient.address == Address(
        line1="12 Elm Street", city="Springfield", state="IL", postal_code="627010001"
    )
    (coverage,) = charge.coverages
    assert (coverage.payer.source_id, coverage.member_id, coverage.group_number, coverage.relationship) == (
        "17", "PMH8812345", "GRP7", "18",
    )  # fmt: skip
    assert charge.rendering_provider is not None
    assert charge.rendering_provider.npi == "1234567893"
    assert [each.code for each in charge.diagnoses] == ["E11.9"]
    assert charge.unread == ()
    assert (
        charge.origins
        | {
            "lines[0].modifiers": "FT1-26",
            "lines[0].code": "FT1-25",
            "lines[0].drug": "FT1-29",
            "lines[0].ordering_provider": "FT1-21",
            "rendering_provider": "PV1-7",
            "patient.birth_date": "PID-7",
            "coverages": "IN1",
            "diagnoses": "FT1-19",
        }
        == charge.origins
    )


def test_a_code_stands_in_ft1_7_where_ft1_25_is_empty() -> None:
    charge = charge_of(
        dft(ft1(f25="", f7="LAB17^Blood count")), sender=EHR.model_copy(update={"codes": {"LAB17": "85025"}})
    )
    assert codes(charge) == ["85025"]
    assert charge.origins["lines[0].code"] == "FT1-7"


def test_a_sender_may_have_a_procedure_for_each_line() -> None:
    by_procedure = EHR.model_copy(
        update={"lines": "PR1", "procedure": ("PR1-3",), "line_diagnoses": ("PR1-15",), "modifiers": ("PR1-16",)}
    )
    one, two = "PR1|1||99213^^C4|||||||||||||I10^^I10|25", "PR1|2||85025^^C4|||||||||||||D64.9^^I10"
    one, two = ("PR1|1||99213" + "|" * 12 + "I10^^I10|25", "PR1|2||85025" + "|" * 12 + "D64.9^^I10")
    charge = charge_of(dft(ft1(), one, two), sender=by_procedure)
    assert [(each.code, each.modifiers, each.diagnoses, each.charge) for each in charge.lines] == [
        ("99213", ("25",), ("I10",), None),
        ("85025", (), ("D64.9",), None),
    ]


@pytest.mark.parametrize(
    ("performer", "npi", "number"),
    [
        ("1234567893^Vale^Imogen", "1234567893", "1234567893"),
        ("D17^Vale^Imogen^^^^^^&1234567893&NPI", "1234567893", "D17"),
        ("1234567893^Vale^Imogen^^^^^^LAKE^^^^NPI", "1234567893", "1234567893"),
        ("D17^Vale^Imogen~1234567893^Vale^Imogen^^^^^^^^^^NPI", "1234567893", "D17"),
        ("D17^Vale^Imogen~1234567893^Marsh^Otto", "", "D17"),
        ("1234567890^Vale^Imogen", "", "1234567890"),
    ],
)
def test_an_npi_is_found_wherever_its_sender_puts_it(performer: str, npi: str, number: str) -> None:
    found = charge_of(dft(ft1(f20=performer))).lines[0].rendering_provider
    assert found is not None
    assert (found.npi, found.source_id, found.last_name) == (npi, number, "Vale")


@pytest.mark.parametrize(
    ("said", "relationship"),
    [("SEL^Self", "18"), ("SPO", "01"), ("CHD", "19"), ("MTH", "19"), ("OTH", "G8"), ("7", "20"), ("?", "?"), ("", "")],
)
def test_relationships(said: str, relationship: str) -> None:
    sender = EHR.model_copy(update={"relationships": {"7": "20"}})
    insurance = IN1.replace("|SEL|", f"|{said}|")
    charge = charge_of(dft(insurance=insurance), sender=sender)
    assert charge.coverages[0].relationship == relationship


def test_insurances_stand_in_the_order_in_which_they_pay() -> None:
    second = f"IN1|1|X|18|Second{'|' * 18}2{'|' * 14}M2"
    first = f"IN1|2|X|17|First{'|' * 18}1{'|' * 14}M1"
    charge = charge_of(dft(insurance=f"{second}\r{first}\r{second}"))
    assert [each.member_id for each in charge.coverages] == ["M1", "M2"]


def test_a_range_of_days_and_an_amount_with_its_currency() -> None:
    charge = charge_of(dft(ft1(f4="20261116^20261118", f11="1,125.50&USD")))
    line = charge.lines[0]
    assert (line.service_date, line.service_date_to, line.charge) == (
        date(2026, 11, 16), date(2026, 11, 18), Decimal("1125.50"),
    )  # fmt: skip


def test_the_price_of_one_is_taken_as_often_as_it_was_given() -> None:
    assert charge_of(dft(ft1(f10="3", f11="", f12="20"))).lines[0].charge == Decimal(60)


def test_a_location_tells_the_place_of_service_and_a_site_the_facility() -> None:
    at_home = dft(ft1(), ft1("99232", "T2", f16="WARD^^^HOSP"))
    charge = charge_of(at_home, sender=EHR.model_copy(update={"place_of_service": "12"}))
    assert [each.place_of_service for each in charge.lines] == ["11", "21"]
    assert charge.encounter.place_of_service == "12"
    assert charge.facility is not None
    assert (charge.facility.source_id, charge.origins["facility"]) == ("HOSP", "FT1-16.4")


def test_payments_are_no_services_and_a_copayment_is_what_the_patient_paid() -> None:
    charge = charge_of(dft(ft1(), ft1(number="T2", kind="PY"), ft1(number="T3", kind="CO", f11="25")))
    assert (codes(charge), charge.patient_paid) == (["99213"], Decimal(25))


def test_an_accident_and_fields_of_the_sender_are_kept() -> None:
    sender = EHR.model_copy(update={"custom": {"episode": "ZCH-2"}})
    charge = charge_of(dft(ft1(), "ACC|20261101|||IL|Y", "ZCH|1|E55"), sender=sender)
    assert charge.related_causes.codes == ("AA", "EM")
    assert charge.dates.accident == date(2026, 11, 1)
    assert charge.custom == {"episode": "E55"}


def test_lines_without_diagnoses_have_the_visits_where_the_sender_means_so() -> None:
    content = dft(ft1(f19=""), "DG1|1||E11.9^^I10", "DG1|2||I10^^I10")
    assert charge_of(content).lines[0].diagnoses == ()
    assert charge_of(content, sender=EHR.model_copy(update={"point_to_all": True})).lines[0].diagnoses == (
        "E11.9",
        "I10",
    )


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"f4": "soon"}, "FT1[2]: FT1-4 is not a day; it is expected as YYYYMMDD"),
        ({"f4": "20261399"}, "FT1[2]: FT1-4 is not a day; it is expected as YYYYMMDD"),
        ({"f11": "much"}, "FT1[2]: FT1-11 is not a number"),
        ({"f10": "NaN"}, "FT1[2]: FT1-10 is not a number that a charge can have"),
        ({"f19": "29857009^^SCT"}, "FT1[2]: FT1-19 has diagnoses that are no codes of the ICD"),
        ({"f6": "XX"}, "FT1[2]: FT1-6 is no type of transaction that the profile names"),
        ({"f6": "CD", "f25": "85025"}, "FT1-6 is a credit, and no message before charged its line"),
    ],
)
def test_a_fault_of_one_line_leaves_the_others_and_holds_the_charge(wrong: dict[str, str], sentence: str) -> None:
    charge = charge_of(dft(ft1(), ft1("36415", number="T2", **wrong)))
    assert charge.lines[0].code == "99213"
    assert charge.unread == (sentence,)
    assert not charge.voided


# Several messages of a visit


def test_a_later_message_adds_lines() -> None:
    assert codes(charge_of(dft(), dft(ft1("85025", "T2"), control="2"))) == ["99213", "85025"]


def test_a_line_sent_again_under_its_number_is_changed() -> None:
    charge = charge_of(dft(), dft(ft1("99214"), control="2"))
    assert codes(charge) == ["99214"]


def test_the_same_message_sent_again_says_nothing_new() -> None:
    assert codes(charge_of(dft(ft1(number="")), dft(ft1(number=""), control="2"))) == ["99213"]


def test_a_number_that_is_the_visits_numbers_no_line() -> None:
    charge = charge_of(dft(ft1(number="V7")), dft(ft1("85025", number="V7"), control="2"))
    assert codes(charge) == ["99213", "85025"]


@pytest.mark.parametrize(
    "credit",
    [
        ft1(kind="CD"),
        ft1(kind="CR"),
        ft1(f10="-1", f11="-150"),
        ft1(f11="-150"),
        ft1(number="T9", kind="CD", f31="T1"),
        ft1(number="T9", kind="CD"),
    ],
)
def test_a_credit_takes_its_line_back(credit: str) -> None:
    charge = charge_of(dft(ft1(), ft1("85025", "T2")), dft(credit, control="2"))
    assert (codes(charge), charge.unread, charge.voided) == (["85025"], (), False)


def test_a_credit_and_a_charge_of_one_number_are_a_correction_in_either_order() -> None:
    for correction in ((ft1(kind="CD"), ft1("99214")), (ft1("99214"), ft1(kind="CD"))):
        assert codes(charge_of(dft(), dft(*correction, control="2"))) == ["99214"]


def test_some_units_may_be_taken_back() -> None:
    charge = charge_of(dft(ft1(f10="3", f11="90")), dft(ft1(kind="CD", f10="1", f11="30"), control="2"))
    assert [(each.units, each.charge) for each in charge.lines] == [(Decimal(2), Decimal(60))]


def test_a_visit_of_which_all_was_taken_back_is_void_until_something_is_charged_again() -> None:
    gone = (dft(), dft(ft1(kind="CD"), control="2"))
    assert charge_of(*gone).voided
    assert not charge_of(*gone, dft(control="3")).voided


def test_a_sender_may_state_the_visit_whole_each_time() -> None:
    whole = EHR.model_copy(update={"states": "visit"})
    charge = charge_of(dft(ft1(), ft1("85025", "T2")), dft(ft1("99214", "T3"), control="2"), sender=whole)
    assert codes(charge) == ["99214"]


# Registrations


def test_a_registration_fills_what_the_charge_leaves_open() -> None:
    bare = dft(patient="PID|1||100001^^^LAKE^MR||Fairweather^Odette", insurance="")
    charge = charge_of(bare, adt("A04", IN1))
    assert (charge.patient.birth_date, charge.patient.sex) == (date(1961, 4, 3), "F")
    assert charge.coverages[0].member_id == "PMH8812345"
    assert charge.origins["patient.birth_date"] == "ADT PID-7"
    assert charge.origins["coverages"] == "ADT IN1"
    assert charge.origins["patient.last_name"] == "PID-5.1"


def test_a_charge_that_names_its_insurance_keeps_it() -> None:
    charge = charge_of(dft(), adt("A08", IN1.replace("PMH8812345", "OTHER")))
    assert [each.member_id for each in charge.coverages] == ["PMH8812345"]


def test_merged_numbers_become_the_one_that_stays() -> None:
    first = adt("A40", "MRG|100001^^^LAKE^MR", patient=PID.replace("100001", "100002"))
    second = adt("A40", "MRG|100002^^^LAKE^MR", patient=PID.replace("100001", "100003"))
    assert charge_of(dft(), first, second).patient.record_number == "100003"
    assert charge_of(dft(), second).patient.record_number == "100001"


def test_a_merge_tells_the_numbers_that_were_given_up() -> None:
    first = adt("A40", "MRG|100001^^^LAKE^MR", patient=PID.replace("100001", "100002"))
    second = adt("A40", "MRG|100002^^^LAKE^MR", patient=PID.replace("100001", "100003"))
    charge = charge_of(dft(), first, second)
    assert charge.patient.former_numbers == ("100002", "100001")
    assert charge.origins["patient.former_numbers"] == "ADT MRG-1"


# Assigners


@pytest.mark.parametrize(
    ("numbers", "dialect", "said"),
    [
        ("100001^^^LAKE^MR", {}, ("100001", "")),
        ("100001", {"assigner": "laboratory"}, ("100001", "laboratory")),
        ("100001^^^LAKE^MR", {"own_assigners": ("LAKE",)}, ("100001", "")),
        ("100001", {"own_assigners": ("LAKE",)}, ("100001", "")),
        ("7^^^MERCY^MR", {"own_assigners": ("LAKE",)}, ("7", "MERCY")),
        ("7", {"own_assigners": ("LAKE",), "assigner": "mercy"}, ("7", "mercy")),
    ],
)
def test_a_number_is_the_practices_own_unless_the_dialect_knows_who_else_gave_it(
    numbers: str, dialect: dict[str, object], said: tuple[str, str]
) -> None:
    patient = PID.replace("100001^^^LAKE^MR", numbers)
    charge = charge_of(dft(patient=patient), sender=EHR.model_copy(update=dialect))
    assert (charge.patient.record_number, charge.patient.assigner) == said


def test_a_registration_or_merge_of_the_same_number_by_another_assigner_is_of_somebody_else() -> None:
    sender = EHR.model_copy(update={"application": "", "own_assigners": ("LAKE",)})
    bare = dft(patient="PID|1||100001^^^LAKE^MR||Fairweather^Odette", insurance="")
    others = PID.replace("LAKE", "MERCY")
    merge = adt("A40", "MRG|100001^^^MERCY^MR", patient=others.replace("100001", "100002"))
    charge = charge_of(bare, adt("A04", IN1, patient=others), merge, sender=sender)
    assert (charge.patient.record_number, charge.patient.birth_date, charge.coverages) == ("100001", None, ())


# Laws


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for each in (content, b"MSH|^~\\&|CHARTWELL|" + content):
        with suppress(Unreadable):
            to_charge([Message(each)], HERE)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=40), max_size=12), st.data())
def test_any_fields_are_read_or_refused(texts: list[str], data: st.DataObject) -> None:
    lines = [
        f"{data.draw(st.sampled_from(['FT1', 'PID', 'PV1', 'IN1', 'IN2', 'PR1', 'DG1', 'ACC']))}|{each}"
        for each in texts
    ]
    try:
        charge = to_charge([Message(message(msh(), *lines)), Message(dft())], HERE)
    except Unreadable:
        return
    assert charge.versioned().version


@given(st.lists(st.sampled_from(["T1", "T2", "T3"]), max_size=8), st.data())
def test_what_stands_is_what_was_charged_last_and_not_taken_back(numbers: list[str], data: st.DataObject) -> None:
    standing: set[str] = set()
    messages = []
    for control, number in enumerate(numbers):
        credit = number in standing and data.draw(st.booleans())
        standing = standing - {number} if credit else standing | {number}
        messages.append(dft(ft1(number=number, kind="CD" if credit else "CG"), control=str(control)))
    if messages:
        charge = charge_of(*messages)
        assert charge.voided is (not standing)
        assert charge.voided or {each.source_id for each in charge.lines} == standing


# Messages of others


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample messages are not here")
def test_every_message_of_others_is_read_or_refused_with_a_sentence() -> None:
    shifted = Sender(
        code="shifted", application="SENDING_APP", visit=("FT1-2",), lines="PR1", transaction=(), procedure=("PR1-3",),
        amount=("FT1-7",), unit_amount=(), units=("FT1-8",), line_diagnoses=("PR1-15",),
    )  # fmt: skip
    here = settings(Path(), shifted, Sender(code="any"))
    said = {}
    for path in sorted(SAMPLES.glob("*.hl7")):
        try:
            found = Message(path.read_bytes())
            if screen(found, here).role is Role.CHARGE:
                charge = to_charge([found], here)
                said[path.name[:2]] = " ".join(codes(charge))
            else:
                said[path.name[:2]] = "registration"
        except Unreadable as refused:
            said[path.name[:2]] = str(refused).partition(" that")[0].partition(",")[0]
    assert said == {
        "01": "71045 99011",
        "02": "71045 99011",
        "03": "71045 92002",
        "04": "71045 92002",
        "05": "Messages of BAR^P01 are not read here. If they hold nothing to bill",
        "06": "Messages of BAR^P12 are not read here. If they hold nothing to bill",
        "18": "99213",
        "19": "99213 85025",
        "26": "MSH-11 says",
        "30": "The message has no FT1 segment",
        "31": "registration",
        "32": "registration",
        "33": "Messages of SIU^S12 are not read here. If they hold nothing to bill",
        "34": "Messages of ORM^O01 are not read here. If they hold nothing to bill",
    }


@pytest.mark.parametrize("place", ["FT1", "FT1-", "FT1-0", "ft1-2", "FT1-2.3.4.5", "FT1-2 "])
def test_a_place_has_a_shape(place: str) -> None:
    with pytest.raises(ValidationError):
        Sender(code="x", visit=(place,))
