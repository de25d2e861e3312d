"""A worker that does one stage in a process of its own, and ends itself by SIGKILL between two writes it is told to die at.

A write is whatever changes something outside of the process: a statement, a commit, a step on a file, a request to an SFTP
server. The product knows nothing of this: the database's driver, the interpreter and the SSH library are listened to.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from asyncssh.sftp import SFTPClientHandler
from sqlalchemy import Connection, Engine, event

from charges.db import open_database
from charges.demo import source_at
from charges.errors import Unavailable
from charges.pipeline import Pipeline
from charges.settings import Settings

STAGES = ("pull", "judge", "generate", "deliver", "queue")
UNAVAILABLE = 3
"""The exit code of a worker that found the database or the other side busy; the next one goes on."""
_REQUESTS = ("open", "write", "fsync", "rename", "remove")
_STEPS_ON_FILES = {"os.link": 1, "os.rename": 1, "os.remove": 0}
"""What the interpreter tells of files, and which of the arguments is the path that is changed."""


@dataclass(frozen=True)
class Job:
    """One stage to be done at a moment.

    A point is the write done last and the write to come. ``fresh`` is the chance to die at one that is not among ``used``,
    ``again`` at one of those. ``log`` gets a line for each point that it came by, and for the one that it died at.
    """

    database_url: str
    folder: Path
    base_url: str
    stage: str
    now: datetime
    log: Path
    used: frozenset[str]
    fresh: float
    again: float
    seed: int


@dataclass
class Steps:
    """The writes of this process in their order, and the decision to go on or to die before each."""

    job: Job
    last: str = "start"
    met: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.chance = Random(self.job.seed)
        self.file = os.open(self.job.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def before(self, step: str) -> None:
        """Something is about to be written."""
        point = f"{self.job.stage}: {self.last} | {step}"
        self.last = step
        if point not in self.met:
            self.met.add(point)
            os.write(self.file, f"met {point}\n".encode())
        if self.chance.random() < (self.job.again if point in self.job.used else self.job.fresh):
            os.write(self.file, f"died {point}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


def listen(before: Callable[[str], None], outbound: Path) -> None:
    """Have ``before`` told of each write that this process is about to do; of files, those in ``outbound``."""
    last = ""

    def step(name: str) -> None:
        nonlocal last
        last = name
        before(name)

    @event.listens_for(Engine, "before_cursor_execute")
    def statement(*given: Any) -> None:
        words = given[2].split()
        verb = words[0].upper()
        if verb in ("INSERT", "UPDATE", "DELETE"):
            step(f"{verb} {words[1 if verb == 'UPDATE' else 2]}")

    @event.listens_for(Engine, "commit")
    def commit(_: Connection) -> None:
        if last.startswith(("INSERT", "UPDATE", "DELETE")):
            step("commit")

    def audit(name: str, given: tuple[Any, ...]) -> None:
        if name == "open" and isinstance(given[1], str) and "w" in given[1]:
            name, path = "write file", given[0]
        elif name in _STEPS_ON_FILES:
            path = given[_STEPS_ON_FILES[name]]
        else:
            return
        if str(path).startswith(str(outbound)):
            step(name)

    sys.addaudithook(audit)
    _watch(os, "fsync", partial(step, "fsync"))
    for request in _REQUESTS:
        _watch_request(request, partial(step, f"sftp {request}"))


def _watch(module: Any, name: str, before: Callable[[], None]) -> None:
    does = getattr(module, name)

    def watched(*given: Any, **named: Any) -> Any:
        before()
        return does(*given, **named)

    setattr(module, name, watched)


def _watch_request(name: str, before: Callable[[], None]) -> None:
    does = getattr(SFTPClientHandler, name)

    async def watched(*given: Any, **named: Any) -> Any:
        before()
        return await does(*given, **named)

    setattr(SFTPClientHandler, name, watched)


def work(job: Job) -> None:
    """Do a stage of the one practice, or die at it."""
    settings = Settings(database_url=job.database_url, key_file=job.folder / "chargerouter.key")
    database = open_database(settings)
    pipeline = Pipeline(database, settings, lambda: job.now)
    applied = pipeline.practice("lakeside")
    does: Mapping[str, Callable[[], object]] = {
        "pull": lambda: pipeline.pull(applied, source=source_at(applied, job.base_url)),
        "judge": lambda: pipeline.judge(applied),
        "generate": lambda: pipeline.generate(applied),
        "deliver": lambda: pipeline.deliver(applied),
        "queue": lambda: pipeline.queue(applied),
    }
    listen(Steps(job).before, job.folder / "outbound")
    try:
        does[job.stage]()
    except Unavailable:
        sys.exit(UNAVAILABLE)
    database.close()
