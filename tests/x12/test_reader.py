"""An 837 read back: whatever it is cut with, whichever guide of the family it names; refused with a sentence otherwise."""

import io
import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from charges.errors import Unreadable
from charges.model import SELF, Claim, Diagnosis
from charges.x12 import reader
from charges.x12.kinds import KINDS
from charges.x12.scanner import CHUNK, LONGEST
from rules.examples import CHILD_SUBSCRIBER, COVERAGE, charge, line
from rules.full_charge import full_charge
from tests.x12.files import FAITHFUL, carried, claim, partner, read, segments, written

PLAIN = written(charge(line("99213", "25"), line("20610", "RT")), to=FAITHFUL)
FULL = written(full_charge(), to=FAITHFUL)


def spoilt(old: str, new: str, content: bytes = PLAIN) -> bytes:
    """A file in which one thing is otherwise."""
    assert old.encode() in content
    return content.replace(old.encode(), new.encode(), 1)


def refusal(content: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read(content)
    return str(caught.value)


# What is read


def test_a_claim_becomes_the_charge_it_was_made_from() -> None:
    (found,) = read(PLAIN)
    assert (found.number, found.frequency) == ("CR00000000101", "1")
    assert found.charge.patient.last_name == "Larkspur"
    assert found.charge.coverages[0].relationship == SELF
    assert found.charge.total == Decimal(300)
    assert found.charge.diagnoses == (Diagnosis(code="I10"), Diagnosis(code="E119"))
    assert found.charge.lines[1].modifiers == ("RT",)
    assert found.charge.lines[1].place_of_service == "11"
    assert found.charge.lines[1].service_date == date(2026, 11, 16)
    assert not found.charge.unread


def test_a_child_and_the_parent_who_holds_the_policy_are_told_apart() -> None:
    coverage = COVERAGE.model_copy(update={"relationship": "19", "subscriber": CHILD_SUBSCRIBER})
    (found,) = read(written(charge(coverages=(coverage,)), to=FAITHFUL))
    assert found.charge.patient.first_name == "Odette"
    assert found.charge.coverages[0].subscriber.first_name == "Casimir"
    assert found.charge.coverages[0].relationship == "19"


@pytest.mark.parametrize("guide", ["005010X222", "005010X222A1", "005010X222A2"])
def test_any_guide_of_the_family_is_read(guide: str) -> None:
    assert read(PLAIN.replace(b"005010X222A1", guide.encode())) == read(PLAIN)


def test_the_group_names_the_guide_where_the_set_does_not() -> None:
    assert read(spoilt("ST*837*0001*005010X222A1", "ST*837*0001")) == read(PLAIN)


@pytest.mark.parametrize(
    ("element", "component", "repetition", "segment"),
    [("|", ">", "^", "~"), ("*", "<", "!", "'"), ("\x1d", "\x1f", "\x1e", "\x1c"), ("+", ":", "^", "\n")],
)
def test_any_delimiters(element: str, component: str, repetition: str, segment: str) -> None:
    marks = {"element": element, "component": component, "repetition": repetition, "segment": segment}
    to = FAITHFUL.model_dump() | {"delimiters": marks, "line_end": "none"}
    assert [each.charge for each in read(written(full_charge(), to=partner(**to)))] == [carried(full_charge())]


@pytest.mark.parametrize("ending", [b"~", b"~\n", b"~\r\n", b"~\n\n", b"\n", b"\r\n"])
def test_line_breaks_between_segments(ending: bytes) -> None:
    assert read(FULL.replace(b"~\n", ending)) == read(FULL)


def test_blanks_before_and_after_interchanges() -> None:
    assert read(b"\n  " + PLAIN + b"\r\n\r\n  " + PLAIN + b"\n \n") == read(PLAIN) * 2


def test_several_interchanges_each_with_its_own_delimiters() -> None:
    marks = {"element": "|", "component": ">", "repetition": "^", "segment": "!"}
    other = written(full_charge(), to=partner(**FAITHFUL.model_dump() | {"delimiters": marks}))
    assert read(PLAIN + other + FULL) == [*read(PLAIN), *read(other), *read(FULL)]


def test_several_groups_and_sets() -> None:
    group = re.search(rb"GS\*.*GE\*1\*1~\n", PLAIN, re.DOTALL)
    assert group is not None
    one_set = re.search(rb"ST\*.*SE\*\d+\*0001~\n", PLAIN, re.DOTALL)
    assert one_set is not None
    assert read(PLAIN.replace(group[0], group[0] * 3)) == read(PLAIN) * 3
    assert read(PLAIN.replace(one_set[0], one_set[0] * 2)) == read(PLAIN) * 2


def test_claims_of_several_patients_and_providers_keep_their_own() -> None:
    child = charge(coverages=(COVERAGE.model_copy(update={"relationship": "19", "subscriber": CHILD_SUBSCRIBER}),))
    charges = [charge(), child, full_charge(), child, charge(line("85025"))]
    assert [each.charge for each in read(written(*charges, to=FAITHFUL))] == [carried(each) for each in charges]


def test_two_claims_of_one_subscriber_level() -> None:
    first = re.search(rb"CLM\*.*(?=SE\*)", PLAIN, re.DOTALL)
    assert first is not None
    second = first[0].replace(b"CLM*CR00000000101", b"CLM*CR00000000102")
    found = read(PLAIN.replace(first[0], first[0] + second))
    assert [each.number for each in found] == ["CR00000000101", "CR00000000102"]
    assert found[0].charge == found[1].charge


def test_a_file_is_read_as_it_comes_in() -> None:
    content = written(*[full_charge()] * 40, to=FAITHFUL)
    asked: list[int] = []

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            asked.append(self.tell())
            return super().read(size)

    claims = reader.read(Slow(content))
    next(claims)
    assert max(asked) <= CHUNK < len(content) / 2
    assert len(list(claims)) == 39


def test_the_letters_of_other_encodings_are_read() -> None:
    assert read(PLAIN.replace(b"Larkspur", "Lärkspür".encode()))[0].charge.patient.last_name == "Lärkspür"
    assert read(PLAIN.replace(b"Larkspur", "Lärkspür".encode("latin-1")))[0].charge.patient.last_name == "Lärkspür"


def test_numbers_written_with_dashes_are_read_without() -> None:
    (found,) = read(spoilt("REF*EI*364711208", "REF*EI*36-4711208"))
    assert found.charge.billing_provider is not None
    assert found.charge.billing_provider.tax_id == "364711208"


def test_a_total_that_is_not_the_sum_of_the_lines_is_kept_as_stated() -> None:
    (found,) = read(spoilt("CLM*CR00000000101*300*", "CLM*CR00000000101*310*"))
    assert (found.charge.stated_total, found.charge.total) == (Decimal(310), Decimal(300))


# What has no place


@pytest.mark.parametrize(
    ("after", "extra"),
    [
        ("CLM*", "REF*ZZ*UNKNOWN"),
        ("CLM*", "DTP*999*D8*20261116"),
        ("CLM*", "XYZ*1*2"),
        ("CLM*", "NTE*ADD*FIRST~\nNTE*ADD*SECOND"),
        ("SV1*", "AMT*ZZ*1"),
        ("SV1*", "SV2*0450*HC:99213*150*UN*1"),
        ("SV1*", "DTP*471*RD8*20261116-20261117"),
        ("SBR*", "DMG*D8*19610403*F****ZZ"),
        ("HL*1", "PRV*PT*PXC*207Q00000X"),
        ("NM1*85", "N2*SECOND NAME"),
        ("NM1*PR", "PER*IC*SOMEBODY*TE*5550100"),
        ("HI*", "HI*BR:0TT70ZZ"),
        ("LX*1", "NM1*71*1*ATTENDING"),
    ],
)
def test_a_segment_without_a_place_is_kept_as_given(after: str, extra: str) -> None:
    lines = PLAIN.decode().splitlines(keepends=True)
    place = next(number for number, each in enumerate(lines) if each.startswith(after))
    content = "".join([*lines[: place + 1], extra, "~\n", *lines[place + 1 :]]).encode()
    (found,) = read(content)
    assert extra.rsplit("~\n", maxsplit=1)[-1] in found.charge.unread


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("CLM*CR00000000101*300***", "CLM*CR00000000101*300*X**", "CLM*CR00000000101*300*X**11:B:1*Y*A*Y*Y"),
        ("CLM*CR00000000101*300***11:B:1", "CLM*CR00000000101*300***11:A:1", "CLM*CR00000000101*300***11:A:1*Y*A*Y*Y"),
        ("SV1*HC:99213:25*150*UN*1***1", "SV1*HC:99213:25*150*UN*1**9*1", "SV1*HC:99213:25*150*UN*1**9*1"),
        ("SV1*HC:99213:25*150*", "SV1*HC:99213:25*ABC*", "SV1*HC:99213:25*ABC*UN*1***1"),
        ("DMG*D8*19610403*F", "DMG*D8*19610403*F*S", "DMG*D8*19610403*F*S"),
        ("DMG*D8*19610403*F", "DMG*D8*19611303*F", "DMG*D8*19611303*F"),
        ("NM1*PR*2*", "NM1*PR*1*", "NM1*PR*1*Prairie Mutual Health*****PI*PRM01"),
        ("*D8*20261116~\nLX", "*D8*20261131~\nLX", "DTP*472*D8*20261131"),
    ],
)
def test_an_element_without_a_place_keeps_its_segment(old: str, new: str, kept: str) -> None:
    (found,) = read(spoilt(old, new))
    assert kept in found.charge.unread


def test_a_pointer_at_no_diagnosis_is_told() -> None:
    (found,) = read(spoilt("SV1*HC:99213:25*150*UN*1***1~", "SV1*HC:99213:25*150*UN*1***1:7~"))
    assert found.charge.unread == ("SV107 points at diagnosis 7, which is not on the claim",)
    assert found.charge.lines[0].diagnoses == ("I10",)


@settings(max_examples=300, deadline=None)
@given(
    place=st.integers(0, len(segments(FULL)) - 1), name=st.sampled_from(["ZZZ", "REF", "NM1", "HI", "SV1", "DTP", "LX"])
)
def test_nothing_of_a_claim_is_lost(place: int, name: str) -> None:
    """A foreign segment anywhere is read to a place or kept as given."""
    extra = f"{name}*QQ*FOREIGN"
    lines = segments(FULL)
    content = "".join(f"{each}~" for each in [*lines[:place], extra, *lines[place:]]).encode()
    try:
        found = read(content)
    except Unreadable:
        return
    in_header = place <= 7
    assert in_header or all("FOREIGN" in each.model_dump_json() for each in found)


# Refused


def a_file(gs01: str = "HC", st01: str = "837", guide: str = "005010X222A1") -> bytes:
    return (
        PLAIN.replace(b"GS*HC", b"GS*" + gs01.encode())
        .replace(b"ST*837", b"ST*" + st01.encode())
        .replace(b"005010X222A1", guide.encode())
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file holds no 837 transaction set, so there are no claims in it."),
        (b"   \r\n ", "The file holds no 837 transaction set, so there are no claims in it."),
        (b"PK\x03\x04 a spreadsheet", "This is not X12: it does not begin with an ISA segment."),
        (
            b"\xef\xbb\xbf" + PLAIN,
            "The file begins with a byte order mark; save it as plain text, X12 begins with ISA.",
        ),
        (PLAIN[:60], "The file ends within its ISA segment."),
        (PLAIN[:400], "The file ends within a segment."),
        (PLAIN.split(b"GE*")[0], "The file ends without an IEA segment; a part of it is missing."),
        (
            PLAIN.replace(b"*ZZ*LAKE01 ", b"*ZZ*LAKE01", 1),
            "The ISA segment does not have its 16 elements in their fixed lengths.",
        ),
        (PLAIN.replace(b"*:~", b"*~~", 1), "The ISA segment does not name three different delimiters."),
        (a_file("HP", "835", "005010X221A1"), "Transaction set 0001 is a 835, not an 837."),
        (
            a_file(guide="004010X098A1"),
            f"Transaction set 0001 follows guide 004010X098A1. Claims are read of {', '.join(KINDS)}.",
        ),
        (re.sub(rb"SE\*.*?~\n", b"", PLAIN), "A transaction set is cut off: GE stands where its SE should be."),
    ],
    ids=lambda given: given[:24] if isinstance(given, str) else "",
)
def test_what_cannot_be_read_is_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    assert refusal(content) == sentence


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("HL*2*1*22", "HL*2*1*21", "Hierarchical level 2 is of kind '21'; an 837 has 20, 22 and 23."),
        ("ST*837", "NM1*41*2~\nST*837", "A segment 'NM1' stands outside of any transaction set."),
        ("HL*1**20*1", "CLM*1*1~\nHL*1**20*1", "A claim (CLM) stands before any billing provider and subscriber (HL)."),
        ("ST*837", "HL*1**20*1~\nST*837", "A hierarchical level (HL) stands outside of any transaction set."),
        (
            "BHT*",
            "ST*837*0002*005010X222A1~\nBHT*",
            "Transaction set 0002 begins before the one before it ended (SE is missing).",
        ),
    ],
)
def test_segments_out_of_place_are_refused(old: str, new: str, sentence: str) -> None:
    assert refusal(spoilt(old, new)) == sentence


def test_claims_before_the_fault_stay_good() -> None:
    claims = reader.read(PLAIN + b"junk")
    assert isinstance(next(claims), Claim)
    with pytest.raises(Unreadable):
        next(claims)


def test_bytes_without_any_terminator_are_refused_before_memory_fills() -> None:
    def endless() -> Iterator[bytes]:
        yield PLAIN[:106]
        while True:
            yield b"x" * CHUNK

    class Endless(io.RawIOBase):
        def __init__(self) -> None:
            self.pieces = endless()

        def read(self, size: int = -1) -> bytes:
            return next(self.pieces)

    with pytest.raises(Unreadable) as caught:
        list(reader.read(Endless()))  # type: ignore[arg-type]
    assert str(caught.value) == f"{LONGEST} characters have no segment terminator '~' among them."


@settings(max_examples=600, deadline=None)
@given(
    cut=st.integers(0, len(FULL)),
    junk=st.binary(max_size=40),
    keep=st.sampled_from(
        [lambda cut, junk: FULL[:cut] + junk + FULL[cut:], lambda cut, junk: FULL[:cut] + junk + FULL[cut + 7 :]]
    ),
)
@example(cut=0, junk=b"", keep=lambda cut, junk: b"ISA")
def test_no_bytes_break_the_reader(cut: int, junk: bytes, keep: Callable[[int, bytes], bytes]) -> None:
    try:
        for each in reader.read(keep(cut, junk)):
            each.charge.model_dump_json()
    except Unreadable as refused:
        assert str(refused).endswith((".", ".)"))  # noqa: PT017 - any of many sentences


def test_no_patient_stands_in_a_refusal() -> None:
    for cut in range(110, len(PLAIN), 61):
        with pytest.raises(Unreadable) as caught:
            read(PLAIN[:cut])
        assert "arkspur" not in str(caught.value)


def test_a_claim_read_can_be_written_again() -> None:
    (found,) = read(FULL)
    assert written(claim(found.charge, found.number), to=FAITHFUL) == FULL
