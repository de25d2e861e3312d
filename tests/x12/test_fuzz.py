"""Whatever bytes come, nothing but our own errors is raised, and nothing hangs."""

import io
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from charges.errors import Unreadable
from charges.x12 import acknowledge, check, guide, marking, reader, responses, words
from charges.x12.oracle import Opinion
from tests.x12.test_guide import DENSE, MUTATIONS, ONE, PLAIN

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _times(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A valid file with some of its bytes replaced, lost or repeated."""
    content = bytearray(draw(st.sampled_from([ONE, PLAIN, PLAIN, DENSE])))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        length = draw(st.sampled_from([0, 1, 2, 7, 106, 400]))
        content[start : start + length] = draw(
            st.one_of(st.binary(max_size=6), st.sampled_from([b"~", b"*", b":", b"ISA", b"HL*1**20*1~", b"\r\n"]))
        )
    return bytes(content)


@pytest.mark.timeout(1200)
@_times(MUTATIONS * 4)
@given(st.one_of(spoiled(), spoiled(), st.binary(max_size=300)))
@example(b"")
@example(PLAIN[:106])
@example(PLAIN[: PLAIN.index(b"BHT")])
@example(PLAIN + b"\x00")
@example(PLAIN.replace(b"~", b"*"))
def test_bytes_raise_nothing_but_our_errors(content: bytes) -> None:
    for read in (
        lambda: list(reader.read(content)),
        lambda: responses.read(content),
        lambda: words.read(content),
        lambda: acknowledge.implementation_acknowledgment(content, Opinion(), NOW, 1),
        lambda: acknowledge.ta1(content, Opinion(), NOW, 1),
        lambda: marking.positions(content, [marking.Place("CR1")]),
    ):
        with suppress(Unreadable):
            read()
    guide.survey(io.BytesIO(content))


@_times(max(50, MUTATIONS // 10))
@given(st.one_of(spoiled(), st.binary(max_size=300)))
@example(PLAIN[: PLAIN.index(b"CLM*CR1")] + b"SE*20*0001~\nGE*1*1~\nIEA*1*000000001~\n")
def test_any_bytes_get_a_verdict(content: bytes) -> None:
    verdict = check.check(content)
    assert verdict.valid or verdict.by_claim or verdict.of_file


@pytest.mark.parametrize("delimiter", [b"~", b"*", b":"])
def test_a_file_of_delimiters_does_not_hang(delimiter: bytes) -> None:
    content = PLAIN[:106] + delimiter * 200_000
    with pytest.raises(Unreadable):
        list(reader.read(content))
    assert not check.check(content).valid
