"""What a row of each table says: one type per table, and how its fields are written in the store.

Every row begins with its key, is in force ``since`` and ``until`` (both included; ``date.max`` when not ended), and ends
with the release it stands in, so that a finding can cite it. Numbers of codes are facts; descriptions of CPT and CDT codes
belong to their owners and are in no row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar, get_type_hints

from rules.reference.store import Release

R = TypeVar("R")


class PtpEdit(NamedTuple):
    """NCCI procedure-to-procedure edit: the column 2 code is not paid beside the column 1 code.

    ``modifier_indicator``: 0 no modifier parts the pair, 1 an NCCI modifier may, 9 the edit never applied.
    """

    column1: str
    column2: str
    since: date
    until: date
    modifier_indicator: str
    rationale: str
    release: Release


class MueLimit(NamedTuple):
    """NCCI medically unlikely edit: the most units of a code for one patient and provider.

    ``adjudication_indicator`` (MAI): 1 per line; 2 per date of service, absolute; 3 per date of service, clinical.
    """

    code: str
    since: date
    until: date
    units: int
    adjudication_indicator: int
    rationale: str
    release: Release


class AddOnEdit(NamedTuple):
    """NCCI add-on code edit: one primary code beside which an add-on code may be billed.

    ``type``: 1 a closed list of primaries, 2 the contractor decides (``primary`` is empty), 3 a list that is not closed.
    """

    code: str
    since: date
    until: date
    type: int
    primary: str
    note: str
    release: Release


class IcdCode(NamedTuple):
    """ICD-10-CM code, undotted. ``billable``: complete; a header needs more characters."""

    code: str
    since: date
    until: date
    billable: bool
    title: str
    release: Release


class IcdText(NamedTuple):
    """One instruction of the tabular list at a code, section (``A00A09``) or chapter (``CH1``).

    ``kind``: excludes1, excludes2, codefirst, useadditionalcode, codealso, seventh (``references`` are the characters),
    within (``references`` are the section and chapter of a category).
    """

    code: str
    since: date
    until: date
    kind: str
    references: str
    text: str
    release: Release


class IcdEdit(NamedTuple):
    """Medicare Code Editor: an edit a diagnosis is listed under.

    ``kind``: newborn, pediatric, maternity, adult, female, male, manifestation.
    """

    code: str
    since: date
    until: date
    kind: str
    release: Release


class HcpcsCode(NamedTuple):
    """HCPCS level II code or modifier. ``until`` is its last usable day.

    ``unlisted``: it stands for what has no code of its own, so the claim must describe the service.
    """

    code: str
    since: date
    until: date
    coverage: str
    price_indicator: str
    betos: str
    type_of_service: str
    lab_certifications: str
    unlisted: bool
    release: Release


class FeeIndicators(NamedTuple):
    """Medicare physician fee schedule: payment policy indicators and relative values of a code and modifier.

    The indicators are CMS's own (Medicare Claims Processing Manual, chapter 23, addendum MPFSDB record layout):
    ``global_days`` 000, 010, 090, MMM, XXX, YYY, ZZZ; ``pc_tc`` 0 to 9; ``bilateral`` 0, 1, 2, 3, 9.
    """

    code: str
    modifier: str
    since: date
    until: date
    status: str
    pc_tc: str
    global_days: str
    multiple: str
    bilateral: str
    assistant: str
    co_surgeons: str
    team: str
    endoscopic_base: str
    supervision: str
    imaging_family: str
    office_not_applicable: bool
    facility_not_applicable: bool
    work: Decimal
    office_total: Decimal
    facility_total: Decimal
    release: Release


class PlaceOfService(NamedTuple):
    """CMS place of service code. ``facility``: services there are priced at the facility's rate."""

    code: str
    since: date
    until: date
    facility: bool
    name: str
    release: Release


class Taxonomy(NamedTuple):
    """NUCC provider taxonomy code. ``individual``: a person's; else a group's or an organization's."""

    code: str
    since: date
    until: date
    individual: bool
    release: Release


class Telehealth(NamedTuple):
    """A code on CMS's list of telehealth services. ``audio_only``: sound alone may do, where the list says so."""

    code: str
    since: date
    until: date
    status: str
    audio_only: bool
    release: Release


class Waived(NamedTuple):
    """A test that a laboratory with a CLIA certificate of waiver may do. ``needs_qw``: only with modifier QW."""

    code: str
    since: date
    until: date
    needs_qw: bool
    release: Release


class PolicyDiagnosis(NamedTuple):
    """A coverage policy (LCD, NCD) names a diagnosis for a procedure: ``covered`` or expressly not."""

    procedure: str
    diagnosis: str
    since: date
    until: date
    policy: str
    covered: bool
    release: Release


class Price(NamedTuple):
    """What a practice charges for one unit of a code and modifier."""

    code: str
    modifier: str
    since: date
    until: date
    amount: Decimal
    release: Release


Row = (
    PtpEdit
    | MueLimit
    | AddOnEdit
    | IcdCode
    | IcdText
    | IcdEdit
    | HcpcsCode
    | FeeIndicators
    | PlaceOfService
    | Taxonomy
    | Telehealth
    | Waived
    | PolicyDiagnosis
    | Price
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the store, decoded: when it is in force and the fields of its row."""

    since: date
    until: date
    fields: tuple[Any, ...]

    def row(self, make: Callable[..., R], release: Release, *key: str) -> R:
        """The row of a key that the entry belongs to."""
        return make(*key, self.since, self.until, *self.fields, release)


_DECODERS: Mapping[Any, Callable[[str], Any]] = {
    str: str,
    int: int,
    bool: lambda text: text == "1",
    Decimal: Decimal,
}


class Table:
    """One table: its name, what people call it, and the type of its rows.

    ``pairs``: found by two codes; ``joined``: found by code and modifier, joined in one key.
    """

    def __init__(self, name: str, title: str, row: type[Any], *, pairs: bool = False, joined: bool = False) -> None:
        self.name, self.title, self.row, self.pairs, self.joined = name, title, row, pairs, joined
        hints = get_type_hints(row)
        names = list(hints)
        first = names.index("since")
        self.keys = tuple(names[:first])
        self.fields = tuple(names[first + 2 : -1])
        self._decoders = tuple(_DECODERS[hints[field]] for field in self.fields)

    def decode(self, text: str) -> Entry:
        """An entry's text as the store gives it."""
        since, until, *fields = text.split("\t")
        values = tuple(decode(field) for decode, field in zip(self._decoders, fields, strict=True))
        return Entry(date.fromisoformat(since), date.fromisoformat(until) if until else date.max, values)

    def encode(self, since: date, until: date | None, fields: Mapping[str, object]) -> str:
        """An entry's text; ``fields`` by name, all of them."""
        assert fields.keys() == set(self.fields), (fields.keys(), self.fields)
        ending = "" if until is None or until == date.max else until.isoformat()
        return "\t".join((since.isoformat(), ending, *(_text(fields[name]) for name in self.fields)))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return " ".join(str(value).split()) if isinstance(value, str) else str(value)


TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table("ptp", "NCCI procedure-to-procedure edits (practitioner)", PtpEdit, pairs=True),
        Table("mue", "NCCI medically unlikely edits (practitioner)", MueLimit),
        Table("add_on", "NCCI add-on code edits", AddOnEdit),
        Table("icd", "ICD-10-CM codes", IcdCode),
        Table("icd_notes", "ICD-10-CM tabular list", IcdText),
        Table("mce", "Medicare Code Editor: diagnosis edits", IcdEdit),
        Table("hcpcs", "HCPCS level II codes and modifiers", HcpcsCode),
        Table("fees", "Medicare physician fee schedule: indicators and relative values", FeeIndicators, joined=True),
        Table("pos", "CMS place of service codes", PlaceOfService),
        Table("taxonomy", "NUCC provider taxonomy", Taxonomy),
        Table("telehealth", "CMS list of telehealth services", Telehealth),
        Table("waived", "CLIA waived tests", Waived),
        Table("policies", "diagnoses of coverage policies (LCD, NCD)", PolicyDiagnosis, pairs=True),
        Table("prices", "the practice's fee schedule", Price, joined=True),
    )
}
"""Every table that can be loaded, by name. A practice's own tables are called ``prices.PRACTICE``."""


def table_of(name: str) -> Table | None:
    """The table of a name, ``prices.lakeside`` being one of ``prices``."""
    return TABLES.get(name.partition(".")[0])


def cite(row: Row) -> dict[str, str]:
    """The evidence of a finding that rests on a row: the table, the release, and the row with its dates.

    >>> release = Release(table="mue", name="2026Q3", since=date(2026, 7, 1))
    >>> cite(MueLimit("88350", date(2026, 7, 1), date(2026, 9, 30), 9, 3, "Clinical: Data", release))["row"]
    '88350 2026-07-01..2026-09-30 units=9 adjudication_indicator=3'
    """
    release = row.release
    table = TABLES[release.table.partition(".")[0]]
    until = "" if row.until == date.max else row.until.isoformat()
    fields = zip(table.fields, row[len(table.keys) + 2 : -1], strict=True)
    shown = [
        *(getattr(row, key) for key in table.keys),
        f"{row.since.isoformat()}..{until}",
        *(f"{name}={_text(value)}" for name, value in fields if name in _CITED and value != ""),
    ]
    return {"table": release.table, "release": release.name, "row": " ".join(filter(None, shown))}


_CITED = frozenset(
    {
        "modifier_indicator", "units", "adjudication_indicator", "type", "primary", "billable", "kind", "status",
        "global_days", "pc_tc", "bilateral", "policy", "covered", "amount",
    }
)  # fmt: skip
"""Fields that a citation repeats: those a decision may rest on, short enough to read."""
