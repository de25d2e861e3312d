"""A simulated practice as its days go by, each with what a schedule of faults does to its charges and its system."""

import json
import math
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from random import Random

from charges.simulator.faults import Fate, Fault
from charges.simulator.practice import Deed, SimulatedPractice, Version
from charges.simulator.updates import UPDATES, Update

_RECENT = timedelta(days=30)
"""Charges of services of so many days are still worked with."""
_LONGEST_SKEW = 120
"""Minutes by which a change may bear an earlier moment."""
_NEW_CODES = 3
"""So many charges have a code that was never seen."""


class Life:
    """Moves a practice's clock; whatever else happens at midnight. ``day`` counts from 1."""

    def __init__(self, practice: SimulatedPractice, fate: Fate | None = None) -> None:
        self.practice, self.fate = practice, fate or Fate()
        self.day = 0
        self.is_empty = False
        """Whether all lists are empty today."""
        self.updates: list[Update] = []
        """What the vendor changed, in order."""
        self._begin_day()

    def advance(self, hours: float) -> int:
        """Let time pass, a day at a time; returns how many charges came, changed or are gone."""
        before = {version.key: version for version in self.practice.visible}
        until = self.practice.now + timedelta(hours=hours)
        while (midnight := _midnight_after(self.practice.now)) <= until:
            self._move_to(midnight)
            self._begin_day()
        self._move_to(until)
        after = {version.key: version for version in self.practice.visible}
        return sum(before.get(key) is not after.get(key) for key in before.keys() | after.keys())

    def _move_to(self, moment: datetime) -> None:
        self.practice.advance((moment - self.practice.now) / timedelta(hours=1))

    def _begin_day(self) -> None:
        self.day += 1
        chance = self.fate.begin(self.day)
        self.is_empty = self._comes(Fault.EMPTY_DAY, chance)
        for fault in (Fault.RENAMED_FIELD, Fault.RETYPED_FIELD, Fault.VANISHED_FIELD, Fault.NEW_CODE):
            if self._comes(fault, chance):
                self._update(fault, chance)
        for version in self._chosen(Fault.SILENT_EDIT, chance, self._recent()):
            self.practice.edit_silently(version.key, copay=f"{chance.randint(1, 99)}.00")
        for version in self._chosen(Fault.SILENT_VOID, chance, self._recent()):
            self.practice.edit_silently(version.key, VoidFlag="1")
        for version in self._chosen(Fault.VANISHED_CHARGE, chance, self._recent()):
            self.practice.lose(version.key)
        tonight = _midnight_after(self.practice.now)
        for version in self._chosen(Fault.CLOCK_SKEW, chance, self.practice.to_come(tonight)):
            self.practice.skew(version, timedelta(minutes=chance.randint(1, _LONGEST_SKEW)))

    def _comes(self, fault: Fault, chance: Random) -> bool:
        comes = chance.random() < self.fate.rates.get(fault, 0)
        if comes:
            self.fate.happened[fault] += 1
        return comes

    def _recent(self) -> Sequence[Version]:
        since = (self.practice.now - _RECENT).date().isoformat()
        return [each for each in self.practice.visible if each.service_date >= since and not each.voided]

    def _chosen(self, fault: Fault, chance: Random, among: Sequence[Version]) -> Sequence[Version]:
        """The charges that are met by a fault today, one at least where it happens and there is any."""
        rate = self.fate.rates.get(fault, 0)
        chosen = chance.sample(among, min(math.ceil(rate * len(among)), len(among)))
        self.practice.deeds += [Deed(self.practice.now, fault, each.key) for each in chosen]
        if chosen:
            self.fate.happened[fault] += len(chosen)
        return chosen

    def _update(self, fault: Fault, chance: Random) -> None:
        """The vendor's next update of a kind, if there is another; a new code is one that some charges get."""
        done = sum(each.fault is fault for each in self.updates)
        if done == len(UPDATES[fault]):
            return
        update = UPDATES[fault][done]
        self.updates.append(update)
        if fault is not Fault.NEW_CODE:
            self.practice.update(update)
            return
        recent = self._recent()
        for version in chance.sample(recent, min(_NEW_CODES, len(recent))):
            record = json.loads(version.body)
            update.applied(record)
            column = update.path.partition(".")[0]
            self.practice.edit(version.key, **{column: record[column]})
            self.practice.deeds.append(Deed(self.practice.now, fault, version.key))


def _midnight_after(moment: datetime) -> datetime:
    return datetime.combine(moment.date() + timedelta(days=1), time())
