"""The TA1 and 999 that a receiver would send: valid by their own guide, and read back as what they say."""

import pytest

from charges.errors import Unreadable
from charges.x12 import acknowledge, check, oracle, responses
from charges.x12.answers import FileAnswer, Outcome
from tests.conftest import NOON
from tests.x12.test_guide import PLAIN, SETS


def _a999(content: bytes) -> bytes:
    return acknowledge.implementation_acknowledgment(content, check.opinion(content), NOON, 5)


def _segments(content: bytes) -> list[str]:
    return content.decode().replace("\n", "").split("~")[:-1]


def _said(content: bytes) -> FileAnswer:
    (answer,) = responses.read(_a999(content))
    assert isinstance(answer, FileAnswer)
    return answer


BAD_MODIFIER = PLAIN.replace(b"HC:99213:25", b"HC:99213:255", 1)
ONE_BAD_SET = SETS.replace(b"CLM*CR3*", b"CLM*CR3*1E9", 1)
OPEN_ENDED = PLAIN.replace(b"N3*12 WILLOW LANE", b"N3*12 WILLOW LANE*", 1)
WRONG_COUNT = PLAIN.replace(b"GE*1*", b"GE*2*")


@pytest.mark.parametrize(
    ("content", "verdict", "outcome"),
    [
        (PLAIN, "AK9*A*1*1*1", Outcome.ACCEPTED),
        (OPEN_ENDED, "AK9*E*1*1*1", Outcome.ACCEPTED),
        (ONE_BAD_SET, "AK9*P*3*3*2", Outcome.PARTLY),
        (BAD_MODIFIER, "AK9*R*1*1*0", Outcome.REJECTED),
        (WRONG_COUNT, "AK9*R*2*1*0*5", Outcome.REJECTED),
    ],
    ids=["A", "E", "P", "R", "R of the group"],
)
def test_the_group_is_judged_as_a_whole(content: bytes, verdict: str, outcome: Outcome) -> None:
    assert verdict in _segments(_a999(content))
    assert _said(content).outcome is outcome


@pytest.mark.parametrize("content", [PLAIN, OPEN_ENDED, ONE_BAD_SET, BAD_MODIFIER, WRONG_COUNT])
def test_the_999_is_valid_by_its_own_guide(content: bytes) -> None:
    answer = _a999(content)
    assert "ST*999*0001*005010X231A1" in _segments(answer)
    assert check.opinion(answer).faults == []
    assert oracle.pyx12_alone(answer)


def test_an_element_at_fault_is_named_with_its_claim() -> None:
    said = _segments(_a999(BAD_MODIFIER))
    at = said.index("CTX*CLM01:CR1")
    position = [each.partition("*")[0] for each in _segments(BAD_MODIFIER)[2:]].index("SV1") + 1
    assert said[at - 1] == f"IK3*SV1*{position}**8"
    assert said[at + 1] == "IK4*1:3*1339*5"
    assert said[at + 2] == "IK5*R*5"


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        (b"HL*3*1*22", b"HL*4*1*22", "IK4*1*628*7"),
        (b"LX*2", b"LX*3", "IK4*1*554*7"),
        (b"HI*ABK:I10", b"ZZZ*1~\nHI*ABK:I10", "IK3*ZZZ*21**1"),
        (b"HI*ABK:I10", b"N3*1~\nHI*ABK:I10", "IK3*N3*21**2"),
        (b"DTP*472*D8*20261116~\n", b"", "IK3*DTP*29**3"),
        (b"*XX*1245319599", b"*XX", "IK4*8**2"),
    ],
    ids=["HL", "LX", "unknown", "unexpected", "missing", "pair"],
)
def test_the_codes_are_those_of_the_guide(before: bytes, after: bytes, error: str) -> None:
    said = _segments(_a999(PLAIN.replace(before, after, 1)))
    name = error.split("*")
    found = [each for each in said if each.split("*")[0] == name[0] and each.split("*")[-1] == name[-1]]
    assert any(each.split("*")[1] == name[1] for each in found), said


def test_the_claims_that_a_999_refuses_are_those_of_the_set() -> None:
    assert list(responses.refused_claims(_said(ONE_BAD_SET), ONE_BAD_SET)) == ["CR3"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (PLAIN, "TA1*000000001*261123*1800*A*000"),
        (BAD_MODIFIER, "TA1*000000001*261123*1800*A*000"),
        (PLAIN.replace(b"IEA*1*000000001", b"IEA*1*000000002"), "TA1*000000001*261123*1800*R*001"),
        (PLAIN.replace(b"IEA*1*", b"IEA*3*"), "TA1*000000001*261123*1800*R*021"),
    ],
)
def test_the_ta1_is_about_the_interchange_alone(content: bytes, said: str) -> None:
    answer = acknowledge.ta1(content, check.opinion(content), NOON, 9)
    isa, found, iea = _segments(answer)
    assert found == said
    assert (isa[35:50].strip(), isa[54:69].strip(), isa[90:99]) == ("PRAIRIE", "LAKE01", "000000009")
    assert iea == "IEA*0*000000009"
    assert responses.read(answer)


def test_answers_to_several_interchanges_have_numbers_of_their_own() -> None:
    both = PLAIN + PLAIN.replace(b"*000000001", b"*000000002")
    said = _segments(acknowledge.implementation_acknowledgment(both, check.opinion(both), NOON, 5))
    assert [each[90:99] for each in said if each.startswith("ISA")] == ["000000005", "000000006"]


def test_what_is_no_x12_cannot_be_answered() -> None:
    with pytest.raises(Unreadable):
        acknowledge.ta1(b"Dear Sir", check.opinion(b"Dear Sir"), NOON, 1)


def test_nobodys_values_are_repeated() -> None:
    content = PLAIN.replace(b"ODETTE", b"OD\x07ETTE", 1)
    assert b"ETTE" not in _a999(content)
