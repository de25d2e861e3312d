"""TA1, 999 and 997: what is said of an interchange, of its functional group, and of the transaction sets in it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from charges.errors import Unreadable
from charges.x12 import answer_codes
from charges.x12.answer_codes import told
from charges.x12.answers import Addressee, FileAnswer, FileError, Outcome, number
from charges.x12.scanner import Delimiters, Segment

_DUPLICATE = "025"
"""TA105 of an interchange whose control number came before."""


def of_interchange(e: Segment, to: Addressee) -> FileAnswer:
    """A TA1."""
    verdict, note = e[4].strip(), e[5].strip()
    if verdict not in ("A", "E", "R"):
        raise Unreadable(f"The TA1 gives a verdict {verdict[:3]!r}; known are A, E and R.")
    errors = () if note in ("", "000") else (FileError(f"interchange: {told(answer_codes.INTERCHANGE, note)}"),)
    outcome = Outcome.REJECTED if verdict == "R" else Outcome.PENDING
    return FileAnswer("TA1", to, number(e[1].strip()), outcome, errors, is_duplicate=note == _DUPLICATE)


@dataclass(slots=True)
class _SegmentError:
    """IK3 with the IK4 and CTX that follow it."""

    transaction: str
    name: str
    position: int
    loop: str
    code: str
    claim_number: str = ""
    because: str = ""
    elements: list[tuple[str, str]] = field(default_factory=list)

    def errors(self) -> Iterator[FileError]:
        where = ", ".join(
            part
            for part in (
                f"segment {self.position} of transaction set {self.transaction}" if self.position else "",
                f"loop {self.loop}" if self.loop else "",
            )
            if part
        )
        place = f" ({where})" if where else ""
        if self.code != "8" or not self.elements:
            words = told(answer_codes.SEGMENT, self.code)
            yield self._error(f"{self.name}{place}: {words}{self.because}")
        for reference, words in self.elements:
            yield self._error(f"{self.name}{reference}{place}: {words}{self.because}")

    def _error(self, sentence: str) -> FileError:
        return FileError(sentence, self.transaction, self.position, self.claim_number)


class Functional:
    """A 999, or a 997, which says the same with other segment names."""

    _ACCEPTING = frozenset("AE")
    _REFUSING = frozenset("RMWX")

    def __init__(self, kind: str, to: Addressee) -> None:
        self.kind, self.to = kind, to
        self.group: Segment | None = None
        self.verdict: Segment | None = None
        self.transaction: str | None = None
        self.accepted: dict[str, bool] = {}
        self.segments: list[_SegmentError] = []
        self.others: list[FileError] = []

    def take(self, name: str, e: Segment, delimiters: Delimiters) -> None:
        """Read one segment."""
        if name == "AK1":
            if self.group is not None:
                raise Unreadable(f"The {self.kind} speaks of two functional groups in one transaction set.")
            self.group = e
        elif name == "AK2":
            self.transaction = e[2]
        elif name in ("IK3", "AK3"):
            place = (e[1][:3], number(e[2]), e[3][:6], e[4])
            self.segments.append(_SegmentError(self.transaction or "", *place))
        elif name in ("IK4", "AK4") and self.segments:
            self.segments[-1].elements.append(_element(e, delimiters))
        elif name == "CTX" and self.segments:
            _context(self.segments[-1], e, delimiters)
        elif name in ("IK5", "AK5"):
            self._judge(e)
        elif name == "AK9":
            self.verdict = e

    def _judge(self, e: Segment) -> None:
        transaction = self.transaction
        if transaction is None:
            raise Unreadable(f"The {self.kind} gives a verdict on a transaction set that it does not name.")
        self.accepted[transaction] = self._accepts(e[1]) and self.accepted.get(transaction, True)
        named = any(each.transaction == transaction for each in self.segments)
        for code in filter(None, e[2:7]):
            if not (named and code in ("5", "I5")):
                words = told(answer_codes.TRANSACTION_SET, code)
                self.others.append(FileError(f"transaction set {transaction[:9]}: {words}", transaction))

    def _accepts(self, code: str) -> bool:
        if code not in self._ACCEPTING | self._REFUSING:
            raise Unreadable(f"The {self.kind} gives a verdict {code[:3]!r} that is not known.")
        return code in self._ACCEPTING

    def finish(self) -> Iterator[FileAnswer]:
        """What was said of the group."""
        if self.group is None:
            raise Unreadable(f"The {self.kind} does not name the functional group it is about (AK1 is missing).")
        outcome, refused = self._outcome()
        codes = self.verdict[5:10] if self.verdict else []
        errors = (
            *(FileError(f"functional group: {told(answer_codes.GROUP, code)}") for code in codes if code),
            *self.others,
            *(error for segment in self.segments for error in segment.errors()),
        )
        control_number = number(self.group[2]) if self.group[1] == "HC" else 0
        yield FileAnswer(self.kind, self.to, control_number, outcome, errors, refused)

    def _outcome(self) -> tuple[Outcome, tuple[str, ...]]:
        """The outcome, and the transaction sets refused when not all are."""
        refused = tuple(transaction for transaction, accepted in self.accepted.items() if not accepted)
        if self.verdict is None:
            if not self.accepted:
                raise Unreadable(f"The {self.kind} gives no verdict (AK9 is missing).")
            return (Outcome.PARTLY if refused else Outcome.ACCEPTED), refused
        code = self.verdict[1]
        partly = code == "P" or self._accepts(code)
        # Some write R for a group of which they took a part; AK904 counts the transaction sets taken.
        if partly or (refused and number(self.verdict[4])):
            return (Outcome.PARTLY if refused or code == "P" else Outcome.ACCEPTED), refused
        return Outcome.REJECTED, ()


def _element(e: Segment, delimiters: Delimiters) -> tuple[str, str]:
    """IK4: the element's place in its segment, and what is wrong there."""
    element, component, *_ = [*e[1].split(delimiters.component), "", ""]
    place = f"{number(element):02d}" if number(element) else ""
    if place and component:
        place = f"{place}-{component[:2]}"
    sent = f"; {e[4][:80]!r} was sent" if e[4] else ""
    return place, told(answer_codes.ELEMENT, e[3]) + sent


def _context(error: _SegmentError, e: Segment, delimiters: Delimiters) -> None:
    """CTX: which claim the error is in, or which other segment makes it one."""
    name, value, *_ = [*e[1].split(delimiters.component), ""]
    if name == "CLM01":
        error.claim_number = value
    elif name.startswith("SITUATIONAL") and e[2]:
        error.because = f" (because of {e[2][:3]} in segment {e[3][:6]})"
