"""The people a practice knows: kept as its authorities for people tell of them, and found without reading everybody.

Whoever is known has a row with their demographics sealed. They are found by keyed hashes: of a record number with its
assigner, of birth date with a name, of both names. Every hash is of one practice, so nobody is found from another.

Only an authority makes somebody known, and only by a record number of the practice's own; no other charge does. Where
it says several facts otherwise than before, that is not taken over, and its charge waits for a person (``identity``).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeVar

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from charges.keyring import Keyring
from charges.model import SELF, Charge
from charges.parts import parts
from charges.patients import likeness
from charges.patients.matching import Candidate, Demographics, may_be_restated
from charges.tables import (
    ChargeRow,
    HistoryLineRow,
    PatientLinkRow,
    PatientRow,
    PatientSearchKeyRow,
    insert_all,
    next_ids,
)

AUTHORITIES = frozenset({"eclinicalworks", "fhir", "hl7"})
"""The kinds of sources that register people; exports and claim files repeat what was registered elsewhere."""
AT_MOST = 50
"""So many candidates are compared with one description."""

_T = TypeVar("_T")


def description_of(charge: Charge) -> Demographics:
    """Whom a charge is of, as far as its source says."""
    patient = charge.patient
    numbers = (patient.record_number, *patient.former_numbers)
    own = (each.member_id for each in charge.coverages if each.relationship == SELF)
    return Demographics(
        numbers=tuple((patient.assigner, each) for each in numbers if each),
        last_names=_said(patient.last_name),
        first_names=_said(patient.first_name),
        middle_name=patient.middle_name,
        suffix=patient.suffix,
        birth_date=patient.birth_date,
        streets=_said(patient.address.line1),
        phones=_said(patient.phone),
        ssn=patient.ssn,
        mbi=next(filter(None, map(likeness.medicare_number, own)), ""),
    )


def _said(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def number_key(keyring: Keyring, practice_id: int, assigner: str, number: str) -> str:
    """The patient key of a record number: the same for all charges of a practice that carry it from the same assigner."""
    if not assigner:
        return keyring.fingerprint(f"{practice_id}|{number}")
    return keyring.fingerprint(f"{practice_id} number {json.dumps([assigner, number])}")


def charge_key(keyring: Keyring, practice_id: int, source: str, key: str) -> str:
    """The patient key of a charge of which nobody knows whose it is, so that it shares no history with another."""
    return keyring.fingerprint(f"{practice_id} charge {json.dumps([source, key])}")


def stated_key(keyring: Keyring, practice_id: int, charge: Charge) -> str:
    """The patient key of a charge as its source states it."""
    patient = charge.patient
    if patient.record_number:
        return number_key(keyring, practice_id, patient.assigner, patient.record_number)
    return charge_key(keyring, practice_id, charge.source, charge.key)


def is_registered(source: str, charge: Charge) -> bool:
    """Whether a charge is of an authority and has a record number of the practice's own."""
    return source in AUTHORITIES and bool(charge.patient.record_number) and not charge.patient.assigner


def told_by(keyring: Keyring, demographics: Demographics) -> str:
    """The keyed hash of a description."""
    return keyring.fingerprint(demographics.model_dump_json())


# What an authority says


@dataclass(slots=True, eq=False)
class _Known:
    """Somebody known while a page of charges is taken up; who is new has no row yet."""

    key: str
    told: str
    demographics: Demographics
    row: PatientRow | None = None
    changed: bool = False


def learn(
    session: Session, keyring: Keyring, practice_id: int, charges: Iterable[Charge], now: datetime
) -> Sequence[str]:
    """Take up what an authority says of the people of charges, in their order; returns the patient key of each charge.

    A charge whose number is somebody else's by what is known gets a key of its own; one that registers nobody has the key
    that its source states. Only one transaction at a time may do this for a practice (``received.wait_for_turn``).
    """
    said: list[_Said | None] = []
    keys: list[str] = []
    for charge in charges:
        each = _Said(charge, *_told(keyring, charge)) if is_registered(charge.source, charge) else None
        said.append(each)
        keys.append("" if each else stated_key(keyring, practice_id, charge))
    registered = [each for each in said if each]
    registry = _Registry(session, keyring, practice_id, now)
    registry.read(registered)
    for place, each in enumerate(said):
        if each:
            key = registry.take(each.demographics, each.told)
            keys[place] = key or charge_key(keyring, practice_id, each.charge.source, each.charge.key)
    registry.write()
    return [registry.now_of(key) for key in keys]


def _told(keyring: Keyring, charge: Charge) -> tuple[Demographics, str]:
    demographics = description_of(charge)
    return demographics, told_by(keyring, demographics)


def restate(session: Session, keyring: Keyring, patient: PatientRow, demographics: Demographics, now: datetime) -> None:
    """Take over what a person confirmed of somebody known, however much it differs from before."""
    registry = _Registry(session, keyring, patient.practice_id, now)
    registry.open([patient])
    registry.say(registry.known[patient.key], demographics, told_by(keyring, demographics))
    registry.write()


class _Said(NamedTuple):
    """What is said of the person of a charge."""

    charge: Charge
    demographics: Demographics
    told: str


class _Registry:
    """Those of the known people whose numbers are told now; of whom nothing new is said is not opened."""

    def __init__(self, session: Session, keyring: Keyring, practice_id: int, now: datetime) -> None:
        self.session, self.keyring, self.practice_id, self.now = session, keyring, practice_id, now
        self.known: dict[str, _Known] = {}
        self.unopened: dict[str, str] = {}
        self.merged: list[tuple[_Known, _Known]] = []
        self.became: dict[str, str] = {}
        self.number_keys: dict[tuple[str, str], str] = {}

    def read(self, said: Iterable[_Said]) -> None:
        """Find everybody with one of the numbers; open those of whom something new is said."""
        told: dict[str, set[str]] = {}
        for each in said:
            for key in self._keys(each.demographics):
                told.setdefault(key, set()).add(each.told)
        to_open: set[int] = set()
        for wanted in parts(told):
            for key, number, patient_key, last in self.session.execute(
                select(PatientSearchKeyRow.key, PatientRow.id, PatientRow.key, PatientRow.told)
                .join(PatientRow, PatientRow.id == PatientSearchKeyRow.patient_id)
                .where(PatientSearchKeyRow.key.in_(wanted))
            ):
                self.unopened[key] = patient_key
                if told[key] != {last}:
                    to_open.add(number)
        for ids in parts(to_open):
            self.open(self.session.scalars(select(PatientRow).where(PatientRow.id.in_(ids)).with_for_update()))

    def open(self, rows: Iterable[PatientRow]) -> None:
        """Read what is known of people."""
        for row in rows:
            each = _Known(row.key, row.told, demographics_of(row, self.keyring), row)
            for key in (row.key, *self._keys(each.demographics)):
                self.known[key] = each
                self.unopened.pop(key, None)

    def take(self, said: Demographics, told: str) -> str:
        """The patient key of whom this is said, which is taken over; nothing if who has the number must be another."""
        keys = self._keys(said)
        if keys[0] in self.unopened:
            return self.unopened[keys[0]]
        found = list(dict.fromkeys(self.known[key] for key in keys if key in self.known))
        if not all(each.told == told or may_be_restated(each.demographics, said) for each in found):
            return ""
        first, *others = found or [_Known(keys[0], "", Demographics())]
        for other in others:
            first.demographics, first.told, first.changed = other.demographics.joined(first.demographics), "", True
            self.merged.append((other, first))
        self.say(first, said, told)
        return first.key

    def say(self, known: _Known, said: Demographics, told: str) -> None:
        """Take over what is said of somebody."""
        if known.told == told:
            return
        joined = known.demographics.joined(said)
        known.changed |= joined != known.demographics
        known.demographics, known.told = joined, told
        self.known.update(dict.fromkeys(self._keys(joined), known))

    def write(self) -> None:
        """Store who is new and who changed, with the keys by which they are found."""
        into = dict(self.merged)
        people = [each for each in dict.fromkeys(self.known.values()) if each not in into]
        for each in people:
            if each.row is not None and each.row.told != each.told:
                each.row.told = each.told
            if each.row is not None and each.changed:
                each.row.changed_at = self.now
                each.row.seal(self.keyring, demographics=_as_bytes(each.demographics))
        new = [each for each in people if each.row is None]
        numbers = {each.key: each.row.id for each in people if each.row is not None}
        numbers.update(zip((each.key for each in new), next_ids(self.session, PatientRow, len(new)), strict=True))
        insert_all(self.session, PatientRow, [self._row_of(each, numbers[each.key]) for each in new])
        for other, stays in self.merged:
            last = stays
            while last in into:  # merged again within the page
                last = into[last]
            self._merge(other, last, numbers)
            self.became[other.key] = last.key
        for ids in parts(numbers[each.key] for each in people if each.row is not None and each.changed):
            self.session.execute(delete(PatientSearchKeyRow).where(PatientSearchKeyRow.patient_id.in_(ids)))
        keys = [
            {"patient_id": numbers[each.key], "key": key}
            for each in people
            if each.changed
            for key in sorted({*self._keys(each.demographics), *self._name_keys(each.demographics)})
        ]
        insert_all(self.session, PatientSearchKeyRow, keys)

    def now_of(self, key: str) -> str:
        """The patient key by which whoever had this one is known once all is written."""
        return self.became.get(key, key)

    def _row_of(self, new: _Known, number: int) -> dict[str, object]:
        return PatientRow.values(
            self.keyring,
            {"demographics": _as_bytes(new.demographics)},
            id=number,
            practice_id=self.practice_id,
            key=new.key,
            told=new.told,
            changed_at=self.now,
        )

    def _merge(self, other: _Known, first: _Known, numbers: Mapping[str, int]) -> None:
        """Give what was one person's to whom their authority merged them into."""
        was, now = other.key, first.key
        self.session.execute(update(ChargeRow).where(ChargeRow.patient_key == was).values(patient_key=now))
        self.session.execute(update(HistoryLineRow).where(HistoryLineRow.patient_key == was).values(patient_key=now))
        if other.row is not None:
            links = update(PatientLinkRow).where(PatientLinkRow.patient_id == other.row.id)
            self.session.execute(links.values(patient_id=numbers[now]))
            self.session.execute(delete(PatientSearchKeyRow).where(PatientSearchKeyRow.patient_id == other.row.id))
            self.session.delete(other.row)

    def _keys(self, demographics: Demographics) -> list[str]:
        for number in demographics.numbers:
            if number not in self.number_keys:
                self.number_keys[number] = number_key(self.keyring, self.practice_id, *number)
        return [self.number_keys[number] for number in demographics.numbers]

    def _name_keys(self, demographics: Demographics) -> list[str]:
        born = _born(self.keyring, self.practice_id, demographics)
        return born + _named(self.keyring, self.practice_id, demographics)


def _as_bytes(demographics: Demographics) -> bytes:
    return demographics.model_dump_json(exclude_defaults=True).encode()


# Finding people


@dataclass(frozen=True, slots=True)
class Found:
    """Those who may be a person, and whether there may be more of them."""

    candidates: tuple[Candidate, ...] = ()
    cut_short: bool = False


def anybody(session: Session, practice_id: int) -> bool:
    """Whether a practice knows anybody."""
    return session.scalar(select(PatientRow.id).where(PatientRow.practice_id == practice_id).limit(1)) is not None


def find(
    session: Session,
    keyring: Keyring,
    practice_id: int,
    given: Mapping[_T, Demographics],
) -> dict[_T, Found]:
    """For each description those known who may be the person.

    All are found who have the same number, or the same birth date and one of the names; of those with the same two names
    and another birth date some, for a person to look at.
    """
    asked = {each: _asked(keyring, practice_id, said) for each, said in given.items()}
    ids: dict[str, list[int]] = {}
    for wanted in parts({key for proving, showing in asked.values() for key in (*proving, *showing)}):
        for key, number in session.execute(
            select(PatientSearchKeyRow.key, PatientSearchKeyRow.patient_id)
            .where(PatientSearchKeyRow.key.in_(wanted))
            .order_by(PatientSearchKeyRow.patient_id)
        ):
            ids.setdefault(key, []).append(number)
    chosen: dict[_T, tuple[list[int], bool]] = {}
    for each, (proving, showing) in asked.items():
        proven = list(dict.fromkeys(number for key in proving for number in ids.get(key, ())))
        shown = [number for key in showing for number in ids.get(key, ())]
        chosen[each] = list(dict.fromkeys([*proven, *shown]))[:AT_MOST], len(proven) > AT_MOST
    people = {
        row.id: Candidate(row.id, demographics_of(row, keyring))
        for wanted_ids in parts({number for numbers, _ in chosen.values() for number in numbers})
        for row in session.scalars(select(PatientRow).where(PatientRow.id.in_(wanted_ids)))
    }
    return {
        each: Found(tuple(people[number] for number in numbers), cut_short)
        for each, (numbers, cut_short) in chosen.items()
    }


def demographics_of(row: PatientRow, keyring: Keyring) -> Demographics:
    """What is known of somebody."""
    return Demographics.model_validate_json(row.unseal(keyring, "demographics"))


def _asked(keyring: Keyring, practice_id: int, said: Demographics) -> tuple[list[str], list[str]]:
    """The keys by which everybody is found who may be linked, and those by which others are shown."""
    numbers = [number_key(keyring, practice_id, *each) for each in said.numbers]
    return [*numbers, *_born(keyring, practice_id, said)], _named(keyring, practice_id, said)


def _born(keyring: Keyring, practice_id: int, person: Demographics) -> list[str]:
    """Birth date with each name: whoever agrees in birth date and first name, or has the names turned, shares one."""
    if person.birth_date is None:
        return []
    names = {likeness.folded(each) for each in (*person.first_names, *_last_names(person))} - {""}
    return [keyring.fingerprint(f"{practice_id} born {person.birth_date} {name}") for name in sorted(names)]


def _named(keyring: Keyring, practice_id: int, person: Demographics) -> list[str]:
    """The first and last name said last."""
    names = [likeness.folded(each[0]) for each in (person.first_names, _last_names(person)) if each]
    return [keyring.fingerprint(f"{practice_id} named {json.dumps(names)}")] if len(names) == 2 else []


def _last_names(person: Demographics) -> list[str]:
    return [likeness.without_generation(each)[0] for each in person.last_names]
