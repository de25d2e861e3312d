"""What can be said of a claim file and of a claim, whoever says it: the values that replies are read into."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

_NUMBER = re.compile(r"[0-9]{1,9}")


class Outcome(StrEnum):
    """What an answer decides."""

    ACCEPTED = "accepted"
    PARTLY = "partly"
    """Some transaction sets of the file were refused."""
    REJECTED = "rejected"
    PENDING = "pending"
    """Received or sent on; nothing is decided."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """To whom an answer is written: ISA08 and GS03, and ISA15, which tells test from production.

    ``control_number`` and ``written`` are the answer's own ISA13, and ISA09 with ISA10 (YYMMDDHHMM).
    """

    names: tuple[str, ...]
    usage: str
    control_number: str = field(default="", compare=False)
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class FileError:
    """One thing wrong with a file.

    ``transaction`` is ST02, empty when the error is about the whole file; ``position`` counts segments from ST, which is 1,
    and is 0 when none is named; ``claim_number`` is there when the answer itself names the claim.
    """

    sentence: str = field(repr=False)
    transaction: str = ""
    position: int = 0
    claim_number: str = ""


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """What is said of a file. ``control_number`` is ISA13, 0 when the answer is about something other than claims.

    With REJECTED no ``transactions`` means all of them. ``provider`` is there when only the claims of one billing provider
    are refused, and is that provider's NPI. ``is_duplicate`` says that the number came before, and nothing else was wrong.
    """

    kind: str
    to: Addressee
    control_number: int
    outcome: Outcome
    errors: tuple[FileError, ...] = ()
    transactions: tuple[str, ...] = ()
    provider: str = ""
    is_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class ClaimAnswer:
    """What is said of a claim; ``codes`` are category, status and entity as given (A7:562:85)."""

    to: Addressee
    claim_number: str
    outcome: Outcome
    codes: tuple[str, ...]
    sentence: str = field(repr=False)
    payer_claim_number: str = ""


Answer = FileAnswer | ClaimAnswer


def number(text: str) -> int:
    """A control number or a count of an answer; 0 for what is none."""
    return int(text) if _NUMBER.fullmatch(text) else 0
