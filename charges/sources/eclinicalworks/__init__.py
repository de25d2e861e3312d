"""Charges from the proprietary API of eClinicalWorks, polled by the moment of their last change.

There are no notifications, so every pull asks for what changed since the newest change it has seen, less an overlap for
records that were saved late or by a server whose clock differs. The cursor is the tenant's own moment of the last record
stored, never the present: what is being written while we read is read next time.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from charges.connections import EclinicalWorks
from charges.model import Charge
from charges.sources import Page, RawRecord
from charges.sources.eclinicalworks.client import Client
from charges.sources.eclinicalworks.contract import MOMENT
from charges.sources.eclinicalworks.mapping import to_charge
from charges.sources.eclinicalworks.paging import Record, moment_of, pages

_BEGINNING = "1900-01-01 00:00:00"
_CLOCKS_GO_BACK = timedelta(hours=1)


class EclinicalWorksSource:
    """A tenant as a source of charges; ``time_zone`` is that of the practice, in which the tenant writes its moments."""

    kind = "eclinicalworks"

    def __init__(self, settings: EclinicalWorks, time_zone: str) -> None:
        self._settings, self._zone = settings, ZoneInfo(time_zone)

    def changed_since(self, cursor: str | None) -> Iterator[Page]:
        """Every charge changed since the cursor less the overlap; see ``ChargeSource``."""
        with Client(self._settings) as client:
            newest = cursor
            for records in pages(client.charges, self._start(cursor)):
                newest = max((each for each in (newest, *map(moment_of, records)) if each), default=None)
                yield Page(tuple(map(_raw, records)), cursor=newest)

    def to_charge(self, record: RawRecord) -> Charge:
        """The facts of one record; see ``ChargeSource``."""
        return to_charge(record.body)

    def _start(self, cursor: str | None) -> str:
        if cursor is None:
            first = self._settings.start
            return f"{first.isoformat()} 00:00:00" if first else _BEGINNING
        seen = datetime.strptime(cursor, MOMENT).replace(tzinfo=self._zone)
        overlap = timedelta(minutes=self._settings.overlap_minutes)
        if seen.utcoffset() != seen.replace(fold=1).utcoffset():
            # In the hour that autumn's night has twice, what is written later may bear an earlier time.
            overlap += _CLOCKS_GO_BACK
        return (seen.replace(tzinfo=None) - overlap).strftime(MOMENT)


def _raw(record: Record) -> RawRecord:
    """A record under the charge's number; one without any is kept under its own digest, so that a person sees it."""
    body = json.dumps(record, separators=(",", ":"), sort_keys=True).encode()
    number = record.get("InvId") if isinstance(record, dict) else None
    if isinstance(number, str | int) and 0 < len(str(number)) <= 80:
        return RawRecord(str(number), body)
    return RawRecord(f"without-number-{hashlib.sha256(body).hexdigest()[:16]}", body)
