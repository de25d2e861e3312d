"""How large, fast and heavy the full PTP table is: ``python -m tests.rules.reference.measure [FOLDER]``.

FOLDER holds loaded tables; without it the real table beside the project is published, loaded and measured.
"""

import multiprocessing
import os
import random
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from rules.reference import Reference
from rules.reference.loaders import kind_named
from rules.reference.loading import Wish, load

LOOKUPS = 400_000
ON = date(2024, 8, 15)


def memory() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def pairs_of(folder: Path) -> list[tuple[str, str]]:
    """Pairs to ask for, half of them in the table, all over it."""
    store = Reference.open(folder)._store("ptp", ON)
    chance = random.Random(7)
    names = store._names
    there = [(first, second) for first in chance.sample(names, 3000) for second, _ in [*store.find_first(first)][:100]]
    return [
        chance.choice(there) if chance.random() < 0.5 else (chance.choice(names), chance.choice(names))
        for _ in range(LOOKUPS)
    ]


def worker(folder: Path, pairs: list[tuple[str, str]], results: Any) -> None:
    """Open the table and ask for all pairs, and say what it cost."""
    before, start = memory(), time.perf_counter()
    tables = Reference.open(folder)
    tables.ptp("99213", "36415", ON)
    opened, start = time.perf_counter() - start, time.perf_counter()
    found = sum(tables.ptp(first, second, ON) is not None for first, second in pairs)
    seconds = time.perf_counter() - start
    results.put(
        {
            "opened and asked once, ms": f"{opened * 1000:.1f}",
            "look-ups a second": f"{LOOKUPS / seconds:,.0f}",
            "of them found": f"{found / LOOKUPS:.0%}",
            "memory more for the worker, MB": f"{memory() - before:.1f}",
        }
    )


def measure(folder: Path) -> None:
    """Print the figures of the newest PTP table in the folder, as a worker of its own sees them."""
    release = Reference.open(folder).release("ptp", ON)
    size = sum(path.stat().st_size for path in folder.glob("ptp-*"))
    say("rows", f"{release.rows:,}")
    say("on disk, MB", f"{size / 1e6:.1f}")
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    process = context.Process(target=worker, args=(folder, pairs_of(folder), results))
    process.start()
    for name, value in results.get().items():
        say(name, value)
    process.join()


def say(name: str, value: str) -> None:
    """One figure."""
    sys.stdout.write(f"{name:34}{value:>12}\n")


def main() -> None:
    """Measure the folder given, or the real table beside the project."""
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]))
        return
    os.environ["CHARGES_TEST_WHOLE_TABLES"] = "1"
    from tests.rules.reference.published import real_ptp, write_ptp

    with tempfile.TemporaryDirectory() as temporary:
        published = write_ptp(Path(temporary), sorted(real_ptp()), "v302r0")
        folder = Path(temporary) / "reference"
        start = time.perf_counter()
        load(folder, kind_named("ptp"), published, Wish())
        say("loaded from four text files, s", f"{time.perf_counter() - start:.1f}")
        measure(folder)


if __name__ == "__main__":
    main()
