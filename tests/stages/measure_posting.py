"""How long it takes to carry out replies: ``python -m tests.stages.measure_posting [CLAIMS] [postgresql]``.

Claims of one practice are sent, a 277CA accepts all of them and a remittance pays all of them; the figure is the time of the
process for each claim, stored, linked and written down in the chain of events.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from charges.db import Database, create_database_engine, upgrade
from charges.keyring import Keyring
from charges.settings import Settings
from rules.examples import PATIENT, charge
from tests.practice import Workplace
from tests.replies import a835, about_claims, paid, yes
from tests.services import postgres_database

NOON = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def measure(url: str, folder: Path, count: int) -> Iterator[tuple[str, float]]:
    """Each reply with its milliseconds of processor time for one claim."""
    engine = create_database_engine(Settings(database_url=url))
    upgrade(engine)
    database = Database(engine, Keyring({1: bytes(range(32))}, bytes(range(32, 64))))
    workplace = Workplace(database, folder, lambda: NOON)
    workplace.source.page_size = 200
    workplace.source.put(
        *(charge(key=str(n), patient=PATIENT.model_copy(update={"record_number": str(n)})) for n in range(count))
    )
    workplace.run()
    numbers = [f"CR{n:09d}01" for n in range(1, count + 1)]
    inbound = folder / "inbound"
    inbound.mkdir()
    replies = {
        "277CA": about_claims(*map(yes, numbers)),
        "835": a835(*(segment for each in numbers for segment in paid(each)), paid=str(80 * count)),
    }
    for kind, content in replies.items():
        (inbound / f"{kind}.x12").write_bytes(content)
        started = time.process_time()
        workplace.run("queue")
        yield kind, (time.process_time() - started) / count * 1000
    database.close()


@contextmanager
def _database(folder: str, *, postgresql: bool) -> Iterator[str]:
    if postgresql:
        with postgres_database() as url:
            yield url
    else:
        yield f"sqlite:///{folder}/measured.db"


if __name__ == "__main__":
    claims = next((int(word) for word in sys.argv[1:] if word.isdigit()), 2000)
    with (
        tempfile.TemporaryDirectory() as place,
        _database(place, postgresql="postgresql" in sys.argv) as database_url,
    ):
        for reply, milliseconds in measure(database_url, Path(place), claims):
            sys.stdout.write(f"{reply}: {milliseconds:.2f} ms of processor time a claim, {claims} claims\n")
