"""Claims that were built as shadow, held against those that the practice's present way sent.

Both are read back from the bytes of their files. The numbers of the two have nothing to do with each other, so a claim is
found by who is insured and when the services were; of several on one day by the procedures they share.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select

from charges.db import Database
from charges.errors import Refused, Unreadable
from charges.model import Charge, Claim, ServiceLine
from charges.tables import ClaimFileRow, ClaimRow, FileStatus
from charges.x12 import reader

Key = tuple[str, date | None]


class Match(StrEnum):
    """How a claim of ours and one of theirs agree."""

    SAME = "same"
    DIFFERS = "differs"
    ONLY_OURS = "only ours"
    ONLY_THEIRS = "only theirs"


@dataclass(frozen=True, slots=True)
class Difference:
    """What both say of one element; ``element`` is ``diagnoses``, ``line 2 units`` and the like."""

    element: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A claim of ours, of theirs, or both; numbers are CLM01, ``charge`` is ours, 0 where the claim is theirs alone."""

    match: Match
    day: date | None
    charge: int
    ours: str
    theirs: str
    differences: tuple[Difference, ...] = ()

    def as_json(self) -> dict[str, object]:
        """For machines."""
        differences = [{"element": each.element, "ours": each.ours, "theirs": each.theirs} for each in self.differences]
        numbers = {"charge": self.charge or None, "ours": self.ours or None, "theirs": self.theirs or None}
        return {"match": self.match, "day": self.day, **numbers, "differences": differences}


@dataclass(frozen=True, slots=True)
class Comparison:
    """All claims of the days of service that the other files speak of."""

    first: date | None
    last: date | None
    claims: tuple[Compared, ...]

    @property
    def counted(self) -> Mapping[Match, int]:
        """How many claims agree how."""
        counts = Counter(each.match for each in self.claims)
        return {match: counts[match] for match in Match}

    @property
    def agrees(self) -> bool:
        """Whether both say the same of every claim."""
        return all(each.match is Match.SAME for each in self.claims)

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "from": self.first,
            "to": self.last,
            "counted": dict(self.counted),
            "claims": [each.as_json() for each in self.claims],
        }


def compare(database: Database, practice_id: int, theirs: Iterable[bytes]) -> Comparison:
    """Hold the shadow claims of a practice against the 837 files of another system; changes nothing.

    Only claims with services from their first to their last day are looked at. Raises Refused for what is no 837 and where
    no claim is in the files.
    """
    others = [claim for content in theirs for claim in _read(content)]
    days = [each.charge.service_date for each in others if each.charge.service_date]
    if not others or not days:
        raise Refused("No claim with a day of service is in these files, so there is nothing to compare with.")
    first, last = min(days), max(days)
    own = {number: (charge, claim) for number, charge, claim in _shadows(database, practice_id, first, last)}
    by_key: dict[Key, list[Claim]] = {}
    for _, claim in own.values():
        by_key.setdefault(_key(claim.charge), []).append(claim)
    found: list[Compared] = []
    for other in others:
        candidates = by_key.get(_key(other.charge), [])
        if not candidates:
            found.append(Compared(Match.ONLY_THEIRS, other.charge.service_date, 0, "", other.number))
            continue
        mine = max(candidates, key=lambda each: _shared(each.charge, other.charge))
        candidates.remove(mine)
        differences = tuple(_differences(mine.charge, other.charge))
        match = Match.DIFFERS if differences else Match.SAME
        day = other.charge.service_date
        found.append(Compared(match, day, own[mine.number][0], mine.number, other.number, differences))
    found += [
        Compared(Match.ONLY_OURS, claim.charge.service_date, own[claim.number][0], claim.number, "")
        for rest in by_key.values()
        for claim in rest
    ]
    return Comparison(first, last, tuple(found))


def _read(content: bytes) -> Iterator[Claim]:
    """The first and replacing claims of a file of theirs; a void bills nothing."""
    try:
        yield from (claim for claim in reader.read(content) if claim.frequency != "8")
    except Unreadable as fault:
        raise Refused(f"A file cannot be compared with: {fault}") from None


def _shadows(database: Database, practice_id: int, first: date, last: date) -> Iterator[tuple[str, int, Claim]]:
    """The claims that stand in files that were built for comparison, each with the number of its charge."""
    is_shadow = (ClaimFileRow.practice_id == practice_id, ClaimFileRow.status == FileStatus.SHADOW)
    with database.snapshot() as session:
        for file_id in session.scalars(select(ClaimFileRow.id).where(*is_shadow).order_by(ClaimFileRow.id)).all():
            standing = session.execute(
                select(ClaimRow.number, ClaimRow.charge_id).where(ClaimRow.claim_file_id == file_id, ClaimRow.live)
            )
            charges = {number: charge for number, charge in standing}  # noqa: C416 - rows are tuples to us
            if not charges:
                continue
            content = session.get_one(ClaimFileRow, file_id).unseal(database.keyring, "content")
            session.expunge_all()
            for claim in reader.read(content):
                day = claim.charge.service_date
                if claim.number in charges and day is not None and first <= day <= last:
                    yield claim.number, charges[claim.number], claim


def _key(charge: Charge) -> Key:
    """Who is insured, and when the services were."""
    coverage = charge.coverages[0] if charge.coverages else None
    if coverage is not None and coverage.member_id:
        return _plain(coverage.member_id), charge.service_date
    person = charge.patient
    return f"{person.last_name} {person.first_name} {person.birth_date}".upper(), charge.service_date


def _shared(ours: Charge, theirs: Charge) -> int:
    """How many procedures two charges share."""
    return (
        Counter(line.code for line in ours.billed_lines) & Counter(line.code for line in theirs.billed_lines)
    ).total()


def _differences(ours: Charge, theirs: Charge) -> Iterator[Difference]:
    for element, mine, other in zip(_ELEMENTS, _said(ours), _said(theirs), strict=True):
        if mine != other:
            yield Difference(element, mine, other)
    for place, (mine_line, other_line) in enumerate(_paired(ours, theirs), 1):
        if mine_line is None or other_line is None:
            yield Difference(f"line {place}", _named(mine_line), _named(other_line))
            continue
        for element, mine, other in zip(
            _LINE_ELEMENTS, _line_said(ours, mine_line), _line_said(theirs, other_line), strict=True
        ):
            if mine != other:
                yield Difference(f"line {place} {element}", mine, other)


_ELEMENTS = ("payer", "billing NPI", "rendering NPI", "place of service", "diagnoses", "charge")
_LINE_ELEMENTS = ("code", "modifiers", "units", "charge", "date", "diagnoses", "rendering NPI")


def _said(charge: Charge) -> Sequence[str]:
    """What is compared of a claim as a whole, in the order of ``_ELEMENTS``."""
    payer = charge.coverages[0].payer.payer_id if charge.coverages else ""
    billing = charge.billing_provider
    return (
        _plain(payer),
        billing.npi if billing else "",
        _rendering(charge),
        charge.encounter.place_of_service,
        " ".join(_plain(each.code) for each in charge.diagnoses),
        _amount(charge.total),
    )


def _line_said(charge: Charge, line: ServiceLine) -> Sequence[str]:
    """The same of a line, in the order of ``_LINE_ELEMENTS``."""
    rendering = line.rendering_provider.npi if line.rendering_provider else ""
    return (
        line.code,
        " ".join(line.modifiers),
        "" if line.units is None else f"{line.units.normalize():f}",
        _amount(line.charge),
        f"{line.service_date or charge.service_date or ''}",
        " ".join(_plain(each) for each in line.diagnoses),
        "" if rendering == _rendering(charge) else rendering,
    )


def _rendering(charge: Charge) -> str:
    """The NPI of who rendered, told for the claim or at every line; where nobody is, whoever bills did it."""
    of_lines = {line.rendering_provider.npi if line.rendering_provider else "" for line in charge.billed_lines}
    if charge.rendering_provider is not None:
        return charge.rendering_provider.npi
    if len(of_lines) == 1 and "" not in of_lines:
        return of_lines.pop()
    return charge.billing_provider.npi if charge.billing_provider else ""


def _paired(ours: Charge, theirs: Charge) -> Iterator[tuple[ServiceLine | None, ServiceLine | None]]:
    """Lines of the same procedure, date and modifiers, then of the same procedure, then whatever is left, in our order."""
    left = list(theirs.billed_lines)
    found: dict[int, ServiceLine] = {}
    lines = ours.billed_lines
    for how in (_exactly, _by_code, _anyhow):
        for place, line in enumerate(lines):
            if place not in found:
                other = next((each for each in left if how(each) == how(line)), None)
                if other is not None:
                    left.remove(other)
                    found[place] = other
    for place, line in enumerate(lines):
        yield line, found.get(place)
    for line in left:
        yield None, line


def _exactly(line: ServiceLine) -> object:
    return line.code, line.service_date, line.modifiers


def _by_code(line: ServiceLine) -> object:
    return line.code


def _anyhow(_: ServiceLine) -> object:
    return None


def _named(line: ServiceLine | None) -> str:
    if line is None:
        return "none"
    return " ".join((line.code, *line.modifiers, _amount(line.charge)))


def _plain(text: str) -> str:
    """Without what people write differently: dots, blanks, hyphens, small letters."""
    return "".join(sign for sign in text.upper() if sign.isalnum())


def _amount(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:.2f}"
