"""A worker of the soak: all loops of the sources and the first stages, again and again until it is killed.

``python -m tests.soak.worker DATABASE_URL FOLDER``. The folder's ``clock`` says what time it is; each finished stage is a
line in its ``done``. Minutes of the request allowance pass faster than ours, and nobody waits before asking again.
"""

import json
import os
import sys
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import stamina

from charges.db import Database, create_database_engine
from charges.errors import ChargerouterError
from charges.feeds.budget import SharedAllowance
from charges.pipeline import Applied, Pipeline
from charges.practice.connections import EclinicalWorks, FhirServer
from charges.settings import Settings
from charges.sources.allowance import Allowance
from tests.conftest import KEYRING

FASTER = 600
"""So many times as fast as ours pass the minutes in which requests are counted."""
BASELINE = 40
STAGES = ("pull", "trailing", "reconcile", "judge", "generate")


@dataclass(frozen=True)
class Clock:
    """The simulated time, which runs on from where it was last set."""

    file: Path

    def set(self, moment: datetime) -> None:
        staged = self.file.with_suffix(".new")
        staged.write_text(json.dumps([moment.isoformat(), time.time()]))
        staged.rename(self.file)

    def __call__(self) -> datetime:
        moment, since = json.loads(self.file.read_text())
        return datetime.fromisoformat(moment) + timedelta(seconds=time.time() - since)


class FastPipeline(Pipeline):
    """A pipeline whose requests are counted by fast minutes."""

    def _allowance(self, settings: EclinicalWorks | FhirServer, *, can_wait: bool) -> Allowance:
        allowance = super()._allowance(settings, can_wait=can_wait)
        assert isinstance(allowance, SharedAllowance)
        return replace(
            allowance,
            now=lambda: time.time() % 1e6 * FASTER,  # a number of minutes that its column holds
            sleep=lambda seconds: time.sleep(seconds / FASTER),
        )

    def run(self, stage: str, applied: Applied) -> None:
        """One stage, as it comes round."""
        if stage in ("trailing", "reconcile"):
            self.revisit(applied, stage)  # type: ignore[arg-type] # one of the two
        else:
            getattr(self, stage)(applied)


def pipeline_at(database_url: str, folder: Path) -> FastPipeline:
    """The pipeline on the soak's database and clock."""
    settings = Settings(
        database_url=database_url, baseline_records=BASELINE, trailing_every=43_200, reconcile_every=86_400
    )
    database = Database(create_database_engine(settings), KEYRING)
    return FastPipeline(database, settings, Clock(folder / "clock"))


def main(database_url: str, folder: Path) -> None:
    """Work until killed."""
    stamina.set_testing(True, attempts=3)
    pipeline = pipeline_at(database_url, folder)
    done = os.open(folder / "done", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    while True:
        for stage in STAGES:
            try:
                pipeline.run(stage, pipeline.practice("lakeside"))
                said = "well"
            except ChargerouterError as error:
                said = f"{type(error).__name__} {error}"
            os.write(done, f"{stage} {said}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
