"""The database: all or nothing, no lost update, and its faults in our words."""

import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import alembic.command
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from charges import db
from charges.db import Database, create_database_engine
from charges.errors import Refused, Unavailable
from charges.settings import Settings
from charges.tables import Base, ControlNumberRow, CursorRow, EventRow, PracticeRow, insert_all, next_ids
from tests.conftest import KEYRING, NOON

_EVENT = {
    "subject": "charge",
    "sequence": 1,
    "what": "told",
    "was": "held",
    "became": "held",
    "at": NOON,
    "previous": "",
    "digest": "0",
}


def test_the_tables_are_those_of_the_models(database: Database) -> None:
    config = db.alembic_config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.check(config)


def test_migrations_go_down_and_up_again(database: Database) -> None:
    config = db.alembic_config()
    for step in ("base", "head"):
        with database.engine.begin() as connection:
            config.attributes["connection"] = connection
            (alembic.command.downgrade if step == "base" else alembic.command.upgrade)(config, step)
        tables = set(inspect(database.engine).get_table_names()) - {"alembic_version"}
        assert tables == (set() if step == "base" else set(Base.metadata.tables))


def test_each_migration_goes_down_and_up_alone(database: Database) -> None:
    config = db.alembic_config()
    count = len(list(ScriptDirectory.from_config(config).walk_revisions()))
    for move, step in ((alembic.command.downgrade, "-1"), (alembic.command.upgrade, "+1")):
        for _ in range(count):
            with database.engine.begin() as connection:
                config.attributes["connection"] = connection
                move(config, step)
    assert db.is_current(database.engine)
    assert set(inspect(database.engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}


def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    def fails() -> None:
        with database.transaction() as session:
            session.add(ControlNumberRow(scope="a", next=1))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with database.transaction() as session:
        assert session.query(ControlNumberRow).count() == 0


COUNT = """
import sys
from charges.db import Database, create_database_engine
from charges.settings import Settings
from charges.tables import ControlNumberRow
from tests.conftest import KEYRING

database = Database(create_database_engine(Settings(database_url=sys.argv[1])), KEYRING)
for _ in range(100):
    with database.transaction() as session:
        row = session.query(ControlNumberRow).with_for_update().one()
        row.next = row.next + 1
"""


def test_processes_that_read_and_then_write_lose_no_update(database: Database, database_url: str) -> None:
    with database.transaction() as session:
        session.add(ControlNumberRow(scope="a", next=0))
    root = Path(__file__).parent.parent
    workers = [subprocess.Popen([sys.executable, "-c", COUNT, database_url], cwd=root) for _ in range(3)]
    assert [worker.wait(120) for worker in workers] == [0, 0, 0]
    with database.transaction() as session:
        assert session.query(ControlNumberRow).one().next == 300


def test_only_one_is_alone_at_a_task(database: Database, database_url: str) -> None:
    other = Database(create_database_engine(Settings(database_url=database_url)), KEYRING)
    with database.alone_at("pull 1") as first, other.alone_at("pull 1") as second, other.alone_at("pull 2") as third:
        assert (first, second, third) == (True, False, True)
    with other.alone_at("pull 1") as again:
        assert again
    other.close()


def test_a_lock_ends_with_its_process(database: Database, database_url: str) -> None:
    holder = textwrap.dedent("""
        import os, signal, sys
        from charges.db import Database, create_database_engine
        from charges.settings import Settings
        from tests.conftest import KEYRING
        database = Database(create_database_engine(Settings(database_url=sys.argv[1])), KEYRING)
        with database.alone_at("pull 1"):
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    subprocess.run([sys.executable, "-c", holder, database_url], cwd=Path(__file__).parent.parent, check=False)
    with database.alone_at("pull 1") as is_mine:
        assert is_mine


def test_a_locked_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "locked.db"
    engine = create_database_engine(Settings(database_url=f"sqlite:///{path}", lock_seconds=1))
    db.upgrade(engine)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked by another"), Database(engine, KEYRING).transaction() as session:
        session.add(ControlNumberRow(scope="a", next=1))
    holder.close()
    engine.dispose()


def test_old_tables_are_told_in_a_sentence(sqlite_url: str) -> None:
    engine = create_database_engine(Settings(database_url=sqlite_url))
    with pytest.raises(Refused, match="charges db upgrade"):
        db.demand_current(engine)
    with pytest.raises(Unavailable, match="charges db upgrade"), Database(engine, KEYRING).transaction() as session:
        session.query(ControlNumberRow).all()
    engine.dispose()


def test_a_file_that_is_no_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear Sir or Madam, " * 100)
    engine = create_database_engine(Settings(database_url=f"sqlite:///{tmp_path / 'letter.db'}"))
    with pytest.raises(Refused, match="is no SQLite database"):
        db.demand_current(engine)


def test_no_value_of_a_row_is_in_a_fault(database: Database) -> None:
    with pytest.raises(Unavailable) as fault, database.transaction() as session:
        session.add_all([ControlNumberRow(scope="Odette Larkspur", next=1) for _ in range(2)])
    assert "Odette" not in str(fault.value)
    assert fault.value.__cause__ is None


@pytest.mark.parametrize("texts", [["plain"], ["", "a\tb", "c\nd", "\\N", "\\.", "e\\f", "Ådahl '\""]])
def test_rows_inserted_together_are_what_was_given(database: Database, texts: list[str]) -> None:
    with database.transaction() as session:
        numbers = next_ids(session, EventRow, len(texts))
        rows = [
            EventRow.values(
                KEYRING, {"detail": text.encode() or None}, id=number, subject_id=number, actor=text, **_EVENT
            )
            for number, text in zip(numbers, texts, strict=True)
        ]
        insert_all(session, EventRow, rows)
        session.add(EventRow(subject_id=0, actor="by itself", key_id=1, **_EVENT))  # has no number that was given away
    with database.transaction() as session:
        read = session.query(EventRow).order_by(EventRow.id).all()
        assert [each.actor for each in read] == [*texts, "by itself"]
        assert [each.unseal(KEYRING, "detail").decode() for each in read] == [*texts, ""]
        assert {(each.at, each.what) for each in read} == {(NOON, "told")}


def test_rows_inserted_together_have_the_defaults_of_their_table(database: Database) -> None:
    with database.transaction() as session:
        practice = PracticeRow(code="here", name="Here", digest="", applied_at=NOON)
        practice.seal(KEYRING, profile=b"{}")
        session.add(practice)
        session.flush()
        insert_all(
            session, CursorRow, [{"practice_id": practice.id, "source": "fhir", "position": "5", "moved_at": NOON}]
        )
        assert session.query(CursorRow).one().stream == "changes"


def test_no_value_of_rows_inserted_together_is_in_a_fault(database: Database) -> None:
    row = EventRow.values(KEYRING, {"detail": None}, subject_id=1, actor="Odette Larkspur", **_EVENT)
    with pytest.raises(Unavailable, match="refused a statement") as fault, database.transaction() as session:
        insert_all(session, EventRow, [row, row])
    assert "Odette" not in str(fault.value)
    assert fault.value.__cause__ is None


def test_an_unreachable_server_is_told_in_a_sentence() -> None:
    engine = create_database_engine(Settings(database_url="postgresql://nobody@127.0.0.1:1/none", lock_seconds=1))
    with pytest.raises(Unavailable, match="CHARGES_DATABASE_URL"), Database(engine, KEYRING).transaction() as session:
        session.execute(text("SELECT 1"))
    engine.dispose()


def test_sqlite_is_opened_safely(sqlite_url: str) -> None:
    engine: Engine = create_database_engine(Settings(database_url=sqlite_url))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    engine.dispose()
