"""Charges from the proprietary API of eClinicalWorks, polled by the moment of their last change.

There are no notifications, so every pull asks for what changed since the newest change it has seen, less an overlap for
records that were saved late or by a server whose clock differs. The cursor is the tenant's own moment of the last record
stored, never the present: what is being written while we read is read next time.

What moved no moment of change is found by reading days of service again (``days``).
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import chain
from zoneinfo import ZoneInfo

from charges.errors import NotOffered, Unreadable
from charges.model import Charge
from charges.practice.connections import EclinicalWorks
from charges.sources import Page, Probe, RawRecord
from charges.sources.allowance import Allowance, Unlimited
from charges.sources.eclinicalworks import days
from charges.sources.eclinicalworks.client import Client
from charges.sources.eclinicalworks.codes import CODES
from charges.sources.eclinicalworks.contract import MOMENT
from charges.sources.eclinicalworks.fieldmap import FieldMap
from charges.sources.eclinicalworks.mapping import to_charge
from charges.sources.eclinicalworks.paging import Record, moment_of, pages
from charges.sources.seen import probe_of

_BEGINNING = "1900-01-01 00:00:00"
_CLOCKS_GO_BACK = timedelta(hours=1)
_LONGEST_NUMBER = 80
_NAMELESS = "without-number-"
"""How the key of a record begins that has no number."""


def _now() -> datetime:
    return datetime.now(UTC)


class EclinicalWorksSource:
    """A tenant as a source of charges; ``time_zone`` is that of the practice, in which the tenant writes its moments.

    Raises Refused when the profile maps fields that the contract does not have.
    """

    kind = "eclinicalworks"

    def __init__(
        self,
        settings: EclinicalWorks,
        time_zone: str,
        allowance: Allowance | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._settings, self._zone = settings, ZoneInfo(time_zone)
        self._allowance, self._now = allowance or Unlimited(), now
        self._fields = FieldMap(settings.fields, settings.values)

    def changed_since(self, cursor: str | None) -> Iterator[Page]:
        """Every charge changed since the cursor less the overlap; see ``ChargeSource``."""
        with self._client() as client:
            newest = cursor
            for records in pages(client.charges, self._start(cursor), self._moment):
                newest = max((each for each in (newest, *map(self._moment, records)) if each), default=None)
                yield Page(tuple(map(self._raw, records)), cursor=newest)

    def to_charge(self, record: RawRecord) -> Charge:
        """The facts of one record; see ``ChargeSource``."""
        return to_charge(record.body, self._fields)

    @cached_property
    def codes(self) -> Mapping[str, frozenset[str]]:
        """The tenant's fields that hold codes, each with the values that the contract or the profile knows."""
        known = self._settings.values
        return {self._fields.place(path): values | frozenset(known.get(path, ())) for path, values in CODES.items()}

    def moment(self, record: RawRecord) -> str:
        """When the tenant says that a record changed last; ``""`` where it does not."""
        return self._moment(json.loads(record.body))

    def probe(self) -> Probe:
        """Whether the tenant answers for changes and for days, and what its newest records hold; see ``ChargeSource``."""
        with self._client() as client:
            since = self._shortly_before_the_newest(client)
            found = pages(client.charges, since, self._moment) if since else iter(())
            records = list(chain.from_iterable(found))
            newest = max(map(self._moment, records), default="")
            return probe_of(self, self._streams(client), newest, map(self._raw, reversed(records)))

    def of_days(self, first: date, last: date, cursor: str | None) -> Iterator[Page]:
        """Every charge of days of service in slices of some days; see ``Revisitable``."""
        with self._client() as client:
            length = timedelta(days=self._settings.slice_days)
            for records, where in days.charges(client.charges_of_days, self._number, (first, last), length, cursor):
                yield Page(tuple(map(self._raw, records)), cursor=where)

    def numbers_of_days(self, first: date, last: date) -> frozenset[str]:
        """The numbers of all charges of days of service; see ``Revisitable``."""
        with self._client() as client:
            return frozenset(days.numbers(client.numbers_of_days, first, last))

    def one(self, key: str) -> RawRecord | None:
        """One charge as it is now; see ``Revisitable``."""
        if key.startswith(_NAMELESS):
            raise Unreadable("InvId is missing, so the charge cannot be asked for.")
        with self._client() as client:
            record = client.charge(key)
        return None if record is None else self._raw(record)

    def withdrawn(self, record: RawRecord) -> RawRecord:
        """The record with the flag of a deleted charge; see ``Revisitable``."""
        given = json.loads(record.body)
        return RawRecord(record.key, _written(self._fields.with_value(given, "DeleteFlag", "1")))

    def named(self, record: RawRecord) -> RawRecord:
        """A record that was kept without a number, under the one that the profile finds in it by now; pure."""
        return self._raw(json.loads(record.body)) if record.key.startswith(_NAMELESS) else record

    def _client(self) -> Client:
        return Client(self._settings, self._allowance)

    def _streams(self, client: Client) -> tuple[str, ...]:
        today = self._now().astimezone(self._zone).date()
        streams = ["changes"]
        for name, ask in (("days", client.charges_of_days), ("numbers", client.numbers_of_days)):
            try:
                ask(today, today, "")
            except NotOffered:
                continue
            streams.append(name)
        return tuple(streams)

    def _shortly_before_the_newest(self, client: Client) -> str:
        """A moment after which there are changes and within an hour before the newest; ``""`` when there are none.

        A tenant gives its oldest changes first, so the newest is found by halving the time in which it must be.
        """
        if not client.charges(_BEGINNING, 1, size=1).records:
            return ""
        some = datetime.strptime(_BEGINNING, MOMENT)  # noqa: DTZ007 - the practice's wall clock
        none = self._now().astimezone(self._zone).replace(tzinfo=None) + timedelta(days=2)
        while none - some > timedelta(hours=1):
            between = some + (none - some) / 2
            if client.charges(between.strftime(MOMENT), 1, size=1).records:
                some = between
            else:
                none = between
        return some.strftime(MOMENT)

    def _moment(self, record: Record) -> str:
        return moment_of(self._fields.value(record, "modifiedOn"))

    def _number(self, record: Record) -> str:
        number = self._fields.value(record, "InvId")
        return str(number) if isinstance(number, str | int) and 0 < len(str(number)) <= _LONGEST_NUMBER else ""

    def _raw(self, record: Record) -> RawRecord:
        """A record under the charge's number; one without any is kept under its own digest, so that a person sees it."""
        body = _written(record)
        return RawRecord(self._number(record) or f"{_NAMELESS}{hashlib.sha256(body).hexdigest()[:16]}", body)

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


def _written(record: Record) -> bytes:
    """A record's bytes, the same whatever the order of its fields."""
    return json.dumps(record, separators=(",", ":"), sort_keys=True).encode()
