"""The 277CA: what is said of each claim, and of all claims of a provider or of a transaction set at once.

A claim is known by CLM01; where all claims are refused at once none is named, and the file is known by the BHT03 that the
receiver's trace repeats. Only categories A2 and A5 are acceptance into adjudication; A0 and A1 are receipts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from charges.errors import Unreadable
from charges.x12.answer_codes import status_told
from charges.x12.answers import Addressee, Answer, ClaimAnswer, FileAnswer, FileError, Outcome
from charges.x12.scanner import Delimiters, Segment

_DEPTHS = {"20": 0, "21": 1, "19": 2, "PT": 3, "22": 3, "23": 3}
"""How far below the payer a level of HL03 stands; some write a patient as an 837 does."""
_RECEIVER, _PROVIDER, _PATIENT = 1, 2, 3
_ACCEPTING = frozenset(("A2", "A5"))
_REFUSING = frozenset(("A3", "A4", "A6", "A7", "A8", "E0", "E3", "E4"))

_REFERENCE = re.compile(r"([0-9]{9})([0-9]{4,9})")
"""BHT03 as ``interchange`` writes it: the nine digits of ISA13, then ST02."""


@dataclass(frozen=True, slots=True)
class _Status:
    """One STC: up to three statuses, the action and the free text."""

    statuses: tuple[tuple[str, str, str], ...]
    action: str
    text: str
    line: str = ""

    @property
    def codes(self) -> Iterator[str]:
        return (":".join(filter(None, status)) for status in self.statuses)

    @property
    def outcome(self) -> Outcome:
        categories = {category for category, _, _ in self.statuses}
        if self.action == "U" or categories & _REFUSING:
            return Outcome.REJECTED
        return Outcome.ACCEPTED if categories & _ACCEPTING else Outcome.PENDING

    @property
    def sentence(self) -> str:
        told_of = "; ".join(status_told(*status) for status in self.statuses)
        where = f"service line {self.line}: " if self.line else ""
        return where + told_of + (f' ("{self.text}")' if self.text else "")


def _status(e: Segment, delimiters: Delimiters, line: str) -> _Status:
    statuses = []
    for composite in filter(None, (e[1], e[10], e[11])):
        category, code, entity, *_ = [each.strip()[:8] for each in (*composite.split(delimiters.component), "", "")]
        statuses.append((category, code, entity))
    return _Status(tuple(statuses), e[3], e[12][:264], line)


def _outcome(statuses: Sequence[_Status]) -> Outcome:
    found = {each.outcome for each in statuses}
    return next((each for each in (Outcome.REJECTED, Outcome.ACCEPTED) if each in found), Outcome.PENDING)


@dataclass(slots=True)
class _Level:
    """A hierarchical level above claims: its number of the sender, its trace, what is said of it."""

    depth: int
    trace: str = ""
    identifier: str = ""
    statuses: list[_Status] = field(default_factory=list)
    has_claims: bool = False


@dataclass(slots=True)
class _Claim:
    """Loop 2200D with the 2220D below it."""

    number: str
    payer_claim_number: str = ""
    line: str = ""
    statuses: list[_Status] = field(default_factory=list)
    of_lines: list[_Status] = field(default_factory=list)


class Claims:
    """A 277CA: payer (20), receiver (21), provider (19), patient (PT), and the claims of the patient."""

    def __init__(self, to: Addressee) -> None:
        self.to = to
        self.levels: list[_Level] = []
        self.claim: _Claim | None = None
        self.answers: list[Answer] = []

    def take(self, name: str, e: Segment, delimiters: Delimiters) -> None:
        """Read one segment."""
        if name == "HL":
            depth = _DEPTHS.get(e[3])
            if depth is None:
                raise Unreadable(f"The 277CA has a hierarchical level {e[3][:3]!r}; known are 20, 21, 19 and PT.")
            self._close(depth)
            self.levels.append(_Level(depth))
        elif not self.levels:
            return
        elif name == "NM1" and not self.levels[-1].identifier:
            self.levels[-1].identifier = e[9]
        elif name == "TRN":
            self._trace(e)
        elif name == "STC":
            self._say(_status(e, delimiters, self.claim.line if self.claim else ""))
        elif self.claim is not None:
            self._describe(self.claim, name, e, delimiters)

    def _trace(self, e: Segment) -> None:
        if self.levels[-1].depth == _PATIENT:
            self._close_claim()
            self.claim = _Claim(e[2])
            for level in self.levels:
                level.has_claims = True
        elif e[1] == "2":
            self.levels[-1].trace = e[2]

    def _say(self, status: _Status) -> None:
        if self.claim is None:
            self.levels[-1].statuses.append(status)
        else:
            (self.claim.of_lines if status.line else self.claim.statuses).append(status)

    @staticmethod
    def _describe(claim: _Claim, name: str, e: Segment, delimiters: Delimiters) -> None:
        if name == "REF" and e[1] == "1K":
            claim.payer_claim_number = e[2]
        elif name == "SVC":
            _, code, *_ = [*e[1].split(delimiters.component), ""]
            claim.line = code[:48] or "(not named)"

    def finish(self) -> Iterator[Answer]:
        """What was said of claims, and of all claims of a level at once."""
        self._close(0)
        if not self.answers:
            raise Unreadable("The 277CA speaks neither of claims nor of a file as a whole.")
        yield from self.answers

    def _close_claim(self) -> None:
        claim, self.claim = self.claim, None
        if claim is None:
            return
        above = [level.statuses for level in reversed(self.levels) if _outcome(level.statuses) is Outcome.REJECTED]
        deciding = claim.statuses or claim.of_lines or (above[0] if above else [])
        said = deciding if deciding is claim.of_lines else [*deciding, *claim.of_lines]
        self.answers.append(
            ClaimAnswer(
                self.to, claim.number, _outcome(deciding), _codes(said), _sentence(said), claim.payer_claim_number
            )
        )

    def _close(self, depth: int) -> None:
        """End the levels down to a depth; what refuses a level without claims refuses all claims that it stands for."""
        self._close_claim()
        while self.levels and self.levels[-1].depth >= depth:
            level = self.levels[-1]
            if level.statuses and not level.has_claims:
                self.answers.append(self._of_level(level))
            self.levels.pop()

    def _of_level(self, level: _Level) -> FileAnswer:
        outcome = _outcome(level.statuses)
        trace = next((each.trace for each in self.levels if each.depth == _RECEIVER), "")
        found = _REFERENCE.fullmatch(trace)
        of_provider = level.depth == _PROVIDER
        if found is None or level.depth not in (_RECEIVER, _PROVIDER) or (of_provider and not level.identifier):
            return FileAnswer("277CA", self.to, 0, outcome)
        control_number, transaction = int(found[1]), found[2]
        error = FileError(_sentence(level.statuses).rstrip("."), transaction)
        return FileAnswer(
            "277CA",
            self.to,
            control_number,
            # Only claims are accepted one by one; what is said of all of them at once and is no refusal decides nothing.
            outcome if outcome is Outcome.REJECTED else Outcome.PENDING,
            (error,) if outcome is Outcome.REJECTED else (),
            (transaction,),
            level.identifier if of_provider else "",
        )


def _codes(statuses: Sequence[_Status]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for status in statuses for code in status.codes))


def _sentence(statuses: Sequence[_Status]) -> str:
    said = "; ".join(dict.fromkeys(status.sentence for status in statuses)) or "no status is given"
    return said[:1].upper() + said[1:] + "."
