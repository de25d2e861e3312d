"""ISA, GS and ST around claims, with the counts and control numbers right.

One interchange holds one functional group of as many transaction sets as the partner's limit asks for. Claims that follow
each other and have one billing provider stand under one HL, in the order given. All are of one kind, professional or
institutional, as the group names one guide. Nothing is kept of a claim once it is written, so a file may hold any number of
them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice

from charges.errors import Refused
from charges.model import Claim, Provider
from charges.practice.partner import Delimiters, TradingPartner
from charges.x12.kinds import PROFESSIONAL, Kind, kind_of
from charges.x12.options import Options, options_of
from charges.x12.segments import COMPONENT, ELEMENT, REPETITION, SEGMENT, digits, segment

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class ControlNumbers:
    """The numbers of an interchange: ISA13, and ST02 of its first transaction set. GS06 is ISA13's number."""

    interchange: int
    first_transaction: int = 1


@dataclass(frozen=True, slots=True)
class Interchange:
    """The bytes of an interchange."""

    content: bytes = field(repr=False)


def write(claims: Iterable[Claim], partner: TradingPartner, control: ControlNumbers, at: datetime) -> Interchange:
    """An interchange of claims; ``at`` is the moment written into it, in the practice's time zone."""
    return Interchange(b"".join(stream(claims, partner, control, at)))


def stream(claims: Iterable[Claim], partner: TradingPartner, control: ControlNumbers, at: datetime) -> Iterator[bytes]:
    """The same bytes piece by piece, as the claims are given: memory does not grow with their number.

    Raises Refused at the first claim that is of another kind than those before it.
    """
    end = SEGMENT + _LINE_ENDS[partner.line_end]
    translated = str.maketrans(_translation(partner.delimiters))
    waiting: list[str] = []
    size = 0
    for segments in _segments(claims, partner, control, at):
        piece = end.join(segments) + end
        waiting.append(piece)
        size += len(piece)
        if size >= _CHUNK:
            yield _encoded(waiting, translated)
            waiting.clear()
            size = 0
    yield _encoded(waiting, translated)


_LINE_ENDS = {"none": "", "lf": "\n", "crlf": "\r\n"}


def _translation(wanted: Delimiters) -> dict[str, str]:
    ours = (ELEMENT, COMPONENT, REPETITION, SEGMENT)
    theirs = (wanted.element, wanted.component, wanted.repetition, wanted.segment)
    return dict(zip(ours, theirs, strict=True)) if ours != theirs else {}


def _encoded(pieces: list[str], translated: dict[int, str]) -> bytes:
    text = "".join(pieces)
    return (text.translate(translated) if translated else text).encode("ascii")


def _segments(
    claims: Iterable[Claim], partner: TradingPartner, control: ControlNumbers, at: datetime
) -> Iterator[list[str]]:
    group = str(control.interchange)
    moment = (at.strftime("%Y%m%d"), at.strftime("%H%M"))
    ids = partner.ids
    sender, receiver = ids.application_sender_id or ids.sender_id, ids.application_receiver_id or ids.receiver_id
    rest = iter(claims)
    first = list(islice(rest, 1))
    kind = kind_of(first[0].charge) if first else PROFESSIONAL
    yield [
        _isa(partner, control, at),
        segment("GS", "HC", sender, receiver, *moment, group, "X", kind.version),
    ]
    options = options_of(partner)
    count = 0
    transaction: _Transaction | None = None
    for claim in chain(first, rest):
        if kind_of(claim.charge) is not kind:
            raise Refused(
                "A file holds professional claims or institutional ones. Write each kind into a file of its own."
            )
        if transaction is None:
            number = f"{control.first_transaction + count:04d}"
            transaction = _Transaction(partner, kind, number, f"{group:0>9}{number}", moment, options)
            count += 1
        yield transaction.claim(claim if options.tailor is None else options.tailor(claim))
        if transaction.claims == partner.claims_per_transaction:
            yield transaction.trailer()
            transaction = None
    if transaction is not None:
        yield transaction.trailer()
    yield [segment("GE", str(count), group), f"IEA*1*{group:0>9}"]


def _isa(partner: TradingPartner, control: ControlNumbers, at: datetime) -> str:
    ids = partner.ids
    return ELEMENT.join(
        (
            "ISA",
            "00",
            " " * 10,
            "00",
            " " * 10,
            ids.sender_qualifier,
            f"{ids.sender_id:<15}",
            ids.receiver_qualifier,
            f"{ids.receiver_id:<15}",
            at.strftime("%y%m%d"),
            at.strftime("%H%M"),
            REPETITION,
            "00501",
            f"{control.interchange:09d}",
            "1" if partner.acknowledgment_requested else "0",
            partner.usage,
            COMPONENT,
        )
    )


class _Transaction:
    """One ST to SE being written: its hierarchical levels, and how many segments it has so far."""

    def __init__(
        self,
        partner: TradingPartner,
        kind: Kind,
        number: str,
        reference: str,
        moment: tuple[str, str],
        options: Options,
    ) -> None:
        self.kind, self.number, self.options = kind, number, options
        self.claims = self.segments = self.level = self.billing_level = 0
        self.provider: Provider | None = None
        self.header = _header(partner, kind, number, reference, moment, options)

    def claim(self, claim: Claim) -> list[str]:
        """The segments of the next claim, after those that come before it for the first time."""
        out, self.header = self.header, []
        provider = claim.charge.billing_provider
        assert provider is not None
        if provider is not self.provider and provider != self.provider:
            self.level += 1
            self.billing_level, self.provider = self.level, provider
            out.append(f"HL*{self.level}**20*1")
            self.kind.billing_provider_loops(out, provider, self.options)
        self.level = self.kind.claim_loops(out, claim, self.level, self.billing_level, self.options)
        self.segments += len(out)
        self.claims += 1
        return out

    def trailer(self) -> list[str]:
        """SE with the count of segments, itself included."""
        return [f"SE*{self.segments + 1}*{self.number}"]


def _header(
    partner: TradingPartner, kind: Kind, number: str, reference: str, moment: tuple[str, str], options: Options
) -> list[str]:
    text = options.text
    submitter, receiver = partner.submitter, partner.receiver
    return [
        f"ST*837*{number}*{kind.version}",
        segment("BHT", "0019", "00", reference, *moment, "CH"),
        segment("NM1", "41", "2", text(submitter.name, 60), "", "", "", "", "46", submitter.id),
        segment("PER", "IC", text(submitter.contact_name, 60), "TE", digits(submitter.phone)),
        segment("NM1", "40", "2", text(receiver.name, 60), "", "", "", "", "46", receiver.id),
    ]
