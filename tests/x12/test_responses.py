"""What comes back for a claim file, read into what it says of which file or claim."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charges.errors import Unreadable
from charges.x12.responses import Answer, ClaimAnswer, FileAnswer, Outcome, Remittance, read, refused_claims
from charges.x12.scanner import Delimiters
from tests.replies import (
    a277ca,
    a999,
    about_claims,
    accepted,
    claim,
    group,
    interchange,
    no,
    provider,
    receiver,
    refused,
    ta1,
    yes,
)

OTHERS = Path(__file__).parents[3] / "shared" / "data" / "x12"


def _file(content: bytes) -> FileAnswer:
    (answer,) = read(content)
    assert isinstance(answer, FileAnswer)
    return answer


def _claim(content: bytes) -> ClaimAnswer:
    (answer,) = read(content)
    assert isinstance(answer, ClaimAnswer)
    return answer


def _sentences(answer: FileAnswer) -> list[str]:
    return [error.sentence for error in answer.errors]


# TA1


@pytest.mark.parametrize("verdict", ["A", "E"])
def test_a_ta1_that_takes_the_envelope_decides_nothing_yet(verdict: str) -> None:
    answer = _file(ta1(12, verdict))
    assert (answer.kind, answer.control_number, answer.outcome) == ("TA1", 12, Outcome.PENDING)
    assert not answer.errors


def test_a_ta1_that_refuses_says_why() -> None:
    answer = _file(ta1(12, "R", "020"))
    assert answer.outcome is Outcome.REJECTED
    assert _sentences(answer) == ["interchange: test or production (ISA15) is wrong"]


def test_a_ta1_may_stand_before_a_group() -> None:
    content = interchange(
        "TA1*000000012*261123*1200*A*000",
        *group(["AK1*HC*12", "AK2*837*0001", "IK5*A", "AK9*A*1*1*1"], code="FA", version="005010X231A1"),
    )
    assert [(answer.kind, answer.outcome) for answer in read(content) if isinstance(answer, FileAnswer)] == [
        ("TA1", Outcome.PENDING),
        ("999", Outcome.ACCEPTED),
    ]


# 999


def test_a_999_accepts_a_file() -> None:
    answer = _file(accepted(12))
    assert (answer.kind, answer.control_number, answer.outcome) == ("999", 12, Outcome.ACCEPTED)
    assert (answer.to.names, answer.to.usage) == (("LAKE01", "LAKE01"), "T")


def test_accepted_with_errors_is_accepted_and_the_errors_are_told() -> None:
    answer = _file(a999(12, "AK2*837*0001", "IK3*PER*9*1000*8", "IK4*4*364*4*555", "IK5*E*5", "AK9*E*1*1*1"))
    assert answer.outcome is Outcome.ACCEPTED
    assert _sentences(answer) == [
        "PER04 (segment 9 of transaction set 0001, loop 1000): the value is too short; '555' was sent"
    ]


def test_errors_say_where_and_what() -> None:
    answer = _file(
        refused(
            12,
            "IK3*SV1*40*2400*8",
            "IK4*1:2*234*7*99999",
            "IK4*4*355*1",
            "IK3*REF*57**I6",
            "CTX*SITUATIONAL TRIGGER*CLM*43**5:3*1325",
            "CTX*CLM01:CR00000000201",
        )
    )
    assert _sentences(answer) == [
        "SV101-2 (segment 40 of transaction set 0001, loop 2400): the code is not one of the list; '99999' was sent",
        "SV104 (segment 40 of transaction set 0001, loop 2400): the required element is missing",
        (
            "REF (segment 57 of transaction set 0001): the segment is missing, which other data of the claim require "
            "(because of CLM in segment 43)"
        ),
    ]
    assert [(error.position, error.claim_number) for error in answer.errors] == [
        (40, ""),
        (40, ""),
        (57, "CR00000000201"),
    ]


def test_some_transaction_sets_refused_is_partly() -> None:
    answer = _file(a999(12, "AK2*837*0001", "IK5*A", "AK2*837*0002", "IK5*R*I6", "AK9*P*2*2*1"))
    assert (answer.outcome, answer.transactions) == (Outcome.PARTLY, ("0002",))
    assert _sentences(answer) == ["transaction set 0002: the receiver does not support this implementation guide"]


def test_a_group_called_refused_of_which_a_part_was_taken_is_partly_refused() -> None:
    answer = _file(a999(12, "AK2*837*0001", "IK5*A", "AK2*837*0002", "IK5*R*5", "AK9*R*2*2*1"))
    assert (answer.outcome, answer.transactions) == (Outcome.PARTLY, ("0002",))


def test_a_group_refused_as_a_whole_needs_no_transaction_set() -> None:
    answer = _file(a999(12, "AK9*R*1*1*0*2"))
    assert (answer.outcome, answer.transactions) == (Outcome.REJECTED, ())
    assert _sentences(answer) == ["functional group: the receiver does not support this version of the guide"]


def test_an_answer_about_another_kind_of_group_is_about_no_file_of_claims() -> None:
    content = interchange(*group(["AK1*HS*12", "AK9*R*1*1*0"], code="FA", version="005010X231A1"))
    assert _file(content).control_number == 0


def test_a_997_is_read_like_a_999() -> None:
    text = refused(12, "IK3*NM1*8**8", "IK4*9*67*1").decode()
    for new, old in (("ST*997*", "ST*999*"), ("AK3*", "IK3*"), ("AK4*", "IK4*"), ("AK5*", "IK5*")):
        text = text.replace(old, new)
    answer = _file(text.replace("005010X231A1", "005010").encode())
    assert (answer.kind, answer.outcome) == ("997", Outcome.REJECTED)
    assert _sentences(answer) == ["NM109 (segment 8 of transaction set 0001): the required element is missing"]


@pytest.mark.parametrize(
    ("segments", "sentence"),
    [
        (("IK5*A", "AK9*A*1*1*1"), "does not name"),
        (("AK2*837*0001", "IK5*Q", "AK9*A*1*1*1"), "'Q' that is not known"),
        (("AK9*Z",), "'Z' that is not known"),
        ((), "gives no verdict"),
        (("AK1*HC*13", "AK9*A"), "two functional groups"),
    ],
)
def test_a_999_without_a_clear_verdict_is_not_guessed(segments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        read(a999(12, *segments))


# 277CA


def test_a_claim_accepted_into_adjudication() -> None:
    answer = _claim(about_claims(yes("CR00000000101", "PRM26A7")))
    assert (answer.claim_number, answer.outcome, answer.codes) == ("CR00000000101", Outcome.ACCEPTED, ("A2:20:PR",))
    assert answer.payer_claim_number == "PRM26A7"
    assert answer.sentence == "Accepted into adjudication: taken for processing, the payer."


def test_a_claim_refused_with_the_payers_words() -> None:
    answer = _claim(about_claims(no("CR00000000101")))
    assert (answer.outcome, answer.codes) == (Outcome.REJECTED, ("A7:562:85",))
    assert answer.sentence == 'Rejected for wrong data: NPI of the billing provider ("NOT ENROLLED WITH US").'


@pytest.mark.parametrize(
    ("category", "outcome"),
    [(each, Outcome.PENDING) for each in ("A0", "A1", "P1", "R3", "E1")]
    + [(each, Outcome.ACCEPTED) for each in ("A2", "A5")]
    + [(each, Outcome.REJECTED) for each in ("A3", "A4", "A6", "A7", "A8", "E0")],
)
def test_only_acceptance_into_adjudication_is_acceptance(category: str, outcome: Outcome) -> None:
    assert _claim(about_claims(claim("CR1", f"STC*{category}:20*20261124*WQ*150"))).outcome is outcome


def test_one_refusal_among_several_statuses_refuses() -> None:
    answer = _claim(about_claims(claim("CR1", "STC*A2:20*20261124*WQ*150******A6:145:82*A6:772", "STC*A1:19*20261124")))
    assert answer.outcome is Outcome.REJECTED
    assert answer.codes == ("A2:20", "A6:145:82", "A6:772", "A1:19")


def test_a_service_line_is_named_with_its_procedure() -> None:
    answer = _claim(
        about_claims(
            claim("CR1", "STC*A7:247*20261124*U*150", "SVC*HC:99213*150", "STC*A7:453*20261124*U", "REF*FJ*1"),
        )
    )
    assert (
        answer.sentence
        == "Rejected for wrong data: service line; service line 99213: rejected for wrong data: modifier."
    )


def test_codes_without_words_are_shown_as_numbers() -> None:
    assert _claim(about_claims(claim("CR1", "STC*A8:9999:ZZ*20261124*U"))).sentence == (
        "Rejected because data contradict each other: status 9999, entity ZZ."
    )


def test_several_claims_of_one_patient_are_told_apart() -> None:
    found = read(about_claims([*yes("CR1"), *no("CR2")[2:]]))
    assert [each.outcome for each in found if isinstance(each, ClaimAnswer)] == [Outcome.ACCEPTED, Outcome.REJECTED]


def test_a_claim_without_a_status_has_that_of_the_level_above() -> None:
    refusing = provider("1993999998", "STC*A3:25:85*20261124*U")
    answer = _claim(a277ca(*receiver("0"), *refusing, *claim("CR1", "REF*1K*PRM1")))
    assert (answer.outcome, answer.codes) == (Outcome.REJECTED, ("A3:25:85",))


def test_a_refusal_at_the_receivers_level_is_about_a_transaction_set() -> None:
    answer = _file(a277ca(*receiver("0000000120001", "STC*A3:24:41*20261124*U*300")))
    assert (answer.control_number, answer.transactions, answer.outcome) == (12, ("0001",), Outcome.REJECTED)
    assert _sentences(answer) == [
        "Sent back because it cannot be processed: the submitter is not approved to submit electronically"
    ]


def test_a_refusal_at_the_providers_level_is_about_that_providers_claims() -> None:
    answer = _file(a277ca(*receiver("0000000120001"), *provider("1993999998", "STC*A8:562:85*20261124*U*300")))
    assert (answer.control_number, answer.provider, answer.outcome) == (12, "1993999998", Outcome.REJECTED)


@pytest.mark.parametrize(
    "levels",
    [
        receiver("88-B", "STC*A3:24:41*20261124*U*300"),
        [*receiver("0000000120001"), *provider("", "STC*A8:562:85*20261124*U*300")],
    ],
)
def test_a_refusal_of_nobody_in_particular_refuses_nobody(levels: list[str]) -> None:
    assert _file(a277ca(*levels)).control_number == 0


# Several, any delimiters, nothing at all


def test_several_in_one_interchange_and_several_interchanges() -> None:
    both = interchange(
        *group(["AK1*HC*12", "AK9*A*1*1*1"], code="FA", version="005010X231A1"),
        *group(
            [*receiver("0"), *provider("1993999998"), *yes("CR1")],
            code="HN",
            version="005010X214",
        ),
    )
    assert [type(each) for each in read(both + b"\r\n" + ta1(13))] == [FileAnswer, ClaimAnswer, FileAnswer]


@pytest.mark.parametrize(
    "cut",
    [
        Delimiters(element="|", component=">", repetition="!", segment="\n"),
        Delimiters(element="\x1d", component="\x1f", repetition="\x1e", segment="\x1c"),
    ],
)
def test_any_delimiters(cut: Delimiters) -> None:
    usual = about_claims(yes("CR1"), no("CR2"))
    assert read(about_claims(yes("CR1"), no("CR2"), cut=cut)) == read(usual)
    assert _file(refused(12, "IK3*SV1*40*2400*8", "IK4*1:2*234*7", cut=cut)).errors[0].sentence.startswith("SV101-2 ")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"Your file was received on Monday.\r\n", "not X12"),
        (interchange(), "no answer"),
        (interchange(*group(["BPR*I*100"], code="HP", version="005010X221A1")), "does not name its payment"),
        (interchange(*group(["BHT*0019*00*1"], code="HC", version="005010X222A1")), "holds claims"),
        (interchange(*group(["BHT*0010*08*1"], code="HN", version="005010X212")), "Only the claim acknowledgement"),
        (interchange(*group(["BHT*0085*08*1"], code="HN", version="005010X214")), "speaks neither"),
        (accepted(12)[:-30], "ends within a segment|without an IEA"),
        (accepted(12).replace(b"SE*6*0001~", b""), "SE is missing"),
        (ta1(12, "Q"), "verdict 'Q'"),
    ],
)
def test_what_is_no_answer_is_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        read(content)


# Which claims of our file

OURS = interchange(
    *group(
        [
            "BHT*0019*00*0000000120001*20261123*1200*CH",  # segment 2
            "HL*1**20*1",  # 3
            "NM1*85*2*LAKESIDE FAMILY MEDICINE*****XX*1993999998",
            "HL*2*1*22*0",  # 5
            "SBR*P*18",
            "CLM*CR1*150",  # 7
            "SV1*HC:99213*150",
            "HL*3*1*22*1",  # 9
            "SBR*P",
            "HL*4*3*23*0",  # 11
            "PAT*19",
            "CLM*CR2*150",  # 13
            "CLM*CR3*150",  # 14
            "HL*5**20*1",
            "NM1*85*2*HARBOR CLINIC*****XX*1003000126",
            "HL*6*5*22*0",
            "CLM*CR4*150",
        ],
        ["HL*1**20*1", "NM1*85*2*LAKESIDE FAMILY MEDICINE*****XX*1993999998", "HL*2*1*22*0", "CLM*CR5*150"],
        code="HC",
        version="005010X222A1",
    )
)
FIRST = ["CR1", "CR2", "CR3", "CR4"]


def _claims_with_errors(answer: FileAnswer) -> list[str]:
    return [number for number, errors in refused_claims(answer, OURS).items() if errors]


def test_a_refused_interchange_or_group_refuses_every_claim() -> None:
    for content in (ta1(12, "R", "006"), a999(12, "AK9*R*2*2*0*4")):
        assert _claims_with_errors(_file(content)) == [*FIRST, "CR5"]


def test_a_refused_transaction_set_refuses_its_claims() -> None:
    answer = _file(a999(12, "AK2*837*1", "IK5*R*6", "AK2*837*0002", "IK5*A", "AK9*P*2*2*1"))
    assert list(refused_claims(answer, OURS)) == FIRST


def test_what_is_accepted_or_undecided_refuses_nothing() -> None:
    for content in (accepted(12), ta1(12), a999(12, "AK9*P*2*2*1")):
        assert not refused_claims(_file(content), OURS)


@pytest.mark.parametrize(
    ("errors", "concerned"),
    [
        (["IK3*SV1*8*2400*8", "IK4*1*C003*1"], ["CR1"]),
        (["IK3*CLM*7**8", "CTX*CLM01:CR4"], ["CR4"]),
        (["IK3*SBR*10*2000*8", "IK4*9*1032*1"], ["CR2", "CR3"]),
        (["IK3*PAT*12*2000*8", "IK4*1*1069*7"], ["CR2", "CR3"]),
        (["IK3*NM1*4*2010*8", "IK4*9*67*1"], ["CR1", "CR2", "CR3"]),
        (["IK3*BHT*2**8", "IK4*2*353*7"], FIRST),
    ],
)
def test_an_error_concerns_the_claims_below_its_level(errors: list[str], concerned: list[str]) -> None:
    answer = _file(a999(12, "AK2*837*0001", *errors, "IK5*R*5", "AK2*837*0002", "IK5*A", "AK9*P*2*2*1"))
    assert list(refused_claims(answer, OURS)) == FIRST
    assert _claims_with_errors(answer) == concerned


def test_a_provider_refused_takes_that_providers_claims_of_the_transaction_set() -> None:
    answer = _file(a277ca(*receiver("0000000120001"), *provider("1003000126", "STC*A8:562:85*20261124*U")))
    assert list(refused_claims(answer, OURS)) == ["CR4"]


# Laws


ANSWERS = (
    about_claims(yes("CR00000000101"), no("CR00000000201")),
    a277ca(*receiver("0000000120001", "STC*A3:24:41*20261124*U*300")),
    refused(12, "IK3*SV1*40*2400*8", "IK4*1:2*234*7*99999", "CTX*CLM01:CR1"),
    ta1(12, "R", "020"),
)


def _read_or_refuse(content: bytes) -> tuple[Answer | Remittance, ...]:
    try:
        return tuple(read(content))
    except Unreadable:
        return ()


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    _read_or_refuse(content)


@given(st.sampled_from(ANSWERS), st.data())
def test_a_damaged_answer_is_read_or_refused(content: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 40)))
    damaged = content[:start] + data.draw(st.binary(max_size=20)) + content[end:]
    for answer in _read_or_refuse(damaged):
        if isinstance(answer, FileAnswer):
            refused_claims(answer, OURS)


@given(st.sampled_from(ANSWERS), st.lists(st.integers(0, 40), max_size=6))
def test_an_answer_with_segments_lost_is_read_or_refused(content: bytes, lost: list[int]) -> None:
    segments = content.split(b"~")
    _read_or_refuse(b"~".join(each for place, each in enumerate(segments) if place not in lost))


@given(st.lists(st.sampled_from(["AK2*837*0001", "AK2*837*0002", "IK5*A", "IK5*R*5", "AK9*A", "AK9*R", "AK9*P"])))
def test_no_claim_is_refused_by_a_999_that_refuses_nothing(segments: list[str]) -> None:
    for answer in _read_or_refuse(a999(12, *segments)):
        assert isinstance(answer, FileAnswer)
        if refused_claims(answer, OURS):
            assert {"IK5*R*5", "AK9*R"} & set(segments)


# Files that others wrote


def _others() -> list[Path]:
    marks = (b"ST*999", b"ST*997", b"ST*277", b"ST*835", b"TA1*")
    files = sorted(path for path in OTHERS.rglob("*") if path.is_file() and path.suffix != ".tsv")
    return [path for path in files if any(mark in path.read_bytes() for mark in marks)]


@pytest.mark.skipif(not OTHERS.is_dir(), reason="the files that others wrote are not on this machine")
def test_answers_that_others_wrote_are_read_or_refused_with_a_sentence() -> None:
    outcomes = {path.name: len(_read_or_refuse(path.read_bytes())) for path in _others()}
    assert {name for name, count in outcomes.items() if count} >= {
        "simple999.edi",
        "simple997.edi",
        "x12_277CA_accepted.txt",
        "x12_277CA_rejected.txt",
        "x12_999_accepted.txt",
        "x12_999_rejected.txt",
        "x12_interchange_ack.txt",
        "834_lui_id_5010.999.txt",
    }
    assert outcomes["x12_277_x212.txt"] == outcomes["empty997.edi"] == 0
