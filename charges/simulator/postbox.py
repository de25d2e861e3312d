"""What a simulated clearinghouse puts out: replies that come late, twice, several in one interchange, or never."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from charges.x12 import reply
from charges.x12.remittance import ClaimPayment
from charges.x12.scanner import Segment

_MOST_TOGETHER = 5
"""So many replies stand in one interchange at most."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What happens to replies, as shares of 1; each is put out within so much time, and removed again so much later.

    ``together`` are put into one interchange with others that are due.
    """

    lost: float = 0.06
    repeated: float = 0.12
    together: float = 0.3
    within: timedelta = timedelta(hours=40)
    kept: timedelta = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that was said of a claim in a reply that was put out: who said it (TA1, 999, 277CA, 835), and what."""

    kind: str
    refuses: bool = False
    payment: ClaimPayment | None = None
    payer_claim_number: str = ""


@dataclass(frozen=True, slots=True)
class _Due:
    """A reply to be put out: its functional group, or the TA1 segment, and what it tells of which claim."""

    at: datetime
    isa: Segment
    gs: Segment
    said: reply.Group | str
    tells: tuple[tuple[str, Told], ...]


class Postbox:
    """The folder of replies of one clearinghouse."""

    def __init__(self, folder: Path, seed: int, habits: Mail) -> None:
        self.folder, self.seed, self.habits = folder, seed, habits
        self.lost = self.repeated = 0
        self.put: Counter[str] = Counter()
        self._due: list[_Due] = []
        self._lost: list[tuple[str, _Due]] = []
        self._put: list[tuple[datetime, Path]] = []
        self._control_number = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be put out any more."""
        return not self._due

    def add(
        self,
        name: str,
        now: datetime,
        isa: Segment,
        gs: Segment,
        said: reply.Group | str,
        tells: Sequence[tuple[str, Told]],
    ) -> None:
        """Have a reply put out some time from now, perhaps twice, perhaps never."""
        chance, habits = self._chance("reply", name), self.habits
        is_lost = chance.random() < habits.lost
        due = _Due(now + habits.within * chance.random(), isa, gs, said, tuple(tells))
        if is_lost:
            self.lost += 1
            self._lost.append((name, due))
            return
        self._due.append(due)
        if chance.random() < habits.repeated:
            self.repeated += 1
            self._due.append(replace(due, at=due.at + habits.within * chance.random(), tells=()))

    def ask_again(self, kind: str, now: datetime) -> int:
        """Have what was lost of a kind (835) put out after all, as when an office misses it; returns how many there are."""
        asked = [due for name, due in self._lost if name.startswith(f"{kind} ")]
        self._lost = [each for each in self._lost if not each[0].startswith(f"{kind} ")]
        self._due += [replace(each, at=now) for each in asked]
        return len(asked)

    def put_out(self, now: datetime) -> Sequence[tuple[str, Told]]:
        """Put out what is due, some of it together, and clear away what lay there long enough; returns what was told."""
        self.folder.mkdir(parents=True, exist_ok=True)
        due = sorted((each for each in self._due if each.at <= now), key=lambda each: each.at)
        self._due = [each for each in self._due if each.at > now]
        together: list[_Due] = []
        for each in due:
            fits = not together or (together[0].isa[5:9], together[0].gs[2:4]) == (each.isa[5:9], each.gs[2:4])
            is_joined = self._chance("together", self._control_number).random() < self.habits.together
            if together and not (fits and is_joined and len(together) < _MOST_TOGETHER):
                self._write(together, now)
                together = []
            together.append(each)
        if together:
            self._write(together, now)
        for at, path in self._put:
            if at + self.habits.kept <= now:
                path.unlink(missing_ok=True)
        self._put = [(at, path) for at, path in self._put if at + self.habits.kept > now]
        return [tell for each in due for tell in each.tells]

    def _write(self, together: Sequence[_Due], now: datetime) -> None:
        """One interchange of all groups, after one for each TA1."""
        segments: list[str] = []
        alone = [each.said for each in together if isinstance(each.said, str)]
        groups = [each.said for each in together if isinstance(each.said, reply.Group)]
        first = together[0]
        for said in alone:
            number = self._next_number()
            segments += [reply.opening(first.isa, now, number), said, reply.closing(number, groups=0)]
        if groups:
            number = self._next_number()
            segments += reply.interchange(first.isa, first.gs, groups, now, number)
        kinds = [*("TA1" for _ in alone), *(each.kind for each in groups)]
        self.put.update(kinds)
        path = self.folder / f"{self._control_number:09d}.{kinds[0].lower() if len(kinds) == 1 else 'x12'}"
        unfinished = path.with_name(f".{path.name}.part")
        unfinished.write_bytes(reply.as_bytes(segments))
        unfinished.rename(path)
        self._put.append((now, path))

    def _next_number(self) -> int:
        self._control_number += _MOST_TOGETHER
        return self._control_number

    def _chance(self, what: str, name: object) -> Random:
        return Random(f"{self.seed} {what} {name}")  # noqa: S311 - repeatable, and no secret
