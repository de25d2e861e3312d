"""What comes back for a claim file: TA1, 999 (or 997), 277CA and 835, read into what they say of which file or claim.

A TA1 speaks of an interchange by ISA13, a 999 of a functional group by GS06, which is written equal to ISA13, and of its
transaction sets by ST02; a 277CA (005010X214) speaks of claims; an 835 is a payment for claims. Any delimiters, any number
of interchanges and transaction sets; a reply is read whole or not at all, so that half of one is never carried out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from charges.errors import Unreadable
from charges.x12.answers import Addressee, Answer, ClaimAnswer, FileAnswer, FileError, Outcome
from charges.x12.claim_answers import Claims
from charges.x12.file_answers import Functional, of_interchange
from charges.x12.remittance import Remittance
from charges.x12.remittance_reading import Payments
from charges.x12.scanner import Delimiters, Segment, scan

__all__ = [
    "Addressee",
    "Answer",
    "ClaimAnswer",
    "FileAnswer",
    "FileError",
    "Outcome",
    "Remittance",
    "read",
    "refused_claims",
    "remittances",
]

_CLAIM_ACKNOWLEDGEMENT = "005010X214"


def read(content: bytes) -> Sequence[Answer | Remittance]:
    """The answers of a reply in their order; raises Unreadable with a sentence for anything else."""
    if not content.strip():
        raise Unreadable("The file is empty.")
    answers = tuple(_stream(content))
    if not answers:
        raise Unreadable("The file is X12, but there is no answer (TA1, 999, 997, 277CA or 835) in it.")
    return answers


def remittances(content: bytes | BinaryIO) -> Iterator[Remittance]:
    """The payments of a file in their order, one transaction set held at a time.

    Raises Unreadable with a sentence as soon as something is seen that is no answer: payments given before stay good.
    """
    is_empty = True
    for answer in _stream(content):
        if isinstance(answer, Remittance):
            is_empty = False
            yield answer
    if is_empty:
        raise Unreadable("The file holds no remittance (835).")


def _stream(content: bytes | BinaryIO) -> Iterator[Answer | Remittance]:
    reader = _Reader()
    for segment, delimiters in scan(content):
        yield from reader.take(segment, delimiters)


def refused_claims(answer: FileAnswer, content: bytes) -> Mapping[str, tuple[FileError, ...]]:
    """The claims of a file, by CLM01, that an answer to it refuses, each with the errors that concern it.

    A refused transaction set takes all its claims with it, so a claim may have no error of its own. An error in a level
    above claims concerns all claims below that level.
    """
    if answer.outcome not in (Outcome.REJECTED, Outcome.PARTLY):
        return {}
    names = {each.lstrip("0") for each in answer.transactions}
    return {
        sent.number: sent.errors
        for sent in _sent(content, answer.errors)
        if (sent.transaction in names or (answer.outcome is Outcome.REJECTED and not names))
        and answer.provider in ("", sent.provider)
    }


@dataclass(frozen=True, slots=True)
class _Sent:
    """A claim as it stands in the file: its transaction set, its billing provider, the errors of each level above it."""

    number: str
    transaction: str
    provider: str
    levels: tuple[list[FileError], ...]

    @property
    def errors(self) -> tuple[FileError, ...]:
        return tuple(error for level in self.levels for error in level)


def _sent(content: bytes, errors: Sequence[FileError]) -> Sequence[_Sent]:
    """The claims of a file. Segments are counted as a 999 counts them: from ST, which is 1."""
    by_place: dict[tuple[str, int], list[FileError]] = {}
    by_claim: dict[str, list[FileError]] = {}
    for error in errors:
        if error.claim_number:
            by_claim.setdefault(error.claim_number, []).append(error)
        else:
            by_place.setdefault((error.transaction.lstrip("0"), error.position), []).append(error)
    sent: list[_Sent] = []
    transaction, provider, position = "", "", 0
    above: dict[str, list[FileError]] = {}
    level: list[FileError] = []
    for e, _ in scan(content):
        position += 1
        if e[0] == "ST":
            transaction, position = e[2].lstrip("0"), 1
            level = [*by_place.get(("", 0), ()), *by_place.get((transaction, 0), ())]
            above = {"ST": level}
        elif e[0] == "HL":
            level = []
            above = {kind: found for kind, found in above.items() if kind == "ST" or kind < e[3]} | {e[3]: level}
        elif e[0] == "NM1" and e[1] == "85":
            provider = e[9]
        elif e[0] == "CLM":
            level = list(by_claim.get(e[1], ()))
            sent.append(_Sent(e[1], transaction, provider, (*above.values(), level)))
        elif e[0] == "SE":
            level = above.get("ST", [])
        level.extend(by_place.get((transaction, position), ()))
    return sent


class _Reader:
    """Finds the answers in interchanges, groups and transaction sets."""

    def __init__(self) -> None:
        self.to = Addressee((), "")
        self.version = ""
        self.transaction: _Transaction | None = None

    def take(self, e: Segment, delimiters: Delimiters) -> Iterator[Answer | Remittance]:
        """Read a segment; gives the answers that it ends."""
        name = e[0].strip()
        if name in ("ISA", "GS", "ST", "GE", "IEA"):
            if self.transaction is not None:
                raise Unreadable(f"A transaction set is not finished before {name}: SE is missing.")
            self._open(name, [each.strip() for each in e])
        elif name == "TA1":
            yield of_interchange(e, self.to)
        elif name == "SE":
            if self.transaction is None:
                raise Unreadable("A transaction set ends (SE) that never began.")
            transaction, self.transaction = self.transaction, None
            yield from transaction.finish()
        elif self.transaction is not None:
            self.transaction.take(name, [each.strip() for each in e], delimiters)

    def _open(self, name: str, e: Segment) -> None:
        if name == "ISA":
            self.to, self.version = Addressee((e[8],), e[15], e[13], e[9] + e[10]), ""
        elif name == "GS":
            self.to = replace(self.to, names=(self.to.names[0], e[3]))
            self.version = e[8]
        elif name == "ST":
            self.transaction = _transaction(e, e[3] or self.version, self.to)


_Transaction = Functional | Claims | Payments


def _transaction(e: Segment, version: str, to: Addressee) -> _Transaction:
    kind = e[1]
    if kind in ("999", "997"):
        return Functional(kind, to)
    if kind == "277" and version.startswith(_CLAIM_ACKNOWLEDGEMENT):
        return Claims(to)
    if kind == "277":
        raise Unreadable(
            f"The file holds a 277 of guide {version[:12] or '(none named)'}. Only the claim acknowledgement (277CA, "
            f"{_CLAIM_ACKNOWLEDGEMENT}) says whether claims were taken."
        )
    if kind == "835":
        return Payments(to, e[2], version)
    if kind == "837":
        raise Unreadable("The file holds claims (837), not an answer to claims.")
    raise Unreadable(f"The file holds a transaction set {kind[:3]!r}; answers are TA1, 999, 997, 277CA and 835.")
