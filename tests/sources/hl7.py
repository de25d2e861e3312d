"""Invented messages of an invented practice's systems, for tests of the HL7 source."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from charges.practice.dialect import Hl7, Sender

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "hl7"
"""Messages of other people's systems; tests that need them are skipped where they are not."""

EHR = Sender(code="ehr", application="CHARTWELL", places_of_service={"CLINIC": "11", "WARD": "21"})
PID = "PID|1||100001^^^LAKE^MR||Fairweather^Odette^M||19610403|F|||12 Elm Street^^Springfield^IL^627010001||2175550142"
IN1 = "IN1|1|PMH|17|Prairie Mutual Health||||GRP7||||||||SEL^|SEL" + "|" * 19 + "PMH8812345"


def settings(folder: Path, *senders: Sender, registration_days: int = 14) -> Hl7:
    return Hl7(kind="hl7", folder=folder, senders=senders or (EHR,), registration_days=registration_days)


def msh(kind: str = "DFT^P03", control: str = "1", application: str = "CHARTWELL", **fields: str) -> str:
    """MSH; a keyword such as ``f11="T"`` sets a field."""
    values = {
        3: application, 4: "LAKE", 5: "CHARGES", 6: "LAKE", 7: "20261116103000", 9: kind, 10: control, 11: "P", 12: "2.5.1",
    } | {int(name[1:]): text for name, text in fields.items()}  # fmt: skip
    return "MSH|^~\\&|" + "|".join(values.get(number, "") for number in range(3, max(values) + 1))


def pv1(visit: str = "V7", location: str = "CLINIC") -> str:
    return f"PV1|1|O|{location}||||1234567893^Vale^Imogen||||||||||||{visit}"


def ft1(code: str = "99213", number: str = "T1", kind: str = "CG", **fields: str) -> str:
    """FT1; a keyword such as ``f26="25"`` sets a field."""
    values = {1: "1", 2: number, 4: "20261116", 6: kind, 10: "1", 11: "150.00", 19: "E11.9^^I10", 25: f"{code}^^C4"}
    values |= {int(name[1:]): text for name, text in fields.items()}
    return "FT1|" + "|".join(values.get(number, "") for number in range(1, max(values) + 1))


def message(*segments: str) -> bytes:
    return "".join(f"{each}\r" for each in segments).encode()


def dft(*lines: str, visit: str = "V7", control: str = "1", patient: str = PID, insurance: str = IN1) -> bytes:
    return message(msh(control=control), "EVN|P03", patient, pv1(visit), *(lines or (ft1(),)), insurance)


def adt(event: str, *more: str, control: str = "A1", patient: str = PID) -> bytes:
    return message(msh(f"ADT^{event}", control, "REGISTRY"), f"EVN|{event}", patient, *more)


async def talk(port: int, *messages: bytes) -> Sequence[str]:
    """Send messages over one connection, each when the one before was answered; returns the answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for each in messages:
        writer.write(b"\x0b" + each + b"\x1c\r")
        await writer.drain()
        answers.append((await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 10)).decode().strip("\x0b\x1c\r"))
    writer.close()
    await writer.wait_closed()
    return answers
