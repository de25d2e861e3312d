"""An interchange back to whoever sent one: sender and receiver exchanged, around the functional groups of an answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from charges.x12.scanner import Segment
from charges.x12.segments import segment


@dataclass(frozen=True, slots=True)
class Group:
    """A functional group of an answer: GS01, ST01, the guide, and the segments of each transaction set without ST and SE."""

    code: str
    kind: str
    version: str
    transactions: tuple[Sequence[str], ...] = field(repr=False)


def interchange(isa: Segment, gs: Segment, groups: Iterable[Group], at: datetime, number: int) -> list[str]:
    """The segments from ISA to IEA; ``isa`` and ``gs`` are those received, ``number`` is ISA13 and the first GS06."""
    out = [opening(isa, at, number)]
    count = 0
    for count, group in enumerate(groups, 1):
        control = str(number + count - 1)
        out.append(segment("GS", group.code, gs[3], gs[2], f"{at:%Y%m%d}", f"{at:%H%M}", control, "X", group.version))
        for place, body in enumerate(group.transactions, 1):
            guide = "" if group.kind == "835" else group.version  # the guide of the 835 has no ST03
            out += [segment("ST", group.kind, f"{place:04d}", guide), *body, f"SE*{len(body) + 2}*{place:04d}"]
        out.append(f"GE*{len(group.transactions)}*{control}")
    out.append(closing(number, groups=count))
    return out


def opening(isa: Segment, at: datetime, number: int) -> str:
    """ISA back to where an interchange came from."""
    blank = " " * 10
    sender, receiver = (isa[7], f"{isa[8]:<15}"), (isa[5], f"{isa[6]:<15}")
    sent = (f"{at:%y%m%d}", f"{at:%H%M}", "^", "00501", f"{number:09d}", "0", isa[15], ":")
    return "*".join(("ISA", "00", blank, "00", blank, *sender, *receiver, *sent))


def closing(number: int, *, groups: int) -> str:
    """IEA."""
    return f"IEA*{groups}*{number:09d}"


def as_bytes(segments: Iterable[str]) -> bytes:
    """The segments as a file, each on a line of its own."""
    return "".join(f"{each}~\n" for each in segments).encode("latin-1", "replace")
