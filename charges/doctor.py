"""A look at everything that must be right before patients' charges are entrusted to an installation."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from kombu import Connection
from sqlalchemy import func, select, text

from charges.db import Database, is_current, open_database
from charges.drift import breakers
from charges.errors import BadRules, ChargerouterError, Refused
from charges.feeds import probing
from charges.model import Charge
from charges.pipeline import Applied, Pipeline, clearinghouse_of
from charges.practice.connections import EclinicalWorks, read_secret
from charges.practice.partner import SftpTransport
from charges.replies.overdue import standing
from charges.settings import Settings, read_settings
from charges.tables import ClaimFileRow, EventRow, FileStatus
from charges.telling import endpoints, mail, subscriptions, webhooks
from rules.engine import PLUGIN_ERROR, Facts, load

_ENOUGH_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing looked at; ``says`` is what was seen, or what to do."""

    what: str
    ok: bool
    says: str


def examine(read: Callable[[], Settings] = read_settings) -> Iterator[Examined]:
    """Look at one thing after the other; a fault hides only what depends on it."""
    try:
        settings = read()
    except ChargerouterError as error:
        yield Examined("settings", ok=False, says=str(error))
        return
    yield Examined("settings", ok=True, says="usable")
    yield _broker(settings)
    yield _rules()
    try:
        database = open_database(settings)
    except ChargerouterError as error:
        yield Examined("key", ok=False, says=str(error))
        return
    current = database.keyring.current
    yield Examined("key", ok=True, says=f"number {current} of {len(database.keyring.keys)} seals")
    try:
        yield from _database(database, settings)
    except ChargerouterError as error:
        yield Examined("database", ok=False, says=str(error))
        return
    finally:
        database.close()


def _database(database: Database, settings: Settings) -> Iterator[Examined]:
    if not is_current(database.engine):
        yield Examined("tables", ok=False, says="Run `charges db upgrade`.")
        return
    yield Examined("tables", ok=True, says="current")
    if database.is_sqlite:
        yield _pragmas(database)
        folder = Path(str(database.engine.url.database)).resolve().parent
        yield _disk("disk of the database", folder)
    else:
        yield _server(database)
    yield _clock(database)
    yield _uncertain(database)
    yield from _telling(database, settings)
    pipeline = Pipeline(database, settings)
    for applied in pipeline.practices():
        yield _payer_rules(pipeline, applied)
        yield from _source(applied)
        yield from _probe(database, applied)
        yield from _records(database, applied)
        yield _replies(database, applied)
        yield from _transport(applied)


def _telling(database: Database, settings: Settings) -> Iterator[Examined]:
    """Whether the mail server lets us in and endpoints let themselves be connected; nothing is sent."""
    readers = subscriptions.listed(database)
    if not settings.smtp_host:
        wanting = "1 user wants" if len(readers) == 1 else f"{len(readers)} users want"
        says = f"{wanting} mail, and CHARGES_SMTP_HOST is not set" if readers else "none: nobody is told by mail"
        yield Examined("mail server", ok=not readers, says=says)
    else:
        yield _asked("mail server", lambda: mail.ask(settings), f"{settings.smtp_host} lets us in")
    for each in readers:
        if each.fault:
            yield Examined(f"mail to {each.user}", ok=False, says=each.fault)
    networks = webhooks.read_networks(settings.webhook_networks)
    for endpoint in endpoints.listed(database):
        what = f"endpoint {endpoint.name} of {endpoint.practice}"
        if endpoint.state == "answers":
            yield _asked(what, partial(webhooks.reach, endpoint.url, networks), endpoint.sentence)
        else:
            yield Examined(what, ok=False, says=endpoint.sentence)


def _asked(what: str, ask: Callable[[], None], says: str) -> Examined:
    try:
        ask()
    except ChargerouterError as error:
        return Examined(what, ok=False, says=str(error))
    return Examined(what, ok=True, says=says)


def _replies(database: Database, applied: Applied) -> Examined:
    """Whether every reply that should have come by now has come."""
    late = standing(database, applied.practice.code)
    return Examined(
        f"replies of {applied.practice.code}",
        ok=not late,
        says=" ".join(each.sentence for each in late[:3]) or "none is overdue",
    )


def _pragmas(database: Database) -> Examined:
    wanted = {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"}
    with database.engine.connect() as connection:
        seen = {name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in wanted}
    wrong = [f"{name} is {seen[name]} instead of {value}" for name, value in wanted.items() if seen[name] != value]
    return Examined("database", ok=not wrong, says="; ".join(wrong) or "SQLite, write-ahead log, full synchronisation")


def _server(database: Database) -> Examined:
    with database.engine.connect() as connection:
        version = connection.scalar(text("SHOW server_version"))
        durable = {name: connection.scalar(text(f"SHOW {name}")) for name in ("fsync", "synchronous_commit")}
    wrong = [
        f"{name} is off: a power cut would lose charges; switch it on"
        for name, value in durable.items()
        if value == "off"
    ]
    return Examined("database", ok=not wrong, says="; ".join(wrong) or f"PostgreSQL {version}")


def _broker(settings: Settings) -> Examined:
    if not settings.broker_url:
        return Examined("broker", ok=True, says="none: `charges work` does everything in one process")
    try:
        with Connection(settings.broker_url, connect_timeout=3) as connection:
            connection.ensure_connection(max_retries=1, timeout=5)
    except Exception as error:  # noqa: BLE001 - every transport has errors of its own
        return Examined(
            "broker",
            ok=False,
            says=f"The broker of CHARGES_BROKER_URL does not answer ({type(error).__name__}). Start it or correct the URL.",
        )
    return Examined("broker", ok=True, says=f"answers ({settings.broker_url.partition('://')[0]})")


def _clock(database: Database) -> Examined:
    with database.transaction() as session:
        latest = session.scalar(select(func.max(EventRow.at)))
    now = datetime.now(UTC)
    if latest is not None and latest > now + timedelta(minutes=5):
        return Examined(
            "clock", ok=False, says=f"The clock says {now:%Y-%m-%d %H:%M} UTC, before the last event stored. Set it."
        )
    return Examined("clock", ok=True, says=f"{now:%Y-%m-%d %H:%M} UTC")


def _uncertain(database: Database) -> Examined:
    with database.transaction() as session:
        count = session.scalar(select(func.count()).where(ClaimFileRow.status == FileStatus.UNCERTAIN)) or 0
    if count:
        return Examined(
            "files", ok=False, says=f"{count} files may or may not have been received: see `charges files list`."
        )
    return Examined("files", ok=True, says="no file is uncertain")


def _rules() -> Examined:
    installed = load()
    broken = [problem.message for rule in installed if rule.id == PLUGIN_ERROR for problem in rule.check(_ANY)]
    return Examined("rules", ok=not broken, says=" ".join(broken) or f"{len(installed)} rules are installed")


_ANY = Facts(charge=Charge(), today=date.min)


def _payer_rules(pipeline: Pipeline, applied: Applied) -> Examined:
    what = f"payer rules of {applied.practice.code}"
    try:
        return Examined(what, ok=True, says=f"{len(pipeline.book(applied))} rules")
    except BadRules as error:
        return Examined(what, ok=False, says=str(error))


def _source(applied: Applied) -> Iterator[Examined]:
    """Whether the source's secret is where the profile says; nobody is asked over the network."""
    source = applied.practice.source
    if isinstance(source, EclinicalWorks):
        what = f"source of {applied.practice.code}"
        try:
            read_secret(source.client_secret, "client secret")
        except Refused as error:
            yield Examined(what, ok=False, says=str(error))
        else:
            yield Examined(what, ok=True, says=f"{source.base_url}; its secret is in place")


def _probe(database: Database, applied: Applied) -> Iterator[Examined]:
    """What the source gave when it was last asked; nobody is asked now."""
    what = f"probe of {applied.practice.code}"
    probed = probing.last(database, applied.id, applied.practice.source.kind)
    if probed is None:
        yield Examined(what, ok=True, says=f"never asked: `charges sources probe {applied.practice.code}`")
    elif probed.probe is None:
        yield Examined(what, ok=False, says=f"{probed.asked_at:%Y-%m-%d %H:%M} UTC: {probed.fault}")
    else:
        seen = probed.probe
        newest = f", newest change {seen.newest}" if seen.newest else ""
        yield Examined(
            what,
            ok=True,
            says=f"{probed.asked_at:%Y-%m-%d %H:%M} UTC: {', '.join(seen.streams)}; {seen.records} records looked at, "
            f"{seen.unreadable} of them cannot be read{newest}",
        )


def _records(database: Database, applied: Applied) -> Iterator[Examined]:
    """Whether the records of each source are as a person accepted them."""
    for each in breakers.watched(database, applied.practice.code):
        yield Examined(f"records of {each.practice}", ok=not each.stops, says=each.sentence)


def _transport(applied: Applied) -> Iterator[Examined]:
    """Whether files can be dropped: the folder is looked at, the server is asked."""
    transport = applied.practice.trading_partner.transport
    if not isinstance(transport, SftpTransport):
        yield from _folders(applied.practice.code, transport.outbound)
        return
    try:
        with clearinghouse_of(applied.practice).connected():
            pass
    except ChargerouterError as error:
        yield Examined(f"server of {applied.practice.code}'s partner", ok=False, says=str(error))
    else:
        yield Examined(f"server of {applied.practice.code}'s partner", ok=True, says=f"{transport.host} lets us in")


def _folders(practice: str, outbound: Path) -> Iterator[Examined]:
    what = f"drop folder of {practice}"
    existing = next((path for path in (outbound, *outbound.resolve().parents) if path.is_dir()), Path("/"))
    if not os.access(existing, os.W_OK):
        yield Examined(what, ok=False, says=f"{outbound} cannot be written to. Change its rights.")
        return
    yield Examined(
        what, ok=True, says=str(outbound) if existing == outbound else f"{outbound} is made when first needed"
    )
    yield _disk(f"disk of {practice}'s drop folder", existing)


def _disk(what: str, folder: Path) -> Examined:
    free = shutil.disk_usage(folder).free
    return Examined(
        what,
        ok=free > _ENOUGH_BYTES,
        says=f"{free / 1e9:.1f} GB free" + ("" if free > _ENOUGH_BYTES else ": make room"),
    )
