"""The documents of charges: every version sealed and kept, the current one found by its charge.

What SQL asks of a charge follows from its current document: the columns of its envelope, and the lines by which later
charges of the patient are compared.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from charges import patients
from charges.keyring import Keyring
from charges.model import Charge
from charges.tables import ChargeRow, ChargeVersionRow, HistoryLineRow, insert_all


def write(session: Session, keyring: Keyring, charges: Iterable[tuple[ChargeRow, Charge]], now: datetime) -> None:
    """Store the versions that are not stored yet; of a charge that was only just captured none is."""
    by_identity = {(row.id, charge.version): (row, charge) for row, charge in charges}
    earlier = [identity for identity, (row, _) in by_identity.items() if row.event_count]
    known = {(version.charge_id, version.version) for version in _versions(session, earlier)}
    rows = []
    for (charge_id, version), (_, charge) in by_identity.items():
        if (charge_id, version) not in known:
            document = charge.model_dump_json(exclude_defaults=True).encode()
            columns = {"charge_id": charge_id, "version": version, "captured_at": now}
            rows.append(ChargeVersionRow.values(keyring, {"document": document}, **columns))
    insert_all(session, ChargeVersionRow, rows)


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
    row.payer_id = charge.coverages[0].payer.payer_id if charge.coverages else ""
    row.service_date = charge.service_date
    row.total = charge.total.quantize(Decimal("0.01"))
    row.patient_key = patients.stated_key(keyring, row.practice_id, charge)


def forget_lines(session: Session, rows: Sequence[ChargeRow]) -> None:
    """Take away the history lines of charges that are described anew."""
    session.execute(delete(HistoryLineRow).where(HistoryLineRow.charge_id.in_([row.id for row in rows])))


def remember_lines(session: Session, charges: Iterable[tuple[ChargeRow, Charge]]) -> None:
    """Write the lines by which later charges of the patient are compared; a voided charge leaves none."""
    insert_all(session, HistoryLineRow, [line for row, charge in charges for line in _lines(row, charge)])


def _lines(row: ChargeRow, charge: Charge) -> Iterable[Mapping[str, object]]:
    if charge.voided:
        return
    for line in charge.billed_lines:
        if line.service_date is not None:
            rendering = line.rendering_provider or charge.rendering_provider
            yield {
                "charge_id": row.id,
                "patient_key": row.patient_key,
                "service_date": line.service_date,
                "code": line.code[:48],
                "modifiers": " ".join(line.modifiers)[:48],
                "units": str(line.units or ""),
                "rendering_npi": rendering.npi if rendering else "",
            }
