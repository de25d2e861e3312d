"""The documents of charges: every version sealed and kept, the current one found by its charge."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from charges.keyring import Keyring
from charges.model import Charge
from charges.tables import ChargeRow, ChargeVersionRow, insert_all


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
