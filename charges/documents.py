"""The documents of charges: every version sealed and kept, the current one found by its charge.

What SQL asks of a charge follows from its current document: the columns of its envelope, and the lines by which later
charges of the patient are compared.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from pydantic_core import to_json
from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from charges.keyring import Keyring
from charges.model import Charge
from charges.patients import register as patients
from charges.tables import ChargeRow, ChargeVersionRow, HistoryLineRow, insert_all

_CENT = Decimal("0.01")


def write(session: Session, keyring: Keyring, charges: Iterable[tuple[ChargeRow, Charge]], now: datetime) -> None:
    """Store the versions that are not stored yet."""
    by_identity = {(row.id, charge.version): charge for row, charge in charges}
    known = {(version.charge_id, version.version) for version in _versions(session, list(by_identity))}
    rows = [
        _version(keyring, number, version, charge.model_dump_json(exclude_defaults=True).encode(), now)
        for (number, version), charge in by_identity.items()
        if (number, version) not in known
    ]
    insert_all(session, ChargeVersionRow, rows)


def write_first(session: Session, keyring: Keyring, first: Iterable["First"], now: datetime) -> None:
    """Store what charges that were only just inserted say: their first versions and their lines."""
    charges = list(first)
    versions = [_version(keyring, each.number, each.version, _document(each), now) for each in charges]
    insert_all(session, ChargeVersionRow, versions)
    lines = (_lines(each.number, each.patient_key, each.charge) for each in charges)
    insert_all(session, HistoryLineRow, list(chain.from_iterable(lines)))


class First(NamedTuple):
    """A charge when it is inserted: its number, its version and ``content``, of whom it is."""

    number: int
    charge: Charge
    version: str
    content: bytes
    patient_key: str


def _document(first: First) -> bytes:
    """The document whose content is JSON already."""
    head = to_json({"version": first.version, "origins": first.charge.origins})
    return head if first.content == b"{}" else head[:-1] + b"," + first.content[1:]


def _version(keyring: Keyring, number: int, version: str, document: bytes, now: datetime) -> dict[str, object]:
    columns = {"charge_id": number, "version": version, "captured_at": now}
    return ChargeVersionRow.values(keyring, {"document": document}, **columns)


def read(session: Session, keyring: Keyring, rows: Sequence[ChargeRow]) -> dict[ChargeRow, Charge]:
    """The current document of each charge, in their order."""
    versions = {
        (version.charge_id, version.version): version
        for version in _versions(session, [(row.id, row.version) for row in rows])
    }
    return {row: Charge.model_validate_json(versions[row.id, row.version].unseal(keyring, "document")) for row in rows}


def _versions(session: Session, identities: Sequence[tuple[int, str]]) -> Iterable[ChargeVersionRow]:
    for start in range(0, len(identities), 500):  # SQLite takes 32,766 variables a statement, older ones 999
        yield from session.scalars(
            select(ChargeVersionRow).where(
                tuple_(ChargeVersionRow.charge_id, ChargeVersionRow.version).in_(identities[start : start + 500])
            )
        )


def describe(keyring: Keyring, row: ChargeRow, charge: Charge) -> None:
    """Make a document the current one of its charge, as what the source gave last."""
    row.version, row.corrected_from = charge.version, ""
    for name, value in envelope(charge).items():
        setattr(row, name, value)
    row.patient_key = patients.stated_key(keyring, row.practice_id, charge)


def envelope(charge: Charge) -> dict[str, object]:
    """The columns that follow from what a charge says, without those of its version and patient."""
    return {
        "payer_id": charge.coverages[0].payer.payer_id if charge.coverages else "",
        "service_date": charge.service_date,
        "total": charge.total.quantize(_CENT),
    }


def forget_lines(session: Session, rows: Sequence[ChargeRow]) -> None:
    """Take away the history lines of charges that are described anew."""
    session.execute(delete(HistoryLineRow).where(HistoryLineRow.charge_id.in_([row.id for row in rows])))


def remember_lines(session: Session, charges: Iterable[tuple[ChargeRow, Charge]]) -> None:
    """Write the lines by which later charges of the patient are compared; a voided charge leaves none."""
    insert_all(
        session, HistoryLineRow, [line for row, charge in charges for line in _lines(row.id, row.patient_key, charge)]
    )


def _lines(number: int, patient_key: str, charge: Charge) -> Iterable[Mapping[str, object]]:
    if charge.voided:
        return
    for line in charge.billed_lines:
        if line.service_date is not None:
            rendering = line.rendering_provider or charge.rendering_provider
            yield {
                "charge_id": number,
                "patient_key": patient_key,
                "service_date": line.service_date,
                "code": line.code[:48],
                "modifiers": " ".join(line.modifiers)[:48],
                "units": str(line.units or ""),
                "rendering_npi": rendering.npi if rendering else "",
            }
