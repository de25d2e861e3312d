"""Single faults in a valid claim file: each is found, in its claim, loop, segment and element.

The first list is what an implementation guide says in tables, the second what it says in words and identifiers say by
themselves, which validators of X12 leave to others.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from charges.model import Claim
from charges.practice.profile import parse_profile
from charges.scrutiny.judging import Said, scrutinise
from charges.x12.interchange import ControlNumbers, write
from rules.examples import charge, line
from tests.conftest import NOON
from tests.practice import PROFILE

Change = tuple[str, str]
Judge = Callable[..., tuple[Said, ...]]

VALID = write(
    [
        Claim(number="CR1", charge=charge(line("99213", "25"), line("20610", "RT"))),
        Claim(number="CR2", charge=charge(line("99214"), key="2")),
    ],
    parse_profile(PROFILE).trading_partner,
    ControlNumbers(1),
    NOON,
).content.decode()


def _changed(*changes: Change) -> str:
    """The file with changes made in its first claim, and SE counting right."""
    found = VALID
    for before, after in changes:
        assert before in found, before
        found = found.replace(before, after, 1)
    segments = found.split("~\n")
    begun = next((place for place, each in enumerate(segments) if each.startswith("ST*")), 0)
    for place, each in enumerate(segments):
        if each.startswith("SE*") and not any(before.startswith("SE*") for before, _ in changes):
            segments[place] = f"SE*{place - begun + 1}*{each.split('*')[2]}"
    return "~\n".join(segments)


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    def judged(*changes: Change) -> tuple[Said, ...]:
        path = tmp_path / "claims.837"
        path.write_text(_changed(*changes), encoding="latin-1")
        found = scrutinise(path, date(2026, 11, 23))
        assert found.verdict == "held", found.sentence
        return found.findings

    return judged


def test_the_file_as_it_is_has_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "claims.837"
    path.write_text(VALID)
    assert scrutinise(path, date(2026, 11, 23)).findings == ()


SV1 = "SV1*HC:99213:25*150*UN*1***1"

OF_TABLES: dict[str, tuple[tuple[Change, ...], tuple[str, str, str, str]]] = {
    "an unknown segment": ((("HI*ABK", "ZZZ*1~\nHI*ABK"),), ("CR1", "2300", "ZZZ", "")),
    "a segment out of order": (
        (("N3*12 WILLOW LANE~\nN4*SPRINGFIELD*IL*62704", "N4*SPRINGFIELD*IL*62704~\nN3*12 WILLOW LANE"),),
        ("CR1", "2010BA", "N3", ""),
    ),
    "no payer": ((("NM1*PR*2*PRAIRIE MUTUAL HEALTH*****PI*PRM01~\n", ""),), ("CR1", "2010BB", "NM1", "")),
    "no service": (((f"{SV1}~\n", ""),), ("CR1", "2400", "SV1", "")),
    "no service line number": ((("LX*1~\n", ""),), ("CR1", "2310B", "SV1", "")),
    "no date of service": ((("DTP*472*D8*20261116~\n", ""),), ("CR1", "2400", "DTP", "")),
    "no diagnoses": ((("HI*ABK:I10*ABF:E119~\n", ""),), ("CR1", "2300", "HI", "")),
    "a line number out of order": ((("LX*2", "LX*3"),), ("CR1", "2400", "LX", "LX01")),
    "a date that is none": ((("D8*20261116", "D8*20260231"),), ("CR1", "2400", "DTP", "DTP03")),
    "a span for a day": ((("D8*20261116", "D8*20261116-20261117"),), ("CR1", "2400", "DTP", "DTP03")),
    "a diagnosis qualifier that is none": ((("HI*ABK", "HI*XX"),), ("CR1", "2300", "HI", "")),
    "text for an amount": ((("CLM*CR1*300", "CLM*CR1*3OO"),), ("CR1", "2300", "CLM", "CLM02")),
    "no amount": ((("CLM*CR1*300", "CLM*CR1*"),), ("CR1", "2300", "CLM", "CLM02")),
    "an identifier without its qualifier": (
        (("*XX*1245319599", "**1245319599"),),
        ("CR1", "2310B", "NM1", "NM108"),
    ),
    "a qualifier without its identifier": ((("*XX*1245319599", "*XX"),), ("CR1", "2310B", "NM1", "NM108")),
    "a procedure qualifier that is none": ((("HC:99213", "QQ:99213"),), ("CR1", "2400", "SV1", "")),
    "a modifier of three characters": ((("HC:99213:25", "HC:99213:255"),), ("CR1", "2400", "SV1", "SV101-3")),
    "a place of service that is none": ((("11:B:1", "98:B:1"),), ("CR1", "2300", "CLM", "CLM05-1")),
    "a state that is none": (
        (("SPRINGFIELD*IL*62704", "SPRINGFIELD*ZX*62704"),),
        ("CR1", "2010BA", "N4", "N402"),
    ),
    "a filing code that is none": ((("******CI", "******QQ"),), ("CR1", "2000B", "SBR", "SBR09")),
    "a control character": ((("WILLOW LANE", "WILLOW\x07LANE"),), ("CR1", "2010BA", "N3", "N301")),
    "a pointer to diagnosis 0": ((("UN*1***1", "UN*1***0"),), ("CR1", "2400", "SV1", "SV107-1")),
    "elements at the end that are empty": (((SV1, f"{SV1}**"),), ("CR1", "2400", "SV1", "")),
    "too many elements": (((SV1, f"{SV1}***************9"),), ("CR1", "2400", "SV1", "SV122")),
    "a level whose parent is not above it": ((("HL*2*1*22", "HL*2*7*22"),), ("CR1", "2000B", "HL", "HL02")),
    "levels out of count": ((("HL*2*1*22", "HL*5*1*22"),), ("CR1", "2000B", "HL", "HL01")),
    "segments out of count": ((("SE*", "SE*9"),), ("", "ST_LOOP", "SE", "")),
    "sets out of count": ((("GE*1*1", "GE*2*1"),), ("", "GS_LOOP", "GE", "")),
    "another control number at the end": ((("IEA*1*000000001", "IEA*1*000000002"),), ("", "ISA_LOOP", "IEA", "")),
}


@pytest.mark.parametrize(("changes", "place"), OF_TABLES.values(), ids=OF_TABLES)
def test_what_the_guide_says_in_tables(
    judge: Judge, changes: tuple[Change, ...], place: tuple[str, str, str, str]
) -> None:
    found = [(each.claim, each.loop, each.segment, each.element) for each in judge(*changes) if each.rule == "X12-002"]
    assert place in found


IN_WORDS: dict[str, tuple[tuple[Change, ...], tuple[str, str, str]]] = {
    "the lines do not add up": ((("CLM*CR1*300", "CLM*CR1*310"),), ("2300", "CLM", "CLM02")),
    "no NPI of the billing provider": (
        (("MEDICINE*****XX*1993999998", "MEDICINE"),),
        ("2010AA", "NM1", "NM109"),
    ),
    "an NPI that fails its check digit": ((("XX*1245319599", "XX*1245319590"),), ("2310B", "NM1", "NM109")),
    "an NPI of nine digits": ((("XX*1245319599", "XX*124531959"),), ("2310B", "NM1", "NM109")),
    "diagnoses of two revisions": ((("HI*ABK:I10*ABF:E119", "HI*ABK:I10*BF:25000"),), ("2300", "HI", "HI02-2")),
    "a frequency that is none": ((("11:B:1", "11:B:Z"),), ("2300", "CLM", "CLM05-3")),
    "a replacement without the payer's number": ((("11:B:1", "11:B:7"),), ("2300", "REF", "REF02")),
    "a negative charge": ((("HC:99213:25*150", "HC:99213:25*-150"),), ("2400", "SV1", "SV102")),
    "a charge of tenths of a cent": ((("HC:99213:25*150", "HC:99213:25*150.125"),), ("2400", "SV1", "SV102")),
    "no units": ((("25*150*UN*1*", "25*150*UN*0*"),), ("2400", "SV1", "SV104")),
    "a subscriber without address": (
        (("N3*12 WILLOW LANE~\nN4*SPRINGFIELD*IL*62704~\n", ""),),
        ("2010BA", "N3", "N301"),
    ),
    "a subscriber without birth and sex": ((("DMG*D8*19610403*F~\n", ""),), ("2010BA", "DMG", "DMG02")),
    "no relationship and no patient": ((("SBR*P*18*", "SBR*P**"),), ("2000B", "SBR", "SBR02")),
    "a pointer beyond the diagnoses": ((("UN*1***1", "UN*1***4"),), ("2400", "SV1", "SV107")),
    "a car accident without the state": (
        (("*Y*A*Y*Y", "*Y*A*Y*Y**AA"), ("HI*ABK", "DTP*439*D8*20261110~\nHI*ABK")),
        ("2300", "CLM", "CLM11-4"),
    ),
    "a service in the future": ((("D8*20261116", "D8*20991116"),), ("2400", "DTP", "DTP03")),
    "a service before birth": ((("DMG*D8*19610403", "DMG*D8*20261120"),), ("2010BA", "DMG", "DMG02")),
    "a claim number that came before": ((("CLM*CR2*", "CLM*CR1*"),), ("2300", "CLM", "CLM01")),
    "a diagnosis that is no code": ((("ABK:I10", "ABK:I109"),), ("2300", "HI", "HI01-2")),
    "a diagnosis with its point": ((("ABF:E119", "ABF:E11.9"),), ("2300", "HI", "HI02-2")),
    "a procedure that is no code": ((("HC:99213:25", "HC:ABCDE:25"),), ("2400", "SV1", "SV101-2")),
    "a ZIP code of four digits": ((("IL*62704~", "IL*6270~"),), ("2010BA", "N4", "N403")),
    "a billing ZIP code of five digits": ((("IL*627010001", "IL*62701"),), ("2010AA", "N4", "N403")),
    "a billing address that is a post box": ((("N3*400 HARBOR STREET", "N3*PO BOX 12"),), ("2010AA", "N3", "N301")),
    "a taxonomy that is none": ((("PRV*BI*PXC*207Q00000X", "PRV*BI*PXC*207Q"),), ("2000A", "PRV", "PRV03")),
    "an EIN of eight digits": ((("REF*EI*364711208", "REF*EI*36471120"),), ("2010AA", "REF", "REF02")),
    "a guide in ST that differs from the group's": (
        (("ST*837*0001*005010X222A1", "ST*837*0001*005010X222A2"),),
        ("ST_LOOP", "ST", "ST03"),
    ),
    "a level that promises a dependent and has none": ((("HL*2*1*22*0", "HL*2*1*22*1"),), ("2000B", "HL", "HL04")),
}


@pytest.mark.parametrize(("changes", "place"), IN_WORDS.values(), ids=IN_WORDS)
def test_what_the_guide_says_in_words(judge: Judge, changes: tuple[Change, ...], place: tuple[str, str, str]) -> None:
    assert place in [(each.loop, each.segment, each.element) for each in judge(*changes)]
