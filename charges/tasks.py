"""The table of contents of a running system: one Celery task per stage, in order.

A message is only a bell: it carries the number of a practice at most, the database says what there is to do, and each
stage ends when nothing is left. A bell that is lost, doubled or late costs time and nothing else, because beat rings
again. So there are no results, no retries, no chains; the next bell is the retry.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import structlog
from celery import Celery
from celery.signals import worker_process_init
from kombu.exceptions import OperationalError

from charges.db import open_database
from charges.errors import ChargerouterError, Stale
from charges.log import configure_logging
from charges.pipeline import Applied, Pipeline, settle
from charges.settings import read_settings

app = Celery("charges")
app.config_from_object("celeryconfig")

log = structlog.get_logger()


@cache
def pipeline() -> Pipeline:
    """The pipeline of this process, opened at the first task."""
    settings = read_settings()
    configure_logging(settings.log_level)
    opened = Pipeline(open_database(settings), settings)
    settle()
    return opened


@worker_process_init.connect
def _forget_inherited_connections(**_: object) -> None:
    """A forked worker must not share its parent's database connections."""
    pipeline.cache_clear()


@contextmanager
def _stage(name: str, practice_id: int) -> Iterator[Applied | None]:
    """The practice of a bell; what goes wrong is logged by its kind and left to the next bell."""
    try:
        yield next((each for each in pipeline().practices() if each.id == practice_id), None)
    except Stale:
        log.info("another worker was faster", stage=name, practice=practice_id)
    except ChargerouterError as error:
        log.error("stage stopped", stage=name, practice=practice_id, kind=type(error).__name__)


def _ring(task: str, *practice_id: int) -> None:
    """Ring the next stage's bell; a broker that is away is made up for by beat."""
    try:
        app.send_task(f"charges.tasks.{task}", args=practice_id, expires=pipeline().settings.task_seconds)
    except (OperationalError, OSError):
        log.warning("the broker is away", stage=task)


@app.task(name="charges.tasks.sweep")
def sweep(stages: list[str]) -> None:
    """Ring the bells of the named stages for every practice; beat calls it."""
    try:
        practices = pipeline().practices()
    except ChargerouterError as error:
        log.error("sweep stopped", kind=type(error).__name__)
        return
    for applied in practices:
        for stage in stages:
            _ring(stage, applied.id)


@app.task(name="charges.tasks.pull")
def pull(practice_id: int) -> None:
    """1. Source to captured."""
    with _stage("pull", practice_id) as applied:
        if applied and pipeline().pull(applied).records:
            _ring("judge", practice_id)


@app.task(name="charges.tasks.trailing")
def trailing(practice_id: int) -> None:
    """1. Source to captured once more: late edits of the last weeks, when they are due."""
    with _stage("trailing", practice_id) as applied:
        if applied and pipeline().revisit(applied, "trailing").records:
            _ring("judge", practice_id)


@app.task(name="charges.tasks.reconcile")
def reconcile(practice_id: int) -> None:
    """1. Source to captured once more: what vanished at the source, when it is due."""
    with _stage("reconcile", practice_id) as applied:
        if applied and pipeline().revisit(applied, "reconcile").records:
            _ring("judge", practice_id)


@app.task(name="charges.tasks.judge")
def judge(practice_id: int) -> None:
    """2. Captured to clean, or held in the review queue with the reasons."""
    with _stage("judge", practice_id) as applied:
        if applied and pipeline().judge(applied).clean:
            _ring("generate", practice_id)


@app.task(name="charges.tasks.generate")
def generate(practice_id: int) -> None:
    """4. Clean to claimed: build, check, number and store claim files."""
    with _stage("generate", practice_id) as applied:
        if applied and pipeline().generate(applied).files:
            _ring("deliver", practice_id)


@app.task(name="charges.tasks.deliver")
def deliver(practice_id: int) -> None:
    """5. Built to sent."""
    with _stage("deliver", practice_id) as applied:
        if applied:
            pipeline().deliver(applied)


@app.task(name="charges.tasks.queue")
def queue(practice_id: int) -> None:
    """6. What came back: accepted claims are closed, refused ones go to the review queue."""
    with _stage("queue", practice_id) as applied:
        if applied:
            pipeline().queue(applied)


@app.task(name="charges.tasks.overdue")
def overdue(practice_id: int) -> None:
    """6. What did not come back in time: the alarms of overdue replies."""
    with _stage("overdue", practice_id) as applied:
        if applied:
            pipeline().overdue(applied)


@app.task(name="charges.tasks.notice")
def notice(practice_id: int) -> None:
    """What people should know of a practice, written down to be told."""
    with _stage("notice", practice_id) as applied:
        if applied and pipeline().notice(applied):
            _ring("tell")


@app.task(name="charges.tasks.figures")
def figures(practice_id: int) -> None:
    """What managers look at, counted by day."""
    with _stage("figures", practice_id) as applied:
        if applied:
            pipeline().figures(applied)


@app.task(name="charges.tasks.tell")
def tell() -> None:
    """The messages that are due, of all practices, by webhook and e-mail; beat rings it too, for those to be tried again."""
    try:
        pipeline().tell()
    except ChargerouterError as error:
        log.error("stage stopped", stage="tell", kind=type(error).__name__)
