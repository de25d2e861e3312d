"""The fast acceptor never says "valid" where pyx12 would not, and what it leaves to pyx12 ends in pyx12's verdict."""

import io
import os
import time
import tracemalloc
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import pyx12.map_if
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charges.model import Charge, Claim
from charges.practice.partner import TradingPartner
from charges.practice.profile import parse_profile
from charges.x12 import check, guide, oracle
from charges.x12.interchange import ControlNumbers, stream, write
from rules.examples import charge, line
from rules.full_bill import full_bill
from rules.full_charge import full_charge
from tests.conftest import NOON
from tests.practice import PROFILE

MUTATIONS = int(os.environ.get("CHARGES_MUTATIONS", "200"))
"""How many damaged files are judged by both; CI asks for more."""

PARTNER: TradingPartner = parse_profile(PROFILE).trading_partner
FILES_BY_OTHERS = Path(__file__).parents[3] / "shared" / "data" / "x12"


def _file(*charges: Charge, partner: TradingPartner = PARTNER, at: datetime = NOON) -> bytes:
    claims = [Claim(number=f"CR{place}", charge=each) for place, each in enumerate(charges, 1)]
    return write(claims, partner, ControlNumbers(1), at).content


VISIT = charge(line("99213", "25"), line("20610", "RT"))
ONE = _file(charge())
PLAIN = _file(VISIT, charge(line("85025")))
DENSE = _file(full_charge(payers=2, dependent=False))
FULL = _file(full_charge(), full_charge(payers=11, dependent=False))
BILL = _file(full_bill(payers=1, dependent=False))
SETS = _file(VISIT, charge(line("85025")), charge(), partner=PARTNER.model_copy(update={"claims_per_transaction": 1}))


def _is_accepted(content: bytes) -> bool:
    return guide.survey(io.BytesIO(content)).accepted


@pytest.fixture
def corrected_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyx12's own entry point over the maps that we have corrected, read once."""
    monkeypatch.setattr(pyx12.map_if, "load_map_file", lambda name, *_: oracle.load_map(name))


# What is valid is accepted without asking pyx12


@pytest.mark.parametrize("content", [PLAIN, FULL, SETS, BILL], ids=["plain", "full", "sets", "bill"])
def test_what_we_write_is_accepted_at_once(content: bytes) -> None:
    assert _is_accepted(content)
    assert oracle.pyx12_alone(content)


@pytest.mark.parametrize(("element", "component", "segment"), [("|", ">", "~"), ("*", "<", "!"), ("~", ":", "'")])
def test_any_delimiters_are_accepted(element: str, component: str, segment: str) -> None:
    content = PLAIN.translate(bytes.maketrans(b"*:~", (element + component + segment).encode()))
    assert _is_accepted(content)


@pytest.mark.parametrize("line_end", [b"", b"\n", b"\r\n"])
def test_line_breaks_after_segments_are_accepted(line_end: bytes) -> None:
    content = PLAIN.replace(b"\n", b"").replace(b"~", b"~" + line_end)
    assert _is_accepted(content)


def test_several_interchanges_in_one_file_are_accepted() -> None:
    second = write([Claim(number="CR3", charge=VISIT)], PARTNER, ControlNumbers(2), NOON).content
    assert _is_accepted(PLAIN + second)
    assert not _is_accepted(PLAIN + PLAIN), "a control number that comes twice is a fault"


@pytest.mark.parametrize("day", ["20240229", "20000229", "18000101", "20261231"])
def test_all_days_of_the_calendar_are_accepted(day: str) -> None:
    assert _is_accepted(PLAIN.replace(b"DMG*D8*19610403", f"DMG*D8*{day}".encode()))


@pytest.mark.parametrize("day", ["20230229", "19000229", "17991231", "20261301", "20260431", "2026010"])
def test_other_days_are_not(day: str) -> None:
    assert not _is_accepted(PLAIN.replace(b"DMG*D8*19610403", f"DMG*D8*{day}".encode()))


# Where the two meet


@pytest.mark.usefixtures("corrected_maps")
@pytest.mark.parametrize(
    "path",
    [each for each in sorted(FILES_BY_OTHERS.rglob("*")) if each.is_file() and each.suffix != ".tsv"],
    ids=lambda path: path.name,
)
def test_files_by_others_have_pyx12s_verdict(path: Path) -> None:
    content = path.read_bytes()
    if len(content) > 30_000:
        pytest.skip("as the smaller ones, for minutes")
    verdict = check.opinion(content)
    assert not _is_accepted(content) or verdict.valid
    if not any(
        name in content for name in (b"X222A2", b"X223A3")
    ):  # which pyx12 has no map of, and we judge by A1 and A2
        assert verdict.valid == oracle.pyx12_alone(content)


POOL = """|A|Y|N|1|0|99|20260229|20240229|20261301|D8|RD8|20260101-20260105|123456789|1.50|-1|-|.5|5.|1E5|XX|MI|IL|A:B
A:B:C:D:E:F:G:H:I| X|X |é|\x07|TX|ZZ|11|ABK:I10|HC:99213|^|12345678901234567890|00000000000000000000000000000001
""".replace("\n", "|").split("|")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid file after one to three accidents to its segments, elements or characters, mostly counted right again."""
    segments = (
        draw(st.sampled_from([PLAIN, PLAIN, PLAIN, SETS, SETS, DENSE, BILL]))
        .replace(b"\n", b"")
        .decode()
        .split("~")[:-1]
    )
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(segments) - 1))
        elements = segments[place].split("*")
        at = draw(st.integers(0, len(elements)))
        accident = draw(
            st.sampled_from(["lose", "repeat", "swap", "move", "change", "change", "change", "add", "spoil"])
        )
        other = draw(st.integers(0, len(segments) - 1))
        if accident == "lose" and len(segments) > 1:
            del segments[place]
        elif accident == "repeat":
            segments.insert(place, segments[place])
        elif accident == "swap":
            segments[place], segments[other] = segments[other], segments[place]
        elif accident == "move":
            segments.insert(place, segments[other])
        elif accident == "change":
            elements[min(at, len(elements) - 1)] = draw(st.sampled_from(POOL))
            segments[place] = "*".join(elements)
        elif accident == "add":
            elements.insert(at, draw(st.sampled_from(POOL)))
            segments[place] = "*".join(elements)
        else:
            text = segments[place]
            spot = draw(st.integers(0, len(text)))
            segments[place] = text[:spot] + draw(st.sampled_from("*:~^ AZ09.-\n\r\x00ÿ")) + text[spot + 1 :]
    return ("~".join(_counted(segments) if draw(st.booleans()) else segments) + "~").encode("latin-1")


def _counted(segments: list[str]) -> Iterator[str]:
    begun = 0
    for place, segment in enumerate(segments):
        elements = segment.split("*")
        if elements[0] == "ST":
            begun = place
        if elements[0] == "SE" and len(elements) > 1:
            elements[1] = str(place - begun + 1)
        yield "*".join(elements)


@pytest.mark.timeout(1200)
@settings(
    max_examples=MUTATIONS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(damaged())
@pytest.mark.usefixtures("corrected_maps")
def test_no_damaged_file_has_another_verdict_than_pyx12s(content: bytes) -> None:
    verdict = check.opinion(content)
    pyx12_says = oracle.pyx12_alone(content)
    if _is_accepted(content):
        assert pyx12_says
    if verdict.valid != pyx12_says:
        assert pyx12_says, "we accept nothing that pyx12 refuses"
        assert any(_is_lost_by_pyx12(each) for each in verdict.faults)


def _is_lost_by_pyx12(fault: oracle.Fault) -> bool:
    """The one thing that we refuse and pyx12 does not: a segment between the envelopes that has no place there."""
    return fault.level == "segment" and fault.code in ("1", "2") and fault.loop in ("ISA_LOOP", "GS_LOOP")


def test_a_transaction_set_that_begins_twice_is_not_accepted() -> None:
    doubled = BILL.replace(b"ST*837*0001*005010X223A2~\n", b"ST*837*0001*005010X223A2~\n" * 2)
    assert not _is_accepted(doubled.replace(*_one_more(doubled)))
    assert not check.opinion(doubled.replace(*_one_more(doubled))).valid


# What is left to pyx12


def test_one_doubtful_transaction_set_leaves_the_others_alone() -> None:
    content = SETS.replace(b"CLM*CR3*", b"CLM*CR3*1E9", 1)
    (doubtful,) = guide.survey(io.BytesIO(content)).doubtful
    segments = content.replace(b"\n", b"").split(b"~")
    assert segments[doubtful.first - 1].startswith(b"ST*837*0003")
    assert segments[doubtful.last - 1].startswith(b"SE*")
    (fault,) = check.opinion(content).faults
    assert (fault.claim, fault.transaction, fault.element) == ("CR3", "0003", "CLM02")
    assert segments[fault.position - 1].startswith(b"CLM*CR3")


def test_states_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    guide.compiled.cache_clear()
    monkeypatch.setattr(guide, "MOST_STATES", 10)
    assert _is_accepted(FULL)
    guide.compiled.cache_clear()


# Corrections of pyx12's maps


def test_an_attachment_that_waits_for_a_request_is_allowed() -> None:
    content = PLAIN.replace(b"HI*ABK", b"PWK*OZ*AD~HI*ABK", 1)
    counted = content.replace(*_one_more(content))
    assert check.opinion(counted).valid
    assert not oracle.pyx12_alone(counted)


def _one_more(content: bytes) -> tuple[bytes, bytes]:
    end = content.index(b"SE*")
    said = content[end:].split(b"*")[1]
    return b"SE*" + said + b"*", b"SE*%d*" % (int(said) + 1)


@pytest.mark.parametrize("version", [b"005010X222", b"005010X222A2"])
def test_the_other_addenda_are_judged_by_the_same_guide(version: bytes) -> None:
    assert check.opinion(PLAIN.replace(b"005010X222A1", version)).valid


def test_a_guide_that_is_not_known_is_a_fault_of_the_file() -> None:
    opinion = check.opinion(PLAIN.replace(b"005010X222A1", b"005010X999"))
    assert not opinion.valid
    assert "GS08 names no guide" in opinion.of_file[0].sentence


# Speed and memory


def test_the_guide_is_many_times_as_fast_as_pyx12() -> None:
    content = _file(*[VISIT] * 60)
    check.check(content)  # the maps are read, the machine is made
    oracle.ask([content.decode()])

    def took(work: object) -> float:
        started = time.perf_counter()
        assert callable(work)
        assert work()
        return time.perf_counter() - started

    ours = min(took(lambda: _is_accepted(content)) for _ in range(5))
    theirs = min(took(lambda: oracle.ask([content.decode()]).valid) for _ in range(2))
    assert ours * 20 < theirs


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for count in (400, 2000):
        path = tmp_path / f"{count}.837"
        claims = (Claim(number=f"CR{number}", charge=VISIT) for number in range(count))
        with path.open("wb") as file:
            file.writelines(stream(claims, PARTNER, ControlNumbers(1), NOON))
        with path.open("rb") as file:
            guide.survey(file)
        with path.open("rb") as file:
            tracemalloc.start()
            assert guide.survey(file).accepted
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5
