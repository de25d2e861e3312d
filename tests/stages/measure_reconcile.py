"""How long a reconciliation takes: ``python -m tests.stages.measure_reconcile [CHARGES] [postgresql]``.

Charges of one practice are claimed in files of 5,000, accepted by 277CA and paid by remittances. The figures are those of a
process that only reconciles: its time and the most memory it had.
"""

import resource
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from charges.db import Database, create_database_engine, upgrade
from charges.keyring import Keyring
from charges.reconcile import reconcile
from charges.settings import Settings
from rules.examples import PATIENT, TODAY, charge
from tests.practice import Workplace
from tests.replies import a835, about_claims, paid, yes
from tests.services import postgres_database

NOON = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
IN_A_FILE = 5000


def _open(url: str) -> Database:
    return Database(
        create_database_engine(Settings(database_url=url)), Keyring({1: bytes(range(32))}, bytes(range(32, 64)))
    )


def fill(url: str, folder: Path, count: int) -> None:
    """The charges, their files, and the replies to these."""
    database = _open(url)
    upgrade(database.engine)
    workplace = Workplace(database, folder, lambda: NOON)
    workplace.source.page_size = 200
    workplace.pipeline.__dict__["rules"] = ()  # what rules say is not measured here
    inbound = folder / "inbound"
    inbound.mkdir()
    for start in range(0, count, IN_A_FILE):
        some = range(start, min(start + IN_A_FILE, count))
        workplace.source.records.clear()
        workplace.source.put(
            *(charge(key=str(n), patient=PATIENT.model_copy(update={"record_number": str(n)})) for n in some)
        )
        workplace.run("pull", "judge", "generate", "deliver")
        numbers = [f"CR{n + 1:09d}01" for n in some]
        (inbound / f"{start}.277").write_bytes(about_claims(*map(yes, numbers)))
        payments = (segment for each in numbers for segment in paid(each))
        (inbound / f"{start}.835").write_bytes(a835(*payments, paid=str(80 * len(some)), trace=f"EFT{start}"))
        workplace.run("queue")
        sys.stderr.write(f"{some.stop} charges\n")
    database.close()


def measure(url: str, folder: Path) -> None:
    """Reconcile everything once and say what it took."""
    database = _open(url)
    applied = Workplace(database, folder, lambda: NOON).applied
    started, clock = time.process_time(), time.perf_counter()
    found = reconcile(database, applied.id, applied.practice, TODAY)
    spent, took = time.process_time() - started, time.perf_counter() - clock
    assert found.holds, found.breaks[:5]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    count = found.counted["charges"]
    sys.stdout.write(
        f"{count} charges in {took:.1f} s, {spent:.1f} s of processor time ({spent / count * 1000:.2f} ms a charge), "
        f"{memory:.0f} MB at most\n"
    )
    database.close()


if __name__ == "__main__":
    if "only" in sys.argv:
        measure(sys.argv[2], Path(sys.argv[3]))
        sys.exit()
    charges = next((int(word) for word in sys.argv[1:] if word.isdigit()), 100_000)
    with tempfile.TemporaryDirectory() as place:
        database_url = (
            postgres_database() if "postgresql" in sys.argv else nullcontext(f"sqlite:///{place}/measured.db")
        )
        with database_url as its_url:
            fill(its_url, Path(place), charges)
            subprocess.run([sys.executable, "-m", "tests.stages.measure_reconcile", "only", its_url, place], check=True)
