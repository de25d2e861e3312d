"""Messages over real sockets: accepted only when stored, refused with a reason, never a patient's data in a log."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from charges.errors import Refused
from charges.log import configure_logging
from charges.practice.profile import parse_profile
from charges.sources.hl7.inbox import Inbox
from charges.sources.hl7.listener import Listener, encryption
from charges.sources.hl7.message import Message
from tests.practice import PROFILE
from tests.sources.hl7 import SAMPLES, dft, ft1, message, msh, settings, talk

NOON = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def listener(folder: Path, longest: int = 100_000) -> Listener:
    return Listener(settings(folder), Inbox(folder), lambda: NOON, longest=longest)


def at_port(listening: Listener, conversation: Callable[[int], Awaitable[object]]) -> object:
    async def hold() -> object:
        server = await listening.serve("127.0.0.1", 0)
        async with server:
            return await conversation(server.sockets[0].getsockname()[1])

    return asyncio.run(hold())


def answers(folder: Path, *messages: bytes) -> list[Message]:
    said = at_port(listener(folder), lambda port: talk(port, *messages))
    assert isinstance(said, list)
    return [Message(each.encode()) for each in said]


def stored(folder: Path) -> list[bytes]:
    return sorted(each.read_bytes() for each in folder.glob("*.hl7"))


def test_a_message_is_accepted_when_it_is_stored(tmp_path: Path) -> None:
    first, second = dft(control="M1"), dft(visit="V8", control="M2")
    said = answers(tmp_path, first, second, first)
    assert [(each.text("MSA-1"), each.text("MSA-2")) for each in said] == [("AA", "M1"), ("AA", "M2"), ("AA", "M1")]
    assert said[0].kind == "ACK^P03"
    assert said[0].text("MSH-5") == "CHARTWELL"
    assert said[0].text("MSH-7").startswith("20261123180000")
    assert stored(tmp_path) == sorted([first, second])
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]


@pytest.mark.parametrize(
    ("content", "outcome", "sentence"),
    [
        (message(msh("SIU^S12")), "AR", "are not read here"),
        (message(msh(application="STRANGER"), ft1()), "AR", "No sender"),
        (message(msh(f11="D"), ft1()), "AR", "training or debugging"),
        (b"hello", "AR", "This is not HL7"),
        (message(msh()), "AE", "no FT1 segment"),
        (dft() + dft(), "AR", "Several messages"),
    ],
)
def test_a_refusal_says_why_and_stores_nothing(tmp_path: Path, content: bytes, outcome: str, sentence: str) -> None:
    (said,) = answers(tmp_path, content)
    assert said.text("MSA-1") == outcome
    assert sentence in said.text("MSA-3")
    assert said.text("ERR-8") == said.text("MSA-3")
    assert stored(tmp_path) == []


def test_a_fault_of_one_line_is_no_fault_of_the_message(tmp_path: Path) -> None:
    (said,) = answers(tmp_path, dft(ft1(), ft1("85025", "T2", f4="soon")))
    assert said.text("MSA-1") == "AA"


def test_what_cannot_be_stored_is_not_accepted(tmp_path: Path) -> None:
    (said,) = answers(tmp_path / "missing", dft())
    assert (said.text("MSA-1"), said.text("ERR-3")) == ("AE", "207")


@pytest.mark.parametrize(
    ("fields", "content", "expected"),
    [
        ({"f15": "AL", "f16": "NE"}, ft1(), "CA"),
        ({"f15": "NE", "f16": "AL"}, ft1(), ""),
        ({"f15": "ER"}, ft1(), ""),
        ({"f15": "ER"}, "NTE|1", "CE"),
        ({"f16": "AL"}, ft1(), "AA"),
        ({"f15": "SU"}, "NTE|1", ""),
    ],
)
def test_a_sender_may_say_which_answers_it_wants(
    tmp_path: Path, fields: dict[str, str], content: str, expected: str
) -> None:
    said = asyncio.run(listener(tmp_path).answer(message(msh(**fields), content)))
    assert (Message(said).text("MSA-1") if said else "") == expected


def test_the_answer_is_in_the_signs_of_the_message(tmp_path: Path) -> None:
    content = dft().decode().translate(str.maketrans("|^~\\&", "#*!?%")).encode()
    (said,) = answers(tmp_path, content)
    assert said.text("MSA-1") == "AA"


def test_a_message_that_is_too_long_ends_the_conversation(tmp_path: Path) -> None:
    async def send(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x0b" + dft() * 20)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer

    answer = at_port(listener(tmp_path, longest=2_000), send)
    assert isinstance(answer, bytes)
    assert b"MSA|AR||A message may have 2000 bytes at most." in answer


def test_a_connection_that_breaks_off_stores_nothing_and_others_go_on(tmp_path: Path) -> None:
    async def send(port: int) -> object:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x0b" + dft()[:50])
        await writer.drain()
        writer.close()
        return await asyncio.gather(*(talk(port, dft(visit=f"V{number}", control=str(number))) for number in range(20)))

    at_port(listener(tmp_path), send)
    assert len(stored(tmp_path)) == 20


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample messages are not here")
def test_every_message_of_others_is_answered(tmp_path: Path) -> None:
    listening = Listener(
        settings(tmp_path, *(each.model_copy(update={"application": ""}) for each in settings(tmp_path).senders)),
        Inbox(tmp_path),
        lambda: NOON,
    )
    contents = [each.read_bytes() for each in sorted(SAMPLES.glob("*.hl7"))]
    said = at_port(listening, lambda port: talk(port, *contents))
    assert isinstance(said, list)
    outcomes = [Message(each.encode()).text("MSA-1") or "none" for each in said]
    assert outcomes.count("AA") == len(stored(tmp_path)) == 8


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_answered(tmp_path: Path, content: bytes, begins: bool) -> None:
    sent = (b"MSH|^~\\&|CHARTWELL|" if begins else b"") + content
    said = asyncio.run(listener(tmp_path).answer(sent))
    if said:
        assert Message(said).text("MSA-1") in {"AA", "AE", "AR", "CA", "CE", "CR"}


def test_logs_and_answers_tell_nothing_of_the_patient(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug")
    said = answers(tmp_path, dft(), dft(ft1(f4="Odette")), message(msh(f11="T"), "PID|1||100001||Fairweather"))
    logged = capfd.readouterr()
    told = logged.out + logged.err + " ".join(each.text("MSA-3") + each.text("ERR-8") for each in said)
    assert "message stored" in told
    assert not any(mark in told for mark in ("Fairweather", "Odette", "100001", "8812345", "V7"))


def test_a_certificate_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be used"):
        encryption(str(tmp_path / "none.pem"), "", "")


def test_the_command_listens_until_it_is_stopped(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHARGES_")}

    def charges(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "charges", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=kept,
            check=False,
        )

    old = PROFILE[PROFILE.index("source:") : PROFILE.index("trading_partner:")]
    text = PROFILE.replace(old, "source: {kind: hl7, folder: in, senders: [{code: ehr, place_of_service: 11}]}\n")
    assert parse_profile(text)
    (tmp_path / "lakeside.yaml").write_text(text)
    charges("keys", "new", "chargerouter.key")
    charges("db", "upgrade")
    assert charges("practice", "apply", "lakeside.yaml").returncode == 0
    refused = charges("listen", "lakeside", "--host", "0.0.0.0")
    assert (refused.returncode, "in the clear" in refused.stderr) == (2, True)
    with subprocess.Popen(
        [sys.executable, "-m", "charges", "listen", "lakeside", "--port", "0"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env=kept,
    ) as process:
        assert process.stderr is not None
        port = int(process.stderr.readline().partition(";")[0].rpartition(":")[2])
        (said,) = asyncio.run(talk(port, dft()))
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert "MSA|AA|1" in said
    worked = charges("work", "--json")
    assert '"pulled": 1' in worked.stdout, worked.stdout + worked.stderr
