"""What each practice's source can give: asked when a person wishes, kept beside the practice for those who look later."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select

from charges.db import Database
from charges.errors import ChargerouterError
from charges.sources import ChargeSource, Probe
from charges.tables import ProbeRow


@dataclass(frozen=True, slots=True)
class Probed:
    """The answer of a source at a moment; ``fault`` is the sentence that stands for it when there was none."""

    asked_at: datetime
    probe: Probe | None = None
    fault: str = ""


_KEPT: TypeAdapter[Any] = TypeAdapter(tuple[Probe | None, str])


def ask(database: Database, practice_id: int, source: ChargeSource, clock: Callable[[], datetime]) -> Probed:
    """Ask a source what it can give and keep the answer, or why there was none."""
    probe, fault = None, ""
    try:
        probe = source.probe()
    except ChargerouterError as error:
        fault = str(error)
    probed = Probed(clock(), probe, fault)
    with database.transaction() as session:
        row = session.scalar(_row(practice_id, source.kind).with_for_update())
        if row is None:
            row = ProbeRow(practice_id=practice_id, source=source.kind)
            session.add(row)
        row.asked_at = probed.asked_at
        row.seal(database.keyring, document=_KEPT.dump_json((probe, fault)))
    return probed


def last(database: Database, practice_id: int, kind: str) -> Probed | None:
    """The last answer of a source; None when it was never asked."""
    with database.transaction() as session:
        row = session.scalar(_row(practice_id, kind))
        if row is None:
            return None
        probe, fault = _KEPT.validate_json(row.unseal(database.keyring, "document"))
        return Probed(row.asked_at, probe, fault)


def _row(practice_id: int, kind: str) -> Any:  # noqa: ANN401 - a statement that gives a ProbeRow
    return select(ProbeRow).where(ProbeRow.practice_id == practice_id, ProbeRow.source == kind)
