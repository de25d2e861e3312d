"""What a receiver would answer to a file: TA1 for its interchanges, 999 (005010X231A1) for its groups.

Both speak of codes and places alone; the value at fault is never repeated.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from charges.x12 import reply
from charges.x12.oracle import Fault, Opinion
from charges.x12.scanner import Segment, scan
from charges.x12.segments import segment

VERSION = "005010X231A1"
_ELEMENT = re.compile(r"[A-Z0-9]{2,3}?(\d\d)(?:-(\d+))?$")


@dataclass(slots=True)
class _Transaction:
    kind: str
    number: str
    version: str
    first: int
    last: int = 0


@dataclass(slots=True)
class _Group:
    gs: Segment
    first: int
    claimed: str = ""
    transactions: list[_Transaction] = field(default_factory=list)


@dataclass(slots=True)
class _Interchange:
    isa: Segment
    first: int
    groups: list[_Group] = field(default_factory=list)


def ta1(content: bytes, found: Opinion, at: datetime, control_number: int) -> bytes:
    """A TA1 for each interchange of a file, in an interchange of its own; raises Unreadable for what is no X12.

    R with the first code of a fault in the envelope, else A. ``at`` is the moment written, ``control_number`` ISA13 of the
    first answer, the next ones follow it.
    """
    out = []
    for number, received in enumerate(_outline(content), control_number):
        fault = next((each for each in found.faults if each.level == "interchange"), None)
        verdict, note = ("R", fault.code) if fault else ("A", "000")
        isa = received.isa
        out += [
            reply.opening(isa, at, number),
            segment("TA1", isa[13], isa[9], isa[10], verdict, note),
            reply.closing(number, groups=0),
        ]
    return reply.as_bytes(out)


def implementation_acknowledgment(content: bytes, found: Opinion, at: datetime, control_number: int) -> bytes:
    """A 999 for each functional group of a file, in one interchange for each received; raises Unreadable for no X12.

    A transaction set is accepted (A), accepted although a segment ends in separators (E), or rejected (R); a group is
    accepted (A, E), partly accepted (P) or rejected (R).
    """
    out = []
    for number, received in enumerate(_outline(content), control_number):
        gs = received.groups[0].gs if received.groups else [""] * 9
        out += reply.interchange(received.isa, gs, [_of_groups(received, found)], at, number)
    return reply.as_bytes(out)


def functional_group(content: bytes, found: Opinion) -> reply.Group:
    """The 999 of a file's first interchange as a functional group, to stand with others in one interchange."""
    return _of_groups(_outline(content)[0], found)


def _of_groups(received: _Interchange, found: Opinion) -> reply.Group:
    return reply.Group("FA", "999", VERSION, tuple(list(_answer(group, found)) for group in received.groups))


def _outline(content: bytes) -> list[_Interchange]:
    """The envelopes of a file, with the positions of their segments."""
    found: list[_Interchange] = []
    for position, (e, _) in enumerate(scan(content), 1):
        if e[0] == "ISA":
            found.append(_Interchange(e, position))
        elif e[0] == "GS":
            found[-1].groups.append(_Group(e, position))
        elif found[-1].groups:
            group = found[-1].groups[-1]
            if e[0] == "ST":
                group.transactions.append(_Transaction(e[1], e[2], e[3], position))
            elif e[0] == "GE":
                group.claimed = e[1]
            if e[0] != "GE" and group.transactions and not group.transactions[-1].last:
                group.transactions[-1].last = position if e[0] == "SE" else 0
    return found


def _answer(group: _Group, found: Opinion) -> Iterator[str]:
    """AK1 to AK9 of a group."""
    gs = group.gs
    yield segment("AK1", gs[1], gs[6], gs[8])
    verdicts = []
    for transaction in group.transactions:
        last = transaction.last or max((each.position for each in found.faults), default=transaction.first)
        faults = [each for each in found.faults if transaction.first <= each.position <= last]
        yield segment("AK2", transaction.kind, transaction.number, transaction.version)
        yield from _segments(each for each in faults if each.level in ("segment", "element"))
        verdict = _verdict(faults)
        verdicts.append(verdict)
        own = [each.code for each in faults if each.level == "transaction"]
        about = ["5"] if any(each.level in ("segment", "element") for each in faults) else []
        yield segment("IK5", verdict, *dict.fromkeys([*own, *about]))
    yield _of_group(group, found, verdicts)


def _of_group(group: _Group, found: Opinion, verdicts: list[str]) -> str:
    accepted = sum(each != "R" for each in verdicts)
    codes = dict.fromkeys(each.code for each in found.faults if each.level == "group")
    if codes or not accepted:
        verdict = "R"
    elif accepted < len(verdicts):
        verdict = "P"
    else:
        verdict = "E" if "E" in verdicts else "A"
    count = group.claimed or str(len(verdicts))
    return segment("AK9", verdict, count, str(len(verdicts)), str(0 if codes else accepted), *codes)


def _verdict(faults: list[Fault]) -> str:
    if not faults:
        return "A"
    return "E" if all(_changes_nothing(each) for each in faults) else "R"


def _changes_nothing(fault: Fault) -> bool:
    """Separators at a segment's end are against the syntax, but no reader takes the segment for another."""
    return fault.level == "segment" and fault.code == "8"


def _segments(faults: Iterable[Fault]) -> Iterator[str]:
    """IK3 for each segment at fault, with the claim it belongs to, and IK4 for each of its elements."""
    ordered = sorted(faults, key=lambda each: (each.at_transaction, each.level == "element"))
    for (position, name, code), same in groupby(ordered, key=_segment_error):
        first, *more = list(same)
        yield segment("IK3", name, str(position), "", code)  # IK303 names loops of LS and LE, which an 837 has none of
        if first.claim:
            yield f"CTX*CLM01:{first.claim}"
        for fault in (first, *more):
            if fault.level == "element":
                yield segment("IK4", _place(fault.element), fault.data_element, fault.code)


def _segment_error(fault: Fault) -> tuple[int, str, str]:
    return fault.at_transaction, fault.segment, "8" if fault.level == "element" else fault.code


def _place(element: str) -> str:
    """``SV101-3`` as IK401 has it: the element's place and the component's."""
    found = _ELEMENT.match(element)
    if found is None:
        return ""
    return str(int(found[1])) + (f":{found[2]}" if found[2] else "")
