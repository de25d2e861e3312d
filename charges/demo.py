"""The whole pipeline on an invented practice, in one folder: what `charges demo` runs and `charges bench` measures.

The practice's system is the simulator, spoken to over HTTP. Because the simulator knows which charges it spoiled, the
rules' precision and recall can be told.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import func, select

from charges import claims, review
from charges.db import Database, create_database_engine, open_database, upgrade
from charges.errors import Missing, Refused
from charges.keyring import new_keyring, write_keyring
from charges.model import Severity
from charges.pipeline import Applied, Pipeline, Progress, no_progress, source_of, utc_now
from charges.practice.connections import EclinicalWorks, Secret
from charges.practice.profile import Practice, Promotion, read_profile
from charges.settings import Settings
from charges.simulator import CLIENT_SECRET, build_practice, running, simulator_app
from charges.sources import ChargeSource
from charges.tables import ChargeRow, ChargeStatus, ClaimFileRow, ItemState, Mode, ReviewItemRow, Role
from charges.users import accounts
from charges.users.accounts import Credentials
from charges.x12 import check

PORT = 8765
"""Where `charges simulate` stands in for the vendor when somebody goes on with the demo's folder."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What came out, as counts of charges; ``pulled`` is the sum of clean, held, void and self-pay.

    ``precision`` is the share of findings that the simulator knows to be errors, ``recall`` the share of its errors that
    were found; both count pairs of charge and rule.
    """

    pulled: int
    clean: int
    held: int
    void: int
    self_pay: int
    claimed: int
    files: int
    precision: float
    recall: float


@dataclass(frozen=True)
class Demonstration:
    """What a run showed."""

    figures: Figures
    held_by_rule: dict[str, int]
    newest_file: Path | None
    first_segments: tuple[str, ...]
    pyx12_accepts: bool
    new_claims: int
    waiting: Sequence[review.Held]
    visitor: Credentials


def demonstrate(
    folder: Path, *, patients: int, seed: int, today: date, shown: int = 12, progress: Progress = no_progress
) -> Demonstration:
    """Run the pipeline in a folder; in a folder that was used before it goes on there.

    ``shown`` is how many held charges are brought along to look at.
    """
    made = _remembered(folder, patients=patients, seed=seed, today=today)
    simulated = build_practice(seed=seed, patients=patients, today=made)
    clock = _noon(made)
    with running(simulator_app(simulated)) as base_url, prepared(folder, clock) as (pipeline, applied):
        source = source_at(applied, base_url)
        pipeline.pull(applied, progress, source=source)
        pipeline.judge(applied, progress)
        generated = pipeline.generate(applied, progress)
        pipeline.deliver(applied)
        truth = httpx2.get(f"{base_url}/truth", timeout=30).json()
        return _shown(pipeline, applied, truth, generated, shown)


VISITOR = "demo"
"""The user of the page who looks at a demo."""


def _visitor(database: Database) -> Credentials:
    """The demo's user with a fresh one-time password: who runs the demo again has lost the last one."""
    try:
        return accounts.reset(database, VISITOR, by=VISITOR, because="the demo ran again", clock=utc_now)
    except Missing:
        wanted = accounts.Wanted(Role.LEAD, sees_all=True)
        made = accounts.add(database, VISITOR, wanted, by=VISITOR, clock=utc_now)
        assert made is not None
        return made


def _noon(day: date) -> Callable[[], datetime]:
    moment = datetime.combine(day, time(18), tzinfo=UTC)
    return lambda: moment


def _remembered(folder: Path, *, patients: int, seed: int, today: date) -> date:
    """The day a folder's practice was made on: its charges must stay the same when the demo runs again another day."""
    note = folder / "demo.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not note.exists():
            note.write_text(json.dumps({"patients": patients, "seed": seed, "today": today.isoformat()}))
        known = json.loads(note.read_text())
        made = date.fromisoformat(known["today"])
    except OSError as error:
        raise Refused(f"{folder} cannot be used for the demo ({error.strerror}).") from None
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{note} is damaged. Remove {folder} and start again.") from None
    if (known.get("patients"), known.get("seed")) != (patients, seed):
        raise Refused(
            f"{folder} holds a demo of {known.get('patients')} patients with seed {known.get('seed')}. "
            "Choose another --dir, or remove that folder."
        )
    return made


def _connection(folder: Path, base_url: str) -> EclinicalWorks:
    secret = (folder / "eclinicalworks.secret").resolve()
    secret.write_text(CLIENT_SECRET)
    secret.chmod(0o600)
    example = _example().source
    assert isinstance(example, EclinicalWorks)
    return example.model_copy(update={"base_url": base_url, "client_secret": Secret(file=secret)})


def source_at(applied: Applied, base_url: str) -> ChargeSource:
    """The practice's source at another address than its profile says, without another profile."""
    source = applied.practice.source.model_copy(update={"base_url": base_url})
    return source_of(applied.practice.model_copy(update={"source": source}))


def _example() -> Practice:
    with as_file(files("charges").joinpath("practice/examples/lakeside.yaml")) as path:
        return read_profile(path)


@contextmanager
def prepared(
    folder: Path,
    clock: Callable[[], datetime],
    database_url: str = "",
    base_url: str = f"http://127.0.0.1:{PORT}",
) -> Iterator[tuple[Pipeline, Applied]]:
    """A pipeline with the example practice applied and all of it sent, on a database and key in the folder."""
    settings = Settings(
        database_url=database_url or f"sqlite:///{folder / 'chargerouter.db'}", key_file=folder / "chargerouter.key"
    )
    if not settings.key_file.exists():
        write_keyring(new_keyring(), settings.key_file)
    engine = create_database_engine(settings)
    upgrade(engine)
    engine.dispose()
    database = open_database(settings)
    example = _example()
    transport = example.trading_partner.transport.model_copy(
        update={"outbound": (folder / "outbound").resolve(), "inbound": (folder / "inbound").resolve()}
    )
    asks_nothing = Promotion(days=0, charges=0, clean_rate=Decimal(0), acceptance_rate=Decimal(0))
    practice = example.model_copy(
        update={
            "roll_out": example.roll_out.model_copy(update={"percent": 100, "promotion": asks_nothing}),
            "source": _connection(folder, base_url),
            "trading_partner": example.trading_partner.model_copy(update={"transport": transport}),
        }
    )
    pipeline = Pipeline(database, settings, clock)
    try:
        pipeline.apply(practice, by="demo")
        while pipeline.practice(practice.code).standing.mode is not Mode.FULL:
            pipeline.advance(practice.code, by="demo", reason="invented people only")
        yield pipeline, pipeline.practice(practice.code)
    finally:
        database.close()


def _shown(
    pipeline: Pipeline, applied: Applied, truth: dict[str, Any], generated: claims.Generated, shown: int
) -> Demonstration:
    database = pipeline.database
    with database.transaction() as session:
        counted = session.execute(
            select(ChargeRow.status, func.count()).where(ChargeRow.practice_id == applied.id).group_by(ChargeRow.status)
        )
        states = Counter({status: count for status, count in counted})  # noqa: C416 - as in claims
        found = {
            (key, rule)
            for key, rule in session.execute(
                select(ChargeRow.key, ReviewItemRow.rule)
                .join(ChargeRow, ChargeRow.id == ReviewItemRow.charge_id)
                .where(
                    ReviewItemRow.state == ItemState.OPEN,
                    ReviewItemRow.severity.in_((Severity.HOLD, Severity.STOP)),
                )
            )
        }
        stored = session.scalars(select(ClaimFileRow).order_by(ClaimFileRow.id)).all()
        newest = stored[-1] if stored else None
        content = newest.unseal(database.keyring, "content") if newest else b""
    known = {(charge["key"], rule) for charge in truth["charges"] for rule in charge["errors"]}
    hits = len(found & known)
    claimed = states[ChargeStatus.CLAIMED] + states[ChargeStatus.ACCEPTED]
    figures = Figures(
        pulled=sum(states.values()),
        clean=claimed + states[ChargeStatus.CLEAN],
        held=states[ChargeStatus.HELD],
        void=states[ChargeStatus.VOID],
        self_pay=states[ChargeStatus.SELF_PAY],
        claimed=claimed,
        files=len(stored),
        precision=round(hits / len(found), 4) if found else 1.0,
        recall=round(hits / len(known), 4) if known else 1.0,
    )
    return Demonstration(
        figures=figures,
        held_by_rule=_most_first(Counter(rule for _, rule in found)),
        newest_file=Path(applied.practice.trading_partner.transport.outbound) / newest.name if newest else None,
        first_segments=tuple(content.decode("ascii").split("~")[:6]),
        pyx12_accepts=bool(content) and check.check(content).valid,
        new_claims=generated.claims,
        waiting=review.held(database, limit=shown),
        visitor=_visitor(database),
    )


def _most_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def as_json(figures: Figures) -> dict[str, Any]:
    """The figures for machines."""
    return asdict(figures)
