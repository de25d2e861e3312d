"""Charges of files and messages, with their patients and policies completed from a system that knows the people.

What that system said is stored with the record, so that a charge can be told from it without asking anybody again. A charge
whose patient is in doubt, or could not be asked for, is ``Incomplete``: it waits with the reason, and its patient is looked
up again with every pull. Nothing that the record says is overwritten.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from charges.drift.census import Shape
from charges.errors import ChargerouterError, Unreadable
from charges.model import Address, Charge, Patient
from charges.practice.connections import FhirPeople
from charges.sources import ChargeSource, Incomplete, Page, Probe, RawRecord
from charges.sources.allowance import Allowance
from charges.sources.fhir.mapping import read_person
from charges.sources.fhir.people import Doubt, People

_MARK = b"COMPLETED "
"""How a record begins that has beside it what the other system said."""
_AGAIN = "The patient is looked up again with every pull."
_NEEDED = ("last_name", "first_name", "birth_date", "sex")
_FILLED = ("last_name", "first_name", "middle_name", "suffix", "birth_date", "sex", "phone", "death_date")


class CompletedSource:
    """A source of charges, and a FHIR tenant that knows the patients."""

    def __init__(self, source: ChargeSource, settings: FhirPeople, allowance: Allowance) -> None:
        self._source, self._settings, self._allowance = source, settings, allowance
        self.kind = source.kind

    @property
    def codes(self) -> Mapping[str, frozenset[str]]:
        """The fields of the source that hold codes."""
        found: Mapping[str, frozenset[str]] = getattr(self._source, "codes", {})
        return found

    def changed_since(self, cursor: str | None) -> Iterator[Page]:
        """What the source gives, completed; see ``ChargeSource``."""
        with _Completion(self) as completion:
            for page in self._source.changed_since(cursor):
                yield Page(tuple(map(completion.record, page.records)), page.cursor)

    def again(self, records: Iterable[RawRecord]) -> Iterator[RawRecord]:
        """The records whose patients are known now, or are in another doubt; see ``Completing``."""
        with _Completion(self) as completion:
            for record in records:
                now = completion.record(own(record))
                if completion.away:
                    return
                if now.body != record.body:
                    yield now

    def to_charge(self, record: RawRecord) -> Charge:
        """The facts of one record and of its patient; raises Incomplete where the patient is not certain."""
        charge = self._source.to_charge(own(record))
        if not record.body.startswith(_MARK):
            return charge
        said = json.loads(record.body.removeprefix(_MARK))
        if "doubt" in said:
            raise Incomplete(charge, f"{said['doubt']} {_AGAIN}")
        try:
            found = read_person(said["found"], charge.service_date)
        except Unreadable as fault:
            raise Incomplete(charge, f"The patient was found and cannot be read: {fault} {_AGAIN}") from None
        return completed(charge, found)

    def shape(self, record: RawRecord) -> Shape | None:
        """What the source's own record is made of."""
        tell = getattr(self._source, "shape", None)
        shape: Shape | None = tell(own(record)) if tell else None
        return shape

    def probe(self) -> Probe:
        """What the source gives by itself; see ``ChargeSource``."""
        return self._source.probe()

    def people(self) -> People:
        """A connection to the system that knows the patients."""
        return People(self._settings, self._allowance)

    def read(self, record: RawRecord) -> Charge | None:
        """What a record says by itself; None when it cannot be read."""
        try:
            return self._source.to_charge(record)
        except Unreadable:
            return None


class _Completion:
    """One run: when the other system is ``away``, it is not asked again in it."""

    def __init__(self, source: CompletedSource) -> None:
        self._source, self._people = source, source.people()
        self.away = ""

    def __enter__(self) -> "_Completion":
        self._people.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._people.__exit__()

    def record(self, record: RawRecord) -> RawRecord:
        """A record with what the other system says of its patient, where anything is lacking."""
        charge = self._source.read(record)
        if charge is None or charge.voided or _is_whole(charge):
            return record
        if self.away:
            return _with(record, doubt=self.away)
        try:
            return _with(record, found=self._people.resources(charge))
        except Doubt as doubt:
            return _with(record, doubt=str(doubt))
        except ChargerouterError as error:  # it does not answer, or does not let us in
            self.away = f"The patient could not be looked up. {error}"
            return _with(record, doubt=self.away)


def own(record: RawRecord) -> RawRecord:
    """A record as its source gave it."""
    if not record.body.startswith(_MARK):
        return record
    return RawRecord(record.key, base64.b64decode(json.loads(record.body.removeprefix(_MARK))["record"]))


def completed(charge: Charge, found: Charge) -> Charge:
    """A charge with what it leaves open filled in from what was found of its patient, each with its origin."""
    origins, changes = dict(charge.origins), {}
    for name in (*_FILLED, "address"):
        nothing = Patient.model_fields[name].get_default()
        told = getattr(found.patient, name)
        if getattr(charge.patient, name) == nothing != told:
            changes[name] = told
            origins[f"patient.{name}"] = f"FHIR {found.origins.get(f'patient.{name}', 'Patient')}"
    coverages = charge.coverages
    if not coverages and not charge.self_pay and found.coverages:
        coverages = found.coverages
        origins["coverages"] = f"FHIR {found.origins['coverages']}"
    patient = charge.patient.model_copy(update=changes)
    return charge.model_copy(update={"patient": patient, "coverages": coverages, "origins": origins})


def _is_whole(charge: Charge) -> bool:
    person = charge.patient
    has_person = all(getattr(person, name) for name in _NEEDED) and person.address != Address()
    return has_person and bool(charge.coverages or charge.self_pay)


def _with(record: RawRecord, **said: Any) -> RawRecord:  # noqa: ANN401 - whatever JSON can hold
    content = {"record": base64.b64encode(record.body).decode()} | said
    return RawRecord(record.key, _MARK + json.dumps(content, separators=(",", ":"), sort_keys=True).encode())
