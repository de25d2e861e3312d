"""What the tests of the language of claims share: a partner, files written to it, files that others wrote."""

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from charges.model import Charge, Claim, Encounter, ServiceLine, undotted
from charges.practice.partner import TradingPartner
from charges.practice.profile import parse_profile
from charges.x12 import reader
from charges.x12.claim import place_of
from charges.x12.interchange import ControlNumbers, write
from tests.practice import PROFILE

FOREIGN = Path(__file__).parents[3] / "shared" / "data" / "x12"
"""837 files that other projects wrote, with an index of what they are; absent from a plain checkout."""

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PARTNER = parse_profile(PROFILE).trading_partner


def partner(**changes: Any) -> TradingPartner:
    """A partner with other wishes, judged as a profile is."""
    return TradingPartner.model_validate(PARTNER.model_dump() | changes)


FAITHFUL = partner(
    line_number="",
    character_set="extended",
    letter_case="as_given",
    omit_facility_equal_to_billing=False,
    omit_rendering_equal_to_billing=False,
)
"""A partner whose files say all that a charge says and nothing else."""


def claim(charge: Charge, number: str = "CR00000004201", frequency: Any = "1") -> Claim:
    return Claim(number=number, charge=charge, frequency=frequency)


def written(*given: Charge | Claim, to: TradingPartner = PARTNER, control: int = 1) -> bytes:
    """The file of claims, or of charges as claims numbered in order."""
    claims = [
        each if isinstance(each, Claim) else claim(each, f"CR{number:09d}01") for number, each in enumerate(given, 1)
    ]
    return write(claims, to, ControlNumbers(control), AT).content


def segments(content: bytes) -> list[str]:
    """The segments of a file of ours, without terminators."""
    return [each.strip("\r\n") for each in content.decode("ascii").split("~")[:-1]]


def said(content: bytes, *beginnings: str) -> list[str]:
    """The segments that begin so, in their order."""
    return [each for each in segments(content) if each.startswith(beginnings)]


def read(content: bytes) -> list[Claim]:
    return list(reader.read(content))


def carried(charge: Charge) -> Charge:
    """What a file can carry of a charge: nothing of where it came from, and what two places say is said once."""
    place = place_of(charge, charge.billed_lines)
    first, *others = charge.coverages
    same = {
        name: getattr(charge, name)
        for name in ("benefits_assigned", "release_of_information", "patient_signature_source")
    }
    coverages = [
        first,
        *[
            other.model_copy(update={name: "" for name, value in same.items() if getattr(other, name) == value})
            for other in others
        ],
    ]
    lines = tuple(_line(each, place) for each in charge.billed_lines)
    return charge.model_copy(
        update={
            "practice": "",
            "source": "",
            "key": "",
            "version": "",
            **{
                role: provider.model_copy(update={"source_id": ""})
                for role in ("rendering_provider", "referring_provider", "billing_provider")
                if (provider := getattr(charge, role)) is not None
            },
            "patient": charge.patient.model_copy(update={"phone": "", "record_number": ""}),
            "encounter": Encounter(place_of_service=place),
            "coverages": tuple(
                each.model_copy(update={"payer": each.payer.model_copy(update={"source_id": ""})}) for each in coverages
            ),
            "lines": lines,
            "diagnoses": tuple(each.model_copy(update={"code": undotted(each.code)}) for each in charge.diagnoses),
            "note_kind": charge.note_kind if charge.note else "ADD",
            "stated_total": None if charge.stated_total == charge.total else charge.stated_total,
        }
    )


def _line(line: ServiceLine, place: str) -> ServiceLine:
    return line.model_copy(
        update={
            "source_id": "",
            "place_of_service": line.place_of_service or place,
            "diagnoses": tuple(map(undotted, line.diagnoses)),
            "charge": line.charge or Decimal(0),
            "units": line.units or Decimal(0),
            "note_kind": line.note_kind if line.note else "ADD",
        }
    )


@cache
def foreign_files() -> Sequence[dict[str, str]]:
    """The index of files that others wrote; empty where they are not at hand."""
    index = FOREIGN / "INDEX.tsv"
    if not index.exists():
        return ()
    with index.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def professional_files() -> Iterator[Path]:
    """The 837P of version 5010 that pyx12 accepts as they are, or once it is told by which guide to judge them."""
    for row in foreign_files():
        if row["kind"] == "837P" and "y" in (row["pyx12_clean"], row["pyx12_clean_after_normalising"]):
            yield FOREIGN / row["path"]
