"""What tests share: a database of each kind, a clock that stands still, a source that holds what it is told."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
import structlog

from charges.cli import shared
from charges.cli.main import main
from charges.db import Database, create_database_engine, open_database, upgrade
from charges.keyring import Keyring
from charges.settings import Settings
from tests.practice import Workplace
from tests.services import postgres_database

# A gate says the same of the same change; whoever works on the code searches further with each run.
hypothesis.settings.register_profile("gate", derandomize=True, print_blob=True)
if os.environ.get("CHARGES_TEST_SAME_EXAMPLES"):
    hypothesis.settings.load_profile("gate")

NOON = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
Charges = Callable[..., tuple[int, str, str]]
KEYRING = Keyring({1: bytes(range(32))}, bytes(range(32, 64)))


@pytest.fixture(autouse=True)
def _no_settings_of_this_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CHARGES_DATABASE_URL", "CHARGES_BROKER_URL", "CHARGES_KEY", "CHARGES_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _no_logging_of_another_test() -> Iterator[None]:
    """A command under test writes its logs to a stream that ends with the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def clock() -> Callable[[], datetime]:
    return lambda: NOON


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'chargerouter.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'chargerouter.db'}"
    else:
        with postgres_database() as url:
            yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with current tables, once on SQLite and once on PostgreSQL."""
    engine = create_database_engine(Settings(database_url=database_url))
    upgrade(engine)
    opened = Database(engine, KEYRING)
    yield opened
    opened.close()


@pytest.fixture
def workplace(database: Database, tmp_path: Path, clock: Callable[[], datetime]) -> Workplace:
    """A practice whose claims all go out, on each kind of database."""
    return Workplace(database, tmp_path, clock)


@pytest.fixture
def small_workplace(sqlite_url: str, tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[Workplace]:
    """The same on SQLite alone, for what does not depend on the database."""
    engine = create_database_engine(Settings(database_url=sqlite_url))
    upgrade(engine)
    opened = Database(engine, KEYRING)
    yield Workplace(opened, tmp_path, clock)
    opened.close()


@pytest.fixture
def charges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Charges:
    """Run a command in this process, in an empty folder; gives exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shared.out, "width", 200)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def installed_workplace(charges: Charges, tmp_path: Path) -> Workplace:
    """A workplace on the database that the commands find in their folder."""
    assert charges("keys", "new", "chargerouter.key")[0] == 0
    settings = Settings(key_file=tmp_path / "chargerouter.key")
    upgrade(create_database_engine(settings))
    return Workplace(open_database(settings), tmp_path, lambda: NOON)
