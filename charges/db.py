"""The database: one way to open it, one way to change it (all of it or none of it), one way to be alone at a task.

SQLite is opened in WAL mode with full synchronisation, and every transaction begins with ``BEGIN IMMEDIATE``: by default
two transactions that read and then write would silently lose one update. PostgreSQL needs nothing special; the stages
read with ``FOR UPDATE SKIP LOCKED`` there.

No text of a database error leaves this module: PostgreSQL repeats row values in it.
"""

import fcntl
import hashlib
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from charges.errors import Refused, Unavailable
from charges.keyring import Keyring, parse_keyring, read_keyring
from charges.settings import Settings

_READS_ONLY = "charges_reads_only"


@dataclass(frozen=True)
class Database:
    """An open database and the keys that open what is sealed in it."""

    engine: Engine
    keyring: Keyring

    @property
    def is_sqlite(self) -> bool:
        """Whether rows cannot be locked one by one."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose changes are kept together when the block ends, and not at all when it raises."""
        with explained(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A session that sees one state of the database, whatever others change meanwhile, and changes nothing itself."""
        one_state = {_READS_ONLY: True} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        engine = self.engine.execution_options(**one_state)
        with explained(), Session(engine, expire_on_commit=False, autoflush=False) as session, session.begin():
            yield session
            session.rollback()

    @contextmanager
    def alone_at(self, task: str) -> Iterator[bool]:
        """Whether this process is the only one at a task now; the lock ends with the block or with the process.

        It saves doubled work. Nothing may rely on it for being done once: the compare-and-set of each stage does that.
        """
        with explained(), _lock(self.engine, task) as is_mine:
            yield is_mine

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def open_database(settings: Settings) -> Database:
    """The database and keyring of the settings; raises Refused when the key is missing."""
    keyring = (
        parse_keyring(settings.key.get_secret_value()) if settings.key is not None else read_keyring(settings.key_file)
    )
    return Database(create_database_engine(settings), keyring)


def create_database_engine(settings: Settings) -> Engine:
    """The engine of the settings, with the transactions described above."""
    if settings.is_sqlite:
        engine = create_engine(
            settings.database_url, hide_parameters=True, connect_args={"timeout": settings.lock_seconds}
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    return create_engine(
        settings.database_url,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"connect_timeout": settings.lock_seconds},
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    connection.isolation_level = None  # the driver's own BEGIN would come too late
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    """Who only reads does not keep others from writing: in WAL mode its first read fixes what it sees."""
    reads_only = connection.get_execution_options().get(_READS_ONLY)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the database raises into our own words."""
    try:
        yield
    except OperationalError as error:
        raise Unavailable(_operational_sentence(error)) from None
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorname", "") in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
            raise Refused(
                "The file of CHARGES_DATABASE_URL is no SQLite database, or is damaged. Name another, or restore the last "
                "backup."
            ) from None
        state = getattr(error.orig, "sqlstate", None) or type(error.orig).__name__
        raise Unavailable(
            f"The database refused a statement ({state}). Nothing of the step was kept; if it happens again, "
            "run `charges doctor`."
        ) from None
    except SQLAlchemyError as error:
        raise Unavailable(f"The database could not be used ({type(error).__name__}). Run `charges doctor`.") from None


def _operational_sentence(error: OperationalError) -> str:
    said = str(error.orig).lower()
    if "locked" in said:
        return (
            "The database is locked by another program. Nothing of this step was kept; the next run goes on from here."
        )
    if "no such table" in said or "does not exist" in said:
        return "The database has no tables yet or old ones. Run `charges db upgrade` and try again."
    if "full" in said:
        return "The disk of the database is full. Nothing of this step was kept; make room and run again."
    if "unable to open" in said:
        return (
            "The database file cannot be opened. Check CHARGES_DATABASE_URL and that its folder exists and is writable."
        )
    if "readonly" in said or "read-only" in said:
        return "The database is read-only for this user. Check the rights of the file and its folder."
    return (
        f"The database does not answer ({type(error.orig).__name__}). Nothing of this step was kept; check "
        "CHARGES_DATABASE_URL and the server, and run again."
    )


def _lock(engine: Engine, task: str) -> AbstractContextManager[bool]:
    return _file_lock(engine, task) if engine.dialect.name == "sqlite" else _advisory_lock(engine, task)


@contextmanager
def _advisory_lock(engine: Engine, task: str) -> Iterator[bool]:
    number = int.from_bytes(hashlib.sha256(task.encode()).digest()[:8], "big", signed=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_mine = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}))
        try:
            yield is_mine
        finally:
            if is_mine:
                connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})


@contextmanager
def _file_lock(engine: Engine, task: str) -> Iterator[bool]:
    database = make_url(engine.url).database
    if not database or database == ":memory:":
        yield True
        return
    name = re.sub(r"[^a-z0-9-]", "-", task.lower())
    with Path(f"{database}-lock-{name}").open("w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def alembic_config() -> alembic.config.Config:
    """Where the migrations are, in a checkout or installed."""
    here = Path(__file__).resolve().parent
    installed, checkout = here / "_migrations", here.parent / "migrations"
    config = alembic.config.Config()
    config.set_main_option("script_location", str(installed if installed.is_dir() else checkout).replace("%", "%%"))
    return config


def upgrade(engine: Engine) -> None:
    """Bring the tables to this version of the program."""
    config = alembic_config()
    with explained(), engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Whether the tables are those of this version of the program."""
    with explained(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == _head()


@cache
def _head() -> str | None:
    """The newest migration of this program, looked for once."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def demand_current(engine: Engine) -> None:
    """Raise Refused unless the tables are current."""
    if not is_current(engine):
        raise Refused("The database's tables are not those of this version. Run `charges db upgrade` and try again.")
