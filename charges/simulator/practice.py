"""An invented practice whose charges, mistakes, late edits and voids are the same for the same seed and day.

A charge has one or more versions, each from a moment on. The practice's clock says which of them are seen; moving it
lets edits, voids and new visits happen.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from types import MappingProxyType
from typing import Any

from charges.simulator import people, visits
from charges.simulator.faults import Fault
from charges.simulator.mistakes import MISTAKES, Mistake
from charges.simulator.people import Json, Patient
from charges.simulator.updates import Update
from charges.simulator.visits import Visit
from charges.sources.eclinicalworks.contract import MOMENT

SHARE_OF_MISTAKES = 0.2
SHARE_OF_DUPLICATES = 0.015
SHARE_OF_VOIDS = 0.012
SHARE_OF_LATE_EDITS = 0.08
SHARE_TO_COME = 0.12
DAYS_BACK = 90
DAYS_AHEAD = 30
DAYS_APART = 11
"""Between two visits of a patient: within ten days after a small operation a visit belongs to it and is not paid."""
TWICE = Mistake("entered_twice", lambda _chance, _visit: False, ("CHG-002",))
"""The whole charge was entered a second time; it takes two charges, so no spoilt visit can show it."""


@dataclass(frozen=True)
class Version:
    """What a charge says from a moment on, and what is wrong with it: ``errors`` hold it, ``warnings`` do not.

    ``seen_from`` is when it can be seen where that is later than ``moment``, as a server with a clock of its own has it.
    """

    key: str
    moment: datetime
    body: bytes = field(repr=False)
    mistake: str = ""
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    voided: bool = False
    service_date: str = ""
    seen_from: datetime | None = None

    @property
    def modified_on(self) -> str:
        """As the contract writes it."""
        return self.moment.strftime(MOMENT)

    def saying(self, **columns: object) -> "Version":
        """The same with other values; its moment of change stays."""
        flags = {name for name in ("VoidFlag", "DeleteFlag") if columns.get(name) == "1"}
        body = _written(json.loads(self.body) | columns)
        return replace(self, body=body, voided=self.voided or bool(flags))

    def at(self, moment: datetime, seen_from: datetime | None = None) -> "Version":
        """The same with another moment of change."""
        body = _written(json.loads(self.body) | {"modifiedOn": moment.strftime(MOMENT)})
        return replace(self, body=body, moment=moment, seen_from=seen_from)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that happened to a charge beside the plan."""

    moment: datetime
    fault: Fault
    key: str


class SimulatedPractice:
    """All versions of all charges, and a clock; moments are the practice's wall clock.

    ``deeds`` is what happened to charges beside the plan, ``updates`` what the vendor changed in all records: the first
    is a part of what a charge says, the second of how it is written.
    """

    def __init__(self, versions: Sequence[Version], now: datetime) -> None:
        self._versions = list(versions)
        self.now = now
        self.deeds: list[Deed] = []
        self.updates: list[Update] = []
        self._wire: dict[Version, bytes] = {}
        self._see()

    def advance(self, hours: float) -> int:
        """Let time pass; returns how many charges changed or came."""
        before = {version.key: version for version in self.visible}
        self.now += timedelta(hours=hours)
        self._see()
        return sum(before.get(version.key) is not version for version in self.visible)

    def _see(self) -> None:
        self._versions.sort(key=lambda each: (each.seen_from or each.moment, int(each.key)))
        latest = {each.key: each for each in self._versions if (each.seen_from or each.moment) <= self.now}
        self.visible: Sequence[Version] = sorted(latest.values(), key=lambda each: (each.moment, int(each.key)))
        """The present version of each charge, oldest change first."""

    def wire(self, version: Version) -> bytes:
        """A charge as the tenant sends it."""
        if not self.updates:
            return version.body
        if version not in self._wire:
            record = json.loads(version.body)
            for update in self.updates:
                update.applied(record)
            self._wire[version] = _written(record)
        return self._wire[version]

    def record(self, version: Version) -> Json:
        """A charge under the names of the contract, as far as the tenant gives it."""
        record: Json = json.loads(version.body)
        for update in self.updates:
            if update.fault is Fault.VANISHED_FIELD:
                update.applied(record)
        return record

    def update(self, update: Update) -> None:
        """Write all records in another way from now on."""
        self._wire.clear()
        self.updates.append(update)

    def edit(self, key: str, **columns: object) -> None:
        """Change a charge as somebody who works with it does, now."""
        now = next(each for each in self.visible if each.key == key).saying(**columns).at(self.now)
        self._versions = [
            each.saying(**columns) if _is_planned(each, key, self.now) else each for each in self._versions
        ]
        self._versions.append(now)
        self._see()

    def edit_silently(self, key: str, **columns: object) -> None:
        """Change a charge and leave its moment of change as it is, as a vendor's own repair of its tables does."""
        self._versions = [each.saying(**columns) if each.key == key else each for each in self._versions]
        self._see()

    def lose(self, key: str) -> None:
        """Take a charge out of the tenant's tables; nothing tells that it was there."""
        self._versions = [each for each in self._versions if each.key != key]
        self._see()

    def skew(self, version: Version, by: timedelta) -> None:
        """Have a version that is to come bear a moment before the one at which it is seen."""
        self._versions = [
            each.at(each.moment - by, each.moment) if each is version else each for each in self._versions
        ]

    def to_come(self, until: datetime) -> Sequence[Version]:
        """The versions that are seen from now until a moment."""
        return [each for each in self._versions if self.now < each.moment <= until]

    def rename(self, names: Mapping[str, str]) -> None:
        """Give fields other names from now on, whatever object they are of, as an update of the vendor's may."""
        self._versions = [
            replace(each, body=_written(_renamed(json.loads(each.body), names))) for each in self._versions
        ]
        self._see()

    def truth(self) -> list[dict[str, Any]]:
        """What is wrong with each charge now: the rules that must hold it, those that must warn, and the slip's name."""
        return [
            {
                "key": version.key,
                "mistake": version.mistake,
                "errors": list(version.errors),
                "warnings": list(version.warnings),
                "voided": version.voided,
            }
            for version in sorted(self.visible, key=lambda each: int(each.key))
        ]


def _is_planned(version: Version, key: str, now: datetime) -> bool:
    return version.key == key and (version.seen_from or version.moment) > now


def build_practice(*, seed: int, patients: int, today: date) -> SimulatedPractice:
    """A practice of so many patients, seen at the end of ``today``; about two visits a patient, some of them to come."""
    chance = Random(f"practice {seed}")  # noqa: S311 - repeatable, and no secret
    return SimulatedPractice(_Maker(chance, today).versions(patients), datetime.combine(today, time(17)))


class _Maker:
    """Makes up charges one after the other, so that a seed gives the same ones."""

    def __init__(self, chance: Random, today: date) -> None:
        self.chance, self.today = chance, today
        self.keys = count(70_001)
        self.made: Counter[str] = Counter()

    def versions(self, patients: int) -> list[Version]:
        made: list[Version] = []
        for patient in people.patients(self.chance, patients, self.today):
            seen: set[date] = set()
            had: set[str] = set()
            for _ in range(self.chance.choices((1, 2, 3), (40, 40, 20))[0]):
                day = self._day()
                if all(abs(day - other).days >= DAYS_APART for other in seen):
                    visit = self._visit(patient, day, frozenset(had))
                    seen.add(day)
                    had |= {visit.kind, *(line["Code"] for line in visit.lines)}
                    made += self._charge(visit)
        return made

    def _day(self) -> date:
        ahead = self.chance.random() < SHARE_TO_COME
        days = self.chance.randint(1, DAYS_AHEAD - 5) if ahead else -self.chance.randint(0, DAYS_BACK)
        day = self.today + timedelta(days=days)
        while day.weekday() >= 5:
            day += timedelta(days=1 if ahead else -1)
        return day

    def _charge(self, visit: Visit) -> list[Version]:
        chance = self.chance
        first, key = self._entered(visit.day), str(next(self.keys))
        right = _version(key, visit, first)
        if chance.random() < SHARE_OF_MISTAKES and "SelfPay" not in visit.extra:
            mistake, wrong = self._spoilt(visit)
            version = _version(key, wrong, first, mistake)
            return [version, _version(key, visit, self._later(first))] if chance.random() < 0.4 else [version]
        if chance.random() < SHARE_OF_DUPLICATES and "SelfPay" not in visit.extra:
            again = first + timedelta(minutes=chance.randint(1, 3000))
            return [right, _version(str(next(self.keys)), visit, again, TWICE)]
        if chance.random() < SHARE_OF_VOIDS:
            return [right, _version(key, visit, self._later(first), flags={"VoidFlag": "1"})]
        if chance.random() < SHARE_OF_VOIDS:
            return [right, _version(key, visit, self._later(first), flags={"DeleteFlag": "1"})]
        if chance.random() < SHARE_OF_LATE_EDITS:
            edited = visit.copy()
            edited.claim["note"] = "Level reviewed by the coder"
            return [right, _version(key, edited, self._later(first))]
        return [right]

    def _visit(self, patient: Patient, day: date, had: Collection[str]) -> Visit:
        chance = self.chance
        visit = visits.make(chance, patient, day, had)
        visit.extra.setdefault("RenProvider", chance.choice(people.RENDERING))
        visit.extra["EncounterId"] = str(chance.randint(500_000, 999_999))
        if patient.payer.kind == "commercial" and chance.random() < 0.4 and "SelfPay" not in visit.extra:
            visit.extra["copay"] = chance.choice(("20.00", "25.00", "40.00"))
        if chance.random() < 0.1:
            visit.extra["customFields"] = [{"name": "Scribe", "value": chance.choice(("yes", "no"))}]
        if chance.random() < 0.08:
            visit.extra["removed"] = {"Code": "99211", "Units": "1.00", "BilledFee": "42.00", "deleteFlag": "1"}
        return visit

    def _spoilt(self, visit: Visit) -> tuple[Mistake, Visit]:
        """A mistake that can be made in this visit, and the visit with it."""
        # The ones made least come first, so that those which need a rare visit are made too.
        for mistake in sorted(self.chance.sample(MISTAKES, len(MISTAKES)), key=lambda each: self.made[each.name]):
            wrong = visit.copy()
            if mistake.spoil(self.chance, wrong):
                self.made[mistake.name] += 1
                return mistake, wrong
        raise AssertionError("some mistakes can be made in any visit")

    def _entered(self, day: date) -> datetime:
        """When a charge was entered: some minute of working hours, up to three days after the visit."""
        lag = timedelta(days=self.chance.choices((0, 1, 2, 3), (70, 20, 7, 3))[0])
        return datetime.combine(day, time(8)) + lag + timedelta(minutes=self.chance.randint(0, 11 * 60))

    def _later(self, first: datetime) -> datetime:
        return first + timedelta(days=self.chance.randint(1, DAYS_AHEAD - 5), minutes=self.chance.randint(0, 600))


def _version(
    key: str,
    visit: Visit,
    moment: datetime,
    mistake: Mistake | None = None,
    flags: Mapping[str, str] = MappingProxyType({}),
) -> Version:
    record = _record(key, visit, moment) | dict(flags)
    return Version(
        key=key,
        moment=moment,
        body=_written(record),
        mistake=mistake.name if mistake else "",
        errors=mistake.rules if mistake else (),
        warnings=mistake.warnings if mistake else (),
        voided=bool(flags),
        service_date=visit.day.isoformat(),
    )


def _written(record: Json) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def _renamed(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - whatever JSON can say
    if isinstance(value, dict):
        return {names.get(name, name): _renamed(each, names) for name, each in value.items()}
    return [_renamed(each, names) for each in value] if isinstance(value, list) else value


def _record(key: str, visit: Visit, moment: datetime) -> Json:
    """The charge as the tenant sends it."""
    patient, extra = visit.patient, dict(visit.extra)
    changed, policy, encounter = extra.pop("patient", {}), extra.pop("policy", {}), extra.pop("encounter", {})
    uninsured, removed = extra.pop("uninsured", False), extra.pop("removed", None)
    number = extra["EncounterId"]
    lines = [_line(f"{key}{place}", place, line, visit.diagnoses) for place, line in enumerate(visit.lines, 1)]
    total = sum((Decimal(line["BilledFee"].replace(",", "")) for line in lines), Decimal(0))
    if removed:
        lines.append({"Id": f"{key}0", "cptOrder": str(len(lines) + 1)} | removed)
    return {
        "InvId": key,
        "modifiedOn": moment.strftime(MOMENT),
        "DeleteFlag": "0",
        "VoidFlag": "0",
        "PatientId": patient.number,
        "ServiceDt": visit.day.isoformat(),
        "InvoiceAmount": f"{total:,.2f}",
        "InvPOS": visit.place,
        "encounter": {
            "encounterID": number,
            "date": visit.day.isoformat(),
            "STATUS": "CHK",
            "encLock": "1",
            "VisitType": "OV",
        }
        | encounter,
        "patient": patient.human | {"ControlNo": patient.number} | changed,
        "insurances": []
        if uninsured
        else [each | policy if each["SeqNo"] == "1" else each for each in patient.insurances],
        "facility": visit.facility,
        "diagnoses": [{"icdOrder": str(place), "Code": code} for place, code in enumerate(visit.diagnoses, 1)],
        "cpt": lines,
        "claimInfo": visit.claim,
    } | extra


def _line(number: str, place: int, made: Json, diagnoses: Sequence[str]) -> Json:
    line = {name: value for name, value in made.items() if name != "dx"}
    pointers = {f"ICD{n}": str(diagnoses.index(code) + 1) for n, code in enumerate(made["dx"], 1)}
    return {"Id": number, "cptOrder": str(place)} | pointers | line
