"""The settings: usable ones are read, bad ones are refused with their names, and the table of them is true."""

from pathlib import Path

import pytest

from charges.errors import Refused
from charges.settings import Settings, read_settings, settings_table

DOCUMENT = Path(__file__).parent.parent / "docs" / "settings.md"


def test_without_any_setting_one_sqlite_file_and_no_broker() -> None:
    settings = read_settings({})
    assert settings.is_sqlite
    assert settings.broker_url == ""


@pytest.mark.parametrize("spelling", ["postgres://", "postgresql://", "postgresql+psycopg://"])
def test_postgresql_in_any_spelling_uses_psycopg(spelling: str) -> None:
    settings = read_settings({"CHARGES_DATABASE_URL": f"{spelling}user@host/name"})
    assert settings.database_url == "postgresql+psycopg://user@host/name"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CHARGES_DATABASE_URL", "mysql://host/x", "must begin with sqlite:/// or postgresql://"),
        ("CHARGES_BROKER_URL", "filesystem://", "loses messages"),
        ("CHARGES_BROKER_URL", "sqla+sqlite:///x.db", "loses messages"),
        ("CHARGES_BROKER_URL", "memory://", "loses messages"),
        ("CHARGES_BROKER_URL", "ftp://x", "must begin with amqp://"),
        ("CHARGES_BATCH_SIZE", "0", "greater than or equal to 1"),
        ("CHARGES_PULL_EVERY", "soon", "valid integer"),
        ("CHARGES_LOG_LEVEL", "loud", "pattern"),
    ],
)
def test_a_bad_setting_is_refused_with_its_name(name: str, value: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as refusal:
        read_settings({name: value})
    assert name in str(refusal.value)


def test_a_misspelt_setting_is_refused_with_the_one_meant() -> None:
    with pytest.raises(Refused, match="CHARGES_DATABSE_URL is not a setting; is CHARGES_DATABASE_URL meant"):
        read_settings({"CHARGES_DATABSE_URL": "sqlite:///x.db"})


def test_the_refusal_does_not_repeat_a_password() -> None:
    with pytest.raises(Refused) as refusal:
        read_settings({"CHARGES_DATABASE_URL": "mysql://root:hunter2@host/x"})
    assert "hunter2" not in str(refusal.value)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGES_BATCH_SIZE", "17")
    assert read_settings().batch_size == 17


def test_the_table_of_settings_is_in_step() -> None:
    assert settings_table() in DOCUMENT.read_text(), "run `python -m tests.checks --write`"
    assert all(f"CHARGES_{name.upper()}" in settings_table() for name in Settings.model_fields)
