"""Measurements of the language of claims beside pyx12 alone, on one file: claims a second and memory.

Each figure is taken in a process of its own, so that the peak of memory is its own. pyx12 alone judges a smaller file of the
same claims, because it would take minutes for the whole one.
"""

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import cycle, islice
from pathlib import Path

from charges.errors import ChargerouterError
from charges.model import Charge, Claim, Drug, Facility, ServiceLine
from charges.practice.partner import TradingPartner
from rules.examples import CHILD_SUBSCRIBER, COVERAGE, PATIENT, REFERRING_PROVIDER, charge, line

BY_PYX12 = 300
"""Claims of the file that pyx12 alone judges."""

DISTINCT = 500
"""Charges that differ in patient, numbers and amounts; the file goes round them with new claim numbers."""


PASSES = 3
"""The shortest of so many is told: the machine is not ours alone."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure. ``memory`` is the most that the process held, in megabytes."""

    what: str
    claims: int
    seconds: float
    memory: float

    @property
    def per_second(self) -> float:
        """Claims a second."""
        return self.claims / self.seconds


@dataclass(frozen=True, slots=True)
class Speed:
    """All figures. ``first`` and ``next`` are seconds for a file of one claim: the first after import, then the others."""

    segments_per_claim: float
    size: int
    figures: tuple[Measured, ...]
    first: float
    next: float


def measure(claims: int, partner: TradingPartner, progress: Callable[[int], None]) -> Speed:
    """All figures for a file of that many claims; ``progress`` is called with 1 after each."""
    with tempfile.TemporaryDirectory() as folder:
        whole, part, single = (Path(folder) / name for name in ("whole.837", "part.837", "single.837"))
        figures = [_alone(_write, "write", claims, whole, partner)]
        for count, path in ((min(claims, BY_PYX12), part), (1, single)):
            _alone(_write, "write", count, path, partner)
        progress(1)
        for what, work, count, path in (
            ("check", _check, claims, whole),
            ("read", _read, claims, whole),
            ("pyx12 alone", _pyx12, min(claims, BY_PYX12), part),
        ):
            figures.append(_alone(work, what, count, path, partner))
            progress(1)
        first = _alone(_check_first, "first", 1, single, partner)
        following = _alone(_check_again, "next", 100, single, partner)
        segments = whole.read_bytes().count(b"~") / claims
        return Speed(segments, whole.stat().st_size, tuple(figures), first.seconds, following.seconds / 100)


Work = Callable[[int, Path, TradingPartner], float]


def _alone(work: Work, what: str, claims: int, path: Path, partner: TradingPartner) -> Measured:
    """Measure in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, memory = pool.apply(_measured, (work, claims, path, partner))
    return Measured(what, claims, seconds, memory)


def _measured(work: Work, claims: int, path: Path, partner: TradingPartner) -> tuple[float, float]:
    seconds = min(work(claims, path, partner) for _ in range(1 if work is _check_first else PASSES))
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _write(claims: int, path: Path, partner: TradingPartner) -> float:
    from charges.x12.interchange import ControlNumbers, stream  # noqa: PLC0415 - each process loads what it measures

    some = list(islice(_charges(), DISTINCT))
    many = (Claim(number=f"CR{number:09d}01", charge=each) for number, each in enumerate(islice(cycle(some), claims)))
    started = time.perf_counter()
    with path.open("wb") as file:
        file.writelines(stream(many, partner, ControlNumbers(1), datetime.now(UTC)))
    return time.perf_counter() - started


def _check(_: int, path: Path, __: TradingPartner) -> float:
    from charges.x12 import check  # noqa: PLC0415

    return _timed(lambda: _judged(check.check, path))


def _check_first(claims: int, path: Path, partner: TradingPartner) -> float:
    return _check(claims, path, partner)


def _check_again(claims: int, path: Path, _: TradingPartner) -> float:
    from charges.x12 import check  # noqa: PLC0415

    _judged(check.check, path)

    def again() -> None:
        for _ in range(claims):
            _judged(check.check, path)

    return _timed(again)


def _judged(check: Callable[..., object], path: Path) -> None:
    with path.open("rb") as file:
        verdict = check(file)
    if not getattr(verdict, "valid", False):
        raise ChargerouterError("The file that was measured is not valid, so the figures mean nothing.")


def _read(_: int, path: Path, __: TradingPartner) -> float:
    from charges.x12 import reader  # noqa: PLC0415

    def read() -> None:
        with path.open("rb") as file:
            for _ in reader.read(file):
                pass

    return _timed(read)


def _pyx12(_: int, path: Path, __: TradingPartner) -> float:
    from charges.x12 import oracle  # noqa: PLC0415

    content = path.read_bytes()
    return _timed(lambda: oracle.pyx12_alone(content))


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _charges() -> Iterator[Charge]:
    """Charges of 35 segments and more: a child's visit with tests and an injection, referred, in a facility."""
    facility = Facility(name="Lakeside Annex", npi="1679576722", address=PATIENT.address)
    for number in range(DISTINCT):
        child = PATIENT.model_copy(update={"first_name": f"Odd{number:03d}", "record_number": str(number)})
        coverage = COVERAGE.model_copy(
            update={"relationship": "19", "subscriber": CHILD_SUBSCRIBER, "member_id": f"PMH{number:07d}"}
        )
        yield charge(
            *_lines(number),
            patient=child,
            coverages=(coverage,),
            referring_provider=REFERRING_PROVIDER,
            facility=facility,
            key=str(number),
        )


def _lines(number: int) -> Iterator[ServiceLine]:
    price = Decimal(100 + number % 50)
    yield line("99213", "25", charge=price)
    yield line("85025", charge=price)
    yield line("36415", charge=Decimal("12.50"))
    yield line("J1885", charge=price, drug=Drug(ndc="00409379501", quantity=Decimal(1), unit="ML"))
