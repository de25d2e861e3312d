"""A claim acknowledgement (277CA, 005010X214) written: what a receiver of claims says of them at each level.

Payer (20), receiver (21), billing provider (19) and patient (PT), with the statuses of the claims and of their lines below.
What is refused at a level above claims names no claims below it. ``responses`` reads it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from charges.model import Person
from charges.x12.procedure import procedure_of
from charges.x12.reply import Group
from charges.x12.segments import amount, composite, day, digits, segment, text

VERSION = "005010X214"


@dataclass(frozen=True, slots=True)
class Status:
    """One STC: category, status and entity codes (A7, 562, 85), and what is added in words, of claims and above alone."""

    category: str
    code: str
    entity: str = ""
    words: str = ""

    @property
    def action(self) -> str:
        """U for what is refused, WQ for what is taken."""
        return "U" if self.category in ("A3", "A4", "A6", "A7", "A8") else "WQ"


@dataclass(frozen=True, slots=True)
class LineStatus:
    """A service line of which something is said."""

    code: str
    charged: Decimal
    service_date: date
    status: Status


@dataclass(frozen=True, slots=True)
class ClaimStatus:
    """A claim by its number (CLM01); ``payer_claim_number`` is what the payer knows it by, empty while it has none."""

    number: str
    patient: Person = field(repr=False)
    member_id: str = field(repr=False)
    total: Decimal
    service_date: date
    status: Status
    payer_claim_number: str = ""
    lines: tuple[LineStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """A billing provider with its claims; a ``status`` that refuses stands for all of them."""

    npi: str
    name: str
    claims: tuple[ClaimStatus, ...] = ()
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What is said of one transaction set of claims. ``trace`` is its BHT03; a ``status`` that refuses stands for all."""

    trace: str
    payer: tuple[str, str]
    submitter: tuple[str, str]
    total: Decimal
    providers: tuple[ProviderStatus, ...] = ()
    status: Status = Status("A1", "19", "PR")


def functional_group(acknowledged: Sequence[Acknowledged], at: datetime) -> Group:
    """A group with one 277CA for each transaction set; payer and submitter are given as name and number."""
    return Group("HN", "277", VERSION, tuple(_transaction(each, at) for each in acknowledged))


def _transaction(said: Acknowledged, at: datetime) -> list[str]:
    levels = _Levels(at)
    out = [
        segment("BHT", "0085", "08", said.trace, day(at.date()), f"{at:%H%M}", "TH"),
        levels.open("20", has_children=True),
        segment("NM1", "PR", "2", text(said.payer[0], 60), "", "", "", "", "PI", said.payer[1]),
        segment("TRN", "1", said.trace),
        *_received_and_processed(at),
        levels.open("21", has_children=bool(said.providers)),
        segment("NM1", "41", "2", text(said.submitter[0], 60), "", "", "", "", "46", said.submitter[1]),
        segment("TRN", "2", said.trace),
        levels.stc(said.status, said.total),
    ]
    for provider in said.providers:
        out += _provider(provider, said, levels)
    return out


def _provider(provider: ProviderStatus, said: Acknowledged, levels: "_Levels") -> Iterator[str]:
    yield levels.open("19", has_children=bool(provider.claims))
    yield segment("NM1", "85", "2", text(provider.name, 60), "", "", "", "", "XX", digits(provider.npi))
    yield segment("TRN", "1", said.trace)
    if provider.status is not None:
        yield levels.stc(provider.status, said.total, is_dated=False)
    for claim in provider.claims:
        who = claim.patient
        yield levels.open("PT", has_children=False)
        yield segment(
            "NM1",
            "QC",
            "1",
            text(who.last_name, 60),
            text(who.first_name, 35),
            "",
            "",
            "",
            "MI",
            text(claim.member_id, 80),
        )
        yield segment("TRN", "2", claim.number)
        yield levels.stc(claim.status, claim.total)
        if claim.payer_claim_number:
            yield segment("REF", "1K", claim.payer_claim_number)
        yield f"DTP*472*D8*{day(claim.service_date)}"
        for line in claim.lines:
            yield segment("SVC", procedure_of("HC", line.code, (), "", text), amount(line.charged))
            yield levels.stc(line.status)
            yield f"DTP*472*D8*{day(line.service_date)}"


def _received_and_processed(at: datetime) -> Iterator[str]:
    for kind in ("050", "009"):
        yield f"DTP*{kind}*D8*{day(at.date())}"


_ABOVE = {"20": "", "21": "20", "19": "21", "PT": "19"}
"""The level above each kind of level."""


class _Levels:
    """The hierarchy being written: a payer, one receiver, and providers with patients below it."""

    def __init__(self, at: datetime) -> None:
        self.at, self.count = at, 0
        self.numbers = {"": ""}

    def open(self, kind: str, *, has_children: bool) -> str:
        """HL of a level below the one of the kind above that was opened last; a patient's never says what is below."""
        self.count += 1
        self.numbers[kind] = str(self.count)
        below = "" if kind == "PT" else str(int(has_children))
        return segment("HL", str(self.count), self.numbers[_ABOVE[kind]], kind, below)

    def stc(self, status: Status, total: Decimal | None = None, *, is_dated: bool = True) -> str:
        """STC of today; a line's has no amount, a provider's no date."""
        codes = composite(status.category, status.code, status.entity)
        money = "" if total is None else amount(total)
        today = day(self.at.date()) if is_dated else ""
        return segment("STC", codes, today, status.action, money, *[""] * 7, text(status.words, 264))
