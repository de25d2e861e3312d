"""One clean charge to vary: for the rules' examples, their cases, and everybody's tests.

All people, numbers and companies are invented; the NPIs carry right check digits.

>>> charge().total
Decimal('150.00')
>>> charge(line("99213", "25"), line("20610", "RT", charge=Decimal("210.00"))).total
Decimal('360.00')
"""

import sys
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, get_type_hints

from charges.model import (
    SELF,
    Address,
    Charge,
    Coverage,
    Diagnosis,
    Encounter,
    HistoryLine,
    Patient,
    Payer,
    PayerPolicy,
    Provider,
    ServiceLine,
    Subscriber,
)
from rules.engine import Facts, Problem
from rules.reference.drafts import Draft
from rules.reference.library import Content, Reference
from rules.reference.rows import Table, table_of
from rules.reference.shipped import shipped
from rules.reference.store import Release

TODAY = date(2026, 11, 23)
SERVICE_DATE = date(2026, 11, 16)

PATIENT = Patient(
    record_number="100234",
    last_name="Larkspur",
    first_name="Odette",
    birth_date=date(1961, 4, 3),
    sex="F",
    address=Address(line1="12 Willow Lane", city="Springfield", state="IL", postal_code="62704"),
    phone="2175550142",
)
PAYER = Payer(source_id="17", name="Prairie Mutual Health", payer_id="PRM01", claim_filing_code="CI")
COVERAGE = Coverage(payer=PAYER, member_id="PMH8812345", relationship=SELF, group_number="GRP-2201")
MEDICARE = Coverage(
    payer=Payer(source_id="30", name="Medicare Part B", payer_id="00952", claim_filing_code="MB"),
    member_id="1EG4TE5MK73",
    relationship=SELF,
)
MEDICAID = Coverage(
    payer=Payer(source_id="31", name="Illinois Medicaid", payer_id="ILMCD", claim_filing_code="MC"),
    member_id="123456789",
    relationship=SELF,
)
BILLING_PROVIDER = Provider(
    organization_name="Lakeside Family Medicine",
    npi="1993999998",
    tax_id="364711208",
    taxonomy="207Q00000X",
    address=Address(line1="400 Harbor Street", city="Springfield", state="IL", postal_code="627010001"),
    phone="2175550100",
    contact_name="Imogen Vale",
)
RENDERING_PROVIDER = Provider(
    source_id="9001", last_name="Fenwick", first_name="Tobias", npi="1245319599", taxonomy="207Q00000X"
)
REFERRING_PROVIDER = Provider(source_id="9101", last_name="Ashdown", first_name="Mirela", npi="1679576722")
CHILD_SUBSCRIBER = Subscriber(
    last_name="Larkspur",
    first_name="Casimir",
    birth_date=date(1985, 9, 12),
    sex="M",
    address=PATIENT.address,
)


def line(code: str = "99213", *modifiers: str, **changes: object) -> ServiceLine:
    """A clean service line; ``changes`` replace any of its fields."""
    fields: dict[str, Any] = {
        "code": code,
        "modifiers": modifiers,
        "charge": Decimal("150.00"),
        "units": Decimal(1),
        "place_of_service": "11",
        "service_date": SERVICE_DATE,
        "diagnoses": ("I10",),
    }
    fields.update(changes)
    return ServiceLine(**fields)


def charge(*lines: ServiceLine, **changes: object) -> Charge:
    """A clean charge of an office visit, or of the given lines; ``changes`` replace any of its fields."""
    fields: dict[str, Any] = {
        "practice": "lakeside",
        "source": "eclinicalworks",
        "key": "7001",
        "encounter": Encounter(
            record_number="55001",
            status="CHK",
            locked=True,
            checked_out=True,
            start_date=SERVICE_DATE,
            place_of_service="11",
        ),
        "patient": PATIENT,
        "coverages": (COVERAGE,),
        "billing_provider": BILLING_PROVIDER,
        "rendering_provider": RENDERING_PROVIDER,
        "diagnoses": (Diagnosis(code="I10"), Diagnosis(code="E11.9")),
        "lines": lines or (line(),),
        "provider_signature": "Y",
        "assignment": "A",
        "benefits_assigned": "Y",
        "release_of_information": "Y",
    }
    fields.update(changes)
    return Charge(**fields)


def facts(given: Charge | None = None, **changes: object) -> Facts:
    """The facts of a charge as judged on ``TODAY`` with ``TABLES()``; ``changes`` replace any of them."""
    fields: dict[str, Any] = {"charge": given or charge(), "today": TODAY, "policy": PayerPolicy(), "tables": TABLES()}
    fields.update(changes)
    return Facts(**fields)


def earlier(code: str, service_date: date, *modifiers: str, **changes: object) -> HistoryLine:
    """A line of an earlier charge of the same patient by the same provider; ``changes`` replace any of its fields."""
    fields: dict[str, Any] = {
        "charge_key": "6990",
        "service_date": service_date,
        "code": code,
        "modifiers": modifiers,
        "rendering_npi": RENDERING_PROVIDER.npi,
    }
    fields.update(changes)
    return HistoryLine(**fields)


Rows = Iterable[Mapping[str, Any]]


def tables(rows: Mapping[str, Rows]) -> Reference:
    """``TABLES()``, where these tables hold these rows alone; a field that a row leaves out is empty, zero or false.

    >>> there = tables({"fees": [{"code": "93010", "pc_tc": "2"}]})
    >>> there.fee("93010", SERVICE_DATE).pc_tc, there.fee("99213", SERVICE_DATE)
    ('2', None)
    """
    return holding(rows) | TABLES()


def holding(rows: Mapping[str, Rows]) -> Reference:
    """Tables of these rows and no others."""
    return Reference.of(_made(rows))


@lru_cache(maxsize=1)
def TABLES() -> Reference:  # noqa: N802 - it stands for a constant that takes a moment to make
    """Tables to try rules with: what is shipped, and of the others what the clean charge needs."""
    return shipped() | holding(_FEW)


_FEW: Mapping[str, Rows] = {
    "fees": [
        {"code": "99213", "status": "A", "global_days": "XXX", "office_total": Decimal("2.75")},
        {"code": "11730", "status": "A", "global_days": "000", "office_total": Decimal("3.03")},
    ],
    "hcpcs": [{"code": code} for code in ("G0439", "J3301", "LT", "RT")],
    "mce": [{"code": "F0280", "kind": "manifestation"}],
    "policies": [],
    "prices.lakeside": [{"code": "99213", "amount": Decimal("150.00")}],
    "taxonomy": [{"code": "207Q00000X", "individual": True}],
    "telehealth": [{"code": "99213"}],
    "waived": [{"code": "87804", "needs_qw": True}],
}
_EMPTY: Mapping[type, object] = {str: "", int: 0, bool: False, Decimal: Decimal(0)}


def _made(rows: Mapping[str, Rows]) -> dict[Release, Content]:
    contents: dict[Release, Content] = {}
    for name, given in rows.items():
        known = table_of(name)
        assert known is not None, name
        release, packed = _draft(known, given).pack(variant=name.partition(".")[2])
        contents[release] = lambda packed=packed: packed  # type: ignore[misc]
    return contents


def _draft(table: Table, rows: Rows) -> Draft:
    kinds = get_type_hints(table.row)
    draft = Draft(table, "example", date(2000, 1, 1), None)
    for row in rows:
        fields = {name: row.get(name, _EMPTY[kinds[name]]) for name in table.fields}
        unknown = row.keys() - fields.keys() - set(table.keys) - {"since", "until"}
        assert not unknown, f"{table.name} has no {', '.join(sorted(unknown))}"
        keys = (str(row.get(key, "")) for key in table.keys)
        draft.add(*keys, since=row.get("since"), until=row.get("until"), **fields)
    return draft


def show(problems: Iterable[Problem]) -> None:
    """Print what a rule says, for the examples in its documentation: the place, the sentence, what to do.

    >>> show([Problem("lines[0].units", "Line 1: 99213 has 0 units.", fix="Enter the units.")])
    lines[0].units
      Line 1: 99213 has 0 units.
      Enter the units.
    >>> show([])
    Nothing to say.
    """
    said = [f"{each.at}\n  {each.message}\n  {each.fix}\n" for each in problems]
    sys.stdout.write("".join(said) or "Nothing to say.\n")
