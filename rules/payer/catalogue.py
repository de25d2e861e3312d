"""The facts that a rule written as data may ask about: each has a name, a kind, a place in the charge and a meaning.

A fact of ``line.`` belongs to one service line, every other to the charge. Diagnoses are compared without their dots.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from charges.model import Charge, Coverage, Person, Provider, ServiceLine, undotted
from rules.engine import Facts, place_of, rendering_npi


class Kind(StrEnum):
    """What a fact's value is; it decides what can be asked of it."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    FLAG = "yes or no"
    TEXTS = "list of texts"


Value = str | Decimal | date | bool | tuple[str, ...] | None
Read = Callable[[Facts, int], Value]
"""How a fact is read: of these facts, for the line with that index (which a fact of the charge ignores)."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of the catalogue. ``path`` is where it stands; ``[]`` in it takes the line's position."""

    name: str
    kind: Kind
    path: str
    says: str
    read: Read

    @property
    def is_of_a_line(self) -> bool:
        """Whether each line has a value of its own."""
        return self.name.startswith("line.")

    @property
    def is_a_diagnosis(self) -> bool:
        """Whether its texts are ICD-10-CM codes, compared without dots."""
        return self.name.endswith(("diagnosis", "diagnoses"))

    def at(self, index: int) -> str:
        """Its place for the line with that index."""
        return self.path.replace("[]", f"[{index}]")


def _coverage(facts: Facts) -> Coverage:
    coverages = facts.charge.coverages
    return coverages[0] if coverages else _NO_COVERAGE


_NO_COVERAGE = Coverage()


def _line(facts: Facts, index: int) -> ServiceLine:
    return facts.charge.lines[index]


def _npi(provider: Provider | None) -> str:
    return provider.npi if provider else ""


def _taxonomy(provider: Provider | None) -> str:
    return provider.taxonomy if provider else ""


def _age(person: Person, day: date | None) -> Decimal | None:
    born = person.birth_date
    if born is None or day is None:
        return None
    return Decimal(day.year - born.year - ((day.month, day.day) < (born.month, born.day)))


def _days(earlier: date | None, later: date | None) -> Decimal | None:
    return Decimal((later - earlier).days) if earlier and later else None


def _earlier(facts: Facts, index: int) -> list[date]:
    """The days, before the line's own, on which the patient had its code."""
    line = _line(facts, index)
    day = line.service_date
    return [each.service_date for each in facts.history if day and each.code == line.code and each.service_date < day]


def _days_since_last(facts: Facts, index: int) -> Decimal | None:
    return _days(max(_earlier(facts, index), default=None), _line(facts, index).service_date)


def _times_in_a_year(facts: Facts, index: int) -> Decimal:
    day = _line(facts, index).service_date
    return Decimal(sum(1 for each in _earlier(facts, index) if day and (day - each).days < 365))


def _authorization(facts: Facts, index: int) -> str:
    return (
        _line(facts, index).prior_authorization
        or facts.charge.references.prior_authorization
        or _coverage(facts).prior_authorization
    )


def _referral(facts: Facts, index: int) -> str:
    return (
        _line(facts, index).referral_number
        or facts.charge.references.referral_number
        or _coverage(facts).referral_number
    )


def _attachments(facts: Facts, index: int) -> tuple[str, ...]:
    return tuple(each.kind for each in (*facts.charge.attachments, *_line(facts, index).attachments))


def _first(texts: Iterable[str]) -> str:
    return next(iter(texts), "")


def _codes(charge: Charge) -> tuple[str, ...]:
    return tuple(each.code for each in charge.billed_lines)


def _rendering(facts: Facts, index: int) -> Provider | None:
    return _line(facts, index).rendering_provider or facts.charge.rendering_provider


_T, _N, _D, _F, _L = Kind.TEXT, Kind.NUMBER, Kind.DATE, Kind.FLAG, Kind.TEXTS

_ALL: tuple[tuple[str, Kind, str, str, Read], ...] = (
    ("payer.id", _T, "coverages[0].payer.payer_id", "The first payer's id.", lambda f, _: _coverage(f).payer.payer_id),
    (
        "payer.class",
        _T,
        "coverages[0].payer.claim_filing_code",
        "The first payer's claim filing code (SBR09), MB for Medicare Part B.",
        lambda f, _: _coverage(f).payer.claim_filing_code,
    ),
    ("payer.name", _T, "coverages[0].payer.name", "The first payer's name.", lambda f, _: _coverage(f).payer.name),
    (
        "payer.count",
        _N,
        "coverages",
        "How many payers there are.",
        lambda f, _: Decimal(len(f.charge.coverages)),
    ),
    (
        "member.id",
        _T,
        "coverages[0].member_id",
        "The member id at the first payer.",
        lambda f, _: _coverage(f).member_id,
    ),
    (
        "member.group",
        _T,
        "coverages[0].group_number",
        "The group number at the first payer.",
        lambda f, _: _coverage(f).group_number,
    ),
    (
        "member.relationship",
        _T,
        "coverages[0].relationship",
        "The patient's relationship to the subscriber: 18 self, 01 spouse, 19 child.",
        lambda f, _: _coverage(f).relationship,
    ),
    ("patient.sex", _T, "patient.sex", "F, M or U.", lambda f, _: f.charge.patient.sex),
    (
        "patient.age",
        _N,
        "patient.birth_date",
        "Full years at the first date of service.",
        lambda f, _: _age(f.charge.patient, f.charge.service_date),
    ),
    (
        "patient.state",
        _T,
        "patient.address.state",
        "The state the patient lives in.",
        lambda f, _: f.charge.patient.address.state,
    ),
    ("charge.date", _D, "lines", "The first date of service.", lambda f, _: f.charge.service_date),
    (
        "charge.age",
        _N,
        "lines",
        "Days from the first date of service until today.",
        lambda f, _: _days(f.charge.service_date, f.today),
    ),
    ("charge.total", _N, "lines", "Dollars asked of the payer.", lambda f, _: f.charge.total),
    ("charge.lines", _N, "lines", "How many lines go to the payer.", lambda f, _: Decimal(len(f.charge.billed_lines))),
    ("charge.codes", _L, "lines", "The codes of all lines.", lambda f, _: _codes(f.charge)),
    (
        "charge.modifiers",
        _L,
        "lines",
        "The modifiers of all lines.",
        lambda f, _: tuple(modifier for each in f.charge.billed_lines for modifier in each.modifiers),
    ),
    (
        "charge.diagnoses",
        _L,
        "diagnoses",
        "The diagnoses of the visit.",
        lambda f, _: tuple(undotted(each.code) for each in f.charge.diagnoses),
    ),
    (
        "charge.first_diagnosis",
        _T,
        "diagnoses[0]",
        "The first diagnosis of the visit.",
        lambda f, _: undotted(_first(each.code for each in f.charge.diagnoses)),
    ),
    (
        "charge.place",
        _T,
        "encounter.place_of_service",
        "The visit's place of service.",
        lambda f, _: f.charge.encounter.place_of_service,
    ),
    ("charge.note", _T, "note", "The note that goes with the claim.", lambda f, _: f.charge.note),
    (
        "charge.causes",
        _L,
        "related_causes",
        "What else than illness caused the visit: AA auto accident, EM employment, OA other accident.",
        lambda f, _: f.charge.related_causes.codes,
    ),
    ("billing.npi", _T, "billing_provider.npi", "Who is paid.", lambda f, _: _npi(f.charge.billing_provider)),
    (
        "billing.taxonomy",
        _T,
        "billing_provider.taxonomy",
        "The specialty who is paid is enrolled under.",
        lambda f, _: _taxonomy(f.charge.billing_provider),
    ),
    (
        "referring.npi",
        _T,
        "referring_provider.npi",
        "Who referred the patient.",
        lambda f, _: _npi(f.charge.referring_provider),
    ),
    (
        "supervising.npi",
        _T,
        "supervising_provider.npi",
        "Who supervised.",
        lambda f, _: _npi(f.charge.supervising_provider),
    ),
    (
        "facility.npi",
        _T,
        "facility.npi",
        "Where it was done.",
        lambda f, _: f.charge.facility.npi if f.charge.facility else "",
    ),
    ("line.number", _N, "lines[]", "The line's number, from 1.", lambda _, index: Decimal(index + 1)),
    ("line.code", _T, "lines[].code", "The procedure code.", lambda f, index: _line(f, index).code),
    ("line.modifiers", _L, "lines[].modifiers", "The modifiers.", lambda f, index: _line(f, index).modifiers),
    ("line.units", _N, "lines[].units", "The units.", lambda f, index: _line(f, index).units),
    ("line.unit", _T, "lines[].unit", "UN for units, MJ for minutes.", lambda f, index: _line(f, index).unit),
    ("line.charge", _N, "lines[].charge", "Dollars asked for the line.", lambda f, index: _line(f, index).charge),
    (
        "line.place",
        _T,
        "lines[].place_of_service",
        "The place of service: the line's, else the visit's.",
        lambda f, index: place_of(f.charge, _line(f, index)),
    ),
    ("line.date", _D, "lines[].service_date", "The date of service.", lambda f, index: _line(f, index).service_date),
    (
        "line.diagnoses",
        _L,
        "lines[].diagnoses",
        "The diagnoses the line points to.",
        lambda f, index: tuple(map(undotted, _line(f, index).diagnoses)),
    ),
    (
        "line.first_diagnosis",
        _T,
        "lines[].diagnoses",
        "The first diagnosis the line points to.",
        lambda f, index: undotted(_first(_line(f, index).diagnoses)),
    ),
    (
        "line.ndc",
        _T,
        "lines[].drug.ndc",
        "The drug's NDC.",
        lambda f, index: drug.ndc if (drug := _line(f, index).drug) else "",
    ),
    ("line.note", _T, "lines[].note", "The line's note.", lambda f, index: _line(f, index).note),
    ("line.emergency", _F, "lines[].emergency", "Marked as emergency.", lambda f, index: _line(f, index).emergency),
    (
        "line.authorization",
        _T,
        "lines[].prior_authorization",
        "The prior authorization: the line's, else the charge's, else the policy's.",
        _authorization,
    ),
    (
        "line.referral",
        _T,
        "lines[].referral_number",
        "The referral number: the line's, else the charge's, else the policy's.",
        _referral,
    ),
    ("line.attachments", _L, "lines[].attachments", "The kinds of attached paperwork (PWK01).", _attachments),
    (
        "line.rendering_npi",
        _T,
        "lines[].rendering_provider.npi",
        "Who rendered the line, else the charge.",
        lambda f, index: rendering_npi(f.charge, _line(f, index)),
    ),
    (
        "line.rendering_taxonomy",
        _T,
        "lines[].rendering_provider.taxonomy",
        "The specialty of who rendered it.",
        lambda f, index: _taxonomy(_rendering(f, index)),
    ),
    (
        "line.ordering_npi",
        _T,
        "lines[].ordering_provider.npi",
        "Who ordered the line.",
        lambda f, index: _npi(_line(f, index).ordering_provider),
    ),
    (
        "line.days_since_last",
        _N,
        "lines[].service_date",
        "Days since the patient last had this code here; absent when never.",
        _days_since_last,
    ),
    (
        "line.times_in_a_year",
        _N,
        "lines[].service_date",
        "How often the patient had this code here in the 365 days before.",
        _times_in_a_year,
    ),
)

FACTS: dict[str, Fact] = {name: Fact(name, kind, path, says, read) for name, kind, path, says, read in _ALL}
"""Every fact by its name."""


def table() -> str:
    """All facts as a Markdown table, for the documentation."""
    rows = ["| fact | kind | meaning |", "| --- | --- | --- |"]
    return "\n".join([*rows, *(f"| `{each.name}` | {each.kind} | {each.says} |" for each in FACTS.values())])
